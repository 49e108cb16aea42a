package store_test

import (
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/store"
)

// TestQuotaHoldsWhileTheClocksOfNodesDiffer: one clock is a second ahead. At the end of a window the nodes began
// each other's window again and forgot what was sent.
func TestQuotaHoldsWhileTheClocksOfNodesDiffer(t *testing.T) {
	t.Parallel()
	const limit = 10
	eachWithOwnClock(t, func(t *testing.T, c *clock, s *store.Store) {
		take := func(want int64) (int64, time.Time) {
			n, next, err := s.TakeQuota(t.Context(), "main", "hour", time.Hour, limit, want)
			must(t, err)
			return n, next
		}
		_, next := take(2)
		c.advance(next.Sub(c.now()) - 500*time.Millisecond)
		granted := int64(0)
		for range 6 {
			c.advance(time.Second) // the node that is ahead
			n, end := take(3)
			granted += n
			if !end.Equal(next.Add(time.Hour)) {
				t.Errorf("the window of the node ahead ends at %v", end)
			}
			c.advance(-time.Second) // the node behind
			n, end = take(3)
			granted += n
			if !end.Equal(next.Add(time.Hour)) {
				t.Errorf("the window of the node behind ends at %v", end)
			}
			if used, err := s.QuotaUsed(t.Context(), "main", "hour", time.Hour); err != nil || used != granted {
				t.Errorf("%d are used, %v, want %d", used, err, granted)
			}
		}
		if granted != limit {
			t.Errorf("%d were granted in the new window, want %d", granted, limit)
		}
	})
}

// TestQuotaOfAClockThatWasFarAheadBeginsAgain: a window that lies further ahead than the next one is a mistake of
// a clock, and must not stop the mail until then.
func TestQuotaOfAClockThatWasFarAheadBeginsAgain(t *testing.T) {
	t.Parallel()
	eachWithOwnClock(t, func(t *testing.T, c *clock, s *store.Store) {
		c.advance(240 * time.Hour)
		if n, _, err := s.TakeQuota(t.Context(), "main", "hour", time.Hour, 5, 5); err != nil || n != 5 {
			t.Fatalf("%d, %v", n, err)
		}
		c.advance(-240 * time.Hour)
		if n, _, err := s.TakeQuota(t.Context(), "main", "hour", time.Hour, 5, 3); err != nil || n != 3 {
			t.Errorf("after the clock was set right, %d are granted, %v", n, err)
		}
	})
}
