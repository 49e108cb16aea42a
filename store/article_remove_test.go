package store_test

import (
	"errors"
	"testing"
	"time"

	"github.com/tidings-press/tidings/article"
	"github.com/tidings-press/tidings/store"
	"github.com/tidings-press/tidings/store/storetest"
)

func (c *clock) add(d time.Duration) { c.at.Add(d.Milliseconds()) }

func draft(a *article.Article) { a.Status = article.Draft }

func tagged(tag string) func(*article.Article) {
	return func(a *article.Article) { a.Tags = append(a.Tags, tag) }
}

// wantStanding checks an article's status, and that nothing tells of one that
// readers never saw.
func wantStanding(t *testing.T, s *store.Store, id string, want article.Status) {
	t.Helper()
	a, err := s.Article(t.Context(), id)
	if err != nil || a.Status != want {
		t.Errorf("the article is %s, %v; want %s", a.Status, err, want)
	}
	if away := want == article.Removed || want == article.Withdrawn; a.Removed.IsZero() == away {
		t.Errorf("a %s article has the time of removal %v", want, a.Removed)
	}
	if want == article.Removed || want == article.Published {
		return
	}
	stones, err := s.Articles(t.Context(), store.Query{Statuses: []article.Status{article.Removed}, Order: store.ByRemoval})
	if len(stones) != 0 || err != nil {
		t.Errorf("a %s article has a tombstone, %v", want, err)
	}
	if name, err := s.TagSpelling(t.Context(), "acquisition"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("the tag of a %s article is known as %q, %v", want, name, err)
	}
}

func TestADraftIsWithdrawnWithoutATrace(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		id := put(t, s, piece("secret", draft, tagged("Acquisition"))).ID
		remove := func() {
			t.Helper()
			if err := s.RemoveArticle(t.Context(), id); err != nil {
				t.Fatal(err)
			}
			wantStanding(t, s, id, article.Withdrawn)
		}
		remove()
		remove()
		if again := put(t, s, piece("secret", draft, tagged("Acquisition"))); again.Outcome != store.Unchanged || !again.Removed {
			t.Errorf("the same file again: %+v", again)
		}
		if err := s.RestoreArticle(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		wantStanding(t, s, id, article.Draft)
		remove()
		put(t, s, piece("secret", draft, tagged("Acquisition"), tagged("more")))
		wantStanding(t, s, id, article.Draft)
		remove()
		before := time.Now().Add(-time.Millisecond)
		put(t, s, piece("secret", tagged("Acquisition")))
		wantStanding(t, s, id, article.Published)
		found, err := s.Articles(t.Context(), store.Query{After: store.Position{At: before.UnixMilli()}})
		if len(found) != 1 || err != nil {
			t.Errorf("it does not appear when it is published, but at its old date: %v, %v", found, err)
		}
	})
}

func TestAnArticleOfTheFutureIsWithdrawnAndAppearsWhenItIsBack(t *testing.T) {
	t.Parallel()
	for _, engine := range storetest.Engines {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			clock := newClock()
			s := storetest.Open(t, engine, store.Options{Clock: clock.now})
			due := clock.now().Add(time.Hour)
			id := put(t, s, piece("secret", tagged("Acquisition"), func(a *article.Article) { a.Published = due })).ID
			if err := s.RemoveArticle(t.Context(), id); err != nil {
				t.Fatal(err)
			}
			wantStanding(t, s, id, article.Withdrawn)
			clock.add(2 * time.Hour)
			wantStanding(t, s, id, article.Withdrawn) // its date has come, and nobody hears of it
			back := clock.now()
			if err := s.RestoreArticle(t.Context(), id); err != nil {
				t.Fatal(err)
			}
			wantStanding(t, s, id, article.Published)
			for _, expr := range []string{"", "acquisition"} { // the labels keep places of their own
				found, err := s.Articles(t.Context(), store.Query{Filter: filter(t, expr), AsOf: clock.now()})
				if len(found) != 1 || err != nil || found[0].Position.At < back.UnixMilli() {
					t.Errorf("%q: %+v, %v; want it to appear no earlier than %v", expr, found, err, back)
				}
			}
		})
	}
}
