package delivery_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit/sink"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

// importWithDead imports a list of n subscribers for the digest, of which every k-th does not exist.
func (b *env) importWithDead(n, k int) {
	b.t.Helper()
	var list strings.Builder
	list.WriteString("address,name\n")
	for i := range n {
		name := "reader"
		if i%k == 0 {
			name = "gone"
		}
		fmt.Fprintf(&list, "%s%d@example.org,Reader\n", name, i)
	}
	b.importList(list.String(), n)
}

// deadAddresses refuses the addresses of importWithDead that do not exist.
var deadAddresses = sink.Options{Delay: 5 * time.Millisecond, Faults: []sink.Fault{{At: sink.AtRcpt, Do: sink.SendReply, Reply: "550 5.1.1 no such user", Match: "gone"}}}

// TestEditionToDeadAddressesIsPausedOnceAndContinues has a server that refuses every tenth recipient. The
// edition is paused, stays so over a restart and after an editor resumed it, it is not
// paused again for the refusals before, and each mailbox gets it once.
func TestEditionToDeadAddressesIsPausedOnceAndContinues(t *testing.T) {
	t.Parallel()
	each(t, deadAddresses, func(o *delivery.Options) { o.Policy.Rates.StopRefusals, o.Relays[0].Connections = 8, 1 }, func(b *env) {
		ctx := b.t.Context()
		b.editor("ann@gazette.example", "editor")
		const n, dead = 390, 39 // after the pause too few mails are left for another one
		b.importWithDead(n, 10)
		b.addArticle("ferries")
		b.start()
		e := b.send()
		paused := func(p progress) bool { return p.Edition.State == digest.Paused }
		p := b.untilProgress(e.ID, "paused", paused)
		if !strings.HasPrefix(p.Edition.Reason, "too many dead addresses: ") || !strings.HasSuffix(p.Edition.Reason, " %; the limit is 8 %)") {
			b.t.Errorf("reason %q", p.Edition.Reason)
		}
		b.stop()
		b.start()
		p = b.untilProgress(e.ID, "still paused after a restart", paused)
		overview, err := b.engine.Overview(ctx, 5)
		if err != nil || len(overview.Tasks) != 1 || overview.Tasks[0].Kind != delivery.TaskPaused || delivery.PausedByEditor(overview.Tasks[0].Edition) {
			b.t.Errorf("tasks %+v, %v", overview.Tasks, err)
		}
		b.eventually("the mail to the editor", func() bool { return b.headings("ann@gazette.example", "Paused: ")[0] == 1 })
		if err := b.engine.Resume(ctx, e.ID); err != nil {
			b.t.Fatal(err)
		}
		p = b.untilProgress(e.ID, "ended", func(p progress) bool { return p.Edition.State == digest.Sent || paused(p) && p.Counts.Open() == 0 })
		if p.Edition.State != digest.Sent || p.Counts != (store.DeliveryCounts{Total: n, Sent: n - dead, Refused: dead}) {
			b.t.Errorf("%s %q %+v", p.Edition.State, p.Edition.Reason, p.Counts)
		}
		got := b.server.Received()
		delete(got, "ann@gazette.example")
		if len(got) != n-dead {
			b.t.Errorf("%d subscribers have mail", len(got))
		}
		for address, count := range got {
			if count != 1 {
				b.t.Errorf("%s has %d mails", address, count)
			}
		}
	})
}

// TestEditionWithNothingLeftToSendIsNotPaused has as many recipients as a pause needs: the rate is known
// with the last mail only, and the edition ends.
func TestEditionWithNothingLeftToSendIsNotPaused(t *testing.T) {
	t.Parallel()
	each(t, deadAddresses, func(o *delivery.Options) { o.Policy.Rates.StopRefusals = 8 }, func(b *env) {
		b.importWithDead(200, 10)
		b.addArticle("ferries")
		b.start()
		e := b.send()
		p := b.untilProgress(e.ID, "ended", func(p progress) bool { return p.Edition.State == digest.Sent || p.Edition.State == digest.Paused })
		rates, err := b.store.Rates(b.t.Context(), p.Edition, time.Time{})
		if p.Edition.State != digest.Sent || err != nil || rates.Attempts != 200 || rates.Refusals != 20 || rates.Open != 0 {
			b.t.Errorf("%s %q, rates %+v, %v", p.Edition.State, p.Edition.Reason, rates, err)
		}
	})
}

// complain records n complaints about an edition.
func (b *env) complain(edition store.Edition, from, n int) {
	b.t.Helper()
	for i := from; i < from+n; i++ {
		f := store.Feedback{Key: fmt.Sprint("complaint ", i), Subscriber: int64(i + 1), Edition: edition.ID, Kind: store.FeedbackComplained, At: b.store.Now()}
		if _, err := b.store.RecordFeedback(b.t.Context(), f, store.SoftRule{}); err != nil {
			b.t.Fatal(err)
		}
	}
}

// TestComplaintsAboutLastEditionPauseNextBeforeItsFirstMail also checks that the complaints which an
// editor saw when resuming count neither for this edition nor for the next, and that new ones do.
func TestComplaintsAboutLastEditionPauseNextBeforeItsFirstMail(t *testing.T) {
	t.Parallel()
	each(t, sink.Options{}, func(o *delivery.Options) { o.Policy.Rates.StopComplaints = 5 }, func(b *env) {
		now := &clock{}
		now.now.Store(time.Now().UnixMilli())
		b.store = storetest.Reopen(b.t, b.dsn, store.Options{Clock: now.Now})
		b.options.Store = b.store
		const n = 120
		b.addSubscribers(n)
		b.addArticle("ferries")
		b.start()
		first := b.send()
		b.sent(first.ID)
		b.complain(first, 0, 4) // more than 5 % would be 6; and below 5 people nothing happens
		now.advance(30 * 24 * time.Hour)
		b.addArticle("bridges")
		second := b.send()
		b.sent(second.ID)
		b.complain(second, 4, 10)
		now.advance(24 * time.Hour)
		b.addArticle("cranes")
		before := len(b.server.Mails())
		third := b.send()
		p := b.untilProgress(third.ID, "paused", func(p progress) bool { return p.Edition.State == digest.Paused })
		if want := "too many complaints: 10 of 116 recipients"; p.Counts.Sent != 0 || len(b.server.Mails()) != before || !strings.HasPrefix(p.Edition.Reason, want) {
			b.t.Errorf("%d mails, reason %q, want 0 and %q", p.Counts.Sent, p.Edition.Reason, want)
		}
		if err := b.engine.Resume(b.t.Context(), third.ID); err != nil {
			b.t.Fatal(err)
		}
		b.sent(third.ID)
		b.addArticle("docks")
		fourth := b.send()
		b.sent(fourth.ID)
		now.advance(time.Hour)
		b.complain(fourth, 20, 18)
		b.addArticle("eels")
		b.untilProgress(b.send().ID, "paused for new complaints", func(p progress) bool {
			return p.Edition.State == digest.Paused && strings.HasPrefix(p.Edition.Reason, "too many complaints: 18 of ")
		})
	})
}

func TestRateLimits(t *testing.T) {
	t.Parallel()
	limits := delivery.RateLimits{StopComplaints: 0.3, StopRefusals: 5}
	for _, c := range []struct {
		name   string
		limits delivery.RateLimits
		rates  store.Rates
		want   store.PauseCause
	}{
		{"nothing sent", limits, store.Rates{}, ""},
		{"one of fifty complained", limits, store.Rates{Sent: 50, Complaints: 1}, ""},
		{"four of fifty complained", limits, store.Rates{Sent: 50, Complaints: 4}, ""},
		{"five of fifty complained", limits, store.Rates{Sent: 50, Complaints: 5}, store.PausedForComplaints},
		{"just below 0.3 %", limits, store.Rates{Sent: 10_000, Complaints: 29}, ""},
		{"exactly 0.3 %", limits, store.Rates{Sent: 10_000, Complaints: 30}, store.PausedForComplaints},
		{"complaints switched off", delivery.RateLimits{StopRefusals: 5}, store.Rates{Sent: 100, Complaints: 100}, ""},
		{"all of 199 are dead", limits, store.Rates{Attempts: 199, Refusals: 199}, ""},
		{"9 of 200 are dead", limits, store.Rates{Attempts: 200, Refusals: 9}, ""},
		{"10 of 200 are dead", limits, store.Rates{Attempts: 200, Refusals: 10}, store.PausedForRefusals},
		{"refusals switched off", delivery.RateLimits{StopComplaints: 0.3}, store.Rates{Attempts: 1000, Refusals: 1000}, ""},
		{"both", limits, store.Rates{Sent: 1000, Complaints: 50, Attempts: 1000, Refusals: 500}, store.PausedForComplaints},
	} {
		if got, _ := c.limits.PauseReason(c.rates); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
