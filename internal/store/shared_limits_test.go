package store_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
	"github.com/tidings-press/tidings/internal/warmup"
)

func TestHoldsEndAndAreReplaced(t *testing.T) {
	t.Parallel()
	c := newClock()
	eachWithClock(t, c.now, func(t *testing.T, s *store.Store) {
		ctx, now := t.Context(), s.Now()
		hold := func(relay string, kind store.HoldKind, domain string, after time.Duration, reason string) store.Hold {
			return store.Hold{Relay: relay, Kind: kind, Domain: domain, Until: now.Add(after).Truncate(time.Millisecond), Reason: reason}
		}
		relay, domain := hold("main", store.RelayHeld, "", time.Hour, "421 try later"), hold("main", store.DomainHeld, "mail.example", time.Hour, "450 \x00\xff slow down")
		must(t, s.PutHold(ctx, relay), s.PutHold(ctx, domain), s.PutHold(ctx, hold("other", store.ConnectionHeld, "", -time.Minute, "over")))
		holds, err := s.Holds(ctx)
		if err != nil || len(holds) != 2 || holds[0] != relay || holds[1].Domain != "mail.example" || holds[1].Reason != "450 \uFFFD slow down" {
			t.Fatalf("%+v, %v", holds, err)
		}
		for i, want := range []string{"relay main", "domain mail.example on relay main"} {
			if got := holds[i].Target(); got != want {
				t.Errorf("the target is %q, want %q", got, want)
			}
		}
		must(t, s.PutHold(ctx, hold("main", store.RelayHeld, "", 2*time.Hour, "again")), s.DropHold(ctx, domain), s.DropHold(ctx, domain))
		if holds, err = s.Holds(ctx); err != nil || len(holds) != 1 || holds[0].Reason != "again" {
			t.Errorf("%+v, %v", holds, err)
		}
	})
}

// TestQuotaOfConcurrentNodesIsNeverExceeded: each window begins again, and a node gets a part of what it wants.
func TestQuotaOfConcurrentNodesIsNeverExceeded(t *testing.T) {
	t.Parallel()
	c := newClock()
	eachWithClock(t, c.now, func(t *testing.T, s *store.Store) {
		take := func(limit, want int64) int64 {
			n, next, err := s.TakeQuota(t.Context(), "main", "hour", time.Hour, limit, want)
			if err != nil || next.Minute() != 0 || !next.After(s.Now().Add(-time.Hour)) {
				t.Errorf("%v, %v", next, err)
			}
			return n
		}
		var mu sync.Mutex
		var granted int64
		concurrently(t, 6, func(context.Context, int) error {
			for range 5 {
				n := take(50, 4)
				mu.Lock()
				granted += n
				mu.Unlock()
			}
			return nil
		})
		if granted != 50 {
			t.Errorf("%d of 120 were granted, want 50", granted)
		}
		if n := take(60, 100); n != 10 { // the limit was raised
			t.Errorf("%d, want the 10 that are left", n)
		}
		if n := take(40, 5); n != 0 { // and lowered
			t.Errorf("%d were granted beyond the limit", n)
		}
		if used, err := s.QuotaUsed(t.Context(), "main", "hour", time.Hour); err != nil || used != 60 {
			t.Errorf("%d are used, %v", used, err)
		}
		if used, err := s.QuotaUsed(t.Context(), "main", "day", 24*time.Hour); err != nil || used != 0 {
			t.Errorf("of another window, %d are used, %v", used, err)
		}
	})
}

func TestQuotaBeginsAgainInTheNextWindow(t *testing.T) {
	t.Parallel()
	eachWithOwnClock(t, func(t *testing.T, c *clock, s *store.Store) {
		for window := range 3 {
			n, next, err := s.TakeQuota(t.Context(), "main", "hour", time.Hour, 10, 100)
			if err != nil || n != 10 {
				t.Fatalf("window %d: %d, %v", window, n, err)
			}
			c.advance(next.Sub(c.now()))
			if used, err := s.QuotaUsed(t.Context(), "main", "hour", time.Hour); err != nil || used != 0 {
				t.Errorf("in the next window %d are used, %v", used, err)
			}
		}
	})
}

func TestConnectionOfADeadNodeIsTakenOver(t *testing.T) {
	t.Parallel()
	eachWithOwnClock(t, func(t *testing.T, c *clock, s *store.Store) {
		ctx := t.Context()
		lease := func(node string, limit int) int64 {
			number, err := s.LeaseConnection(ctx, "main", node, limit, time.Minute)
			must(t, err)
			return number
		}
		if a, b, full := lease("dead", 2), lease("alive", 2), lease("alive", 2); a != 0 || b != 1 || full != -1 {
			t.Fatalf("connections %d, %d, %d", a, b, full)
		}
		c.advance(40 * time.Second)
		kept, err := s.RenewConnections(ctx, "main", "alive", time.Minute)
		if err != nil || !slices.Equal(kept, []int64{1}) {
			t.Errorf("kept %v, %v", kept, err)
		}
		c.advance(30 * time.Second) // the lease of the dead node is over
		if n, err := s.CountConnections(ctx, "main"); err != nil || n != 1 {
			t.Errorf("%d are leased, %v", n, err)
		}
		if number := lease("alive", 2); number != 0 {
			t.Errorf("connection %d, want that of the dead node", number)
		}
		if kept, err := s.RenewConnections(ctx, "main", "dead", time.Minute); err != nil || len(kept) != 0 {
			t.Errorf("the dead node keeps %v, %v", kept, err)
		}
		must(t, s.ReleaseConnection(ctx, "main", "dead", 0)) // not its own any more
		if n, err := s.CountConnections(ctx, "main"); err != nil || n != 2 {
			t.Errorf("%d are leased, %v", n, err)
		}
		if number := lease("third", 1); number != -1 { // the limit was lowered
			t.Errorf("connection %d beyond the limit", number)
		}
		if number := lease("third", 3); number != 2 {
			t.Errorf("connection %d, want the one that was added", number)
		}
		if number, err := s.LeaseConnection(ctx, "other", "third", 1, time.Minute); number != 0 || err != nil {
			t.Errorf("another relay: connection %d, %v", number, err)
		}
	})
}

func TestConcurrentNodesNeverShareAConnection(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		var mu sync.Mutex
		holders := map[int64]string{}
		concurrently(t, 8, func(ctx context.Context, i int) error {
			number, err := s.LeaseConnection(ctx, "main", fmt.Sprint("node", i), 5, time.Hour)
			if err != nil || number < 0 {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			if other := holders[number]; other != "" {
				t.Errorf("connection %d is that of %s and of node%d", number, other, i)
			}
			holders[number] = fmt.Sprint("node", i)
			return nil
		})
		if n, err := s.CountConnections(t.Context(), "main"); err != nil || n > 5 || int(n) != len(holders) {
			t.Errorf("%d are leased, %d nodes have one, %v", n, len(holders), err)
		}
	})
}

// TestWarmupGrowsWithWhatWasSent follows a plan over days, as two nodes take shares of it.
func TestWarmupGrowsWithWhatWasSent(t *testing.T) {
	t.Parallel()
	plan := warmup.Plan{Start: 100, Factor: 2, Max: 300}
	eachWithOwnClock(t, func(t *testing.T, c *clock, s *store.Store) {
		ctx := t.Context()
		takeAll := func(most int64) (sum int64) {
			for sum < most {
				n, state, err := s.TakeWarmup(ctx, "main", "", plan, false)
				if err != nil || state.Used > state.Allowance || n > max(state.Allowance/20, 1) {
					t.Fatalf("%d, %+v, %v", n, state, err)
				}
				if n == 0 {
					break
				}
				sum += n
			}
			return sum
		}
		if state, err := s.WarmupOf(ctx, "main", "", plan); err != nil || state.Left() != 100 || state.Ends.Hour() != 0 {
			t.Errorf("before the first mail: %+v, %v", state, err)
		}
		if n := takeAll(1000); n != 100 {
			t.Errorf("%d on the first day, want 100", n)
		}
		if n, state, err := s.TakeWarmup(ctx, "main", "", plan, true); n != 1 || state.Left() != 0 || err != nil { // a confirmation is sent nevertheless
			t.Errorf("a single mail: %d, %+v, %v", n, state, err)
		}
		c.advance(24 * time.Hour)
		if n := takeAll(1000); n < 200 || n > 202 {
			t.Errorf("%d on the second day, want twice as many", n)
		}
		c.advance(24 * time.Hour)
		if n := takeAll(1000); n != 300 {
			t.Errorf("%d on the third day, want the maximum", n)
		}
		c.advance(3 * 24 * time.Hour) // days without mail change nothing
		state, err := s.WarmupOf(ctx, "main", "", plan)
		if err != nil || state.Allowance != 300 || state.Used != 0 {
			t.Errorf("after a pause: %+v, %v", state, err)
		}
		if state, err := s.WarmupOf(ctx, "main", "", warmup.Plan{Start: 10, Factor: 2, Max: 50}); err != nil || state.Allowance != 50 {
			t.Errorf("with a smaller plan: %+v, %v", state, err)
		}
	})
}

func TestMailsThatWereNotSentAreReturnedToTheirDay(t *testing.T) {
	t.Parallel()
	plan := warmup.Plan{Start: 40, Factor: 2}
	eachWithOwnClock(t, func(t *testing.T, c *clock, s *store.Store) {
		ctx := t.Context()
		var ends time.Time
		for _, domain := range []string{"a.example", "b.example", "b.example"} {
			n, state, err := s.TakeWarmup(ctx, "main", domain, plan, false)
			if n != 2 || err != nil {
				t.Fatalf("%d, %v", n, err)
			}
			ends = state.Ends
		}
		must(t, s.ReturnWarmup(ctx, "main", map[string]int64{"a.example": 1, "b.example": 3, "c.example": 5}, ends))
		must(t, s.ReturnWarmup(ctx, "main", map[string]int64{"a.example": 9}, ends)) // more than were taken
		must(t, s.ReturnWarmup(ctx, "other", map[string]int64{"b.example": 1}, ends), s.ReturnWarmup(ctx, "main", map[string]int64{"b.example": 1}, ends.Add(-24*time.Hour)))
		domains, err := s.DomainWarmups(ctx, "main", plan, 10)
		if err != nil || len(domains) != 2 || domains[0].Domain != "a.example" || domains[0].Used != 1 || domains[1].Domain != "b.example" || domains[1].Used != 1 {
			t.Errorf("%+v, %v", domains, err)
		}
		if domains, err = s.DomainWarmups(ctx, "main", plan, 1); err != nil || len(domains) != 1 {
			t.Errorf("at most one: %+v, %v", domains, err)
		}
		c.advance(24 * time.Hour)
		must(t, s.ReturnWarmup(ctx, "main", map[string]int64{"b.example": 1}, ends)) // too late, but still of its day
		if domains, err = s.DomainWarmups(ctx, "main", plan, 10); err != nil || len(domains) != 0 {
			t.Errorf("of the next day: %+v, %v", domains, err)
		}
	})
}

func TestNoticeOfAnEventIsStoredOncePerPeriod(t *testing.T) {
	t.Parallel()
	eachWithOwnClock(t, func(t *testing.T, c *clock, s *store.Store) {
		var mu sync.Mutex
		stored := 0
		notice := func(event string) {
			concurrently(t, 3, func(ctx context.Context, i int) error {
				first, err := s.RecordNotice(ctx, event, time.Hour, []store.Job{{Kind: "ping", Key: fmt.Sprint(event, c.now().UnixMilli(), "-", i)}})
				if first {
					mu.Lock()
					stored++
					mu.Unlock()
				}
				return err
			})
		}
		notice("disk")
		notice("disk")
		notice("clock")
		if n := storetest.CountJobs(t, s, "open"); stored != 2 || n != 2 {
			t.Errorf("%d notices and %d jobs were stored, want one of each event", stored, n)
		}
		c.advance(61 * time.Minute)
		notice("disk")
		if n := storetest.CountJobs(t, s, "open"); stored != 3 || n != 3 {
			t.Errorf("an hour later: %d notices and %d jobs", stored, n)
		}
	})
}

func TestBackupIsClaimedByOneHolder(t *testing.T) {
	t.Parallel()
	eachWithOwnClock(t, func(t *testing.T, c *clock, s *store.Store) {
		ctx, tick := t.Context(), c.now().Truncate(time.Second)
		var mu sync.Mutex
		var holders []string
		concurrently(t, 5, func(ctx context.Context, i int) error {
			claimed, err := s.ClaimBackup(ctx, tick, fmt.Sprint("node", i), time.Minute)
			if claimed {
				mu.Lock()
				holders = append(holders, fmt.Sprint("node", i))
				mu.Unlock()
			}
			return err
		})
		if len(holders) != 1 {
			t.Fatalf("claimed by %v", holders)
		}
		must(t, s.FinishBackup(ctx, "another", store.ScheduledBackup{Tick: tick, Name: "x"}, 0)) // changes nothing
		if all, err := s.ScheduledBackups(ctx, 5); err != nil || len(all) != 1 || all[0].State != store.BackupRunning || all[0].Tries != 1 || !all[0].Finished.IsZero() {
			t.Fatalf("%+v, %v", all, err)
		}
		must(t, s.FinishBackup(ctx, holders[0], store.ScheduledBackup{Tick: tick, Error: "no space left"}, 15*time.Minute))
		claim := func(holder string) bool {
			claimed, err := s.ClaimBackup(ctx, tick, holder, time.Minute)
			must(t, err)
			return claimed
		}
		if claim("b") {
			t.Error("a failed backup is tried again at once")
		}
		c.advance(16 * time.Minute)
		if !claim("b") || claim("c") {
			t.Error("a failed backup is not tried again by one node")
		}
		must(t, s.FinishBackup(ctx, "b", store.ScheduledBackup{Tick: tick, Name: "t.tidings", Bytes: 9}, 0))
		c.advance(time.Hour)
		if claim("d") {
			t.Error("a backup that was made is made again")
		}
		renewed, err := s.RenewBackup(ctx, tick, "b", time.Minute)
		all, err2 := s.ScheduledBackups(ctx, 5)
		must(t, err, err2)
		if renewed || len(all) != 1 || all[0].State != store.BackupDone || all[0].Name != "t.tidings" || all[0].Bytes != 9 || all[0].Tries != 2 || all[0].Error != "" {
			t.Errorf("renewed %t, %+v", renewed, all)
		}
		c.advance(500 * 24 * time.Hour) // old results are removed with the next one
		later := c.now()
		if claimed, err := s.ClaimBackup(ctx, later, "b", time.Minute); !claimed || err != nil {
			t.Fatal(claimed, err)
		}
		must(t, s.FinishBackup(ctx, "b", store.ScheduledBackup{Tick: later, Name: "u.tidings"}, 0))
		if all, err := s.ScheduledBackups(ctx, 5); err != nil || len(all) != 1 || all[0].Name != "u.tidings" {
			t.Errorf("%+v, %v", all, err)
		}
	})
}
