package feedserver_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/feedserver"
	"github.com/tidings-press/tidings/internal/testkit/feedrules"
)

func TestCacheIsBoundedForAnyRequests(t *testing.T) {
	t.Parallel()
	const capacity = 1 << 20
	b := setup(t, func(o *feedserver.Options) { o.Memory = capacity })
	for i := range 40 {
		a := feedrules.Article(i)
		a.HTML = strings.Repeat("<p>Words that take some space in the cache.</p>", 40)
		b.source.Put(a)
	}
	b.server.Changed()
	for i := range 120 {
		for _, coding := range []string{"", "gzip", "br", "zstd"} {
			r := b.get(t, fmt.Sprintf("/search/feed.xml?q=article+%d", i%97), "Accept-Encoding", coding)
			if r.StatusCode != 200 {
				t.Fatal(r.Status)
			}
			b.get(t, fmt.Sprintf("/feed.xml?unknown=%d", i))
		}
		if bytes := b.server.Bytes(); bytes > capacity*11/10 {
			t.Fatalf("%d bytes are kept, want at most %d", bytes, capacity)
		}
	}
	for i := range 120 {
		if address := fmt.Sprintf("/feed.xml?unknown=%d", i); b.server.Cached(address) {
			t.Errorf("%s is an address of its own", address)
		}
	}
}

func TestConcurrentRequestsShareRendering(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	before := b.source.Selects.Load()
	var wait sync.WaitGroup
	for i := range 50 {
		wait.Go(func() {
			r := httptest.NewRequest(http.MethodGet, "/feed.xml", nil)
			if i%2 == 0 {
				r.Header.Set("Accept-Encoding", "gzip")
			}
			w := httptest.NewRecorder()
			b.server.ServeHTTP(w, r)
			if w.Code != 200 {
				t.Error(w.Code)
			}
		})
	}
	wait.Wait()
	if selects := b.source.Selects.Load() - before; selects > 4 {
		t.Errorf("the source was queried %d times for one document", selects)
	}
}

// TestClientNeverGetsOlderVersion changes an article again and again while clients poll. Each
// client must get a version at least as new as its last one.
func TestClientNeverGetsOlderVersion(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	title := func(n int) string { return fmt.Sprintf("Version %06d", n) }
	change := func(n int) {
		a := feedrules.Article(1)
		a.Title = title(n)
		b.source.Put(a)
		b.server.Changed()
	}
	change(0)
	const versions = 80
	var done sync.WaitGroup
	stop := make(chan struct{})
	for range 2 {
		done.Go(func() {
			for last := ""; ; {
				w := httptest.NewRecorder()
				b.server.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/feed.json", nil))
				_, rest, _ := strings.Cut(w.Body.String(), "Version ")
				if seen := rest[:min(6, len(rest))]; seen < last {
					t.Errorf("version %s after %s", seen, last)
					return
				} else {
					last = seen
				}
				select {
				case <-stop:
					return
				default:
				}
			}
		})
	}
	for n := 1; n <= versions; n++ {
		change(n)
		w := httptest.NewRecorder()
		b.server.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/feed.json", nil))
		if !strings.Contains(w.Body.String(), title(n)) {
			t.Fatalf("version %d is not in the response after its change", n)
		}
	}
	close(stop)
	done.Wait()
}

func TestOldFeedIsServedWhileStoreIsDown(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	want := read(t, b.get(t, "/feed.xml"))
	b.source.Fail(true)
	b.server.Changed()
	if r := b.get(t, "/feed.xml"); r.StatusCode != 200 || read(t, r) != want {
		t.Errorf("a cached feed: %s", r.Status)
	}
	if r := b.get(t, "/feeds/short/feed.xml"); r.StatusCode != 503 || r.Header.Get("Retry-After") == "" {
		t.Errorf("a feed that is not cached: %s", r.Status)
	}
	b.source.Fail(false)
	b.pass(time.Second) // retryDelay
	b.source.Put(article.Article{ID: feedrules.ID(50), Slug: "new", Title: "Back again", Published: feedrules.Noon, Updated: feedrules.Noon, Ingested: feedrules.Noon, Status: article.Published})
	b.server.Changed()
	if !strings.Contains(read(t, b.get(t, "/feed.xml")), "Back again") {
		t.Error("the store answers again, but the feed is still the old one")
	}
}
