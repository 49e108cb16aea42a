package rendercache

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// decode reverses a content coding.
func decode(t *testing.T, coding string, body []byte) []byte {
	t.Helper()
	var r io.Reader = bytes.NewReader(body)
	var err error
	switch coding {
	case "gzip":
		r, err = gzip.NewReader(r)
	case "br":
		r = brotli.NewReader(r)
	case "zstd":
		var decoder *zstd.Decoder
		if decoder, err = zstd.NewReader(r); err == nil {
			defer decoder.Close()
			r = decoder
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	out, err := io.ReadAll(r)
	if err != nil {
		t.Fatalf("%s: %v", coding, err)
	}
	return out
}

func request(method, accept string, header ...string) *http.Request {
	r := httptest.NewRequest(method, "/a", nil)
	if accept != "" {
		r.Header.Set("Accept-Encoding", accept)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	return r
}

func TestEveryCodingGivesTheBodyBack(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 1))
	noise := make([]byte, 70_000)
	for i := range noise {
		noise[i] = byte(random.IntN(256))
	}
	for name, body := range map[string][]byte{
		"empty": {}, "one byte": []byte("x"), "text": sampleText(9, 100_000), "noise": noise, "zeros": make([]byte, 300_000), "not UTF-8": []byte("\xff\xfe\x00\x80"),
	} {
		for c := Identity; c < codingCount; c++ {
			t.Run(name+" in "+codingName[c], func(t *testing.T) {
				t.Parallel()
				cache := NewCache[*Document](1 << 20)
				d := New("/a", body, nil, 0)
				cache.Put(d)
				w := httptest.NewRecorder()
				if got := cache.Answer(w, request(http.MethodGet, codingName[c]), d, false); got != c {
					t.Fatalf("answered in %s", codingName[got])
				}
				h := w.Result().Header
				if want := codingName[c]; h.Get("Content-Encoding") != strings.TrimPrefix(want, "identity") {
					t.Errorf("Content-Encoding %q", h.Get("Content-Encoding"))
				}
				if h.Get("Content-Length") != fmt.Sprint(w.Body.Len()) || h.Get("Vary") != "Accept-Encoding" {
					t.Errorf("%d bytes were sent with the headers %v", w.Body.Len(), h)
				}
				if got := decode(t, codingName[c], w.Body.Bytes()); !bytes.Equal(got, body) {
					t.Errorf("%d bytes come back as %d", len(body), len(got))
				}
			})
		}
	}
}

// TestAnswersToHeadAndNotModifiedHaveTheHeadersOfGet checks RFC 9110, sections 9.3.2 and 15.4.5.
func TestAnswersToHeadAndNotModifiedHaveTheHeadersOfGet(t *testing.T) {
	t.Parallel()
	headers := http.Header{
		"Content-Type": {"text/html"}, "Content-Language": {"fr"}, "Link": {"</next>; rel=next", "</prev>; rel=prev"}, "Cache-Control": {"max-age=60"},
		"Last-Modified": {"Fri, 02 Jan 2026 00:00:00 GMT"}, "Content-Security-Policy": {"default-src 'none'"},
	}
	cache := NewCache[*Document](1 << 20)
	d := New("/a", sampleText(3, 5000), headers, 0)
	cache.Put(d)
	answer := func(method string, unchanged bool) *http.Response {
		w := httptest.NewRecorder()
		w.Header().Set("X-Own", "1")
		cache.Answer(w, request(method, "gzip"), d, unchanged)
		return w.Result()
	}
	get, head, same := answer(http.MethodGet, false), answer(http.MethodHead, false), answer(http.MethodGet, true)
	if get.StatusCode != 200 || head.StatusCode != 200 || same.StatusCode != 304 || head.ContentLength != get.ContentLength {
		t.Fatalf("statuses %d, %d, %d; lengths %d and %d", get.StatusCode, head.StatusCode, same.StatusCode, get.ContentLength, head.ContentLength)
	}
	for _, empty := range []*http.Response{head, same} {
		if body, _ := io.ReadAll(empty.Body); len(body) > 0 {
			t.Errorf("%s has a body of %d bytes", empty.Status, len(body))
		}
	}
	for name := range get.Header {
		if !slices.Equal(head.Header[name], get.Header[name]) {
			t.Errorf("HEAD has %s: %q, GET %q", name, head.Header[name], get.Header[name])
		}
		describesBody := slices.Contains([]string{"Content-Type", "Content-Language", "Content-Length", "Content-Encoding", "Link"}, name)
		if describesBody && same.Header.Get(name) != "" || !describesBody && !slices.Equal(same.Header[name], get.Header[name]) {
			t.Errorf("304 has %s: %q, 200 %q", name, same.Header[name], get.Header[name])
		}
	}
	for _, name := range []string{"Etag", "Content-Type", "Link", "Cache-Control", "Content-Security-Policy", "X-Own", "Vary"} {
		if get.Header.Get(name) == "" {
			t.Errorf("GET has no %s", name)
		}
	}
	if len(get.Header["Link"]) != 2 {
		t.Errorf("links %q", get.Header["Link"])
	}
}

func TestSentErrorPageHasNoETag(t *testing.T) {
	t.Parallel()
	d := New("/missing", sampleText(4, 3000), http.Header{"Content-Type": {"text/html"}, "Cache-Control": {"max-age=60"}}, 0)
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		w := httptest.NewRecorder()
		d.Send(w, request(method, "br", "If-None-Match", d.ETag()), http.StatusNotFound)
		h := w.Result().Header
		if w.Code != 404 || h.Get("Etag") != "" || h.Get("Content-Encoding") != "br" || h.Get("Content-Type") != "text/html" || h.Get("Vary") != "Accept-Encoding" {
			t.Errorf("%s: %d %v", method, w.Code, h)
		}
		if got := w.Body.Len(); (method == http.MethodHead) != (got == 0) || method == http.MethodGet && h.Get("Content-Length") != fmt.Sprint(got) {
			t.Errorf("%s has %d bytes, and the length %s", method, got, h.Get("Content-Length"))
		}
	}
}

func TestETagFollowsFromTheBody(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, body := range []string{"", "a", "b", "a ", "A"} {
		d, same := New("/a", []byte(body), nil, 0), New("/b", []byte(body), http.Header{"X": {"y"}}, 99)
		if d.ETag() != same.ETag() {
			t.Errorf("%q has two tags", body)
		}
		if tag := d.ETag(); seen[tag] || len(tag) != 22 || strings.Trim(tag, `"`) != tag[1:21] {
			t.Errorf("%q has the tag %s", body, tag)
		}
		seen[d.ETag()] = true
	}
	cache, d := NewCache[*Document](1<<20), New("/a", []byte("a"), nil, 0)
	tags := map[string]bool{}
	for _, accept := range []string{"", "gzip", "br", "zstd"} {
		w := httptest.NewRecorder()
		cache.Answer(w, request(http.MethodGet, accept), d, false)
		tags[w.Header().Get("Etag")] = true
	}
	if len(tags) != 4 { // RFC 9110, section 8.8.3.3: a strong tag differs for each coding
		t.Errorf("four codings have the tags %v", tags)
	}
}

// TestIfNoneMatchIsReadAsProxiesSendIt has lists of RFC 9110, section 13.1.2, and tags that proxies have changed.
func TestIfNoneMatchIsReadAsProxiesSendIt(t *testing.T) {
	t.Parallel()
	d := New("/a", []byte("a"), nil, 0)
	tag := strings.Trim(d.ETag(), `"`)
	for header, want := range map[string]bool{
		`"` + tag + `"`:                         true,
		`W/"` + tag + `"`:                       true,
		`"` + tag + `-gzip"`:                    true,
		`"` + tag + `-br"`:                      true,
		`W/"` + tag + `-zstd"`:                  true,
		`"` + tag + `"-gzip`:                    true,
		`"` + tag + `;gzip"`:                    true,
		`"` + tag + `;br"`:                      true,
		`"x", "` + tag + `"`:                    true,
		`"x","` + tag + `-gzip" , "y"`:          true,
		`  "` + tag + `"  `:                     true,
		`*`:                                     true,
		`"x", *`:                                true,
		``:                                      false,
		`,`:                                     false,
		`""`:                                    false,
		`"x"`:                                   false,
		`"` + tag + `x"`:                        false,
		`"x` + tag + `"`:                        false,
		`"` + tag[:10] + `"`:                    false,
		`"-gzip"`:                               false,
		`W/`:                                    false,
		`"` + strings.ToUpper(tag) + `-GZIP"`:   false,
		strings.Repeat(`"x",`, 1000) + d.ETag(): true,
		strings.Repeat(`"x",`, 1000) + `"unfinished`: false,
	} {
		conditional, unchanged := d.Unchanged(request(http.MethodGet, "", "If-None-Match", header))
		if !conditional || unchanged != want {
			t.Errorf("%.80s: conditional %t, unchanged %t; want %t", header, conditional, unchanged, want)
		}
	}
	if conditional, unchanged := d.Unchanged(request(http.MethodGet, "")); conditional || unchanged {
		t.Error("a request without the header is conditional")
	}
	if _, unchanged := d.Unchanged(request(http.MethodGet, "", "If-None-Match", `"x"`, "If-None-Match", d.ETag())); !unchanged {
		t.Error("the second line of the header is not read")
	}
}

func TestSameBodyReusesItsCompressedForms(t *testing.T) {
	t.Parallel()
	body := sampleText(5, 20_000)
	old := New("/a", body, nil, 0)
	compressed := old.Body(Brotli)
	next := New("/a", slices.Clone(body), nil, 0)
	next.Reuse(old)
	if got := next.Body(Brotli); &got[0] != &compressed[0] {
		t.Error("a form was compressed again")
	}
	if next.Size() != old.Size() {
		t.Errorf("%d bytes are counted, want %d", next.Size(), old.Size())
	}
	if got := decode(t, "gzip", next.Body(Gzip)); !bytes.Equal(got, body) {
		t.Error("a form that the old document did not have is wrong")
	}
	changed := New("/a", sampleText(6, 20_000), nil, 0)
	changed.Reuse(old)
	if got := decode(t, "br", changed.Body(Brotli)); !bytes.Equal(got, sampleText(6, 20_000)) {
		t.Error("another body got the forms of the old one")
	}
}

func TestConcurrentFirstRequestsCompressOnce(t *testing.T) {
	t.Parallel()
	body := sampleText(7, 50_000)
	cache := NewCache[*Document](1 << 20)
	d := New("/a", body, nil, 0)
	cache.Put(d)
	var all sync.WaitGroup
	for i := range 24 {
		all.Go(func() {
			coding := Coding(i % int(codingCount))
			w := httptest.NewRecorder()
			cache.Answer(w, request(http.MethodGet, codingName[coding]), d, false)
			if !bytes.Equal(decode(t, codingName[coding], w.Body.Bytes()), body) {
				t.Errorf("%s: another body", codingName[coding])
			}
		})
	}
	all.Wait()
	if cache.Size() != d.Size() {
		t.Errorf("the cache counts %d bytes, the document has %d", cache.Size(), d.Size())
	}
}

func TestPutReplacesTheDocumentOfAKey(t *testing.T) {
	t.Parallel()
	cache := NewCache[*Document](1 << 20)
	old, next := New("/a", []byte("old"), nil, 0), New("/a", []byte("next"), nil, 1000)
	cache.Put(old)
	cache.Link("/a", old)
	cache.Link("/a", old) // twice is once
	cache.Put(next)
	if got, found := cache.ByKey("/a"); !found || got != next || !old.Stale() || next.Stale() {
		t.Errorf("by key: %v, %t; old is stale: %t", got, found, old.Stale())
	}
	if _, found := cache.ByAddress("/a"); found {
		t.Error("the address of the old document leads somewhere")
	}
	cache.Link("/a", next)
	if got, found := cache.ByAddress("/a"); !found || got != next {
		t.Error("the address does not lead to the next document")
	}
	if all := cache.All(); len(all) != 1 || all[0] != next || cache.Size() != next.Size() {
		t.Errorf("%d documents of %d bytes, want one of %d", len(all), cache.Size(), next.Size())
	}
	if _, found := cache.ByKey("/missing"); found {
		t.Error("a key that was never put is found")
	}
}

func TestUseOfAnAddressKeepsItsDocument(t *testing.T) {
	t.Parallel()
	cache := NewCache[*Document](3 * (overhead + 1000))
	put := func(key string) {
		d := New(key, make([]byte, 1000), nil, 0)
		cache.Put(d)
		cache.Link(key, d)
	}
	put("/a")
	put("/b")
	put("/c")
	if _, found := cache.ByAddress("/a"); !found {
		t.Fatal("/a is missing")
	}
	put("/d")
	for key, want := range map[string]bool{"/a": true, "/b": false, "/c": true, "/d": true} {
		if _, found := cache.ByAddress(key); found != want {
			t.Errorf("%s is kept: %t, want %t", key, found, want)
		}
	}
}

// TestDocumentLargerThanTheCacheStaysUntilTheNext: otherwise each request would render it again.
func TestDocumentLargerThanTheCacheStaysUntilTheNext(t *testing.T) {
	t.Parallel()
	cache := NewCache[*Document](1000)
	d := New("/a", sampleText(8, 5000), nil, 0)
	cache.Put(d)
	cache.Link("/a", d)
	w := httptest.NewRecorder()
	cache.Answer(w, request(http.MethodGet, "gzip"), d, false)
	if got := decode(t, "gzip", w.Body.Bytes()); len(got) != 5000 {
		t.Errorf("%d bytes", len(got))
	}
	if _, found := cache.ByAddress("/a"); !found || cache.Size() != d.Size() {
		t.Errorf("it is kept: %t; %d bytes are counted, want %d", found, cache.Size(), d.Size())
	}
	small := New("/b", []byte("b"), nil, 0)
	cache.Put(small)
	if _, found := cache.ByAddress("/a"); found || cache.Size() != small.Size() || !d.Stale() {
		t.Errorf("beside another, it is kept: %t; %d bytes are counted, want %d", found, cache.Size(), small.Size())
	}
}

func FuzzChoose(f *testing.F) {
	for _, seed := range []string{"gzip;q=0.5, br;q=1.0", "*;q=0", "identity;q=0, *", ";;,;q=", "gzip;q=9999999999999999"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, accept string) {
		got := Choose(accept)
		if got < Identity || got >= codingCount {
			t.Fatalf("%q gives %d", accept, got)
		}
		if lower := strings.ToLower(accept); got != Identity && !strings.Contains(lower, codingName[got]) && !strings.Contains(accept, "*") {
			t.Errorf("%q is answered in %s, which it does not name", accept, codingName[got])
		}
	})
}

func FuzzMatches(f *testing.F) {
	d := New("/a", []byte("a"), nil, 0)
	for _, seed := range []string{d.ETag(), `W/"x"`, `"-gzip-br-zstd"`, `*`, `,,"`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, list string) {
		if matches(list, d.ETag()) && !strings.Contains(list, strings.Trim(d.ETag(), `"`)) && !strings.Contains(list, "*") {
			t.Errorf("%q matches", list)
		}
	})
}
