package relay

import (
	"testing"
	"time"
)

// grow runs steps on a server whose rate depends on the number of connections.
func grow(g *concurrency, at *time.Time, mails *int64, steps int, speed func(connections int) int64) {
	for range steps {
		*at = at.Add(stepTime)
		*mails += speed(g.target) * int64(stepTime) / int64(time.Second)
		g.measure(*mails, true, *at)
	}
}

func TestConnectionsGrowWhileRateRises(t *testing.T) {
	t.Parallel()
	g, at, mails := newConcurrency(0, 0), time.Now(), int64(0)
	speed := func(n int) int64 { return int64(min(n, 20) * 100) }
	grow(&g, &at, &mails, 10, speed)
	tries := 0
	for range 400 { // two minutes
		grow(&g, &at, &mails, 1, speed)
		if g.target > 32 {
			tries++
		} else if g.target != 32 {
			t.Fatalf("%d connections to a server that gets faster up to 20", g.target)
		}
	}
	if tries == 0 || tries > 20 {
		t.Errorf("more than 32 connections in %d of 400 steps, to a server that gets no faster beyond 20", tries)
	}
}

func TestSlowStepIsTriedAgain(t *testing.T) {
	t.Parallel()
	g, at, mails := newConcurrency(0, 0), time.Now(), int64(0)
	steady := func(n int) int64 { return int64(n) * 100 }
	grow(&g, &at, &mails, 2, steady)
	grow(&g, &at, &mails, 1, func(int) int64 { return 100 })
	if g.target != firstConnections {
		t.Fatalf("%d connections, though twice as many were slower", g.target)
	}
	grow(&g, &at, &mails, 20, steady)
	if g.target != maxConnections {
		t.Errorf("%d connections never became %d", g.target, maxConnections)
	}
}

func TestConfiguredConnectionLimitIsKept(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ all, each, want int }{{0, 24, 24}, {40, 0, 40}, {40, 24, 24}, {10, 24, 10}} {
		g, at, mails := newConcurrency(c.all, c.each), time.Now(), int64(0)
		if g.target != c.want {
			t.Errorf("all %d, each %d: starts with %d", c.all, c.each, g.target)
		}
		grow(&g, &at, &mails, 50, func(n int) int64 { return int64(n) * 100 })
		if g.target != c.want {
			t.Errorf("all %d, each %d: became %d", c.all, c.each, g.target)
		}
	}
}

func TestConnectionsAreHalvedAndComeBackAfterCooldown(t *testing.T) {
	t.Parallel()
	for _, limit := range []int{0, 16} {
		g, at, mails := newConcurrency(limit, 0), time.Now(), int64(0)
		steady := func(n int) int64 { return int64(n) * 100 }
		grow(&g, &at, &mails, 20, steady)
		before := g.target
		for range 5 { // one refusal, seen by several connections
			g.shrink(at)
		}
		if g.target != before/2 {
			t.Errorf("after a refusal %d connections became %d", before, g.target)
		}
		grow(&g, &at, &mails, 10, steady)
		if g.target != before/2 {
			t.Errorf("%d connections during the cooldown", g.target)
		}
		grow(&g, &at, &mails, 200, steady)
		if g.target != before {
			t.Errorf("limit %d: %d connections never came back to %d", limit, g.target, before)
		}
	}
}
