package delivery

import (
	"testing"
	"time"
)

// grow measures a server that takes so many mails a second with so many connections.
func grow(g *growth, at *time.Time, mails *int64, steps int, speed func(connections int) int64) {
	for range steps {
		*at = at.Add(growEvery)
		*mails += speed(g.target) * int64(growEvery) / int64(time.Second)
		g.measure(*mails, true, *at)
	}
}

func TestConnectionsGrowWhileThatHelps(t *testing.T) {
	t.Parallel()
	g, at, mails := newGrowth(0, 0), time.Now(), int64(0)
	speed := func(n int) int64 { return int64(min(n, 20) * 100) }
	grow(&g, &at, &mails, 10, speed)
	tries := 0
	for range 400 { // two minutes
		grow(&g, &at, &mails, 1, speed)
		if g.target > 32 {
			tries++
		} else if g.target != 32 {
			t.Fatalf("%d connections to a server that gains up to 20", g.target)
		}
	}
	if tries == 0 || tries > 20 {
		t.Errorf("more than 32 connections in %d of 400 steps, to a server that gains nothing beyond 20", tries)
	}
}

func TestOneSlowStepDoesNotEndTheGrowth(t *testing.T) {
	t.Parallel()
	g, at, mails := newGrowth(0, 0), time.Now(), int64(0)
	steady := func(n int) int64 { return int64(n) * 100 }
	grow(&g, &at, &mails, 2, steady)
	grow(&g, &at, &mails, 1, func(int) int64 { return 100 })
	if g.target != firstConnections {
		t.Fatalf("%d connections, though twice as many were slower", g.target)
	}
	grow(&g, &at, &mails, 20, steady)
	if g.target != mostConnections {
		t.Errorf("%d connections never became %d", g.target, mostConnections)
	}
}

func TestANodeKeepsToItsNumberOfConnections(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ all, each, want int }{{0, 24, 24}, {40, 0, 40}, {40, 24, 24}, {10, 24, 10}} {
		g, at, mails := newGrowth(c.all, c.each), time.Now(), int64(0)
		if g.target != c.want {
			t.Errorf("all %d, each %d: begins with %d", c.all, c.each, g.target)
		}
		grow(&g, &at, &mails, 50, func(n int) int64 { return int64(n) * 100 })
		if g.target != c.want {
			t.Errorf("all %d, each %d: became %d", c.all, c.each, g.target)
		}
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
		grow(&g, &at, &mails, 200, steady)
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
