package relay

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
	"github.com/tidings-press/tidings/mailer"
)

// openStore returns a store in a new SQLite database whose clock the test sets.
func openStore(t *testing.T) (*store.Store, *time.Time) {
	t.Helper()
	now := time.Now()
	s, err := store.Open(t.Context(), storetest.DSN(t, store.SQLite), store.Options{Durability: store.Normal, Clock: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s, &now
}

// newSet returns the relays of a node.
func newSet(s *store.Store, node string, relays ...Config) *Set {
	return New(Options{Relays: relays, Store: s, Node: node, Lease: time.Hour, Pending: func() int { return 0 }, Log: slog.New(slog.DiscardHandler)})
}

func config(name string) Config {
	return Config{Relay: mailer.Relay{Name: name, Host: "127.0.0.1", Port: 25}, Weight: 1}
}

// outcomes are the results of the tests by a short name. "@x" after the name is the recipient's domain.
var outcomes = map[string]Result{
	"accepted":  {Class: mailer.Accepted, Reply: mailer.Reply{Code: 250, Stage: mailer.StageFinal}},
	"unknown":   {Class: mailer.Suppress, Reply: mailer.Reply{Code: 550, Enhanced: "5.1.1", Stage: mailer.StageRcpt}},
	"refused":   {Class: mailer.OurFault, Reply: mailer.Reply{Code: 554, Enhanced: "5.7.1", Stage: mailer.StageFinal, Text: "spam"}},
	"sender":    {Class: mailer.OurFault, Reply: mailer.Reply{Code: 550, Enhanced: "5.7.1", Stage: mailer.StageMail, Text: "sender refused"}},
	"uncertain": {Class: mailer.Uncertain, Reason: "no reply"},
	"lost":      {Class: mailer.Retry, Reason: "reset by peer", Lost: true},
	"lost421":   {Class: mailer.Later, Reason: "421", Reply: mailer.Reply{Code: 421, Stage: mailer.StageMail}, Lost: true},
	"last":      {Class: mailer.Later, Reply: mailer.Reply{Code: 421, Stage: mailer.StageMail}},
	"slow":      {Class: mailer.Later, Reply: mailer.Reply{Code: 450, Enhanced: "4.7.28", Stage: mailer.StageRcpt}},
	"slow421":   {Class: mailer.Later, Reply: mailer.Reply{Code: 421, Enhanced: "4.7.0", Stage: mailer.StageRcpt}},
	"grey":      {Class: mailer.Later, Reply: mailer.Reply{Code: 451, Enhanced: "4.7.1", Text: "Greylisted", Stage: mailer.StageRcpt}},
	"full":      {Class: mailer.Soft, Reply: mailer.Reply{Code: 552, Enhanced: "5.2.2", Stage: mailer.StageRcpt}},
}

// record records outcomes such as "4*refused@a refused@b".
func record(t *testing.T, r *Relay, list string) {
	t.Helper()
	for word := range strings.FieldsSeq(list) {
		n := 1
		if times, rest, found := strings.Cut(word, "*"); found {
			word = rest
			if _, err := fmt.Sscan(times, &n); err != nil {
				t.Fatal(err)
			}
		}
		name, domain, _ := strings.Cut(word, "@")
		result, known := outcomes[name]
		if !known {
			t.Fatalf("unknown outcome %q", name)
		}
		result.Domain = domain + ".example"
		for range n {
			r.Record(t.Context(), result)
		}
	}
}

// TestOutcomesOpenTheCircuitBreaker has series of outcomes, and what follows: whether the relay is stopped
// on all nodes or only not dialled by this one, which domains are throttled, and whether the number of
// connections was halved.
func TestOutcomesOpenTheCircuitBreaker(t *testing.T) {
	t.Parallel()
	s, _ := openStore(t)
	for i, c := range []struct {
		outcomes  string
		stopped   bool
		held      bool
		throttled string // domains
		halved    bool
		reason    string
	}{
		{outcomes: "accepted@a unknown@a full@b grey@a"},
		{outcomes: "4*refused@a refused@b", stopped: true, held: true, throttled: "a", reason: "5 policy refusals in a row, the last: 554 5.7.1 spam"},
		{outcomes: "2*refused@a 2*refused@b refused@c", stopped: true, held: true, reason: "5 policy refusals"},
		{outcomes: "20*refused@a", throttled: "a"},
		{outcomes: "4*refused@a accepted@b 4*refused@b", throttled: "a b"},
		{outcomes: "4*refused@a unknown@b full@b refused@c", stopped: true, held: true, throttled: "a", reason: "5 policy refusals"},
		{outcomes: "5*sender@a", stopped: true, held: true, reason: "the last: 550 5.7.1 sender refused"},
		{outcomes: "4*sender@a"},
		{outcomes: "4*uncertain@a accepted@a 4*uncertain@a"},
		{outcomes: "5*uncertain@a", stopped: true, held: true, reason: "the outcome of 5 mails in a row is unknown, the last: no reply"},
		{outcomes: "4*uncertain@a unknown@b uncertain@c", stopped: true, held: true, reason: "the outcome of 5 mails"},
		{outcomes: "2*lost@a"},
		{outcomes: "3*lost@a", held: true, reason: "reset by peer"},
		{outcomes: "2*lost@a unknown@a 2*lost@a"},
		{outcomes: "lost421@a", halved: true},
		{outcomes: "last@a"},
		{outcomes: "slow@a slow@b", throttled: "a b"},
		{outcomes: "slow421@a", throttled: "a", halved: true},
		{outcomes: "2*refused@a refused@b accepted@a refused@a"},
	} {
		t.Run(c.outcomes, func(t *testing.T) {
			r := newSet(s, "one", config(fmt.Sprint("r", i))).relays[0]
			before := r.concurrency.target
			record(t, r, c.outcomes)
			// The times are compared and not what follows from them now: a short hold may be over.
			stopped, held := !r.stoppedUntil.IsZero(), !r.stoppedUntil.IsZero() || !r.heldUntil.IsZero()
			if stopped != c.stopped || held != c.held || !strings.Contains(r.reason, c.reason) || !held && r.State() != Closed {
				t.Errorf("stopped %v, held %v, %s (%s); want %v, %v (%s)", stopped, held, r.State(), r.reason, c.stopped, c.held, c.reason)
			}
			for _, domain := range []string{"a", "b", "c"} {
				if got, want := wasThrottled(r, domain+".example"), strings.Contains(c.throttled, domain); got != want {
					t.Errorf("%s is throttled: %v, want %v", domain, got, want)
				}
			}
			if halved := r.concurrency.target == before/2; halved != c.halved {
				t.Errorf("%d of %d connections, want half: %v", r.concurrency.target, before, c.halved)
			}
		})
	}
}

// wasThrottled reports whether a domain was throttled, even if that is over.
func wasThrottled(r *Relay, domain string) bool {
	known := r.throttle.known[domain]
	return known != nil && !known.until.IsZero()
}

// wantHold fails unless a time is a duration, with the jitter of a backoff, after a moment between the
// given one and now.
func wantHold(t *testing.T, began, until time.Time, d time.Duration) {
	t.Helper()
	if until.Before(began.Add(d*9/10)) || until.After(time.Now().Add(d*11/10)) {
		t.Errorf("it ends %v after %v, want about %v", until.Sub(began), began, d)
	}
}

// TestDialFailuresHoldTheRelay: a failure that passes holds it for a moment, one that needs a change of
// settings for minutes, so that a wrong password is not tried for every mail.
func TestDialFailuresHoldTheRelay(t *testing.T) {
	t.Parallel()
	s, _ := openStore(t)
	closed := &mailer.DialError{Relay: "r", Kind: mailer.ErrDial, Err: errors.New("connection refused")}
	busy := &mailer.DialError{Relay: "r", Kind: mailer.ErrGreeting, Reply: mailer.Reply{Code: 421, Text: "busy"}, Err: errors.New("421 busy")}
	password := &mailer.DialError{Relay: "r", Kind: mailer.ErrAuth, Reply: mailer.Reply{Code: 535, Text: "no"}, Err: errors.New("535 no")}
	r := newSet(s, "one", config("r")).relays[0]
	if r.Reachable() || r.State() != Closed {
		t.Errorf("before the first dial: reachable %v, %s", r.Reachable(), r.State())
	}
	r.onDialed(t.Context())
	began := time.Now()
	for i := range 12 {
		began = time.Now()
		r.onDialFailed(t.Context(), closed)
		if r.failedDials != i+1 || r.State() == Closed || r.Reachable() {
			t.Fatalf("after %d failures: %d counted, %s, reachable %v", i+1, r.failedDials, r.State(), r.Reachable())
		}
	}
	wantHold(t, began, r.heldUntil, longestRedial)
	r.heldUntil = time.Now().Add(-time.Millisecond)
	if r.State() != HalfOpen || r.Held() {
		t.Errorf("when the hold is over: %s, held %v; one connection should try", r.State(), r.Held())
	}
	r.onDialed(t.Context())
	if r.State() != Closed || !r.Reachable() || r.failedDials != 0 {
		t.Errorf("after a dial: %s, reachable %v, %d failures", r.State(), r.Reachable(), r.failedDials)
	}
	before := r.concurrency.target
	if r.onDialFailed(t.Context(), busy); r.concurrency.target != before/2 {
		t.Errorf("a relay that is busy keeps %d of %d connections", r.concurrency.target, before)
	}
	began = time.Now()
	r.onDialFailed(t.Context(), password)
	wantHold(t, began, r.heldUntil, settingsWait)
	if r.reason != "relay r: authentication refused: 535 no" || r.Stopped() {
		t.Errorf("%q, stopped %v", r.reason, r.Stopped())
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	fresh := newSet(s, "one", config("fresh")).relays[0]
	if fresh.onDialFailed(stopped, closed); fresh.failedDials != 0 || fresh.State() != Closed {
		t.Errorf("a dial that the end of the program stopped counts: %d, %s", fresh.failedDials, fresh.State())
	}
}

// TestRelayThatDropsConnectionsStaysHeldUntilItAnswers: it can be dialled, and ends each connection before
// a mail was accepted.
func TestRelayThatDropsConnectionsStaysHeldUntilItAnswers(t *testing.T) {
	t.Parallel()
	s, _ := openStore(t)
	r := newSet(s, "one", config("r")).relays[0]
	record(t, r, "3*lost@a")
	r.heldUntil = time.Now().Add(-time.Millisecond)
	if r.onDialed(t.Context()); r.State() != HalfOpen || r.Reachable() {
		t.Errorf("a dial alone: %s, reachable %v", r.State(), r.Reachable())
	}
	began := time.Now()
	record(t, r, "lost@a")
	wantHold(t, began, r.heldUntil, 2*firstRedial)
	if record(t, r, "unknown@a"); r.State() != Closed || !r.Reachable() || r.lostConnections != 0 {
		t.Errorf("a reply: %s, reachable %v, %d lost", r.State(), r.Reachable(), r.lostConnections)
	}
}

// TestUncertainMailsStopTheRelayForLongerEachTime, until it accepts a mail.
func TestUncertainMailsStopTheRelayForLongerEachTime(t *testing.T) {
	t.Parallel()
	s, _ := openStore(t)
	r := newSet(s, "one", config("r")).relays[0]
	for n, want := range []int{1, 2, 3} {
		began := time.Now()
		record(t, r, "5*uncertain@a")
		if r.uncertainStops != want {
			t.Fatalf("series %d: %d stops", n+1, r.uncertainStops)
		}
		wantHold(t, began, r.stoppedUntil, uncertainWait<<n)
		r.stoppedUntil = time.Now().Add(time.Hour)
		if record(t, r, "3*uncertain@a"); r.uncertainStops != want {
			t.Error("mails that were under way stop the relay again")
		}
		r.stoppedUntil, r.uncertain = time.Now().Add(-time.Millisecond), 0
	}
	if record(t, r, "accepted@a"); r.uncertainStops != 0 {
		t.Errorf("after an accepted mail: %d", r.uncertainStops)
	}
}

// TestStopsReachTheOtherNodes by the store, and end there too. What one node cannot dial, another may.
func TestStopsReachTheOtherNodes(t *testing.T) {
	t.Parallel()
	s, now := openStore(t)
	one, two := newSet(s, "one", config("r"), config("q")), newSet(s, "two", config("r"), config("q"))
	record(t, one.relays[0], "5*sender@a")
	record(t, one.relays[1], "slow@b 3*lost@a")
	two.Renew(t.Context())
	if r := two.relays[0]; !r.Stopped() || !strings.Contains(r.HeldReason(), "sender refused") || r.State() != Open {
		t.Errorf("stopped %v (%s), %s", r.Stopped(), r.HeldReason(), r.State())
	}
	if q := two.relays[1]; q.Held() || !wasThrottled(q, "b.example") || wasThrottled(q, "a.example") {
		t.Errorf("held %v, the throttles are %v", q.Held(), q.throttle.known)
	}
	two.Reset(t.Context())
	one.Renew(t.Context())
	if r := one.relays[0]; r.Stopped() || r.State() != Closed {
		t.Errorf("after the reset: stopped %v, %s", r.Stopped(), r.State())
	}
	// A stop of this node after the store was read is not undone by what was read.
	r := one.relays[0]
	before := r.stopsSoFar()
	record(t, r, "5*sender@a")
	if r.applyStop(store.Hold{}, *now, before); !r.Stopped() {
		t.Error("an older state of the store ended the stop")
	}
	// A hold that seems longer than any was written before the clock was set back.
	if two.Renew(t.Context()); !two.relays[0].Stopped() {
		t.Fatal("the second stop did not reach the other node")
	}
	*now = now.Add(-2 * longestHold)
	two.Renew(t.Context())
	if two.relays[0].Stopped() {
		t.Error("a stop from the future holds the relay")
	}
}

// TestStoreThatFailsDoesNotStopSending: the state of this node counts alone.
func TestStoreThatFailsDoesNotStopSending(t *testing.T) {
	t.Parallel()
	s, _ := openStore(t)
	set := newSet(s, "one", config("r"))
	r := set.relays[0]
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	record(t, r, "5*sender@a")
	set.readHolds(t.Context())
	if !r.Stopped() {
		t.Error("the stop ended with the store")
	}
	set.Reset(t.Context())
	r.stoppedUntil = time.Time{}
	if record(t, r, "accepted@a"); r.Held() || r.accepted.Load() != 1 {
		t.Errorf("held %v, %d accepted", r.Held(), r.accepted.Load())
	}
}
