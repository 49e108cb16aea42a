package store_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

// openWithRemovals opens a store whose clock advances by a minute with each step, and returns a
// function that runs a step and reports whether an article may have left a feed in it.
func openWithRemovals(t *testing.T, engine store.Engine) (*store.Store, func(step func()) bool) {
	t.Helper()
	var minutes atomic.Int64
	start := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	clock := func() time.Time { return start.Add(time.Duration(minutes.Load()) * time.Minute) }
	s := storetest.Open(t, engine, store.Options{Clock: clock})
	return s, func(step func()) bool {
		t.Helper()
		before, err := s.LastChange(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		minutes.Add(1)
		step()
		after, err := s.LastChange(t.Context())
		if err != nil || !after.LastRemoval.Equal(before.LastRemoval) && !after.LastRemoval.Equal(clock()) {
			t.Fatalf("the last removal went from %v to %v at %v: %v", before, after, clock(), err)
		}
		return !after.LastRemoval.Equal(before.LastRemoval)
	}
}

func TestLastRemovalMovesOnlyWhenAFeedMayLoseAnArticle(t *testing.T) {
	t.Parallel()
	for _, engine := range storetest.Engines {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			s, departs := openWithRemovals(t, engine)
			var id string
			draft := func(a *article.Article) { a.Status = article.Draft }
			title := func(title string) func(*article.Article) { return func(a *article.Article) { a.Title = title } }
			check := func(err error) {
				if err != nil {
					t.Fatal(err)
				}
			}
			steps := []struct {
				name string
				do   func()
				want bool
			}{
				{"a new article", func() { id = put(t, s, newArticle("a")).ID }, false},
				{"the same again", func() { put(t, s, newArticle("a")) }, false},
				{"an edit", func() { put(t, s, newArticle("a", title("Other"))) }, true},
				{"a removal", func() { check(s.RemoveArticle(t.Context(), id)) }, true},
				{"a removal again", func() { check(s.RemoveArticle(t.Context(), id)) }, false},
				{"a restore", func() { check(s.RestoreArticle(t.Context(), id)) }, true},
				{"back to draft", func() { put(t, s, newArticle("a", draft)) }, true},
				{"an edit of a draft", func() { put(t, s, newArticle("a", draft, title("Third"))) }, false},
				{"a removal of a draft", func() { check(s.RemoveArticle(t.Context(), id)) }, false},
				{"its restore", func() { check(s.RestoreArticle(t.Context(), id)) }, false},
				{"a draft published", func() { put(t, s, newArticle("a")) }, true}, // its own date may be old
			}
			for _, step := range steps {
				if got := departs(step.do); got != step.want {
					t.Errorf("%s: the last removal moves: %t, want %t", step.name, got, step.want)
				}
			}
		})
	}
}
