package web_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/web/assets"
)

// decoded returns the bytes that a body in a coding stands for.
func decoded(coding string, body io.Reader) ([]byte, error) {
	var err error
	switch coding {
	case "gzip":
		body, err = gzip.NewReader(body)
	case "br":
		body = brotli.NewReader(body)
	case "zstd":
		body, err = zstd.NewReader(body)
	}
	if err != nil {
		return nil, err
	}
	return io.ReadAll(body)
}

func TestPagesAssetsAndFeedsAreCompressedAndRevalidatedAlike(t *testing.T) {
	t.Parallel()
	_, _, h := handler(t, store.SQLite)
	request := func(path, coding, tag string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.Header.Set("Accept-Encoding", coding)
		if tag != "" {
			r.Header.Set("If-None-Match", tag)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
	for _, path := range []string{
		"/", "/feeds", "/tags/", "/subscribe", "/search?q=harbour", "/sitemap.xml", "/robots.txt", "/feed.xml", "/atom.xml", "/feed.json", "/feeds.opml",
		assets.Path("public.css"), assets.Path("admin.css"), assets.Path("admin.js"), assets.Path("favicon.svg"),
	} {
		plain := request(path, "identity", "")
		if plain.Code != http.StatusOK || plain.Header().Get("Content-Encoding") != "" {
			t.Errorf("%s: %d in %q", path, plain.Code, plain.Header().Get("Content-Encoding"))
			continue
		}
		tags := []string{plain.Header().Get("ETag")}
		for _, coding := range []string{"gzip", "br", "zstd"} {
			w := request(path, coding, "")
			tag := w.Header().Get("ETag")
			if w.Header().Get("Content-Encoding") != coding || !strings.Contains(strings.Join(w.Header().Values("Vary"), ","), "Accept-Encoding") || slices.Contains(tags, tag) || w.Body.Len() >= plain.Body.Len() {
				t.Errorf("%s in %s: %d bytes of %d, %v", path, coding, w.Body.Len(), plain.Body.Len(), w.Header())
				continue
			}
			tags = append(tags, tag)
			if body, err := decoded(coding, bytes.NewReader(w.Body.Bytes())); err != nil || !bytes.Equal(body, plain.Body.Bytes()) {
				t.Errorf("%s in %s stands for %d bytes, want %d: %v", path, coding, len(body), plain.Body.Len(), err)
			}
		}
		for _, tag := range tags {
			if w := request(path, "gzip", tag); tag == "" || w.Code != http.StatusNotModified {
				t.Errorf("%s with the tag %q: %d", path, tag, w.Code)
			}
		}
	}
}
