package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

// eachWithClock runs a test on a store of each engine with the given clock.
func eachWithClock(t *testing.T, clock func() time.Time, test func(t *testing.T, s *store.Store)) {
	t.Helper()
	for _, engine := range storetest.Engines {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			test(t, storetest.Open(t, engine, store.Options{Clock: clock}))
		})
	}
}

// eachWithOwnClock is eachWithClock for tests that advance the clock, which is another one for each engine.
func eachWithOwnClock(t *testing.T, test func(t *testing.T, c *clock, s *store.Store)) {
	t.Helper()
	for _, engine := range storetest.Engines {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			c := newClock()
			test(t, c, storetest.Open(t, engine, store.Options{Clock: c.now}))
		})
	}
}

func TestRemovedArticlesOfALabelAreListedByTheirRemoval(t *testing.T) {
	t.Parallel()
	eachWithClock(t, newClock().now, func(t *testing.T, s *store.Store) {
		var ids []string
		for i := range 6 {
			ids = append(ids, put(t, s, newArticle(fmt.Sprint("r", i), func(a *article.Article) { a.Tags = [][]string{{"even"}, {"odd"}}[i%2] })).ID)
		}
		for _, i := range []int{3, 0, 5, 1, 2} {
			if err := s.RemoveArticle(t.Context(), ids[i]); err != nil {
				t.Fatal(err)
			}
		}
		for expr, want := range map[string]string{"odd": "r1 r5 r3", "even AND NOT text:nothing": "r2 r0", "odd OR even": "r2 r1 r5 r0 r3"} {
			q := store.Query{Filter: filter(t, expr), Statuses: []article.Status{article.Removed}, Order: store.ByRemoval, Limit: 3}
			var got []store.StoredArticle
			for {
				page, err := s.Articles(t.Context(), q)
				if err != nil {
					t.Fatal(err)
				}
				if got = append(got, page...); len(page) < q.Limit {
					break
				}
				q.Before = page[len(page)-1].Position
			}
			if sources(got) != want {
				t.Errorf("%q: %s, want %s", expr, sources(got), want)
			}
		}
	})
}

func TestUpdateTimeIsNeverInTheFuture(t *testing.T) {
	t.Parallel()
	const year = 365 * 24 * time.Hour
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	eachWithClock(t, func() time.Time { return now }, func(t *testing.T, s *store.Store) {
		for name, dates := range map[string]struct{ published, updated, want time.Time }{
			"updated in a year":              {now.Add(-year), now.Add(year), now},
			"published in a year":            {now.Add(year), now.Add(year), now.Add(year)},
			"updated after it appears":       {now.Add(year), now.Add(2 * year), now.Add(year)},
			"updated a year ago":             {now.Add(-2 * year), now.Add(-year), now.Add(-year)},
			"updated before it was imported": {now.Add(-year), now.Add(-2 * year), now.Add(-year)},
		} {
			id := put(t, s, newArticle(name, func(a *article.Article) { a.Published, a.Updated = dates.published, dates.updated })).ID
			if got, err := s.Article(t.Context(), id); err != nil || !got.Updated.Equal(dates.want) {
				t.Errorf("%s: %v, want %v; %v", name, got.Updated, dates.want, err)
			}
		}
		id := put(t, s, newArticle("updated in a year", func(a *article.Article) { a.Title, a.Updated = "Other", now.Add(3*year) })).ID
		if got, err := s.Article(t.Context(), id); err != nil || !got.Updated.Equal(now) {
			t.Errorf("edited: %v, want %v; %v", got.Updated, now, err)
		}
	})
}

func TestEpochIsADate(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		epoch := time.Unix(0, 0).UTC()
		a := article.Article{Source: "test:epoch", Slug: "epoch", Title: "Epoch", HTML: "<p>x</p>", Published: epoch, Updated: epoch, Status: article.Published, Hash: "1"}
		change, err := s.PutArticle(t.Context(), &a, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		got, err := s.Article(t.Context(), change.ID)
		if err != nil || !got.Published.Equal(epoch) || !got.Updated.Equal(epoch) {
			t.Errorf("published %v, updated %v, error %v; want %v", got.Published, got.Updated, err, epoch)
		}
	})
}
