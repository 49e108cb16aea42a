package store_test

import (
	"errors"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

func (c *clock) add(d time.Duration) { c.at.Add(d.Milliseconds()) }

func draft(a *article.Article) { a.Status = article.Draft }

func tagged(tag string) func(*article.Article) {
	return func(a *article.Article) { a.Tags = append(a.Tags, tag) }
}

// wantStatus checks an article's status, and that nothing reveals an article that readers never
// saw.
func wantStatus(t *testing.T, s *store.Store, id string, want article.Status) {
	t.Helper()
	a, err := s.Article(t.Context(), id)
	if err != nil || a.Status != want {
		t.Errorf("the article is %s, %v; want %s", a.Status, err, want)
	}
	if away := want == article.Removed || want == article.Withdrawn; a.Removed.IsZero() == away {
		t.Errorf("a %s article has the time of removal %v", want, a.Removed)
	}
	if want == article.Removed || want == article.Published || want == article.Unlisted {
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

func TestRemovedDraftIsWithdrawnWithoutTombstone(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		id := put(t, s, newArticle("secret", draft, tagged("Acquisition"))).ID
		remove := func() {
			t.Helper()
			if err := s.RemoveArticle(t.Context(), id); err != nil {
				t.Fatal(err)
			}
			wantStatus(t, s, id, article.Withdrawn)
		}
		remove()
		remove()
		if again := put(t, s, newArticle("secret", draft, tagged("Acquisition"))); again.Outcome != store.Unchanged || !again.Removed {
			t.Errorf("the same file again: %+v", again)
		}
		if err := s.RestoreArticle(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		wantStatus(t, s, id, article.Draft)
		remove()
		put(t, s, newArticle("secret", draft, tagged("Acquisition"), tagged("more")))
		wantStatus(t, s, id, article.Draft)
		remove()
		before := time.Now().Add(-time.Millisecond)
		put(t, s, newArticle("secret", tagged("Acquisition")))
		wantStatus(t, s, id, article.Published)
		found, err := s.Articles(t.Context(), store.Query{After: store.Position{At: before.UnixMilli()}})
		if len(found) != 1 || err != nil {
			t.Errorf("it appears at its old date, not when it is published: %v, %v", found, err)
		}
	})
}

func TestRemovedFutureArticleAppearsWhenItIsRestored(t *testing.T) {
	t.Parallel()
	for _, engine := range storetest.Engines {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			clock := newClock()
			s := storetest.Open(t, engine, store.Options{Clock: clock.now})
			due := clock.now().Add(time.Hour)
			id := put(t, s, newArticle("secret", tagged("Acquisition"), func(a *article.Article) { a.Published = due })).ID
			if err := s.RemoveArticle(t.Context(), id); err != nil {
				t.Fatal(err)
			}
			wantStatus(t, s, id, article.Withdrawn)
			clock.add(2 * time.Hour)
			wantStatus(t, s, id, article.Withdrawn) // its date has passed, and no feed shows it
			back := clock.now()
			if err := s.RestoreArticle(t.Context(), id); err != nil {
				t.Fatal(err)
			}
			wantStatus(t, s, id, article.Published)
			for _, expr := range []string{"", "acquisition"} { // labels store their own copy of the position
				found, err := s.Articles(t.Context(), store.Query{Filter: filter(t, expr), AsOf: clock.now()})
				if len(found) != 1 || err != nil || found[0].Position.At < back.UnixMilli() {
					t.Errorf("%q: %+v, %v; want it to appear no earlier than %v", expr, found, err, back)
				}
			}
		})
	}
}

// listed returns the sources of the articles in the newest feed.
func listed(t *testing.T, s *store.Store) string {
	t.Helper()
	found, err := s.Articles(t.Context(), store.Query{AsOf: s.Now()})
	if err != nil {
		t.Fatal(err)
	}
	return sources(found)
}

// TestImportWithAnotherStatusWithdrawsAnArticle imports a file with its status changed: a published
// article disappears, and the earlier status restores the same article.
func TestImportWithAnotherStatusWithdrawsAnArticle(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		for name, c := range map[string]struct {
			status article.Status
			stored article.Status
		}{
			"draft": {article.Draft, article.Draft}, "unlisted": {article.Unlisted, article.Unlisted}, "withdrawn": {article.Withdrawn, article.Removed},
		} {
			id := put(t, s, newArticle(name)).ID
			before, err := s.LastChange(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			kept := put(t, s, newArticle(name, func(a *article.Article) { a.Status = c.status }))
			after, err := s.LastChange(t.Context())
			if err != nil || after.Revision == before.Revision || after.LastRemoval.IsZero() {
				t.Errorf("%s: the change feed does not report it: %+v, %v", name, after, err)
			}
			if kept.ID != id || listed(t, s) != "" {
				t.Errorf("%s: %+v, and feeds list %q", name, kept, listed(t, s))
			}
			if a, err := s.Article(t.Context(), id); err != nil || a.Status != c.stored {
				t.Errorf("%s is stored as %s, %v", name, a.Status, err)
			}
			if back := put(t, s, newArticle(name)); back.ID != id || listed(t, s) != name {
				t.Errorf("%s, published again: %+v, and feeds list %q", name, back, listed(t, s))
			}
			if err := s.RemoveArticle(t.Context(), id); err != nil {
				t.Fatal(err)
			}
		}
		// An article that readers never saw leaves no trace.
		id := put(t, s, newArticle("never", func(a *article.Article) { a.Status = article.Withdrawn })).ID
		if a, err := s.Article(t.Context(), id); err != nil || a.Status != article.Withdrawn || a.Removed.IsZero() {
			t.Errorf("%+v, %v", a, err)
		}
	})
}

func TestExpiredArticlesAreWithdrawn(t *testing.T) {
	t.Parallel()
	for _, engine := range storetest.Engines {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			clock := newClock()
			s := storetest.Open(t, engine, store.Options{Clock: clock.now})
			until := func(d time.Duration) func(*article.Article) {
				return func(a *article.Article) { a.Expires = clock.now().Add(d).Truncate(time.Millisecond) }
			}
			ids := map[string]string{"kept": put(t, s, newArticle("kept")).ID}
			seen := newArticle("seen", until(time.Hour))
			ids["seen"] = put(t, s, seen).ID
			ids["unlisted"] = put(t, s, newArticle("unlisted", until(time.Hour), func(a *article.Article) { a.Status = article.Unlisted })).ID
			ids["future"] = put(t, s, newArticle("future", until(time.Hour), func(a *article.Article) { a.Published = clock.now().Add(2 * time.Hour) })).ID
			ids["past"] = put(t, s, newArticle("past", until(-time.Hour))).ID
			if n, err := s.WithdrawExpired(t.Context()); n != 0 || err != nil || listed(t, s) != "seen kept" {
				t.Fatalf("%d withdrawn early, %v; feeds list %q", n, err, listed(t, s))
			}
			clock.add(time.Hour)
			if n, err := s.WithdrawExpired(t.Context()); n != 3 || err != nil || listed(t, s) != "kept" {
				t.Fatalf("%d withdrawn, %v; feeds list %q", n, err, listed(t, s))
			}
			for name, want := range map[string]article.Status{"kept": article.Published, "seen": article.Removed, "unlisted": article.Withdrawn, "future": article.Withdrawn, "past": article.Withdrawn} {
				if a, err := s.Article(t.Context(), ids[name]); err != nil || a.Status != want {
					t.Errorf("%s is %s, %v; want %s", name, a.Status, err, want)
				}
			}
			if again := put(t, s, seen); again.Outcome != store.Unchanged || !again.Removed {
				t.Errorf("the same file again: %+v", again)
			}
			if err := s.RestoreArticle(t.Context(), ids["unlisted"]); err != nil {
				t.Fatal(err)
			}
			wantStatus(t, s, ids["unlisted"], article.Unlisted)
			// A later date in the file brings it back, as the same article.
			if back := put(t, s, newArticle("seen", until(time.Hour))); back.ID != ids["seen"] || listed(t, s) != "seen kept" {
				t.Errorf("with a later date: %+v; feeds list %q", back, listed(t, s))
			}
			if n, err := s.WithdrawExpired(t.Context()); n != 0 || err != nil {
				t.Errorf("%d withdrawn again, %v", n, err)
			}
		})
	}
}
