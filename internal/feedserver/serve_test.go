package feedserver_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tidings-press/tidings/feed"
	"github.com/tidings-press/tidings/internal/feedserver"
	"github.com/tidings-press/tidings/internal/testkit/feedrules"
)

// env is a server with a source in memory, and a clock that the test sets.
type env struct {
	source *feedrules.Source
	server *feedserver.Server
	polls  *recorder
	mu     sync.Mutex
	time   time.Time
}

func (b *env) now() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.time
}

func (b *env) pass(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.time = b.time.Add(d)
}

type recorder struct {
	mu    sync.Mutex
	polls map[string]*feedserver.Polls
	fail  error
}

func (r *recorder) RecordPolls(_ context.Context, polls []feedserver.Polls) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fail != nil {
		return r.fail
	}
	for _, p := range polls {
		if r.polls[p.Feed] == nil {
			r.polls[p.Feed] = &feedserver.Polls{Feed: p.Feed, Day: p.Day}
		}
		r.polls[p.Feed].Merge(&p)
	}
	return nil
}

func setup(t *testing.T, change func(*feedserver.Options)) *env {
	t.Helper()
	b := &env{time: feedrules.Noon, polls: &recorder{polls: map[string]*feedserver.Polls{}}}
	b.source = feedrules.New(b.now)
	options := feedserver.Options{
		Source: b.source, Site: feedrules.Site(), Now: b.now, Polls: b.polls, PollKey: []byte("key"),
		Feeds:  []feed.Definition{{Kind: feed.Named, Name: "short", Title: "Short", Limit: 2, SummaryOnly: true}},
		Limits: feedrules.PatientLimits,
	}
	if change != nil {
		change(&options)
	}
	b.server = feedserver.New(options)
	for i := range 5 {
		b.source.Put(feedrules.Article(i))
	}
	return b
}

// get sends a GET request; headers are names and values in turn.
func (b *env) get(t *testing.T, target string, headers ...string) *http.Response {
	t.Helper()
	return b.ask(t, http.MethodGet, target, headers...)
}

func (b *env) ask(t *testing.T, method, target string, headers ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(method, target, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	b.server.ServeHTTP(w, r)
	return w.Result()
}

func address(text string) *url.URL { return httptest.NewRequest(http.MethodGet, text, nil).URL }

func read(t *testing.T, r *http.Response) string {
	t.Helper()
	data, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestGuessedFeedPathsServeFeed(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	canonical := read(t, b.get(t, "/feed.xml"))
	for _, path := range []string{"/feed", "/feed/", "/rss", "/rss/", "/rss.xml", "/index.xml", "/feeds/all/feed.xml", "/feeds.xml", "/rss2.xml", "/?feed=rss2", "/?feed=rss"} {
		r := b.get(t, path)
		if r.StatusCode != 200 || read(t, r) != canonical {
			t.Errorf("%s: %s, want 200 and the bytes of /feed.xml", path, r.Status)
		}
	}
	for _, path := range []string{"/atom.xml", "/atom", "/feed/atom/", "/feed.json", "/index.json"} {
		if r := b.get(t, path); r.StatusCode != 200 {
			t.Errorf("%s: %s", path, r.Status)
		}
	}
	if r := b.get(t, "/no.xml"); r.StatusCode != 404 || b.server.Handles(address("/no.xml")) || b.server.Handles(address("/")) || b.server.Handles(address("/?feed=unknown")) {
		t.Errorf("/no.xml: %s, want 404", r.Status)
	}
	if r := b.ask(t, http.MethodPost, "/feed.xml"); r.StatusCode != 405 || r.Header.Get("Allow") != "GET, HEAD" {
		t.Errorf("POST: %s, want 405 with Allow", r.Status)
	}
}

func TestSelfLinkIgnoresRequestHost(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	r := b.get(t, "http://evil.example/feed", "X-Forwarded-Host", "evil.example")
	if body := read(t, r); strings.Contains(body, "evil") || !strings.Contains(body, `href="https://press.example/feed.xml" rel="self"`) {
		t.Errorf("self link of the configuration is missing:\n%.600s", body)
	}
}

func TestConditionalRequests(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	first := b.get(t, "/atom.xml")
	etag, modified := first.Header.Get("ETag"), first.Header.Get("Last-Modified")
	bare := strings.Trim(etag, `"`)
	if want := feedrules.Article(4).Updated.Format(http.TimeFormat); modified != want {
		t.Errorf("Last-Modified is %s, want %s: the articles', not now", modified, want)
	}
	tests := []struct {
		name    string
		headers []string
		want    int
	}{
		{"same tag", []string{"If-None-Match", etag}, 304},
		{"weak tag", []string{"If-None-Match", "W/" + etag}, 304},
		{"gzip suffix inside", []string{"If-None-Match", `"` + bare + `-gzip"`}, 304},
		{"gzip suffix outside", []string{"If-None-Match", etag + "-gzip"}, 304},
		{"weak gzip suffix", []string{"If-None-Match", `W/"` + bare + `-gzip"`}, 304},
		{"br of a proxy", []string{"If-None-Match", `"` + bare + `-br"`}, 304},
		{"in a list", []string{"If-None-Match", `"x", ` + etag}, 304},
		{"any", []string{"If-None-Match", "*"}, 304},
		{"unquoted", []string{"If-None-Match", bare}, 304},
		{"other tag", []string{"If-None-Match", `"x"`}, 200},
		{"other tag wins over date", []string{"If-None-Match", `"x"`, "If-Modified-Since", modified}, 200},
		{"same tag wins over date", []string{"If-None-Match", etag, "If-Modified-Since", "Mon, 01 Jan 1990 00:00:00 GMT"}, 304},
		{"same date", []string{"If-Modified-Since", modified}, 304},
		{"later date", []string{"If-Modified-Since", "Fri, 01 Jan 2027 00:00:00 GMT"}, 304},
		{"earlier date", []string{"If-Modified-Since", "Mon, 01 Jan 1990 00:00:00 GMT"}, 200},
		{"RFC 850 date", []string{"If-Modified-Since", "Friday, 01-Jan-27 00:00:00 GMT"}, 304},
		{"nonsense date", []string{"If-Modified-Since", "yesterday"}, 200},
	}
	for _, test := range tests {
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			r := b.ask(t, method, "/atom.xml", test.headers...)
			body := read(t, r)
			if r.StatusCode != test.want {
				t.Errorf("%s, %s: %d, want %d", method, test.name, r.StatusCode, test.want)
			}
			if (test.want == 304 || method == http.MethodHead) && body != "" {
				t.Errorf("%s, %s: a body of %d bytes", method, test.name, len(body))
			}
			for _, name := range []string{"ETag", "Cache-Control", "Vary"} {
				if r.Header.Get(name) == "" {
					t.Errorf("%s, %s: no %s", method, test.name, name)
				}
			}
		}
	}
}

func TestChangesAreInTheNextResponse(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	before := b.get(t, "/feed.json")
	old := read(t, before)

	b.source.Put(feedrules.Article(7))
	b.server.Changed()
	if body := read(t, b.get(t, "/feed.json", "If-None-Match", before.Header.Get("ETag"))); !strings.Contains(body, feedrules.ID(7)) {
		t.Error("an article that was stored on this node is not in the next response")
	}
	b.source.Remove(feedrules.ID(7))
	b.server.Changed()
	if body := read(t, b.get(t, "/feed.json")); body != old {
		t.Error("a removed article is still there")
	}
	if body := read(t, b.get(t, "/atom.xml")); !strings.Contains(body, `<at:deleted-entry ref="urn:uuid:`+feedrules.ID(7)) {
		t.Error("a removed article leaves no tombstone in Atom")
	}

	b.source.Put(feedrules.Article(8))
	if body := read(t, b.get(t, "/feed.json")); strings.Contains(body, feedrules.ID(8)) {
		t.Error("the source was checked before the interval had passed")
	}
	b.pass(200 * time.Millisecond)
	if body := read(t, b.get(t, "/feed.json")); !strings.Contains(body, feedrules.ID(8)) {
		t.Error("an article that another node stored is not in the feed after 200 ms")
	}
}

func TestFutureArticleAppearsWhenDue(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	later := feedrules.Article(9)
	later.Published = feedrules.Noon.Add(time.Hour)
	b.source.Put(later)
	if strings.Contains(read(t, b.get(t, "/feed.xml")), later.ID) {
		t.Error("a future article is in the feed")
	}
	b.pass(time.Hour + time.Second)
	if !strings.Contains(read(t, b.get(t, "/feed.xml")), later.ID) {
		t.Error("an article whose time has come is not in the feed")
	}
}

func TestChangeRendersOnlyItsFeeds(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	b.source.Put(feedrules.FullArticle(20))
	b.get(t, "/tags/all/feed.xml")
	b.get(t, "/tags/C%2FC%2B%2B/feed.xml")
	before := b.source.Selects.Load()
	b.source.Put(feedrules.Article(3))
	b.server.Changed()
	b.get(t, "/tags/C%2FC%2B%2B/feed.xml")
	if after := b.source.Selects.Load(); after != before {
		t.Error("a feed was rendered again although the changed article is not in it")
	}
	b.get(t, "/tags/all/feed.xml")
	if after := b.source.Selects.Load(); after == before {
		t.Error("a feed was not rendered again although the changed article is in it")
	}
}

func TestTagsOfAnySpellingAreReachable(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	odd := []string{"C/C++", "été", "..", ".", "~x", "a b", "100%", "R&D?", "#1", "日本語", "a+b", "archive", "AT&T <b>"}
	a := feedrules.Article(30)
	a.Tags = odd
	b.source.Put(a)
	for _, tag := range odd {
		path := feed.TagPath(tag) + "feed.xml"
		r := b.get(t, path)
		if r.StatusCode != 200 {
			t.Errorf("%q: %s gives %s", tag, path, r.Status)
			continue
		}
		if body := read(t, r); !strings.Contains(body, `href="https://press.example`+path+`" rel="self"`) {
			t.Errorf("%q: no self link with %s:\n%.700s", tag, path, body)
		}
	}
	other := map[string]string{
		"/tags/C%2FC++/feed.xml":             "C/C++",
		"/tags/C/C++/feed.xml":               "C/C++", // a proxy has decoded the slash
		"/tags/c%2fc%2b%2b/feed.xml":         "C/C++",
		"/tags/e%CC%81te%CC%81/feed.xml":     "été", // NFD
		"/tags/%C3%A9t%C3%A9/feed.xml":       "été",
		"/tags/%C3%89T%C3%89/feed.xml":       "été",
		"/tags/a%20b/feed.xml":               "a b",
		"/tags/a%20b/rss.xml":                "a b",
		"/tags/AT&T%20%3Cb%3E/feed.xml":      "AT&T <b>",
		"/tags/~../feed.xml":                 "..",
		"/tags/archive/archive/1.1/feed.xml": "",
	}
	for path, tag := range other {
		body := read(t, b.get(t, path))
		if want := `href="https://press.example` + feed.TagPath(tag) + `feed.xml" rel="self"`; tag != "" && !strings.Contains(body, want) {
			t.Errorf("%s: no %s", path, want)
		}
	}
	if r := b.get(t, "/tags/never/feed.xml"); r.StatusCode != 404 {
		t.Errorf("a tag that no article has: %s", r.Status)
	}
}

func TestCodingsDecodeToSameContent(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	tests := map[string]string{
		"": "", "gzip": "gzip", "gzip, deflate": "gzip", "br": "br", "zstd": "zstd", "gzip, deflate, br, zstd": "br",
		"gzip;q=1, br;q=0.5": "gzip", "br;q=0, gzip;q=0": "", "*": "br", "*;q=0": "", "identity": "", "deflate": "",
		"zstd, gzip;q=0.5": "zstd", "GZIP": "gzip", "gzip;q=0.000": "", "br; q=0.9 , gzip ; q=1.0": "gzip",
	}
	plain := read(t, b.get(t, "/feed.xml"))
	tags := map[string]string{}
	for accept, want := range tests {
		r := b.get(t, "/feed.xml", "Accept-Encoding", accept)
		if got := r.Header.Get("Content-Encoding"); got != want {
			t.Errorf("%q gives %q, want %q", accept, got, want)
		}
		if r.Header.Get("Vary") != "Accept-Encoding" {
			t.Errorf("%q: Vary is %q", accept, r.Header.Get("Vary"))
		}
		if decoded := decode(t, want, r); decoded != plain {
			t.Errorf("%q does not decode to the plain document", accept)
		}
		if old := tags[want]; old != "" && old != r.Header.Get("ETag") {
			t.Errorf("%q: two tags for one coding", accept)
		}
		tags[want] = r.Header.Get("ETag")
		if again := b.get(t, "/feed.xml", "Accept-Encoding", accept, "If-None-Match", r.Header.Get("ETag")); again.StatusCode != 304 {
			t.Errorf("%q: %d on its own tag", accept, again.StatusCode)
		}
	}
	if len(slices.Compact(slices.Sorted(mapValues(tags)))) != 4 {
		t.Errorf("codings share a strong tag: %v", tags)
	}
}

func TestOtherNodesGiveTheSameBytes(t *testing.T) {
	t.Parallel()
	a, b := setup(t, nil), setup(t, nil)
	b.pass(3 * time.Hour)
	for _, path := range []string{"/feed.xml", "/atom.xml", "/feed.json", "/feeds.opml"} {
		for _, accept := range []string{"", "gzip", "br", "zstd"} {
			x, y := a.get(t, path, "Accept-Encoding", accept), b.get(t, path, "Accept-Encoding", accept)
			if read(t, x) != read(t, y) || x.Header.Get("ETag") != y.Header.Get("ETag") {
				t.Errorf("%s, %q differs between two nodes", path, accept)
			}
		}
	}
}
