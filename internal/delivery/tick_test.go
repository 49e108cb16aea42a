package delivery_test

import (
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/schedule"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/internal/testkit/sink"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

func secondsSchedule(t *testing.T) *schedule.Schedule {
	t.Helper()
	s, err := schedule.Parse("* * * * * *", "Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestTickMakesOneEditionOnSeveralNodes(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	each(t, sink.Options{}, nil, func(b *env) {
		b.options.Digests[0].Schedule = secondsSchedule(b.t)
		b.addSubscribers(5)
		b.addArticle("ferries")
		// Three nodes on one store.
		for range 2 {
			other := *b
			other.options.Store = storetest.Reopen(b.t, b.dsn, store.Options{})
			other.options.Node = ""
			other.start()
		}
		b.start()
		b.eventually("all mails", func() bool { return len(b.server.Mails()) >= 5 })
		b.eventually("two more ticks, with nothing new", func() bool {
			ticks, err := b.store.Ticks(b.t.Context(), "weekly", 100)
			if err != nil {
				b.t.Fatal(err)
			}
			idle := 0
			for _, tick := range ticks {
				if tick.Edition == "" && strings.Contains(tick.Reason, "nothing new") {
					idle++
				}
			}
			return idle >= 2
		})
		b.wantOneMailEach(5)
		editions, err := b.store.Editions(b.t.Context(), "weekly", 10)
		if err != nil || len(editions) != 1 {
			b.t.Errorf("%d editions, %v", len(editions), err)
		}
	})
}

// clock is a wall clock that a test sets.
type clock struct{ now atomic.Int64 }

func (c *clock) Now() time.Time          { return time.UnixMilli(c.now.Load()) }
func (c *clock) advance(d time.Duration) { c.now.Add(d.Milliseconds()) }

func TestMissedTicksFireOnceOrEachAfterDowntime(t *testing.T) {
	t.Parallel()
	for _, every := range []bool{false, true} {
		c := &clock{}
		c.now.Store(time.Date(2026, 3, 28, 12, 0, 0, 0, time.UTC).UnixMilli())
		b := setup(t, store.SQLite, sink.Options{})
		b.store = storetest.Open(t, store.SQLite, store.Options{Clock: c.Now})
		b.options.Store = b.store
		daily, err := schedule.Parse("30 2 * * *", "Europe/Berlin")
		if err != nil {
			t.Fatal(err)
		}
		b.options.Digests[0].Schedule, b.options.Digests[0].Each = daily, every
		b.newDeliveryEngine()
		c.advance(5 * 24 * time.Hour) // over the day on which 02:30 does not exist
		b.start()
		want := 1
		if every {
			want = 5
		}
		var ticks []store.Tick
		for deadline := time.Now().Add(testkit.Timeout); time.Now().Before(deadline) && len(ticks) < want; time.Sleep(10 * time.Millisecond) {
			if ticks, err = b.store.Ticks(t.Context(), "weekly", 20); err != nil {
				t.Fatal(err)
			}
		}
		b.stop()
		if len(ticks) != want || ticks[0].ScheduledFor[:16] != "2026-04-02T02:30" {
			t.Errorf("each=%v: ticks %+v, want %d and the newest on 2 April", every, ticks, want)
		}
	}
}

func TestTicksFireOnceWhileNodesRestart(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	each(t, sink.Options{}, nil, func(b *env) {
		b.options.Digests[0].Schedule = secondsSchedule(b.t)
		b.options.Digests[0].Each = true
		b.newDeliveryEngine()
		nodes := make([]*env, 3)
		open := func(i int) {
			n := *b
			n.options.Store = storetest.Reopen(b.t, b.dsn, store.Options{})
			n.start()
			nodes[i] = &n
		}
		for i := range nodes {
			open(i)
		}
		b.eventually("five ticks between restarts", func() bool {
			i := rand.IntN(len(nodes))
			nodes[i].stop()
			time.Sleep(rand.N(300 * time.Millisecond))
			open(i)
			ticks, err := b.store.Ticks(b.t.Context(), "weekly", 1000)
			return err == nil && len(ticks) >= 5
		})
		for _, n := range nodes {
			n.stop()
		}
		ticks, err := b.store.Ticks(b.t.Context(), "weekly", 1000)
		if err != nil || len(ticks) < 5 {
			b.t.Fatalf("%d ticks, %v", len(ticks), err)
		}
		seen := map[string]bool{}
		for _, tick := range ticks {
			if seen[tick.ScheduledFor] {
				b.t.Errorf("tick %s fired twice", tick.ScheduledFor)
			}
			seen[tick.ScheduledFor] = true
		}
		// Ticks have no gaps: each is one second after the previous one.
		first := ticks[len(ticks)-1].ScheduledFor[:19]
		at, err := time.Parse("2006-01-02T15:04:05", first)
		if err != nil {
			b.t.Fatal(err)
		}
		for i := len(ticks) - 1; i >= 0; i-- {
			if got := ticks[i].ScheduledFor[:19]; got != at.Format("2006-01-02T15:04:05") {
				b.t.Fatalf("tick %s, want %s", got, at.Format("15:04:05"))
			}
			at = at.Add(time.Second)
		}
	})
}

func TestManualSendAndTickAtOnceMakeOneEdition(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	each(t, sink.Options{}, nil, func(b *env) {
		b.options.Digests[0].Schedule = secondsSchedule(b.t)
		b.addSubscribers(3)
		b.addArticle("ferries")
		b.newDeliveryEngine()
		b.start()
		for range 20 {
			if _, err := b.engine.SendNow(b.t.Context(), "weekly", "ann"); err != nil && !strings.Contains(err.Error(), delivery.ErrNothingNew.Error()) {
				b.t.Fatal(err)
			}
			time.Sleep(100 * time.Millisecond)
		}
		editions, err := b.store.Editions(b.t.Context(), "weekly", 10)
		if err != nil || len(editions) != 1 {
			b.t.Fatalf("%d editions, %v", len(editions), err)
		}
		b.sent(editions[0].ID)
		b.wantOneMailEach(3)
	})
}
