package store_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

// TestStartedEditionsAreFoundByIndex reads the plans of the queries for public pages in a store with
// many editions.
func TestStartedEditionsAreFoundByIndex(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		db := s.DB()
		for _, name := range []string{"weekly", "daily"} {
			_, err := db.ExecContext(t.Context(), fmt.Sprintf(`INSERT INTO editions (id, digest, number, scheduled_for, state, automatic, author, subject, reason, audience_count, audience_max, created, approved, started, finished)
				WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
				SELECT '%s-' || i, '%s', i, CAST(i AS text), 'sent', 1, '', 'Subject', '', 0, 0, 1, 1, 1, 1 FROM n`, name, name))
			if err != nil {
				t.Fatal(err)
			}
		}
		if s.Engine() == store.Postgres {
			if _, err := db.ExecContext(t.Context(), "ANALYZE editions"); err != nil {
				t.Fatal(err)
			}
		}
		texts := store.QueryTexts(s.Engine())
		for name, args := range map[string][]any{
			"edition.started": {"weekly", 500, 21}, "edition.startedAfter": {"weekly", 500}, "edition.startedNumber": {"weekly", 500},
			"edition.open": {50},
		} {
			plan := queryPlan(t, s, texts[name], args...)
			if name == "edition.open" { // reads and sorts the few that are open
				if !strings.Contains(plan, "editions_state") {
					t.Errorf("%s:\n%s", name, plan)
				}
				continue
			}
			if !strings.Contains(plan, "editions_number") || strings.Contains(plan, "Sort") || strings.Contains(plan, "TEMP B-TREE") {
				t.Errorf("%s:\n%s", name, plan)
			}
		}
	})
}
