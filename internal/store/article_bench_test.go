package store_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

// fill stores n articles, dated one second apart, in batches. One in ten has the tag "golang", one
// in a thousand "rare"; each is in English or French.
func fill(t testing.TB, s *store.Store, from, n int) {
	t.Helper()
	const batch = 500
	for first := from; first < from+n; first += batch {
		all := make([]article.Article, 0, batch)
		for i := first; i < min(first+batch, from+n); i++ {
			all = append(all, *newArticle(fmt.Sprintf("f%06d", i), func(a *article.Article) {
				a.Published = a.Published.Add(time.Duration(i) * time.Second)
				a.Language = []string{"en", "fr"}[i%2]
				a.Tags = append(a.Tags, []string{"even", "odd"}[i%2])
				if i%10 == 0 {
					a.Tags = append(a.Tags, "golang")
				}
				if i%1000 == 0 {
					a.Tags = append(a.Tags, "rare")
				}
				a.HTML = fmt.Sprintf("<p>%s number%d %s</p>", strings.Repeat("Some words of text. ", 20), i, []string{"ping", "pong"}[i%2])
			}))
		}
		if _, err := s.PutArticles(t.Context(), all); err != nil {
			t.Fatal(err)
		}
	}
}

// BenchmarkArticles measures the queries of feeds as the store grows: the newest 50 articles by
// several filters, at 1,000, 10,000 and 100,000 articles.
func BenchmarkArticles(b *testing.B) {
	for _, engine := range storetest.Engines {
		s := storetest.Open(b, engine, store.Options{})
		stored := 0
		for _, n := range []int{1_000, 10_000, 100_000} {
			start := time.Now()
			fill(b, s, stored, n-stored)
			b.Logf("%s: %d articles stored at %.0f/s", engine, n-stored, float64(n-stored)/time.Since(start).Seconds())
			stored = n
			for _, expr := range []string{"", "golang", "golang AND rare", "golang AND NOT rare", "golang OR rare", "NOT golang AND lang:fr", "text:words", "text:number77",
				"even AND odd", "NOT news", "golang AND odd", "text:ping AND text:pong", `text:"text words"`, "even AND text:pong", "text:ping AND text:nowhere"} {
				b.Run(fmt.Sprintf("%s/%d/%s", engine, n, expr), func(b *testing.B) {
					f, err := article.ParseFilter(expr)
					if err != nil {
						b.Fatal(err)
					}
					for b.Loop() {
						if _, err := s.Search(b.Context(), store.Query{Filter: f}); err != nil {
							b.Fatal(err)
						}
					}
				})
			}
		}
	}
}
