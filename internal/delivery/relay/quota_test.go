package relay

import (
	"testing"
	"time"
)

// takeAll takes mails of a relay's quotas until it must wait, and returns their number and the wait.
func takeAll(t *testing.T, r *Relay) (mails int, wait time.Duration) {
	t.Helper()
	for {
		d, err := r.TakeQuota(t.Context(), "a.example")
		if err != nil {
			t.Fatal(err)
		}
		if d > 0 {
			return mails, d
		}
		if mails++; mails > 10_000 {
			t.Fatal("the quota has no end")
		}
	}
}

// atTheHour sets the clock to a full hour, at which the spans of quotas begin.
func atTheHour(now *time.Time) { *now = now.UTC().Truncate(time.Hour).Add(time.Hour) }

// TestNodesShareAQuota: together they send what the relay takes in an hour, and not one mail more.
func TestNodesShareAQuota(t *testing.T) {
	t.Parallel()
	s, now := openStore(t)
	atTheHour(now)
	c := config("r")
	c.PerHour = 50
	one, two := newSet(s, "one", c).relays[0], newSet(s, "two", c).relays[0]
	total := 0
	for range 10 {
		for _, r := range []*Relay{one, two} {
			if d, err := r.TakeQuota(t.Context(), "a.example"); d > 0 || err != nil {
				t.Fatalf("after %d mails: wait %v, %v", total, d, err)
			}
			total++
		}
	}
	first, wait := takeAll(t, one)
	second, _ := takeAll(t, two)
	if total += first + second; total != 50 || wait != time.Hour {
		t.Errorf("%d mails and a wait of %v, want 50 and an hour", total, wait)
	}
	if used, err := one.UsedThisHour(t.Context()); err != nil || used != 50 {
		t.Errorf("%d are used, %v", used, err)
	}
	one.ReturnQuota("a.example")
	if again, _ := takeAll(t, one); again != 1 {
		t.Errorf("%d mails after one was returned", again)
	}
	if none, _ := takeAll(t, two); none != 0 {
		t.Errorf("%d mails of another node after that", none)
	}
	*now = now.Add(time.Hour)
	if mails, _ := takeAll(t, two); mails != 50 {
		t.Errorf("%d mails in the next hour, want 50", mails)
	}
}

// TestTheSmallestQuotaCounts, and a mail that one quota refuses is not counted by the others.
func TestTheSmallestQuotaCounts(t *testing.T) {
	t.Parallel()
	s, now := openStore(t)
	atTheHour(now)
	c := config("r")
	c.PerHour, c.PerSecond = 25, 10
	r := newSet(s, "one", c).relays[0]
	var sent []int
	for range 4 {
		mails, wait := takeAll(t, r)
		sent = append(sent, mails)
		if len(sent) < 3 && wait != time.Second {
			t.Errorf("second %d: a wait of %v", len(sent), wait)
		}
		if len(sent) == 3 && wait != time.Hour-2*time.Second {
			t.Errorf("when the hour is used up: a wait of %v", wait)
		}
		*now = now.Add(time.Second)
	}
	if sent[0] != 10 || sent[1] != 10 || sent[2] != 5 || sent[3] != 0 {
		t.Errorf("%v mails in the seconds, want 10, 10, 5 and none", sent)
	}
}

// TestClockSetBackDoesNotBlockAQuota until the end of a span that lies far ahead.
func TestClockSetBackDoesNotBlockAQuota(t *testing.T) {
	t.Parallel()
	s, now := openStore(t)
	atTheHour(now)
	c := config("r")
	c.PerHour = 20
	r := newSet(s, "one", c).relays[0]
	if mails, _ := takeAll(t, r); mails != 20 {
		t.Fatalf("%d mails", mails)
	}
	*now = now.Add(-24 * time.Hour)
	if mails, wait := takeAll(t, r); mails != 20 || wait > time.Hour {
		t.Errorf("%d mails and a wait of %v after the clock was set back by a day", mails, wait)
	}
}

func TestRelayWithoutAQuotaAsksNoStore(t *testing.T) {
	t.Parallel()
	s, _ := openStore(t)
	r := newSet(s, "one", config("r")).relays[0]
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if d, err := r.TakeQuotaForSingleMail(t.Context(), "a.example"); d != 0 || err != nil {
		t.Errorf("wait %v, %v", d, err)
	}
	r.ReturnQuota("a.example")
	if n, err := r.UsedThisHour(t.Context()); n != 0 || err != nil {
		t.Errorf("%d used, %v", n, err)
	}
	limited := config("q")
	limited.PerHour = 5
	if d, err := newSet(s, "one", limited).relays[0].TakeQuota(t.Context(), "a.example"); d != 0 || err == nil {
		t.Errorf("with a quota and a closed store: wait %v, %v", d, err)
	}
}

// TestConnectionsAreSharedBetweenNodes: a relay's limit holds over all nodes, and a lease that was not
// renewed can be taken by another node.
func TestConnectionsAreSharedBetweenNodes(t *testing.T) {
	t.Parallel()
	s, now := openStore(t)
	c := config("r")
	c.Connections = 3
	one, two := newSet(s, "one", c).relays[0], newSet(s, "two", c).relays[0]
	var held []*Lease
	for range 3 {
		lease, ok := one.Acquire(t.Context())
		if !ok || !lease.Valid() {
			t.Fatal("a free connection is not given")
		}
		held = append(held, lease)
	}
	if _, ok := two.Acquire(t.Context()); ok || !two.allConnectionsTaken() || two.available() {
		t.Error("a fourth connection is given")
	}
	if !one.available() {
		t.Error("the node that has all connections cannot use them")
	}
	one.Release(held[0])
	two.leases.retryAt = time.Now().Add(-time.Millisecond)
	if two.recheckConnections(t.Context()); two.allConnectionsTaken() {
		t.Error("a connection that was given back is not seen")
	}
	lease, ok := two.Acquire(t.Context())
	if !ok {
		t.Fatal("a connection that was given back is not given")
	}
	two.Release(lease)
	// The node "one" is frozen: its leases end, another node takes them, and it must not send on.
	*now = now.Add(2 * time.Hour)
	for range 3 {
		if _, ok := two.Acquire(t.Context()); !ok {
			t.Fatal("a lease that has ended is not given")
		}
	}
	if one.renewLeases(t.Context()); held[1].Valid() || held[2].Valid() {
		t.Error("leases that another node has are still valid")
	}
	one.Release(held[1]) // it must not free the connection of the other node
	if n, err := s.CountConnections(t.Context(), "r"); err != nil || n != 3 {
		t.Errorf("%d connections are taken, %v; want 3", n, err)
	}
}

func TestLeaseEndsWithoutRenewal(t *testing.T) {
	t.Parallel()
	lease := &Lease{length: time.Hour}
	for age, want := range map[time.Duration]bool{0: true, 30 * time.Minute: true, time.Hour: false, 2 * time.Hour: false} {
		if lease.renew(time.Now().Add(-age)); lease.Valid() != want {
			t.Errorf("after %v it is valid: %v", age, lease.Valid())
		}
	}
	if !(*Lease)(nil).Valid() {
		t.Error("a relay without a limit has no valid lease")
	}
}
