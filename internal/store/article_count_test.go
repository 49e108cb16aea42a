package store_test

import (
	"testing"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

// TestPublishedArticlesAreCountedOnceForEachRevision checks that the number follows each change, and that
// nothing is counted in between.
func TestPublishedArticlesAreCountedOnceForEachRevision(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		want := func(n int64) {
			t.Helper()
			if got, err := s.CountPublished(t.Context()); got != n || err != nil {
				t.Errorf("%d articles are published, %v; want %d", got, err, n)
			}
		}
		want(0)
		putTaggedArticles(t, s, 3)
		want(3)
		a := newArticle("other")
		change, err := s.PutArticle(t.Context(), a, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		want(4)
		if _, err := s.DB().ExecContext(t.Context(), "UPDATE articles SET status = 'unlisted' WHERE source = 's0001'"); err != nil {
			t.Fatal(err)
		}
		want(4) // no revision says that something changed
		if err := s.RemoveArticle(t.Context(), change.ID); err != nil {
			t.Fatal(err)
		}
		want(2)
	})
}
