package store_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

// putFromSources stores an article from each kind of source.
func putFromSources(t *testing.T, s *store.Store) {
	t.Helper()
	put(t, s, newArticle("/srv/articles/file.md"))
	put(t, s, newArticle("browser:1", func(a *article.Article) { a.Slug, a.Tags = "written", []string{"sea"} }))
	put(t, s, newArticle("planet/1", func(a *article.Article) { a.Origin = &article.Origin{Title: "The Daily Planet"} }))
	put(t, s, newArticle("planet/2", func(a *article.Article) { a.Origin = &article.Origin{URL: "https://untitled.example.org/"} }))
}

// wantSources checks what the filters by source find.
func wantSources(t *testing.T, s *store.Store) {
	t.Helper()
	for expression, want := range map[string]string{
		"source:files": "/srv/articles/file.md", "source:browser": "browser:1", `source:"The Daily Planet"`: "planet/1",
		"source:https://untitled.example.org/": "planet/2", "source:browser AND sea": "browser:1", "source:browser AND news": "", "source:planet": "",
		"NOT source:files AND news": "planet/2 planet/1", `"source:files"`: "",
	} {
		f := filter(t, expression)
		found, err := s.Articles(t.Context(), store.Query{Filter: f})
		if err != nil || sources(found) != want {
			t.Errorf("%s finds %q, want %q: %v", expression, sources(found), want, err)
		}
		for i := range found {
			if !f.Match(&found[i].Article) {
				t.Errorf("%s selects %s in the store alone", expression, found[i].Source)
			}
		}
		if again := filter(t, f.String()); again.String() != f.String() {
			t.Errorf("%s is written as %s and read as %s", expression, f, again)
		}
	}
}

func TestArticlesAreFoundBySource(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		putFromSources(t, s)
		wantSources(t, s)
		top, err := s.TopSources(t.Context(), 10)
		if got := fmt.Sprint(top); err != nil || len(top) != 4 || !strings.Contains(got, "The Daily Planet") {
			t.Errorf("the sources are %s, %v", got, err)
		}
	})
}

func TestArticlesOfOlderStoresAreFoundBySource(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		putFromSources(t, s)
		migration, err := os.ReadFile(filepath.Join("schema", "migrations", string(s.Engine()), "00060_sources.sql"))
		if err != nil {
			t.Fatal(err)
		}
		for _, statement := range []string{"DELETE FROM article_labels WHERE kind = 'source'", "DELETE FROM label_counts WHERE kind = 'source'", string(migration)} {
			if _, err := s.DB().ExecContext(t.Context(), statement); err != nil {
				t.Fatal(err)
			}
		}
		wantSources(t, s)
	})
}

// TestFilterBySourceReadsItsIndexInOrder checks that a page of the list costs the same however many
// articles there are: the index has them in order, and nothing is sorted.
func TestFilterBySourceReadsItsIndexInOrder(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		putTaggedArticles(t, s, 1200)
		explain := "EXPLAIN "
		if s.Engine() == store.SQLite {
			explain = "EXPLAIN QUERY PLAN "
		} else if _, err := s.DB().ExecContext(t.Context(), "ANALYZE"); err != nil {
			t.Fatal(err)
		}
		query := store.Query{Filter: filter(t, "source:files"), Order: store.ByDate, HTMLBudget: store.WithoutHTML, Limit: 51}
		text, args, err := s.ListSQL(t.Context(), query)
		if err != nil {
			t.Fatal(err)
		}
		rows, err := s.DB().QueryContext(t.Context(), explain+text, args...)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		columns, err := rows.Columns()
		if err != nil {
			t.Fatal(err)
		}
		plan, line := "", ""
		values := make([]any, len(columns))
		for i := range values {
			values[i] = new(any)
		}
		values[len(values)-1] = &line
		for rows.Next() {
			if err := rows.Scan(values...); err != nil {
				t.Fatal(err)
			}
			plan += line + "\n"
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(plan, "article_labels_published") || strings.Contains(plan, "Seq Scan") || strings.Contains(plan, "SCAN a") {
			t.Errorf("the list of a source is not read in the order of its index:\n%s", plan)
		}
	})
}
