package delivery_test

import (
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit"
)

// waiting returns how many articles wait for the digest, as pages show it.
func (b *env) waiting() int {
	b.t.Helper()
	got, err := b.engine.Backlog(b.t.Context(), "weekly", time.Time{})
	if err != nil {
		b.t.Fatal(err)
	}
	return got.Waiting
}

// TestQueueOfALargeStoreIsCachedUntilItChanges checks that pages of a store with many articles show the
// numbers that were counted before, and newer ones after a change of the queue and after some time.
func TestQueueOfALargeStoreIsCachedUntilItChanges(t *testing.T) {
	t.Parallel()
	b, c := weekly(t, store.SQLite)
	if err := b.engine.SetBeginning(t.Context(), "weekly", time.Time{}); err != nil {
		t.Fatal(err)
	}
	add := func(slug string, want int) {
		t.Helper()
		b.addDatedArticle(slug, c.Now().Add(-time.Hour))
		if got := b.waiting(); got != want {
			t.Errorf("after %s %d articles wait, want %d", slug, got, want)
		}
	}
	add("one", 1)
	add("two", 2) // a small store counts each time
	if _, err := b.store.DB().ExecContext(t.Context(), "UPDATE sqlite_sequence SET seq = 100000 WHERE name = 'articles'"); err != nil {
		t.Fatal(err)
	}
	add("three", 3)
	add("four", 3)
	if _, err := b.engine.Draft(t.Context(), "weekly", delivery.SendOptions{}); err != nil {
		t.Fatal(err)
	}
	if got := b.waiting(); got != 1 {
		t.Errorf("after a draft %d articles wait, want 1", got)
	}
	add("five", 1)
	if n, err := b.engine.MarkSeen(t.Context(), "weekly", c.Now()); n != 2 || err != nil {
		t.Fatal(n, err)
	}
	if got := b.waiting(); got != 0 {
		t.Errorf("after they were marked as seen %d articles wait, want none", got)
	}
	if _, err := b.engine.MarkUnseen(t.Context(), "weekly", time.Time{}); err != nil {
		t.Fatal(err)
	}
	add("six", 3)
	b.addDatedArticle("seven", c.Now().Add(-time.Hour))
	c.now.Add(time.Minute.Milliseconds())
	testkit.Eventually(t, "the queue to be counted again", func() bool { return b.waiting() == 4 })
	b.addDatedArticle("eight", c.Now().Add(-time.Hour))
	c.now.Add(time.Hour.Milliseconds())
	if got := b.waiting(); got != 5 {
		t.Errorf("an hour later %d articles wait, want 5", got)
	}
}
