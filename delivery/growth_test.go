package delivery

import (
	"testing"
	"time"
)

// grow measures a server that takes so many mails a second with so many connections.
func grow(g *growth, at *time.Time, mails *int64, steps int, speed func(connections int) int64) {
	for range steps {
		*at = at.Add(growEvery)
		*mails += speed(g.target) / 2
		g.measure(*mails, true, *at)
	}
}

func TestConnectionsGrowWhileThatHelps(t *testing.T) {
	t.Parallel()
	g, at, mails := newGrowth(0, 0), time.Now(), int64(0)
	grow(&g, &at, &mails, 100, func(n int) int64 { return int64(min(n, 20) * 100) })
	if g.target < 20 || g.target > 32 {
		t.Errorf("%d connections to a server that gains nothing beyond 20", g.target)
	}
}

func TestConnectionsComeBackAfterTheServerAskedForLess(t *testing.T) {
	t.Parallel()
	for _, limit := range []int{0, 16} {
		g, at, mails := newGrowth(limit, 0), time.Now(), int64(0)
		steady := func(n int) int64 { return int64(n) * 100 }
		grow(&g, &at, &mails, 20, steady)
		before := g.target
		for range 5 { // one refusal, seen by several connections
			g.shrink(at)
		}
		if g.target != before/2 {
			t.Errorf("%d connections became %d", before, g.target)
		}
		grow(&g, &at, &mails, 10, steady)
		if g.target != before/2 {
			t.Errorf("%d connections, so soon after a refusal", g.target)
		}
		grow(&g, &at, &mails, 100, steady)
		if g.target != before {
			t.Errorf("limit %d: %d connections never came back to %d", limit, g.target, before)
		}
	}
}

func TestBackoffDoublesWithinItsBoundsAndVaries(t *testing.T) {
	t.Parallel()
	seen := map[time.Duration]bool{}
	for tries := 1; tries < 60; tries++ {
		d := backoff(time.Minute, 4*time.Hour, tries)
		want := min(4*time.Hour, time.Minute<<min(tries-1, 20))
		if d < want-want/10 || d > want+want/10 {
			t.Errorf("try %d: %v, want about %v", tries, d, want)
		}
		seen[d] = true
	}
	if len(seen) < 30 {
		t.Error("the waits do not vary")
	}
}

func TestASharesSpanForgetsWhatWasBefore(t *testing.T) {
	t.Parallel()
	var s share
	now := time.Now().Truncate(shareEvery)
	for range 100 {
		s.add(now)
	}
	if n := s.count(now); n != 100 {
		t.Errorf("%d in this span", n)
	}
	if n := s.count(now.Add(shareEvery)); n != 0 {
		t.Errorf("%d in the next", n)
	}
}
