package web_test

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
	"github.com/tidings-press/tidings/internal/token"
)

func TestAutodiscoveryNamesFeedsWithoutTitle(t *testing.T) {
	t.Parallel()
	_, _, h := handlerWith(t, store.SQLite, func(c *config.Config) {
		c.Feeds = append(c.Feeds, config.Feed{Name: "notes", Limit: 5, Content: "full"})
	})
	page := ask(h, http.MethodGet, "/").Body.String()
	if !strings.Contains(page, `title="The Example Press: notes (Atom)" href="`) || strings.Contains(page, `title=" (`) {
		t.Errorf("the links to feeds are\n%s", strings.Join(regexp.MustCompile(`<link rel="alternate".*`).FindAllString(page, -1), "\n"))
	}
}

func TestHandlerServesAllRoutes(t *testing.T) {
	t.Parallel()
	for _, engine := range storetest.Engines {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			_, _, h := handler(t, engine)
			for path, want := range map[string]string{
				"/": "text/html", "/feed.xml": "application/rss+xml", "/tags/harbour/atom.xml": "application/atom+xml", "/feeds.opml": "text/x-opml",
				"/tags/harbour/": "text/html", "/robots.txt": "text/plain", "/healthz": "text/plain", "/readyz": "text/plain", "/favicon.ico": "image/x-icon",
			} {
				w := ask(h, http.MethodGet, path)
				if w.Code != http.StatusOK || !strings.HasPrefix(w.Header().Get("Content-Type"), want) || w.Header().Get("X-Content-Type-Options") != "nosniff" {
					t.Errorf("%s: %d %v", path, w.Code, w.Header())
				}
			}
			if w := ask(h, http.MethodPost, "/webhooks/none"); w.Code != http.StatusNotFound {
				t.Errorf("a webhook that is not configured: %d", w.Code)
			}
		})
	}
}

func TestReadinessChecksStore(t *testing.T) {
	t.Parallel()
	s, _, h := handler(t, store.SQLite)
	if err := s.store.Close(); err != nil {
		t.Fatal(err)
	}
	if w := ask(h, http.MethodGet, "/readyz"); w.Code != http.StatusServiceUnavailable {
		t.Errorf("without a store: %d", w.Code)
	}
	if w := ask(h, http.MethodGet, "/healthz"); w.Code != http.StatusOK {
		t.Errorf("/healthz without a store: %d", w.Code)
	}
	if w := ask(h, http.MethodGet, "/tags/"); w.Code != http.StatusInternalServerError || !strings.Contains(w.Body.String(), w.Header().Get("X-Request-Id")) {
		t.Errorf("a page without a store: %d\n%s", w.Code, w.Body)
	}
}

func TestFormerHostsRedirectPermanently(t *testing.T) {
	t.Parallel()
	s, _, h := handler(t, store.SQLite)
	for from, to := range map[string]string{
		"http://old.example.org/blog/articles/x?a=b":    "https://news.example.org/articles/x?a=b",
		"http://OLD.example.org:8080/feed.xml":          "https://news.example.org/feed.xml",
		"http://old.example.org/blog/tags/C%2FC%2B%2B/": "https://news.example.org/tags/C%2FC%2B%2B/",
		"http://old.example.org/blog":                   "https://news.example.org/",
	} {
		w := ask(h, http.MethodGet, from)
		if w.Code != http.StatusMovedPermanently || w.Header().Get("Location") != to {
			t.Errorf("%s: %d to %q, want %q", from, w.Code, w.Header().Get("Location"), to)
		}
	}
	who := s.subscriber(t, "ada@example.org")
	keys, err := s.store.Keys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPost, "http://old.example.org/unsubscribe/"+keys.Sign(token.Unsubscribe, who.UID, "weekly", ""), strings.NewReader("List-Unsubscribe=One-Click"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	if h.ServeHTTP(w, r); w.Code != http.StatusOK {
		t.Errorf("one-click unsubscribe at the former address: %d", w.Code)
	}
	if who, _ = s.store.Subscriber(t.Context(), who.ID); who.State != subscriber.Unsubscribed {
		t.Errorf("after it the subscriber is %s", who.State)
	}
}

func TestBrowserGetsPageForFeed(t *testing.T) {
	t.Parallel()
	s, _, h := handler(t, store.SQLite)
	who := s.subscriber(t, "ada@example.org")
	token, err := s.store.CreateFeedToken(t.Context(), who.ID, "weekly")
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{"/feed.xml": "https://news.example.org/feed.xml", "/tags/harbour/atom.xml": `href="https://news.example.org/tags/harbour/feed.xml"`, "/private/" + token + "/feed.xml": "Keep this address private"} {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.Header.Set("Sec-Fetch-Mode", "navigate")
		r.Header.Set("Sec-Fetch-Dest", "document")
		r.Header.Set("Accept", "text/html,application/xhtml+xml,*/*")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), want) || !strings.Contains(w.Header().Get("Cache-Control"), "no-store") {
			t.Errorf("%s: %d %v\n%s", path, w.Code, w.Header(), w.Body)
		}
	}
}

func TestFormerAdminPathsRedirectToTheSamePage(t *testing.T) {
	t.Parallel()
	_, _, h := handler(t, store.SQLite)
	for from, to := range map[string]string{
		"/room":                         "/admin/",
		"/room/":                        "/admin/",
		"/room/editions/x?done=paused":  "/admin/editions/x?done=paused",
		"/room/readers":                 "/admin/subscribers",
		"/room/readers/7":               "/admin/subscribers/7",
		"/room/readers?state=active":    "/admin/subscribers?state=active",
		"/room/you":                     "/admin/account",
		"/room/welcome/SECRET":          "/admin/welcome/SECRET",
		"/room/digests/caf%C3%A9%2Fbar": "/admin/digests/caf%C3%A9%2Fbar",
	} {
		for method, want := range map[string]int{http.MethodGet: http.StatusMovedPermanently, http.MethodHead: http.StatusMovedPermanently, http.MethodPost: http.StatusPermanentRedirect} {
			if w := ask(h, method, from); w.Code != want || w.Header().Get("Location") != to {
				t.Errorf("%s %s: %d to %q, want %d to %q", method, from, w.Code, w.Header().Get("Location"), want, to)
			}
		}
	}
}

// TestResponsesNameNoVersion also checks that texts have a charset.
func TestResponsesNameNoVersion(t *testing.T) {
	t.Parallel()
	_, _, h := handler(t, store.SQLite)
	for _, path := range []string{"/", "/feed.xml", "/atom.xml", "/feed.json", "/feeds.opml", "/robots.txt", "/healthz", "/readyz", "/admin/sign-in", "/admin/forgotten", "/nothing", "/assets/nothing", "/assets/admin.css", "/search?q=x"} {
		w := ask(h, http.MethodGet, path)
		kind := w.Header().Get("Content-Type")
		if kind == "" || strings.HasPrefix(kind, "text/") && !strings.Contains(kind, "charset=utf-8") {
			t.Errorf("%s has the type %q", path, kind)
		}
		if w.Header().Get("Server") != "" || w.Header().Get("X-Powered-By") != "" || strings.Contains(w.Body.String(), runtime.Version()) || regexp.MustCompile(`(?i)tidings[ /]v?[0-9]`).MatchString(w.Body.String()) {
			t.Errorf("%s names a version: %v\n%s", path, w.Header(), w.Body)
		}
	}
}
