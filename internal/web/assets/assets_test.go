package assets_test

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/web/assets"
)

func get(h http.Handler, path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w
}

func TestAssetsAreCachedByContent(t *testing.T) {
	t.Parallel()
	for name, kind := range map[string]string{
		"public.css": "text/css; charset=utf-8", "admin.css": "text/css; charset=utf-8", "favicon.svg": "image/svg+xml",
		"admin.js": "text/javascript; charset=utf-8",
	} {
		path := assets.Path(name)
		if !regexp.MustCompile(`^/assets/[0-9a-f]{12}/` + regexp.QuoteMeta(name) + `$`).MatchString(path) {
			t.Errorf("the path of %s is %q", name, path)
		}
		w := get(assets.Handler(), path)
		if w.Code != http.StatusOK || w.Header().Get("Content-Type") != kind || !strings.Contains(w.Header().Get("Cache-Control"), "immutable") || w.Body.Len() == 0 {
			t.Errorf("%s: %d, %d bytes, %v", name, w.Code, w.Body.Len(), w.Header())
		}
	}
	if w := get(assets.Handler(), "/assets/000000000000/public.css"); w.Code != http.StatusNotFound {
		t.Errorf("a style sheet of another version: %d", w.Code)
	}
	if w := get(assets.Fixed("favicon.ico"), "/favicon.ico"); w.Code != http.StatusOK || strings.Contains(w.Header().Get("Cache-Control"), "immutable") {
		t.Errorf("the icon: %d %v", w.Code, w.Header())
	}
}

// The content security policies allow no style sheets, fonts or images from other sites.
func TestStyleSheetsLoadNoOtherFiles(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"public.css", "admin.css"} {
		if text := get(assets.Handler(), assets.Path(name)).Body.String(); text == "" || strings.Contains(text, "url(") || strings.Contains(text, "@import") {
			t.Errorf("%s loads another file", name)
		}
	}
}
