package relay

import (
	"fmt"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/warmup"
)

// takeFor takes mails to a domain until a relay must wait, and returns their number and the wait.
func takeFor(t *testing.T, r *Relay, domain string) (mails int, wait time.Duration) {
	t.Helper()
	for {
		d, err := r.TakeQuota(t.Context(), domain)
		if err != nil {
			t.Fatal(err)
		}
		if d > 0 {
			return mails, d
		}
		if mails++; mails > 10_000 {
			t.Fatal("the warm-up has no end")
		}
	}
}

// atNoon sets the clock to the middle of a day; days of a warm-up are in UTC.
func atNoon(now *time.Time) { *now = now.UTC().Truncate(24 * time.Hour).Add(36 * time.Hour) }

// TestNodesShareTheWarmup: together they send what a plan allows in a day, and more on the next.
func TestNodesShareTheWarmup(t *testing.T) {
	t.Parallel()
	s, now := openStore(t)
	atNoon(now)
	c := config("r")
	c.Warmup = warmup.Plan{Start: 60, Factor: 2}
	one, two := newSet(s, "one", c), newSet(s, "two", c)
	for range 5 {
		for _, set := range []*Set{one, two} {
			if d, err := set.relays[0].TakeQuota(t.Context(), "a.example"); d > 0 || err != nil {
				t.Fatalf("wait %v, %v", d, err)
			}
		}
	}
	first, wait := takeFor(t, one.relays[0], "a.example")
	second, _ := takeFor(t, two.relays[0], "b.example")
	if first+second != 50 || wait != 12*time.Hour {
		t.Errorf("%d more mails and a wait of %v, want 50 until midnight", first+second, wait)
	}
	if today, err := one.relays[0].WarmupToday(t.Context()); err != nil || today.Allowance != 60 || today.Used != 60 {
		t.Errorf("%+v, %v", today, err)
	}
	if one.WarmupWait() != 12*time.Hour || !one.relays[0].ShouldCloseConnection() {
		t.Errorf("the relay waits %v, and its connections stay open", one.WarmupWait())
	}
	*now = now.Add(24 * time.Hour)
	if one.WarmupWait() != 0 {
		t.Errorf("on the next day it waits %v", one.WarmupWait())
	}
	if mails, _ := takeFor(t, one.relays[0], "a.example"); mails != 120 {
		t.Errorf("%d mails on the next day, want 120", mails)
	}
}

// TestDomainsAreWarmedUpByThemselves: a domain that takes no further mails today leaves the mails of all domains to
// the others.
func TestDomainsAreWarmedUpByThemselves(t *testing.T) {
	t.Parallel()
	s, now := openStore(t)
	atNoon(now)
	c := config("r")
	c.Warmup, c.WarmupPerDomain = warmup.Plan{Start: 10, Factor: 2}, warmup.Plan{Start: 3, Factor: 2}
	r := newSet(s, "one", c).relays[0]
	total := 0
	for i, want := range []int{3, 3, 3, 1, 0} {
		domain := fmt.Sprint("d", i, ".example")
		mails, wait := takeFor(t, r, domain)
		if total += mails; mails != want || wait != 12*time.Hour {
			t.Errorf("domain %d takes %d mails and then waits %v, want %d", i, mails, wait, want)
		}
		if blocked := r.WarmupWaitOf(domain) > 0; blocked != (want == 3) {
			t.Errorf("domain %d waits by itself: %v", i, blocked)
		}
	}
	if total != 10 {
		t.Errorf("%d mails in all, want 10", total)
	}
	r.ReturnQuota("d0.example")
	if mails, _ := takeFor(t, r, "d0.example"); mails != 1 {
		t.Errorf("%d mails after one was returned", mails)
	}
}

// TestSingleMailsDoNotWaitForTheWarmup, and count for it.
func TestSingleMailsDoNotWaitForTheWarmup(t *testing.T) {
	t.Parallel()
	s, now := openStore(t)
	atNoon(now)
	c := config("r")
	c.Warmup = warmup.Plan{Start: 5, Factor: 2}
	r := newSet(s, "one", c).relays[0]
	for range 3 {
		if d, err := r.TakeQuotaForSingleMail(t.Context(), "a.example"); d != 0 || err != nil {
			t.Fatalf("wait %v, %v", d, err)
		}
	}
	if mails, _ := takeFor(t, r, "a.example"); mails != 2 {
		t.Errorf("%d mails of editions after 3 single ones, want 2", mails)
	}
	if d, err := r.TakeQuotaForSingleMail(t.Context(), "a.example"); d != 0 || err != nil {
		t.Errorf("when nothing is left: wait %v, %v", d, err)
	}
	if r.WarmupWait() == 0 {
		t.Error("a single mail ended the wait of editions")
	}
}

// TestUnusedMailsOfTheWarmupAreReturned when a node stops, and another node sends them.
func TestUnusedMailsOfTheWarmupAreReturned(t *testing.T) {
	t.Parallel()
	s, now := openStore(t)
	atNoon(now)
	c := config("r")
	c.Warmup = warmup.Plan{Start: 100, Factor: 2}
	one, two := newSet(s, "one", c), newSet(s, "two", c)
	if d, err := one.relays[0].TakeQuota(t.Context(), "a.example"); d > 0 || err != nil {
		t.Fatal(d, err)
	}
	one.ReturnWarmups(t.Context())
	one.ReturnWarmups(t.Context()) // nothing is left to return
	if mails, _ := takeFor(t, two.relays[0], "a.example"); mails != 99 {
		t.Errorf("the other node sends %d mails, want 99", mails)
	}
}

// TestSetWaitsForTheWarmupOnlyIfEachRelayDoes.
func TestSetWaitsForTheWarmupOnlyIfEachRelayDoes(t *testing.T) {
	t.Parallel()
	s, now := openStore(t)
	atNoon(now)
	warm, cold, standby := config("warm"), config("cold"), config("standby")
	cold.Warmup, standby.Weight = warmup.Plan{Start: 1, Factor: 2}, 0
	both, alone := newSet(s, "one", warm, cold), newSet(s, "one", cold, standby)
	takeFor(t, both.relays[1], "a.example")
	takeFor(t, alone.relays[0], "a.example")
	if both.WarmupWait() != 0 || alone.WarmupWait() != 12*time.Hour {
		t.Errorf("beside a warm relay it waits %v, beside a standby %v", both.WarmupWait(), alone.WarmupWait())
	}
	if !both.relays[0].Routes(Mail{Address: "a@a.example"}) {
		t.Error("the warm relay leaves mails to one that waits")
	}
}
