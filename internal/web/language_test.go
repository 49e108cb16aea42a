package web_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/internal/store"
)

// askIn returns the answer to a reader who prefers some languages.
func askIn(h http.Handler, path, languages string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.Header.Set("Accept-Language", languages)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestPhrasesFollowReaderAndArticle(t *testing.T) {
	t.Parallel()
	_, _, h := handler(t, store.SQLite)
	for _, c := range []struct {
		path, accept, language string
		varies                 bool
	}{
		{"/", "", "en", true},
		{"/", "de-AT,de;q=0.9,en;q=0.5", "de", true},
		{"/", "nl, fr;q=0.8, en;q=0.1", "fr", true},
		{"/", "ar", "ar", true},
		{"/", "nl", "en", true},
		{"/", "not a language;;q=x", "en", true},
		{"/feeds", "ja", "ja", true},
		{"/articles/die-uhrmacherin-vom-hafen", "fr", "de", false},
		{"/articles/kharitat-al-abar", "", "ar", false},
		{"/languages/ja/", "de", "ja", false},
	} {
		for range 2 { // rendered, then from memory
			w := askIn(h, c.path, c.accept)
			if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), `<html lang="`+c.language+`"`) {
				t.Errorf("%s for %q: %d, want the language %s", c.path, c.accept, w.Code, c.language)
			}
			if vary := w.Header().Get("Vary"); strings.Contains(vary, "Accept-Language") != c.varies || !strings.Contains(vary, "Accept-Encoding") {
				t.Errorf("%s for %q: Vary %q", c.path, c.accept, vary)
			}
		}
		if w := askIn(h, c.path, c.accept); !fromMemory(w) {
			t.Errorf("%s for %q is rendered again", c.path, c.accept)
		}
	}
	if w := askIn(h, "/nothing", "de"); w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), "Seite nicht gefunden") {
		t.Errorf("a missing page: %d\n%s", w.Code, w.Body)
	}
}

func TestConfiguredLanguagesLimitPhrases(t *testing.T) {
	t.Parallel()
	_, _, h := handlerWith(t, store.SQLite, func(c *config.Config) { c.Site.Languages = []string{"en"} })
	for _, path := range []string{"/", "/articles/die-uhrmacherin-vom-hafen"} {
		w := askIn(h, path, "de")
		if !strings.Contains(w.Body.String(), `<html lang="en"`) || strings.Contains(w.Header().Get("Vary"), "Accept-Language") {
			t.Errorf("%s: Vary %q\n%s", path, w.Header().Get("Vary"), w.Body)
		}
	}
}
