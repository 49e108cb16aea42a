package store_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

func TestFilterSelectsArticlesWithAFile(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		for _, slug := range []string{"with", "without", "other"} {
			a := &article.Article{Source: slug, Slug: slug, Title: slug, Hash: slug, Tags: []string{"podcast"}, Status: article.Published, Published: s.Now()}
			if slug != "without" {
				a.Enclosure = []article.Enclosure{{URL: "https://cdn.example.org/x.mp3", Type: "audio/mpeg"}}
			}
			if slug == "other" {
				a.Tags = nil
			}
			if _, err := s.PutArticle(t.Context(), a, nil, nil); err != nil {
				t.Fatal(err)
			}
		}
		for expression, want := range map[string]string{
			"has:file": "[other with]", "NOT has:file": "[without]", "podcast AND has:file": "[with]", "podcast AND NOT has:file": "[without]",
			"podcast OR has:file": "[other with without]", `"has:file"`: "[]",
		} {
			filter, err := article.ParseFilter(expression)
			if err != nil {
				t.Fatal(err)
			}
			page, err := s.Articles(t.Context(), store.Query{Filter: filter, Limit: 10})
			if err != nil {
				t.Fatal(err)
			}
			var slugs []string
			for _, one := range page {
				slugs = append(slugs, one.Article.Slug)
				if !filter.Match(&one.Article) {
					t.Errorf("%s selects %s in the store alone", expression, one.Article.Slug)
				}
			}
			if got := fmt.Sprint(slices.Sorted(slices.Values(slugs))); got != want {
				t.Errorf("%s selects %s, want %s", expression, got, want)
			}
			if again, err := article.ParseFilter(filter.String()); err != nil || again.String() != filter.String() {
				t.Errorf("%s is written as %s, %v", expression, filter, err)
			}
		}
	})
}
