package feedserver_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tidings-press/tidings/feed"
	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/feedserver"
	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/internal/testkit/feedrules"
)

// hookedSource is a source that calls a function of the test in the middle of each rendering.
type hookedSource struct {
	*feedrules.Source
	do atomic.Pointer[func()]
}

func (d *hookedSource) Select(ctx context.Context, q feedserver.Query) (feedserver.Found, error) {
	found, err := d.Source.Select(ctx, q)
	if do := d.do.Load(); do != nil {
		(*do)()
	}
	return found, err
}

// setupHooked is setup with a hookedSource.
func setupHooked(t *testing.T, change func(*feedserver.Options)) (*env, *hookedSource) {
	t.Helper()
	d := &hookedSource{}
	b := setup(t, func(o *feedserver.Options) {
		d.Source = o.Source.(*feedrules.Source)
		o.Source = d
		if change != nil {
			change(o)
		}
	})
	return b, d
}

func TestUncachedDocumentLeavesNoAddress(t *testing.T) {
	t.Parallel()
	b, d := setupHooked(t, nil)
	b.get(t, "/atom.xml")
	n := 100
	change := func() {
		n++
		b.source.Put(feedrules.Article(n))
		b.server.Changed()
		b.get(t, "/atom.xml") // so that the server sees the change
	}
	for i := range 20 {
		do := func() {
			d.do.Store(nil)
			change()
		}
		d.do.Store(&do)
		if r := b.get(t, fmt.Sprintf("/search/feed.xml?q=article+%d", i)); r.StatusCode != http.StatusOK {
			t.Fatal(r.Status)
		}
	}
	for i := range 20 {
		if address := fmt.Sprintf("/search/feed.xml?q=article+%d", i); b.server.Cached(address) {
			t.Errorf("%s leads to a document that was out of date when it was rendered", address)
		}
	}
	if b.get(t, "/search/feed.xml?q=article+1"); !b.server.Cached("/search/feed.xml?q=article+1") {
		t.Error("a current document has no address")
	}
}

// fill puts n articles of this size into the source, with 60 different tags.
func (b *env) fill(n, bytes int) {
	var all []article.Article
	for i := range n {
		a := feedrules.Article(i)
		a.HTML = "<p>" + strings.Repeat("Words that take space. ", bytes/22) + "</p>"
		a.Tags = append(a.Tags, fmt.Sprint("tag-", i%60))
		all = append(all, a)
	}
	b.source.PutAll(all)
	b.server.Changed()
}

func TestCacheIsBoundedUnderConcurrency(t *testing.T) {
	t.Parallel()
	const capacity = 1 << 20
	var inside, most atomic.Int64
	b, d := setupHooked(t, func(o *feedserver.Options) { o.Memory = capacity })
	b.fill(240, 4000)
	count := func() {
		now := inside.Add(1)
		for old := most.Load(); now > old && !most.CompareAndSwap(old, now); old = most.Load() {
		}
		runtime.Gosched()
		inside.Add(-1)
	}
	d.do.Store(&count)
	var readers sync.WaitGroup
	for reader := range 16 {
		readers.Go(func() {
			for i := range 60 {
				format, coding := feed.Formats[i%3], []string{"", "gzip", "br", "zstd"}[(i+reader)%4]
				r := httptest.NewRequest(http.MethodGet, feed.TagPath(fmt.Sprint("tag-", (i*7+reader)%60))+string(format), nil)
				r.Header.Set("Accept-Encoding", coding)
				w := httptest.NewRecorder()
				if b.server.ServeHTTP(w, r); w.Code != http.StatusOK {
					t.Error(w.Code)
				}
				if bytes := b.server.Bytes(); bytes > capacity*11/10 {
					t.Errorf("%d bytes are kept, want at most %d", bytes, capacity)
				}
			}
		})
	}
	readers.Wait()
	if limit := int64(runtime.GOMAXPROCS(0) + 1); most.Load() > limit {
		t.Errorf("%d documents were rendered at once, want at most %d", most.Load(), limit)
	}
}

func TestSearchesDoNotDelayOtherFeeds(t *testing.T) {
	withFakeClock(t, func(t *testing.T, b *env, h *hangingSource) {
		h.selects.Store(true)
		var searches sync.WaitGroup
		for i := range 40 {
			searches.Go(func() {
				if r := b.get(t, fmt.Sprintf("/search/feed.xml?q=%d", i)); r.StatusCode != http.StatusServiceUnavailable {
					t.Error(r.Status)
				}
			})
		}
		time.Sleep(time.Second)
		h.selects.Store(false)
		began := time.Now()
		if r := b.get(t, "/feed.xml"); r.StatusCode != http.StatusOK || time.Since(began) > 0 {
			t.Errorf("%s after %v, while searches hang", r.Status, time.Since(began))
		}
		searches.Wait()
	})
}

func TestDocumentLargerThanCacheIsRenderedOnce(t *testing.T) {
	t.Parallel()
	b := setup(t, func(o *feedserver.Options) { o.Memory = 1 << 20 })
	b.fill(60, 60_000)
	b.get(t, "/feed.xml")
	before := b.source.Selects.Load()
	for range 5 {
		if r := b.get(t, "/feed.xml", "Accept-Encoding", "gzip"); r.StatusCode != http.StatusOK {
			t.Fatal(r.Status)
		}
	}
	if again := b.source.Selects.Load() - before; again > 0 {
		t.Errorf("the document was rendered %d times more", again)
	}
	large := b.server.Bytes()
	if large < 2<<20 {
		t.Fatalf("the document has %d bytes, which fit into the cache: this test checks nothing", large)
	}
	b.get(t, "/tags/tag-1/feed.xml")
	if bytes := b.server.Bytes(); bytes > 1<<20 {
		t.Errorf("%d bytes are cached after a request for another document", bytes)
	}
}

func TestLargestArticlesAreShortened(t *testing.T) {
	t.Parallel()
	if testkit.RaceDetector {
		t.Skip("sanitizing 19 MB takes longer than a request may with the race detector, so scripts/run-tests runs it without")
	}
	b := setup(t, nil)
	var all []article.Article
	for i := range 40 {
		a := feedrules.Article(i)
		size := 100_000
		if i%8 == 3 {
			size = 3_000_000 + i
		}
		a.HTML = fmt.Sprintf("<p>Body of %d.</p>", i) + strings.Repeat("<p>Some words of a book.</p>", size/28)
		all = append(all, a)
	}
	b.source.PutAll(all)
	b.server.Changed()
	for _, path := range []string{"/feed.xml", "/atom.xml", "/feed.json"} {
		// On a slow machine the first request stops waiting before the feed is rendered.
		var answer *http.Response
		testkit.Eventually(t, path+" is rendered", func() bool {
			answer = b.get(t, path)
			return answer.StatusCode == http.StatusOK
		})
		body := read(t, answer)
		if len(body) > 16<<20 {
			t.Errorf("%s has %d bytes", path, len(body))
		}
		for i := range all {
			short := i%8 == 3 && i != 3 // besides 3.9 MB of small articles, one large one fits
			if full := strings.Contains(body, fmt.Sprintf("Body of %d.", i)); full == short {
				t.Errorf("%s: article %d is in full: %t", path, i, full)
			}
			if !strings.Contains(body, fmt.Sprintf("What article %d says.", i)) || !strings.Contains(body, all[i].Slug) {
				t.Errorf("%s: article %d has no summary or link", path, i)
			}
		}
	}
}

func TestDocumentIsCompressedOnce(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	b.fill(50, 8000)
	for _, coding := range []string{"gzip", "br", "zstd"} {
		var mu sync.Mutex
		seen := map[*byte]int{}
		var requests sync.WaitGroup
		for range 30 {
			requests.Go(func() {
				r := httptest.NewRequest(http.MethodGet, "/feed.xml", nil)
				r.Header.Set("Accept-Encoding", coding)
				b.server.ServeHTTP(pieces(func(body []byte) {
					mu.Lock()
					defer mu.Unlock()
					seen[&body[0]]++
				}), r)
			})
		}
		requests.Wait()
		if len(seen) != 1 {
			t.Errorf("%s: %d results of compression were served, want one", coding, len(seen))
		}
	}
}

func TestUnchangedDocumentIsNotCompressed(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	etag := b.get(t, "/feed.xml").Header.Get("ETag")
	before := b.server.Bytes()
	for range 3 {
		if r := b.get(t, "/feed.xml", "Accept-Encoding", "br", "If-None-Match", etag); r.StatusCode != http.StatusNotModified {
			t.Fatal(r.Status)
		}
	}
	if grown := b.server.Bytes() - before; grown != 0 {
		t.Errorf("the document has grown by %d bytes", grown)
	}
}

// pieces is a ResponseWriter that calls a function with each slice that is written.
type pieces func([]byte)

func (pieces) Header() http.Header           { return http.Header{} }
func (pieces) WriteHeader(int)               {}
func (p pieces) Write(b []byte) (int, error) { p(b); return len(b), nil }
