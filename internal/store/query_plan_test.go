package store_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/digest"
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

// TestFailedDeliveriesAreFoundByIndex checks that the page of an edition reads some deliveries and tries of
// many, and not all of them.
func TestFailedDeliveriesAreFoundByIndex(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		list := "email\n"
		for i := range 200 {
			list += fmt.Sprintf("a%d@example.org\n", i+1)
		}
		importCSV(t, s, list)
		const numbers = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)"
		statements := []string{
			`INSERT INTO editions (id, digest, number, scheduled_for, state, automatic, author, subject, reason, audience_count, audience_max, created, approved, started, finished)
				SELECT 'e' || i, 'weekly', i, CAST(i AS text), 'sent', 1, '', '', '', 0, 0, 1, 1, 1, 1 FROM (` + numbers + ` SELECT i FROM n WHERE i <= 2) AS two`,
			`INSERT INTO deliveries (edition, subscriber, chunk, variant, state, reason, tries, attempt, code, reply, relay, first_try, at, next_try, digest)
				SELECT e.seq, i, i / 500, 0, CASE i % 50 WHEN 7 THEN 'refused' ELSE 'sent' END, '', 1, 1, 250, '', '', 0, 0, 0, '' FROM editions e CROSS JOIN (` + numbers + ` SELECT i FROM n) AS d`,
			`INSERT INTO delivery_tries (edition, subscriber, try, state, reason, code, reply, relay, at)
				SELECT edition, subscriber, 1, state, '', 550, 'no', '', 0 FROM deliveries WHERE state = 'refused'`,
			`INSERT INTO chunks (edition, number, first_id, last_id, state, holder, lease_until, not_before, epoch, total, sent, refused, skipped, deferred, uncertain)
				SELECT edition, chunk, min(subscriber), max(subscriber), 'done', '', 0, 0, 1, count(*), 490, 10, 0, 0, 0 FROM deliveries GROUP BY edition, chunk`,
		}
		if s.Engine() == store.Postgres {
			statements = append(statements, "VACUUM ANALYZE")
		}
		for _, statement := range statements {
			if _, err := s.DB().ExecContext(t.Context(), statement); err != nil {
				t.Fatalf("%s: %v", statement, err)
			}
		}
		texts := store.QueryTexts(s.Engine())
		for name, args := range map[string][]any{"delivery.list": {1, 0, `["refused"]`, 10}, "try.reasons": {1, 200}} {
			plan := queryPlan(t, s, texts[name], args...)
			for _, bad := range []string{"Seq Scan on deliveries", "SCAN d", "Hash Join"} {
				if strings.Contains(plan, bad) {
					t.Errorf("%s:\n%s", name, plan)
				}
			}
		}
		listed, err := s.Deliveries(t.Context(), store.Edition{Seq: 1}, []digest.DeliveryState{digest.DeliveryRefused}, 57, 3)
		if got := fmt.Sprint(subscribersOf(listed)); err != nil || got != "[107 157 207]" || listed[0].Address == "" {
			t.Errorf("listed %s, %v", got, err)
		}
	})
}

func subscribersOf(list []store.AddressedDelivery) (out []int64) {
	for _, d := range list {
		out = append(out, d.Subscriber)
	}
	return out
}

// TestFewWaitingArticlesAreLookedUpInTheLedger checks that PostgreSQL does not read all articles that a
// digest has sent to find the newest ones that wait.
func TestFewWaitingArticlesAreLookedUpInTheLedger(t *testing.T) {
	t.Parallel()
	q := newQueue(t, store.Postgres)
	putTaggedArticles(t, q.s, 300)
	for _, statement := range []string{
		"INSERT INTO ledger (digest, article_id, edition_id) SELECT 'weekly', 'old' || i, 'e' FROM generate_series(1, 20000) AS s(i)", "ANALYZE",
	} {
		if _, err := q.s.DB().ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	text, args, err := q.s.WaitingSQL(t.Context(), store.QueueQuery{Digest: "weekly", Now: q.clock.now(), Limit: 20})
	if err != nil {
		t.Fatal(err)
	}
	if plan := queryPlan(t, q.s, text, args...); !strings.Contains(plan, "ledger_pkey") || strings.Contains(plan, "Seq Scan on ledger") {
		t.Error(plan)
	}
}

// TestWordsInFewArticlesNeedNoCount checks that PostgreSQL does not count the articles with a frequent word
// for a list of states, of which most have few articles.
func TestWordsInFewArticlesNeedNoCount(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, store.Postgres, store.Options{})
	putTaggedArticles(t, s, 300)
	filter := article.Filter{Expr: article.Word{Text: "words"}}
	text, _, err := s.ListSQL(t.Context(), store.Query{Filter: filter, Statuses: []article.Status{article.Published, article.Unlisted, article.Draft}})
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(text, "each_word") {
		t.Errorf("the index of words is read:\n%s", text)
	}
}
