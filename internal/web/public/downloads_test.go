package public_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/tidings-press/tidings/internal/article"
)

func TestMediaFileAnswersRangesAndHead(t *testing.T) {
	t.Parallel()
	b := onSQLite(t)
	data := bytes.Repeat([]byte("0123456789"), 300_000)
	sum := sha256.Sum256(data)
	name := hex.EncodeToString(sum[:]) + ".mp3"
	a := &article.Article{Source: "s", Slug: "s", Title: "S", HTML: `<p><a href="/media/` + name + `">S</a></p>`, Hash: "s", Status: article.Published, Published: b.store.Now()}
	if _, err := b.store.PutArticle(t.Context(), a, nil, []article.Medium{{Name: name, Type: "audio/mpeg", Data: data}}); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(b.handler)
	t.Cleanup(server.Close)
	ask := func(method, span string) *http.Response {
		r, err := http.NewRequestWithContext(t.Context(), method, server.URL+"/media/"+name, nil)
		if err != nil {
			t.Fatal(err)
		}
		if span != "" {
			r.Header.Set("Range", span)
		}
		w, err := server.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = w.Body.Close() })
		return w
	}
	waiting := ask("GET", "") // a client that does not read; the others get the same bytes
	for _, want := range []struct {
		method, span, content string
		status                int
		body                  []byte
	}{
		{"GET", "", "", http.StatusOK, data},
		{"HEAD", "", "", http.StatusOK, nil},
		{"GET", "bytes=10-19", "bytes 10-19/3000000", http.StatusPartialContent, data[10:20]},
		{"GET", "bytes=-5", "bytes 2999995-2999999/3000000", http.StatusPartialContent, data[5:10]},
		{"GET", "bytes=3000000-", "bytes */3000000", http.StatusRequestedRangeNotSatisfiable, nil},
	} {
		w := ask(want.method, want.span)
		body, err := io.ReadAll(w.Body)
		if err != nil || w.StatusCode != want.status || w.Header.Get("Content-Range") != want.content || want.body != nil && !bytes.Equal(body, want.body) {
			t.Errorf("%s %s: %d, %q, %d bytes, %v", want.method, want.span, w.StatusCode, w.Header.Get("Content-Range"), len(body), err)
		}
		if want.method == "HEAD" && (w.ContentLength != int64(len(data)) || len(body) != 0) {
			t.Errorf("HEAD: length %d, %d bytes", w.ContentLength, len(body))
		}
	}
	if body, err := io.ReadAll(waiting.Body); err != nil || !bytes.Equal(body, data) {
		t.Errorf("the waiting client got %d bytes, %v", len(body), err)
	}
}
