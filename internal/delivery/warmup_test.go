package delivery_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/testkit/sink"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
	"github.com/tidings-press/tidings/internal/warmup"
	"github.com/tidings-press/tidings/templates"
)

// warmupClock gives the store a clock that always shows noon UTC.
func (b *env) warmupClock() *clock {
	b.t.Helper()
	c := &clock{}
	c.now.Store(time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC).UnixMilli())
	b.store = storetest.Reopen(b.t, b.dsn, store.Options{Clock: c.Now})
	b.options.Store = b.store
	return c
}

// used waits until a number of mails was sent and none is being sent, and returns the mails of today.
func (b *env) usedToday(sent int, domain string, plan warmup.Plan) store.Warmup {
	b.t.Helper()
	b.eventually(fmt.Sprintf("%d mails", sent), func() bool { return len(b.server.Mails()) >= sent })
	w, err := b.store.WarmupOf(b.t.Context(), "main", domain, plan)
	if err != nil {
		b.t.Fatal(err)
	}
	return w
}

// TestEditionLargerThanWarmupContinuesNextDays sends an edition to 100 subscribers with 20 mails on the
// first day, restarts on each day, and sends a confirmation while nothing is left of the day. Each
// subscriber gets the edition once, however many days it takes.
func TestEditionLargerThanWarmupContinuesNextDays(t *testing.T) {
	t.Parallel()
	plan := warmup.Plan{Start: 20, Factor: 2}
	each(t, sink.Options{}, func(o *delivery.Options) {
		o.Relays[0].Warmup, o.Policy.RetryFor, o.Policy.Chunk = plan, time.Hour, 15
	}, func(b *env) {
		c := b.warmupClock()
		b.addSubscribers(100)
		b.addArticle("ferries")
		b.start()
		e := b.send()
		if w := b.usedToday(20, "", plan); w.Used != 20 || w.Allowance != 20 {
			b.t.Errorf("day 1: %+v", w)
		}
		p := b.untilProgress(e.ID, "waiting for tomorrow", func(p progress) bool { return p.Counts.Sent == 20 && p.Warmup.Days > 0 })
		if want := "Warm-up: 20 of 20 emails of today are used. The rest follows over the next 2 days, each from 00:00 UTC on."; p.Warmup.Text().String() != want || p.Left != 36*time.Hour || p.Edition.State != digest.Sending {
			b.t.Errorf("%s, %s, %s", p.Warmup.Text(), p.Left, p.Edition.State)
		}
		b.stop()
		c.advance(6 * time.Hour) // still the same day
		b.start()
		if err := b.engine.SendSingleMail(b.t.Context(), subscriber.MustParseAddress("new@example.org"), templates.Rendered{Subject: "Confirm", Text: "Confirm it."}); err != nil {
			b.t.Fatal(err)
		}
		if w := b.usedToday(21, "", plan); w.Used != 21 {
			b.t.Errorf("with a single mail: %+v", w)
		}
		b.stop()
		c.advance(12 * time.Hour)
		b.start()
		if w := b.usedToday(61, "", plan); w.Used != 40 || w.Allowance != 40 {
			b.t.Errorf("day 2: %+v", w)
		}
		b.untilProgress(e.ID, "60 sent", func(p progress) bool { return p.Counts.Sent == 60 })
		c.advance(24 * time.Hour)
		b.sent(e.ID)
		b.wantOneMailEach(101)
		c.advance(10 * 24 * time.Hour) // 40 of 80 were used on the last day
		if w := b.usedToday(101, "", plan); w.Used != 0 || w.Allowance != 80 {
			b.t.Errorf("after ten days without mail: %+v", w)
		}
	})
}

// TestWarmupPerDomainDelaysOnlyItsDomain limits the mails to each domain. The others are sent on the
// first day, and the waiting ones do not count as retries that end.
func TestWarmupPerDomainDelaysOnlyItsDomain(t *testing.T) {
	t.Parallel()
	plan := warmup.Plan{Start: 10, Factor: 3}
	each(t, sink.Options{}, func(o *delivery.Options) {
		o.Relays[0].WarmupPerDomain, o.Policy.RetryFor = plan, time.Hour
	}, func(b *env) {
		c := b.warmupClock()
		var list strings.Builder
		list.WriteString("address,name\n")
		for i := range 50 {
			fmt.Fprintf(&list, "reader%d@large.example,Reader\nreader%d@small%d.example,Reader\n", i, i, i)
		}
		b.importList(list.String(), 100)
		b.addArticle("ferries")
		b.start()
		e := b.send()
		waits := func(sent int64) {
			p := b.untilProgress(e.ID, "waiting for the domain", func(p progress) bool { return p.Counts.Sent == sent && p.Counts.Deferred == 100-sent })
			if want := fmt.Sprintf("sending, %d waiting for warm-up", 100-sent); p.Counts.Warming != 100-sent || p.StateText().String() != want || !p.Retrying() || p.Over() {
				b.t.Errorf("%+v: %s, want %s", p.Counts, p.StateText(), want)
			}
		}
		waits(60)
		if w := b.usedToday(60, "large.example", plan); w.Used != 10 {
			b.t.Errorf("day 1: %+v", w)
		}
		c.advance(24*time.Hour + time.Minute)
		b.stop()
		b.start()
		waits(90)
		if w := b.usedToday(90, "large.example", plan); w.Used != 30 || w.Allowance != 30 {
			b.t.Errorf("day 2: %+v", w)
		}
		c.advance(24*time.Hour + time.Minute)
		b.sent(e.ID)
		b.wantOneMailEach(100)
	})
}

// TestNodesShareWarmup runs two engines on one store: together they send what one day allows, and none of
// it is lost when both stop.
func TestNodesShareWarmup(t *testing.T) {
	t.Parallel()
	plan := warmup.Plan{Start: 60, Factor: 2}
	each(t, sink.Options{Delay: time.Millisecond}, func(o *delivery.Options) {
		o.Relays[0].Warmup, o.Relays[0].Connections, o.Policy.Chunk = plan, 4, 10
	}, func(b *env) {
		c := b.warmupClock()
		b.importSubscribers(150)
		b.addArticle("ferries")
		other := *b
		other.options.Store = storetest.Reopen(b.t, b.dsn, store.Options{Clock: c.Now})
		other.start()
		b.start()
		e := b.send()
		used := func(sent int64) func() bool {
			return func() bool {
				w, err := b.store.WarmupOf(b.t.Context(), "main", "", plan)
				return err == nil && w.Left() == 0 && int64(len(b.server.Mails())) <= sent
			}
		}
		b.eventually("the mails of day 1 are taken", used(60))
		b.stop()
		other.stop() // returns what it took and did not send
		// A node that found nothing left deferred the edition, at most until it looks again.
		c.advance(time.Hour + time.Minute)
		b.start()
		b.untilProgress(e.ID, "60 sent", func(p progress) bool { return p.Counts.Sent == 60 && p.Warmup.Days == 1 })
		c.advance(24 * time.Hour)
		other.start()
		b.sent(e.ID)
		b.wantOneMailEach(150)
	})
}
