package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

// checkLabelCounts compares the stored counts with a count of all labels.
func checkLabelCounts(t *testing.T, s *store.Store, step string) {
	t.Helper()
	var kept, counted string
	for query, into := range map[string]*string{
		"SELECT kind, key, articles FROM label_counts WHERE articles <> 0 ORDER BY kind, key":                                           &kept,
		"SELECT kind, key, count(*) FROM article_labels WHERE status = 'published' AND key <> '' GROUP BY kind, key ORDER BY kind, key": &counted,
	} {
		rows, err := s.DB().QueryContext(t.Context(), query)
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			var kind, key string
			var n int
			if err := rows.Scan(&kind, &key, &n); err != nil {
				t.Fatal(err)
			}
			*into += fmt.Sprintln(kind, key, n)
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
	}
	if kept != counted || kept == "" {
		t.Errorf("after %s these are stored:\n%s\nand these counted:\n%s", step, kept, counted)
	}
}

// TestRestoreKeepsDerivedRows restores labels, topics and terms, whose counts and indexes triggers keep.
func TestRestoreKeepsDerivedRows(t *testing.T) {
	t.Parallel()
	for _, from := range storetest.Engines {
		for _, to := range storetest.Engines {
			t.Run(string(from)+" to "+string(to), func(t *testing.T) {
				t.Parallel()
				source := storetest.DSN(t, from)
				s := storetest.Reopen(t, source, store.Options{})
				put(t, s, newArticle("a", func(a *article.Article) { a.Tags = []string{"Sea", "wind"} }))
				put(t, s, newArticle("b", func(a *article.Article) { a.Tags = []string{"sea"} }))
				one := addSubscriber(t, s, "hopper@example.org", subscriber.Active)
				if err := s.Subscribe(t.Context(), one.ID, "weekly", []string{"sea"}); err != nil {
					t.Fatal(err)
				}
				file, _ := backUp(t, source)
				dsn := emptyDSN(t, to)
				if _, err := store.Restore(t.Context(), dsn, file, store.RestoreOptions{}); err != nil {
					t.Fatal(err)
				}
				s = storetest.Reopen(t, dsn, store.Options{})
				checkLabelCounts(t, s, "a restore")
				for _, filter := range []store.SubscriberFilter{{Search: subscriber.ParseSearch("hopp")}, {Topic: "sea"}} {
					if found, err := s.FindSubscribers(t.Context(), filter, 0, 10); err != nil || len(found.List) != 1 {
						t.Errorf("%+v finds %+v, %v", filter, found, err)
					}
				}
			})
		}
	}
}

// TestLabelCountsFollowEveryChange compares the stored counts with a count of all labels after each
// kind of change.
func TestLabelCountsFollowEveryChange(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		check := func(step string) { checkLabelCounts(t, s, step) }
		tagged := func(source string, tags ...string) *article.Article {
			return newArticle(source, func(a *article.Article) { a.Tags = tags })
		}
		first := put(t, s, tagged("a", "Sea", "wind"))
		put(t, s, tagged("b", "sea"))
		check("two articles")
		put(t, s, tagged("a", "wind", "tide"))
		check("an edit")
		if err := s.RemoveArticle(ctx, first.ID); err != nil {
			t.Fatal(err)
		}
		check("a removal")
		if err := s.RestoreArticle(ctx, first.ID); err != nil {
			t.Fatal(err)
		}
		check("a restore")
		draft := tagged("b", "sea", "draft")
		draft.Status, draft.Hash = article.Draft, "draft"
		put(t, s, draft)
		check("an article that became a draft")
		future := tagged("c", "wind", "later")
		future.Published = s.Now().Add(time.Hour)
		put(t, s, future)
		check("an article with a future date")
		top, err := s.TopTags(ctx, 2)
		if got := fmt.Sprint(top); err != nil || got != "[{tide tide 1} {wind wind 1}]" {
			t.Errorf("the most frequent tags are %s, %v; an article with a future date is not counted", got, err)
		}
	})
}
