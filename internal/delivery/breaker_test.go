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
	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/internal/testkit/sink"
)

// TestRelayThatRefusesSenderIsStoppedAndReplaced covers refusals at each stage: only the mails that
// the relay was asked to take are deferred, and the others go over the other relay.
func TestRelayThatRefusesSenderIsStoppedAndReplaced(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	for _, at := range []sink.Stage{sink.AtMail, sink.AtRcpt, sink.AfterDot} {
		t.Run(string(at), func(t *testing.T) {
			t.Parallel()
			f := setupFaulty(t, sink.Options{Faults: []sink.Fault{{At: at, Reply: "550 5.7.1 your network is blocked"}}})
			second := f.addRelay("second", 1, sink.Options{Delay: time.Millisecond})
			f.importAcrossDomains(600, 200)
			f.addArticle("ferries")
			f.start()
			e := f.send()
			p := f.untilProgress(e.ID, "dealt with", func(p progress) bool { return p.Counts.Sent+p.Counts.Deferred == 600 })
			// Five refusals, and the mails that were on the other connections.
			if p.Counts.Deferred == 0 || p.Counts.Deferred > 10 || f.server.FaultCount(0) > 10 {
				t.Errorf("%d mails were deferred after %d refusals", p.Counts.Deferred, f.server.FaultCount(0))
			}
			if !f.holds(p, store.RelayHeld, "your network is blocked") {
				t.Errorf("the hold and its reason are not shown: %+v", p.Holds)
			}
			for range 50 {
				if f.settles(e.ID, 2*time.Second) {
					break
				}
				f.forward(time.Hour)
			}
			if p := f.sent(e.ID); p.Counts != (store.DeliveryCounts{Total: 600, Sent: 600}) || len(second.Mails()) != 600 {
				t.Errorf("counts %+v, %d mails over the second relay", p.Counts, len(second.Mails()))
			}
		})
	}
}

// TestPolicyRefusalByOneAddressDelaysNoOther: many domains have addresses that accept no mail from
// outside.
func TestPolicyRefusalByOneAddressDelaysNoOther(t *testing.T) {
	t.Parallel()
	f := setupFaulty(t, sink.Options{Faults: []sink.Fault{
		{At: sink.AtRcpt, Match: "reader7@", Reply: "550 5.7.133 only members may write"},
		{At: sink.AtRcpt, Match: "reader50@", Reply: "550 5.7.133 only members may write"},
	}})
	f.addSubscribers(100)
	f.addArticle("ferries")
	f.start()
	e := f.send()
	p := f.untilProgress(e.ID, "sent to all but two", func(p progress) bool { return p.Counts.Sent == 98 && p.Counts.Deferred == 2 })
	if len(p.Holds) > 0 {
		t.Errorf("holds: %+v", p.Holds)
	}
	f.forward(73 * time.Hour)
	for range 50 {
		if f.settles(e.ID, time.Second) {
			break
		}
		f.forward(5 * time.Hour)
	}
	if p := f.sent(e.ID); p.Counts != (store.DeliveryCounts{Total: 100, Sent: 98, Refused: 2}) {
		t.Errorf("counts %+v", p.Counts)
	}
	f.wantState(7, subscriber.Active) // a policy refusal is not the subscriber's fault
}

// TestDomainThatRefusesSenderIsThrottledOnItsRelayOnly also checks that other domains get their
// mail.
func TestDomainThatRefusesSenderIsThrottledOnItsRelayOnly(t *testing.T) {
	t.Parallel()
	f := setupFaulty(t, sink.Options{Delay: time.Millisecond, Faults: []sink.Fault{{At: sink.AtRcpt, Match: "@town0.example", Reply: "550 5.7.1 not from you"}}})
	f.importAcrossDomains(200, 4)
	f.addArticle("ferries")
	f.start()
	e := f.send()
	p := f.untilProgress(e.ID, "dealt with", func(p progress) bool { return p.Counts.Sent == 150 && p.Counts.Deferred == 50 })
	if !f.holds(p, store.DomainHeld, "not from you") || f.server.FaultCount(0) > 10 {
		t.Errorf("after %d refusals: %+v", f.server.FaultCount(0), p.Holds)
	}
}

// TestBurstOfSlowDownRequestsCountsOnce: the mails of all connections are refused together, and the
// domain is throttled for as long as after one refusal.
func TestBurstOfSlowDownRequestsCountsOnce(t *testing.T) {
	t.Parallel()
	f := setupFaulty(t, sink.Options{Delay: 20 * time.Millisecond, Faults: []sink.Fault{{At: sink.AtRcpt, Match: "@town0.example", Times: 8, Reply: "450 4.7.28 too many from you"}}})
	f.options.Relays[0].Connections = 8
	f.importAcrossDomains(80, 2)
	f.addArticle("ferries")
	f.start()
	e := f.send()
	p := f.untilProgress(e.ID, "sent to the other domain", func(p progress) bool { return p.Counts.Sent == 40 && p.Counts.Deferred == 40 })
	if len(p.Holds) != 1 || p.Holds[0].Domain != "town0.example" || p.Holds[0].Until.Sub(f.store.Now()) > 5*time.Minute {
		t.Errorf("holds %+v at %v", p.Holds, f.store.Now())
	}
	for range 50 {
		f.forward(2 * time.Minute)
		if f.settles(e.ID, 3*time.Second) {
			break
		}
	}
	f.sent(e.ID)
	if f.server.Tally.Distinct() != 80 || f.server.Tally.Duplicates() != 0 {
		t.Errorf("%d addresses have mail, %d of them twice", f.server.Tally.Distinct(), f.server.Tally.Duplicates())
	}
}

// TestMailForThrottledDomainIsGivenUpInTime also covers mails that were never tried because their
// domain was throttled.
func TestMailForThrottledDomainIsGivenUpInTime(t *testing.T) {
	t.Parallel()
	f := setupFaulty(t, sink.Options{Faults: []sink.Fault{{At: sink.AtRcpt, Reply: "450 4.7.28 too many from you"}}})
	f.addSubscribers(40)
	f.addArticle("ferries")
	f.start()
	e := f.send()
	f.untilProgress(e.ID, "put off", func(p progress) bool { return p.Counts.Deferred == 40 })
	f.forward(60 * time.Hour)
	f.untilProgress(e.ID, "still deferred", func(p progress) bool { return p.Counts.Deferred == 40 })
	for range 50 {
		f.forward(13 * time.Hour)
		if f.settles(e.ID, time.Second) {
			break
		}
	}
	if p := f.sent(e.ID); p.Counts != (store.DeliveryCounts{Total: 40, Refused: 40}) {
		t.Errorf("counts %+v", p.Counts)
	}
	all, err := f.store.Deliveries(t.Context(), e, []digest.DeliveryState{digest.DeliveryRefused}, 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	untried := 0
	for _, d := range all {
		if !strings.Contains(d.Reason, "given up after 72h0m0s and") {
			t.Errorf("reader %d: %q", d.Subscriber, d.Reason)
		}
		if d.Tries == 0 {
			untried++
		}
	}
	if untried == 0 {
		t.Error("every mail was tried, so the test covers none that only waited")
	}
	f.wantState(3, subscriber.Active)
}

// TestServerThatClosesConnectionsIsNotDialledForEachMail covers servers that close at MAIL.
func TestServerThatClosesConnectionsIsNotDialledForEachMail(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	for name, fault := range map[string]sink.Fault{
		"421 at MAIL": {At: sink.AtMail, Reply: "421 4.3.2 not now"},
		"cut at MAIL": {At: sink.AtMail, Do: sink.Cut},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := setupFaulty(t, sink.Options{Faults: []sink.Fault{fault}})
			f.importAcrossDomains(600, 50)
			f.addArticle("ferries")
			f.start()
			e := f.send()
			p := f.untilProgress(e.ID, "held back", func(p progress) bool { return f.holds(p, store.ConnectionHeld, "") })
			time.Sleep(2 * time.Second)
			if made, _ := f.server.Connections(); made > 25 {
				t.Errorf("%d connections in two seconds", made)
			}
			if p = f.untilProgress(e.ID, "read", func(progress) bool { return true }); p.Counts.Open() != 600 || p.Counts.Deferred > 50 {
				t.Errorf("counts %+v", p.Counts)
			}
		})
	}
}

// TestRelayThatLeavesMailUncertainIsStopped: otherwise every subscriber would get a mail as often
// as it is tried.
func TestRelayThatLeavesMailUncertainIsStopped(t *testing.T) {
	t.Parallel()
	f := setupFaulty(t, sink.Options{Faults: []sink.Fault{{At: sink.AfterDot, Do: sink.Cut, Accept: true}}})
	f.addSubscribers(300)
	f.addArticle("ferries")
	f.start()
	e := f.send()
	f.untilProgress(e.ID, "stopped", func(p progress) bool { return f.holds(p, store.RelayHeld, "is unknown") })
	time.Sleep(time.Second)
	if got := len(f.server.Mails()); got > 12 {
		t.Errorf("%d mails were sent to a relay that never replies", got)
	}
}

// TestServerBackAfterMinutesGetsRemainingMails stops a server during an edition and starts it
// again.
func TestServerBackAfterMinutesGetsRemainingMails(t *testing.T) {
	t.Parallel()
	f := setupFaulty(t, sink.Options{Delay: 10 * time.Millisecond})
	f.importSubscribers(600)
	f.addArticle("ferries")
	f.start()
	e := f.send()
	f.untilProgress(e.ID, "under way", func(p progress) bool { return p.Counts.Sent > 100 })
	first := f.server
	_ = first.Close()
	f.untilProgress(e.ID, "held back", func(p progress) bool { return f.holds(p, store.ConnectionHeld, "") })
	for range 3 {
		f.forward(2 * time.Minute)
		f.untilProgress(e.ID, "still held", func(p progress) bool { return f.holds(p, store.ConnectionHeld, "") })
	}
	if p := f.untilProgress(e.ID, "read", func(progress) bool { return true }); p.Edition.State != digest.Sending || p.Counts.Sent+p.Counts.Uncertain+p.Counts.Open() != 600 {
		t.Errorf("%s, %+v", p.Edition.State, p.Counts)
	}
	f.server = f.restartServer(first, sink.Options{Delay: 10 * time.Millisecond})
	f.forward(time.Hour)
	p := f.sent(e.ID)
	if p.Counts != (store.DeliveryCounts{Total: 600, Sent: 600}) {
		t.Errorf("counts %+v", p.Counts)
	}
	// Only mails that were uncertain when the server stopped may arrive twice, one per connection.
	both := map[string]int{}
	for _, w := range []interface{ Received() map[string]int }{first, f.server} {
		for address, n := range w.Received() {
			both[address] += n
		}
	}
	doubted, twice := f.everUncertain(e), 0
	for address, n := range both {
		if n > 1 {
			twice++
		}
		if n > 1 && !doubted[address] || n > 2 {
			t.Errorf("%s has %d mails", address, n)
		}
	}
	if len(both) != 600 || twice > 4 {
		t.Errorf("%d addresses have the mail, %d of them twice", len(both), twice)
	}
}

// holds reports whether the progress shows a hold of the given kind and reason.
func (b *env) holds(p delivery.Progress, kind store.HoldKind, reason string) bool {
	for _, h := range p.Holds {
		if h.Kind == kind && strings.Contains(h.Reason, reason) {
			return true
		}
	}
	return false
}

// importAcrossDomains subscribes n addresses that are spread over a number of domains.
func (b *env) importAcrossDomains(n, domains int) {
	b.t.Helper()
	var list strings.Builder
	list.WriteString("address\n")
	for i := range n {
		fmt.Fprintf(&list, "reader%d@town%d.example\n", i, i%domains)
	}
	b.importList(list.String(), n)
}
