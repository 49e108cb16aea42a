package delivery_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit"
)

// TestAudienceOfALargeStoreIsCachedForSomeMinutes checks that the page of a message to a segment shows the
// numbers that were counted before, newer ones after some minutes, and the current ones in a small store.
func TestAudienceOfALargeStoreIsCachedForSomeMinutes(t *testing.T) {
	t.Parallel()
	b, c := weekly(t, store.SQLite)
	m := letter("weekly")
	m.Audience.Segment = "lang:en"
	draft := b.newMessage(m)
	people := 0
	add := func() {
		t.Helper()
		people++
		b.addPerson(fmt.Sprint("reader", people), "en", "weekly")
	}
	shown := func() int64 {
		t.Helper()
		review, err := b.engine.Review(t.Context(), draft.ID)
		if err != nil {
			t.Fatal(err)
		}
		return review.Recipients.Count
	}
	want := func(n int64) {
		t.Helper()
		if got := shown(); got != n {
			t.Errorf("%d of %d people are shown, want %d", got, people, n)
		}
	}
	add()
	want(1)
	add()
	want(2)
	if _, err := b.store.DB().ExecContext(t.Context(), "UPDATE sqlite_sequence SET seq = 100000 WHERE name = 'subscribers'"); err != nil {
		t.Fatal(err)
	}
	add() // the first one of a large store
	want(2)
	counted := func(n int64) {
		t.Helper()
		got, err := b.engine.AudienceCount(t.Context(), digest.Audience{Digests: []string{"weekly"}, Segment: "lang:en"})
		if err != nil || got.Count != n {
			t.Errorf("%d people are counted, %v; want %d", got.Count, err, n)
		}
	}
	counted(3)
	want(3)
	add()
	want(3)
	c.now.Add((6 * time.Minute).Milliseconds())
	testkit.Eventually(t, "the audience to be counted again", func() bool { return shown() == 4 })
	add()
	c.now.Add((2 * time.Hour).Milliseconds())
	testkit.Eventually(t, "the audience to be counted two hours later", func() bool { return shown() == 5 }) // the count before may not have ended
	if _, err := b.engine.ApproveAs(t.Context(), draft.ID, delivery.CommandLine, delivery.Fingerprint{}); err == nil {
		t.Error("a message was approved that was not shown")
	}
}
