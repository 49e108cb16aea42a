package web_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/cpulimit"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
	"github.com/tidings-press/tidings/internal/web"
)

// fromMemory reports whether a response came from the cache. Such responses have no request
// id.
func fromMemory(w *httptest.ResponseRecorder) bool { return w.Header().Get("X-Request-Id") == "" }

func TestPagesAreRenderedOncePerChange(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	for _, engine := range storetest.Engines {
		t.Run(string(engine), func(t *testing.T) {
			s, _, h := handler(t, engine)
			put := func(slug, title string, published time.Time) {
				t.Helper()
				a := article.Article{
					Source: slug, Slug: slug, Title: title, HTML: "<p>x</p>", Hash: title, Language: "en", Tags: []string{"Sea"},
					Published: published, Updated: published, Status: article.Published,
				}
				if _, err := s.store.PutArticle(t.Context(), &a, nil, nil); err != nil {
					t.Fatal(err)
				}
			}
			shows := func(path, want string) {
				t.Helper()
				testkit.Eventually(t, path+" with "+want, func() bool { return strings.Contains(ask(h, http.MethodGet, path).Body.String(), want) })
			}
			put("first", "The first", s.store.Now().Add(-time.Minute))
			pages := []string{"/", "/articles/first", "/tags/", "/tags/Sea/", "/languages/en/", "/feeds", "/subscribe", "/search?q=first", "/filter?match=sea"}
			for _, path := range pages {
				shows(path, "</html>")
				first, again := ask(h, http.MethodGet, path), ask(h, http.MethodGet, path)
				if again.Code != http.StatusOK || !fromMemory(again) || again.Body.String() != first.Body.String() {
					t.Errorf("%s is rendered again though nothing changed: %d", path, again.Code)
				}
				for _, name := range []string{"Content-Security-Policy", "Content-Type", "Content-Language", "Referrer-Policy", "X-Content-Type-Options", "Permissions-Policy", "Strict-Transport-Security", "Cross-Origin-Opener-Policy", "Cache-Control", "X-Robots-Tag"} {
					if a, b := first.Header().Get(name), again.Header().Get(name); a != b {
						t.Errorf("%s: %s is %q from memory, %q before", path, name, b, a)
					}
				}
				r := httptest.NewRequest(http.MethodGet, path, nil)
				r.Header.Set("If-None-Match", again.Header().Get("ETag"))
				r.Header.Set("Accept-Encoding", "gzip")
				w := httptest.NewRecorder()
				if h.ServeHTTP(w, r); w.Code != http.StatusNotModified || w.Body.Len() > 0 {
					t.Errorf("%s: %d for its own tag", path, w.Code)
				}
				if w := ask(h, http.MethodHead, path); w.Body.Len() > 0 || w.Header().Get("ETag") != again.Header().Get("ETag") {
					t.Errorf("HEAD %s: %d bytes, tag %s", path, w.Body.Len(), w.Header().Get("ETag"))
				}
			}
			put("second", "The second", s.store.Now().Add(-time.Second))
			shows("/", "The second")
			for _, path := range pages[3:5] {
				shows(path, "The second")
			}
			put("future", "Of the future", s.store.Now().Add(1500*time.Millisecond))
			shows("/", "The second")
			if strings.Contains(ask(h, http.MethodGet, "/").Body.String(), "Of the future") {
				t.Error("a future article is shown")
			}
			shows("/", "Of the future") // from the cache until its date is reached
			shows("/articles/future", "Of the future")
		})
	}
}

func TestUnknownQueryIsIgnoredByCache(t *testing.T) {
	t.Parallel()
	_, _, h := handler(t, store.SQLite)
	first := ask(h, http.MethodGet, "/")
	for _, path := range []string{"/?utm_source=mail", "/?fbclid=1&x=2", "/?"} {
		if w := ask(h, http.MethodGet, path); w.Code != http.StatusOK || w.Header().Get("ETag") != first.Header().Get("ETag") {
			t.Errorf("%s: %d with the tag %s, want that of the page without it", path, w.Code, w.Header().Get("ETag"))
		}
	}
	if w := ask(h, http.MethodGet, "/nothing?x"); w.Code != http.StatusNotFound {
		t.Errorf("a missing page: %d", w.Code)
	}
	r := httptest.NewRequest(http.MethodGet, "/nothing", nil)
	r.Header.Set("Accept-Encoding", "gzip")
	w := httptest.NewRecorder()
	if h.ServeHTTP(w, r); w.Code != http.StatusNotFound || w.Header().Get("Content-Encoding") != "gzip" || w.Body.Len() == 0 {
		t.Errorf("a missing page, compressed: %d, %v", w.Code, w.Header())
	}
}

func TestRequestsBeyondQueueGet503(t *testing.T) {
	t.Parallel()
	s, engine, _ := handler(t, store.SQLite)
	feeds, err := s.service.Feeds(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	share := cpulimit.New(nil)
	h, err := web.New(web.Deps{Store: s.store, Engine: engine, Feeds: feeds, Config: s.service.Config, Templates: s.service.Templates, CPULimiter: share, Log: s.service.Log})
	if err != nil {
		t.Fatal(err)
	}
	ask(h, http.MethodGet, "/") // renders the page into the cache
	hold := make(chan struct{})
	var renderings sync.WaitGroup
	release := sync.OnceFunc(func() { close(hold); renderings.Wait() })
	defer release()
	refused := make(chan struct{}, 2000)
	for range 2000 { // fill the pool and the queue
		renderings.Go(func() {
			if share.Render(t.Context(), cpulimit.Cacheable, func() { <-hold }) != nil {
				refused <- struct{}{}
			}
		})
	}
	<-refused
	if w := ask(h, http.MethodGet, "/tags/"); w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
		t.Errorf("a page beyond the queue: %d, Retry-After %q", w.Code, w.Header().Get("Retry-After"))
	}
	if w := ask(h, http.MethodGet, "/"); w.Code != http.StatusOK {
		t.Errorf("a page in memory: %d", w.Code)
	}
	release()
	if w := ask(h, http.MethodGet, "/tags/"); w.Code != http.StatusOK {
		t.Errorf("the same page later: %d", w.Code)
	}
}
