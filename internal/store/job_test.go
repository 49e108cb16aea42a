package store_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

var ping = []string{"ping"}

func TestEachJobIsClaimedByOneNode(t *testing.T) {
	t.Parallel()
	for _, engine := range storetest.Engines {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			dsn := storetest.DSN(t, engine)
			nodes := []*store.Store{storetest.Reopen(t, dsn, store.Options{}), storetest.Reopen(t, dsn, store.Options{})}
			const jobs = 60
			for i := range jobs {
				if fresh, err := nodes[0].Enqueue(t.Context(), store.Job{Kind: "ping", Key: fmt.Sprint(i)}); !fresh || err != nil {
					t.Fatal(fresh, err)
				}
			}
			var mu sync.Mutex
			claimed := map[int64]int{}
			concurrently(t, 4, func(ctx context.Context, i int) error {
				for {
					got, err := nodes[i%2].ClaimJobs(ctx, ping, 3, time.Minute)
					if err != nil || len(got) == 0 {
						return err
					}
					mu.Lock()
					for _, job := range got {
						claimed[job.ID]++
					}
					mu.Unlock()
				}
			})
			for id, n := range claimed {
				if n != 1 {
					t.Errorf("job %d was claimed %d times", id, n)
				}
			}
			if len(claimed) != jobs {
				t.Errorf("%d jobs were claimed, want %d", len(claimed), jobs)
			}
		})
	}
}

func TestJobIsClaimedAgainWhenItsLeaseExpired(t *testing.T) {
	t.Parallel()
	for _, engine := range storetest.Engines {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			clock := newClock()
			ctx := t.Context()
			s := storetest.Open(t, engine, store.Options{Clock: clock.now})
			for _, want := range []bool{true, false} { // the second call has the same job
				if fresh, err := s.Enqueue(ctx, store.Job{Kind: "ping", Key: "a", Payload: []byte("x")}); fresh != want || err != nil {
					t.Fatalf("fresh %v, %v", fresh, err)
				}
			}
			leased, err := s.ClaimJobs(ctx, ping, 1, time.Second)
			if err != nil || len(leased) != 1 {
				t.Fatal(leased, err)
			}
			first := leased[0]
			if got, err := s.ClaimJobs(ctx, ping, 1, time.Minute); len(got) != 0 || err != nil {
				t.Fatalf("claimed under a lease: %v, %v", got, err)
			}
			clock.advance(2 * time.Second) // the node is frozen for too long
			second := claimJob(t, s)
			if second.ID != first.ID || second.Epoch <= first.Epoch || second.Tries != 2 || string(second.Payload) != "x" {
				t.Errorf("second claim %+v after %+v", second, first)
			}
			for what, err := range map[string]error{
				"finish": s.FinishJob(ctx, first), "retry": s.RetryJob(ctx, first, 0, ""),
			} {
				if !errors.Is(err, store.ErrLease) {
					t.Errorf("%s by the old holder: %v", what, err)
				}
			}
			if err := s.RetryJob(ctx, second, -time.Second, "503"); err != nil {
				t.Fatal(err)
			}
			if err := s.FinishJob(ctx, claimJob(t, s)); err != nil {
				t.Fatal(err)
			}
			if fresh, err := s.Enqueue(ctx, store.Job{Kind: "ping", Key: "a", Due: clock.now().Add(time.Hour)}); !fresh || err != nil {
				t.Errorf("after the end of the job its key is free: %v, %v", fresh, err)
			}
			if got, err := s.ClaimJobs(ctx, ping, 1, time.Minute); len(got) != 0 || err != nil {
				t.Errorf("claimed an hour early: %v, %v", got, err)
			}
		})
	}
}

func claimJob(t *testing.T, s *store.Store) store.Job {
	t.Helper()
	got, err := s.ClaimJobs(t.Context(), []string{"other", "ping"}, 5, time.Minute)
	if err != nil || len(got) != 1 {
		t.Fatalf("claimed %v, %v; want one", got, err)
	}
	return got[0]
}

func TestFailedJobsAreRecordedAndPruned(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		if _, err := s.Enqueue(ctx, store.Job{Kind: "ping"}); err != nil {
			t.Fatal(err)
		}
		if err := s.FailJob(ctx, claimJob(t, s), "no such host"); err != nil {
			t.Fatal(err)
		}
		if jobs := storetest.Jobs(t, s); len(jobs) != 1 || jobs[0].State != "failed" || jobs[0].Error != "no such host" || jobs[0].Ended.UnixMilli() == 0 {
			t.Errorf("%+v", jobs)
		}
		if err := s.PruneJobs(ctx, time.Now().Add(-time.Hour), time.Now().Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		if jobs := storetest.Jobs(t, s); len(jobs) != 0 {
			t.Errorf("after pruning: %v", jobs)
		}
	})
}

func TestDoneJobsArePrunedBeforeFailedOnes(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		if err := s.EnqueueAll(ctx, []store.Job{{Kind: "ping", Key: "a"}, {Kind: "ping", Key: "b"}, {Kind: "ping", Key: "c"}}); err != nil {
			t.Fatal(err)
		}
		jobs, err := s.ClaimJobs(ctx, ping, 2, time.Minute)
		if err != nil || len(jobs) != 2 {
			t.Fatal(jobs, err)
		}
		if err := errors.Join(s.FinishJob(ctx, jobs[0]), s.FailJob(ctx, jobs[1], "no")); err != nil {
			t.Fatal(err)
		}
		if err := s.PruneJobs(ctx, time.Now().Add(time.Hour), time.Now().Add(-time.Hour)); err != nil {
			t.Fatal(err)
		}
		if jobs := storetest.Jobs(t, s); len(jobs) != 2 || storetest.CountJobs(t, s, "open") != 1 || storetest.CountJobs(t, s, "failed") != 1 {
			t.Errorf("%+v", jobs)
		}
	})
}
