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

// TestScriptsStoreNothingInBrowser looks for the ways to keep something in a browser.
func TestScriptsStoreNothingInBrowser(t *testing.T) {
	t.Parallel()
	stores := regexp.MustCompile(`localStorage|sessionStorage|indexedDB|document\.cookie|cookieStore|caches\.|serviceWorker`)
	for _, name := range []string{"admin.js", "compose.js", "editor.js", "passkey.js", "password.js", "public.js"} {
		text := get(assets.Handler(), assets.Path(name)).Body.String()
		if found := stores.FindString(text); text == "" || found != "" {
			t.Errorf("%s has %d bytes and uses %q", name, len(text), found)
		}
	}
}

func TestStyleSheetIsCompressed(t *testing.T) {
	t.Parallel()
	plain := ask(assets.Path("public.css"), "", "")
	for accept, coding := range map[string]string{"gzip, deflate, br, zstd": "br", "gzip": "gzip", "identity": ""} {
		w := ask(assets.Path("public.css"), accept, "")
		h := w.Header()
		if h.Get("Content-Encoding") != coding || h.Get("Vary") != "Accept-Encoding" || h.Get("Content-Type") != "text/css; charset=utf-8" || !strings.Contains(h.Get("Cache-Control"), "immutable") {
			t.Errorf("%q: headers %v, want the coding %q", accept, h, coding)
		}
		if coding != "" && w.Body.Len()*3 > plain.Body.Len() {
			t.Errorf("%q: %d bytes of %d", accept, w.Body.Len(), plain.Body.Len())
		}
		if again := ask(assets.Path("public.css"), accept, h.Get("ETag")); again.Code != http.StatusNotModified {
			t.Errorf("%q: %d for its own tag %s", accept, again.Code, h.Get("ETag"))
		}
	}
	if w := ask(assets.Path("touch-icon.png"), "gzip", ""); w.Header().Get("Content-Encoding") != "" || w.Code != http.StatusOK {
		t.Errorf("a picture: %d, %v", w.Code, w.Header())
	}
}

// ask returns the answer to a request with Accept-Encoding and If-None-Match.
func ask(path, accept, tag string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.Header.Set("Accept-Encoding", accept)
	if tag != "" {
		r.Header.Set("If-None-Match", tag)
	}
	w := httptest.NewRecorder()
	assets.Handler().ServeHTTP(w, r)
	return w
}
