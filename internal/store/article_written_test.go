package store_test

import (
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

// TestRevisionsOfAnArticleAreFoundByIndex reads the plans of the queries of the article editor in a store
// with many articles that were written in the browser.
func TestRevisionsOfAnArticleAreFoundByIndex(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		db := s.DB()
		for _, statement := range []string{
			`INSERT INTO written_articles (article, head, live) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) SELECT 'a' || i, 5, 0 FROM n`,
			`INSERT INTO article_revisions (article, number, kind, author, began, saved, fields, body)
				WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 4999)
				SELECT 'a' || (i % 1000 + 1), i / 1000 + 1, 'saved', 'ada', 1, 1, '{}', 'text' FROM n`,
		} {
			if _, err := db.ExecContext(t.Context(), statement); err != nil {
				t.Fatal(err)
			}
		}
		if s.Engine() == store.Postgres {
			if _, err := db.ExecContext(t.Context(), "ANALYZE"); err != nil {
				t.Fatal(err)
			}
		}
		texts := store.QueryTexts(s.Engine())
		for name, args := range map[string][]any{
			"written.head": {"a7"}, "written.revision": {"a7", 3}, "written.list": {"a7", 4, 51}, "written.began": {"a7", 5, "ada", 0},
		} {
			plan := queryPlan(t, s, texts[name], args...)
			if strings.Contains(plan, "SCAN") || strings.Contains(plan, "Seq Scan") || strings.Contains(plan, "TEMP B-TREE") {
				t.Errorf("%s:\n%s", name, plan)
			}
		}
	})
}
