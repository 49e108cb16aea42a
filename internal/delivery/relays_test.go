package delivery_test

import (
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/internal/testkit/sink"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
	"github.com/tidings-press/tidings/mailer"
)

// addRelay adds a relay with its own server.
func (b *env) addRelay(name string, weight int, wire sink.Options) *testkit.SMTPServer {
	b.t.Helper()
	w := testkit.StartSMTPServer(b.t, wire)
	r := localRelay(w.Port())
	r.Name, r.Weight = name, weight
	b.options.Relays = append(b.options.Relays, r)
	return w
}

func TestRelaysShareMailByWeight(t *testing.T) {
	t.Parallel()
	b := setup(t, store.SQLite, sink.Options{Delay: time.Millisecond})
	second := b.addRelay("second", 3, sink.Options{Delay: time.Millisecond})
	b.importSubscribers(600)
	b.addArticle("ferries")
	b.start()
	b.sent(b.send().ID)
	one, other := len(b.server.Mails()), len(second.Mails())
	if one+other != 600 || one < 75 || one > 225 {
		t.Errorf("%d and %d mails, want about 150 and 450", one, other)
	}
}

func TestOtherRelayTakesOverFromFailedRelay(t *testing.T) {
	t.Parallel()
	for name, weight := range map[string]int{"one for failover": 0, "one with a weight": 1} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			// The first relay rejects every connection after some mails.
			b := setup(t, store.SQLite, sink.Options{Delay: time.Millisecond, Faults: []sink.Fault{{At: sink.AtBanner, Do: sink.Cut, After: 4}}, PerConnection: 50})
			second := b.addRelay("second", weight, sink.Options{Delay: time.Millisecond})
			b.importSubscribers(1000)
			b.addArticle("ferries")
			b.start()
			var one, other int
			// The counts are updated a moment after the mails, and deferred mails are tried soon.
			p := b.untilProgress(b.send().ID, "sent or deferred, and counted", func(p progress) bool {
				one, other = len(b.server.Mails()), len(second.Mails())
				return p.Counts.Sent+p.Counts.Deferred == 1000 && int64(one+other) == p.Counts.Sent
			})
			if one == 0 || other < 500 {
				t.Errorf("%d and %d mails, counts %+v", one, other, p.Counts)
			}
		})
	}
}

// TestQuotasHoldOverAllNodes runs two engines on one store.
func TestQuotasHoldOverAllNodes(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	each(t, sink.Options{Delay: 2 * time.Millisecond}, func(o *delivery.Options) {
		o.Relays[0].Connections, o.Relays[0].PerSecond, o.Relays[0].PerConnection = 3, 120, 25
	}, func(b *env) {
		b.importSubscribers(480)
		b.addArticle("ferries")
		other := *b
		other.options.Store = storetest.Reopen(b.t, b.dsn, store.Options{})
		other.start()
		b.start()
		begin := time.Now()
		b.sent(b.send().ID) // one mail per second would exceed its time limit
		// Quota windows begin with the second: 480 mails need four of them, the first and last
		// partial.
		if took := time.Since(begin); took < 2*time.Second {
			b.t.Errorf("480 mails at 120 a second took %v", took)
		}
		made, peak := b.server.Connections()
		if peak > 3 || made < 480/25 {
			b.t.Errorf("%d connections, %d at once; want 3 at once, and 25 mails on each", made, peak)
		}
		b.wantOneMailEach(480)
	})
}

// atBeginOfHour lets the store's clock begin with an hour, since quotas count by the clock's
// hours, and a test must not run into the next one.
func (b *env) atBeginOfHour() {
	b.t.Helper()
	ahead := time.Until(time.Now().Truncate(time.Hour).Add(time.Hour))
	b.store = storetest.Reopen(b.t, b.dsn, store.Options{Clock: func() time.Time { return time.Now().Add(ahead) }})
	b.options.Store = b.store
}

// TestHourlyQuotaIsUsedUp sends as many mails as an hour allows, and no more.
func TestHourlyQuotaIsUsedUp(t *testing.T) {
	t.Parallel()
	each(t, sink.Options{}, func(o *delivery.Options) { o.Relays[0].PerHour = 200 }, func(b *env) {
		b.importSubscribers(250)
		b.addArticle("ferries")
		b.atBeginOfHour()
		b.start()
		b.untilProgress(b.send().ID, "at its limit", func(p progress) bool { return p.Counts.Sent >= 200 })
		b.eventually("its rate and the time left", func() bool {
			list, err := b.engine.Results(b.t.Context(), "weekly", 5)
			return err == nil && len(list) == 1 && list[0].Rate > 0 && list[0].Left > 0
		})
		time.Sleep(300 * time.Millisecond)
		if got := len(b.server.Received()); got != 200 {
			b.t.Errorf("%d mails were sent, want 200", got)
		}
		if states, err := b.engine.RelayStates(b.t.Context()); err != nil || states[0].Used != 200 {
			b.t.Errorf("the relay shows %+v, %v: want 200 mails used in this hour", states, err)
		}
	})
}

func TestWrongPasswordIsTriedOncePerNode(t *testing.T) {
	t.Parallel()
	b := setup(t, store.SQLite, sink.Options{Users: map[string]string{"press": "secret"}})
	r := &b.options.Relays[0]
	r.Connections, r.Username, r.Password, r.Auth = 0, "press", "wrong", mailer.AuthPlain
	b.importSubscribers(300)
	b.addArticle("ferries")
	b.start()
	e := b.send()
	b.untilProgress(e.ID, "stopped", func(p progress) bool { return len(p.Holds) > 0 })
	if made, _ := b.server.Connections(); made != 1 {
		t.Errorf("%d connections tried the password", made)
	}
	// With the right password, a restart sends at once, and the hold is over.
	b.stop()
	r.Password = "secret"
	b.start()
	p := b.sent(e.ID)
	if len(p.Holds) > 0 || p.Counts.Sent != 300 {
		t.Errorf("holds %+v, counts %+v", p.Holds, p.Counts)
	}
}

func TestMailTooLargeForEveryRelayIsSkipped(t *testing.T) {
	t.Parallel()
	b := setup(t, store.SQLite, sink.Options{})
	b.options.Relays[0].MaxSize = 1000
	b.addSubscribers(5)
	b.addArticle("ferries")
	b.start()
	if p := b.sent(b.send().ID); p.Counts != (store.DeliveryCounts{Total: 5, Skipped: 5}) {
		t.Errorf("counts %+v", p.Counts)
	}
}

// TestNodeWithoutConnectionClaimsNoMail: the node that has the connections must be able to claim
// all chunks.
func TestNodeWithoutConnectionClaimsNoMail(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	each(t, sink.Options{}, func(o *delivery.Options) { o.Relays[0].Connections = 2 }, func(b *env) {
		b.importSubscribers(120)
		b.addArticle("ferries")
		var numbers []int64
		for range 2 {
			number, err := b.store.LeaseConnection(b.t.Context(), "main", "another node", 2, time.Hour)
			if err != nil {
				b.t.Fatal(err)
			}
			numbers = append(numbers, number)
		}
		b.start()
		edition := b.send()
		time.Sleep(giveBackAfter + time.Second) // chunks that were claimed earlier have been released
		for range 5 {
			c, err := b.store.ClaimChunk(b.t.Context(), "another node", time.Minute)
			if err != nil {
				b.t.Fatal(err)
			}
			if c == nil {
				break
			}
			b.markDelivered(*c)
			if _, err := b.store.ReleaseChunk(b.t.Context(), *c, true); err != nil {
				b.t.Fatal(err)
			}
		}
		if got := len(b.server.Received()); got > 0 {
			b.t.Errorf("%d mails were sent without a connection", got)
		}
		b.sent(edition.ID)

		b.addArticle("buses")
		edition = b.send()
		for _, number := range numbers {
			if err := b.store.ReleaseConnection(b.t.Context(), "main", "another node", number); err != nil {
				b.t.Fatal(err)
			}
		}
		b.sent(edition.ID)
		b.wantOneMailEach(120)
	})
}

// giveBackAfter is how long a node keeps chunks that it cannot send.
const giveBackAfter = 2 * time.Second

// TestConnectionTakenByAnotherNodeIsClosed: a node that was frozen finds that another node has its
// connections, and closes them.
func TestConnectionTakenByAnotherNodeIsClosed(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	each(t, sink.Options{Delay: 2 * time.Millisecond}, func(o *delivery.Options) { o.Relays[0].Connections, o.Lease = 4, time.Second }, func(b *env) {
		b.importSubscribers(2500)
		b.addArticle("ferries")
		b.start()
		e := b.send()
		b.untilProgress(e.ID, "under way", func(p progress) bool { return p.Counts.Sent > 100 })
		later := b.store.Now().Add(time.Hour).UnixMilli()
		if _, err := b.store.DB().ExecContext(b.t.Context(), "UPDATE relay_connections SET holder = 'another node', until = $1 WHERE number < 3", later); err != nil {
			b.t.Fatal(err)
		}
		b.eventually("one connection is left", func() bool { return b.server.Open() <= 1 })
		before := len(b.server.Mails())
		b.eventually("more mails are sent", func() bool { return len(b.server.Mails()) > before+50 })
		// It may be open twice for a moment: while the server reads the end of one that was replaced.
		b.eventually("one connection is open, since another node has 3 of 4", func() bool { return b.server.Open() == 1 })
		for number := range int64(3) {
			if err := b.store.ReleaseConnection(b.t.Context(), "main", "another node", number); err != nil {
				b.t.Fatal(err)
			}
		}
		b.sent(e.ID)
		b.wantOneMailEach(2500)
	})
}

// TestStoppingNodeKeepsLeasesUntilServerAnswers, however slow the server is: the next node must not
// send the mails again that are being sent.
func TestStoppingNodeKeepsLeasesUntilServerAnswers(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	each(t, sink.Options{Faults: []sink.Fault{{At: sink.AfterDot, Do: sink.Slow, Wait: 4 * time.Second, Times: 4}}}, func(o *delivery.Options) {
		o.Lease, o.Relays[0].Connections = 1500*time.Millisecond, 4
	}, func(b *env) {
		b.addSubscribers(12)
		b.addArticle("ferries")
		other := *b
		other.options.Store = storetest.Reopen(b.t, b.dsn, store.Options{})
		b.start()
		e := b.send()
		b.eventually("four bodies are being sent", func() bool { return b.server.FaultCount(0) == 4 })
		other.start()
		b.stop()
		p := other.sent(e.ID)
		if p.Counts != (store.DeliveryCounts{Total: 12, Sent: 12}) || len(b.everUncertain(e)) > 0 {
			b.t.Errorf("counts %+v, %d mails were uncertain", p.Counts, len(b.everUncertain(e)))
		}
		b.wantOneMailEach(12)
		if _, peak := b.server.Connections(); peak > 4 {
			b.t.Errorf("%d connections at once, 4 are allowed", peak)
		}
	})
}

// TestLargeMailGoesOverRelayWithRoomForIt has a second relay with a higher size limit.
func TestLargeMailGoesOverRelayWithRoomForIt(t *testing.T) {
	t.Parallel()
	b := setup(t, store.SQLite, sink.Options{})
	b.options.Relays[0].MaxSize, b.options.Relays[0].PerHour = 1000, 10
	second := b.addRelay("second", 1, sink.Options{})
	b.addSubscribers(30)
	b.addArticle("ferries")
	b.start()
	if p := b.sent(b.send().ID); p.Counts != (store.DeliveryCounts{Total: 30, Sent: 30}) || len(second.Mails()) != 30 {
		t.Errorf("counts %+v, %d mails over the relay that takes them", p.Counts, len(second.Mails()))
	}
}
