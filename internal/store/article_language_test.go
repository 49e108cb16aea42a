package store_test

import (
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

func TestArticlesOfNoKnownLanguageAreFound(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		putTaggedArticles(t, s, 9)
		for want, node := range map[string]article.Node{
			"s0008 s0005 s0002": article.Language{}, "s0007 s0004 s0001": article.Language{Tag: "fr"},
			"s0008 s0007 s0005 s0004 s0002 s0001": article.Or{Left: article.Language{}, Right: article.Language{Tag: "fr"}},
			"s0007 s0006 s0004 s0003 s0001 s0000": article.Not{Of: article.Language{}},
		} {
			found, err := s.Articles(t.Context(), store.Query{Filter: article.Filter{Expr: node}})
			if err != nil || sources(found) != want {
				t.Errorf("%#v: %s, %v; want %s", node, sources(found), err, want)
			}
			for i := range found {
				if !(article.Filter{Expr: node}).Match(&found[i].Article) {
					t.Errorf("%#v does not match %s", node, found[i].Source)
				}
			}
		}
		languages, err := s.Languages(t.Context())
		if err != nil || len(languages) != 2 {
			t.Errorf("languages: %v, %v", languages, err)
		}
		put(t, s, newArticle("regional", func(a *article.Article) { a.Language = "pt-BR" }))
		if keys, err := s.LanguageKeys(t.Context()); err != nil || strings.Join(keys, " ") != "en fr pt pt-br" {
			t.Errorf("keys of languages: %q, %v", keys, err)
		}
		changed := *newArticle("s0001", func(a *article.Article) { a.Language = "" })
		put(t, s, &changed)
		found, err := s.Articles(t.Context(), store.Query{Filter: article.Filter{Expr: article.Language{}}})
		if err != nil || sources(found) != "s0008 s0005 s0002 s0001" {
			t.Errorf("after an edit: %s, %v", sources(found), err)
		}
	})
}

func TestArticlesOfOlderStoresInNoKnownLanguageAreFound(t *testing.T) {
	t.Parallel()
	for _, engine := range storetest.Engines {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			dsn := storetest.DSN(t, engine)
			s, err := store.Open(t.Context(), dsn, store.Options{})
			if err != nil {
				t.Fatal(err)
			}
			putTaggedArticles(t, s, 9)
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			driver, path := "pgx", dsn
			if engine == store.SQLite {
				driver, path = "sqlite", strings.TrimPrefix(dsn, "sqlite:")
			}
			db, err := sql.Open(driver, path)
			if err != nil {
				t.Fatal(err)
			}
			migration, err := os.ReadFile(filepath.Join("schema", "migrations", "both", "00009_languages.sql"))
			if err != nil {
				t.Fatal(err)
			}
			for _, statement := range []string{"DELETE FROM article_labels WHERE key = ''", string(migration)} {
				if _, err := db.ExecContext(t.Context(), statement); err != nil {
					t.Fatal(err)
				}
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			again := storetest.Reopen(t, dsn, store.Options{})
			found, err := again.Articles(t.Context(), store.Query{Filter: article.Filter{Expr: article.Language{}}})
			if err != nil || sources(found) != "s0008 s0005 s0002" {
				t.Errorf("%s, %v", sources(found), err)
			}
		})
	}
}
