package public_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

// BenchmarkPages measures what a page costs that is not in memory, store included.
func BenchmarkPages(b *testing.B) {
	s := setup(b, storetest.Open(b, store.SQLite, store.Options{}))
	text := strings.Repeat("<p>Of the Harbour, a ferry and <b>some</b> other words of an ordinary length in a paragraph.</p>", 80)
	for i := range 300 {
		s.put(article.Article{
			Slug: fmt.Sprint("a", i), Title: fmt.Sprint("Notes from the harbour, part ", i), Summary: "About ships.", HTML: text,
			Tags: []string{"all", fmt.Sprint("tag ", i%20)}, Language: "en",
		})
	}
	for _, path := range []string{"/", "/articles/a7", "/tags/", "/search?q=ferry+harbour", "/search?q=zanzibar"} {
		b.Run(path, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if w := s.get(path); w.Code != http.StatusOK && w.Code != http.StatusTooManyRequests {
					b.Fatal(w.Code)
				}
			}
		})
	}
}
