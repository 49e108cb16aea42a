package store_test

import (
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

// putTaggedArticles stores articles with tags and words that rarely or never occur together.
func putTaggedArticles(t *testing.T, s *store.Store, n int) {
	t.Helper()
	all := make([]article.Article, n)
	for i := range all {
		all[i] = *newArticle(fmt.Sprintf("s%04d", i), func(a *article.Article) {
			a.Tags = append(a.Tags, []string{"even", "odd"}[i%2])
			if i%90 == 0 {
				a.Tags = append(a.Tags, "odd")
			}
			if i%3 == 0 {
				a.Tags = append(a.Tags, "third")
			}
			a.Language = []string{"en", "fr", ""}[i%3]
			a.HTML = fmt.Sprintf("<p>some words %s %d</p>", []string{"ping", "pong"}[i%2], i)
		})
	}
	if _, err := s.PutArticles(t.Context(), all); err != nil {
		t.Fatal(err)
	}
}

// searchToEnd continues a bounded search until it is complete, and returns its results and the
// number of steps.
func searchToEnd(t *testing.T, s *store.Store, q store.Query, looks int) (found []store.StoredArticle, steps int) {
	t.Helper()
	for {
		part, err := s.SearchWithChecks(t.Context(), q, looks)
		if err != nil {
			t.Fatal(err)
		}
		steps++
		found = append(found, part.Articles...)
		next := part.Until
		switch {
		case len(part.Articles) == q.Limit:
			if next = part.Articles[q.Limit-1].Position; !part.Until.IsZero() {
				t.Errorf("%s: a search that found enough stopped at %v", q.Filter, part.Until)
			}
		case next.IsZero():
			return found, steps
		}
		if q.Oldest {
			q.After = next
		} else {
			q.Before = next
		}
	}
}

func TestBoundedSearchFindsAllWhenContinued(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		putTaggedArticles(t, s, 1200)
		for expr, atLeast := range map[string]int{ // steps, at 100 articles each
			"": 1, "even": 1, "even AND odd": 3, "NOT news": 12, "even AND NOT third": 3, "odd AND lang:fr": 2, "third OR even AND odd": 3,
			"text:ping AND text:pong": 1, `text:"words some"`: 12, `even AND text:pong`: 3, "NOT (even OR odd)": 12, "lang:fr AND lang:en": 2,
			"(even OR third) AND (odd OR lang:fr) AND NOT text:nowhere": 3, "text:17": 1,
			"even AND odd OR NOT news": 12, // up to the access path that uses its share first
			"(even AND odd) OR (odd AND even AND third) OR (lang:en AND lang:fr)": 3,
		} {
			for _, oldest := range []bool{false, true} {
				q := store.Query{Filter: filter(t, expr), Limit: 40, Oldest: oldest}
				found, steps := searchToEnd(t, s, q, 1)
				q.Limit = 5000
				all, err := s.Articles(t.Context(), q)
				if err != nil {
					t.Fatal(err)
				}
				if sources(found) != sources(all) {
					t.Errorf("%s, oldest %t: %d articles in %d steps, want %d:\n%s\n%s", expr, oldest, len(found), steps, len(all), sources(found), sources(all))
				}
				if expr == "text:17" && steps > 1 {
					t.Errorf("%s: found in %d steps: no index is used", expr, steps)
				}
				if steps < atLeast {
					t.Errorf("%s: found in %d steps, want at least %d: the search is not bounded", expr, steps, atLeast)
				}
			}
		}
	})
}

func TestSearchIsIndexedWithoutStatistics(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	dsn := storetest.DSN(t, store.Postgres)
	s := storetest.Reopen(t, dsn, store.Options{})
	putTaggedArticles(t, s, 1200) // the tables have no statistics yet
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, expr := range []string{"even AND odd", "NOT news", "even AND NOT text:pong"} {
		text, args, err := s.ListSQL(t.Context(), store.Query{Filter: filter(t, expr)})
		if err != nil {
			t.Fatal(err)
		}
		rows, err := db.QueryContext(t.Context(), "EXPLAIN "+text, args...)
		if err != nil {
			t.Fatal(err)
		}
		var plan []string
		for rows.Next() {
			var line string
			if err := rows.Scan(&line); err != nil {
				t.Fatal(err)
			}
			plan = append(plan, line)
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		bad := func(line string) bool {
			return strings.Contains(line, "article_labels_") && strings.Contains(line, " f ") || strings.Contains(line, "Seq Scan")
		}
		if slices.ContainsFunc(plan, bad) || !slices.ContainsFunc(plan, func(line string) bool { return strings.Contains(line, "SubPlan") }) {
			t.Errorf("%s is not checked article by article:\n%s", expr, strings.Join(plan, "\n"))
		}
	}
}

func TestArticlesStayWithinTheHTMLBudget(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		for i, size := range []int{300, 50, 800, 300, 10} { // the last one is shown first
			put(t, s, newArticle(fmt.Sprintf("r%d", i), func(a *article.Article) { a.HTML = strings.Repeat("ü", size/2) }))
		}
		for budget, want := range map[int]string{
			0: "10 300 800 50 300", 5000: "10 300 800 50 300", 1459: "10 300 0 50 300", 659: "10 300 0 50 0", 360: "10 300 0 50 0", 359: "10 0 0 50 0", 9: "0 0 0 0 0",
			store.WithoutHTML: "0 0 0 0 0",
		} {
			found, err := s.Search(t.Context(), store.Query{HTMLBudget: budget})
			if err != nil {
				t.Fatal(err)
			}
			var sizes []string
			for _, a := range found.Articles {
				sizes = append(sizes, fmt.Sprint(len(a.HTML)))
				if a.Title == "" {
					t.Errorf("budget %d: %s has no title", budget, a.Source)
				}
			}
			if got := strings.Join(sizes, " "); got != want {
				t.Errorf("budget %d: HTML of %s bytes, want %s", budget, got, want)
			}
		}
		found, err := s.Search(t.Context(), store.Query{IDs: true})
		if err != nil || len(found.Articles) != 5 || found.Articles[0].ID == "" || found.Articles[0].HTML != "" || found.Articles[0].Title != "" {
			t.Errorf("ids alone: %+v, %v", found, err)
		}
	})
}

func TestRemovalsAreFoundByLabelsAndWords(t *testing.T) {
	t.Parallel()
	clock := newClock()
	for _, engine := range storetest.Engines {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			s := storetest.Open(t, engine, store.Options{Clock: clock.now})
			putTaggedArticles(t, s, 40)
			all, err := s.Articles(t.Context(), store.Query{})
			if err != nil {
				t.Fatal(err)
			}
			for i := range 20 { // in another order than they appeared
				if err := s.RemoveArticle(t.Context(), all[i*7%40].ID); err != nil {
					t.Fatal(err)
				}
			}
			removed, err := s.Articles(t.Context(), store.Query{Statuses: []article.Status{article.Removed}, Order: store.ByRemoval})
			if err != nil || len(removed) != 20 {
				t.Fatalf("%d, %v", len(removed), err)
			}
			for _, expr := range []string{"odd", "odd AND third", "odd AND NOT third", "text:ping", "even AND text:words", "odd OR third", "NOT even"} {
				f := filter(t, expr)
				var want []store.StoredArticle
				for _, a := range removed {
					if f.Match(&a.Article) {
						want = append(want, a)
					}
				}
				got, _ := searchToEnd(t, s, store.Query{Filter: f, Statuses: []article.Status{article.Removed}, Order: store.ByRemoval, Limit: 3}, 1)
				if sources(got) != sources(want) || len(want) == 0 {
					t.Errorf("%s: %s, want %s", expr, sources(got), sources(want))
				}
			}
		})
	}
}
