package store_test

import (
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

// queryPlan returns the lines of the plan that an engine makes for a query.
func queryPlan(t *testing.T, s *store.Store, text string, args ...any) string {
	t.Helper()
	explain := "EXPLAIN "
	if s.Engine() == store.SQLite {
		explain = "EXPLAIN QUERY PLAN "
	}
	rows, err := s.DB().QueryContext(t.Context(), explain+text, args...)
	if err != nil {
		t.Fatalf("%v:\n%s", err, text)
	}
	defer rows.Close()
	var plan strings.Builder
	for rows.Next() {
		var line string
		var number int
		if s.Engine() == store.SQLite {
			err = rows.Scan(&number, &number, &number, &line)
		} else {
			err = rows.Scan(&line)
		}
		if err != nil {
			t.Fatal(err)
		}
		plan.WriteString(line + "\n")
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return plan.String()
}

// TestExpiredArticlesAndAddressesAreFoundByIndex checks that neither the search for expired articles, which
// runs each second, nor that for the parts of the sitemap reads the articles themselves.
func TestExpiredArticlesAndAddressesAreFoundByIndex(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		putTaggedArticles(t, s, 300)
		if s.Engine() == store.Postgres {
			if _, err := s.DB().ExecContext(t.Context(), "VACUUM ANALYZE articles"); err != nil {
				t.Fatal(err)
			}
		}
		texts := store.QueryTexts(s.Engine())
		if plan := queryPlan(t, s, texts["article.expired"], 1, 100); !strings.Contains(plan, "articles_expires") || strings.Contains(plan, "TEMP B-TREE") {
			t.Errorf("expired articles:\n%s", plan)
		}
		if plan := queryPlan(t, s, texts["article.addressParts"], 1, 100); s.Engine() == store.SQLite && !strings.Contains(plan, "COVERING INDEX articles_addresses") {
			t.Errorf("parts of the sitemap:\n%s", plan)
		}
	})
}
