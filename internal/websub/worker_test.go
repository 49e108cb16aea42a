package websub_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
	"github.com/tidings-press/tidings/internal/websub"
)

// testTask is the task of jobs of kind test.
func testTask(run func(context.Context, []byte) error) map[string]websub.Task {
	return map[string]websub.Task{"test": {Run: run}}
}

func (e *env) enqueue(t *testing.T, keys ...string) {
	t.Helper()
	for _, key := range keys {
		if _, err := e.store.Enqueue(t.Context(), store.Job{Kind: "test", Key: key, Payload: []byte(key)}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestWorkerClaimsNoMoreJobsThanItRuns(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	for i := range 20 {
		e.enqueue(t, fmt.Sprint(i))
	}
	begun, hold := make(chan struct{}, 20), make(chan struct{})
	w := &websub.Worker{Store: e.store, Parallel: 2, Poll: 5 * time.Millisecond, Log: slog.New(slog.DiscardHandler), Tasks: testTask(func(context.Context, []byte) error {
		begun <- struct{}{}
		<-hold
		return nil
	})}
	background(t, w.Run)
	<-begun
	<-begun
	rest, err := e.store.ClaimJobs(t.Context(), []string{"test"}, 20, time.Minute)
	if len(rest) != 18 || len(begun) != 0 || err != nil {
		t.Errorf("while two jobs run, another worker gets %d of 20, want 18; %v", len(rest), err)
	}
	close(hold)
	testkit.Eventually(t, "the two jobs to end", func() bool {
		return storetest.CountJobs(t, e.store, "done") == 2
	})
}

func TestStoppedWorkerReleasesItsJobs(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.enqueue(t, "cut")
	begun := make(chan struct{})
	ctx, stop := context.WithCancel(t.Context())
	w := &websub.Worker{Store: e.store, Poll: time.Millisecond, Log: slog.New(slog.DiscardHandler), Tasks: testTask(func(ctx context.Context, _ []byte) error {
		close(begun)
		<-ctx.Done()
		return ctx.Err()
	})}
	done := make(chan error)
	go func() { done <- w.Run(ctx) }()
	<-begun
	stop()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if jobs, _ := e.store.ClaimJobs(t.Context(), []string{"test"}, 1, time.Minute); len(jobs) != 1 {
		t.Error("the job is not free before the end of its lease")
	}
}

func TestFailingJobIsRetriedWithGrowingDelaysAndGivenUp(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.enqueue(t, "bad")
	tried := make(chan struct{}, 10)
	w := &websub.Worker{Store: e.store, Poll: 5 * time.Millisecond, FirstDelay: time.Hour, Log: slog.New(slog.DiscardHandler), Tasks: map[string]websub.Task{"test": {
		Run: func(context.Context, []byte) error { tried <- struct{}{}; return errors.New("no luck") }, Tries: 6, MaxDelay: 6 * time.Hour,
	}}}
	background(t, w.Run)
	for i, hours := range []time.Duration{1, 2, 4, 6, 6} {
		<-tried
		want, due := hours*time.Hour, time.Time{}
		testkit.Eventually(t, "the next try to be recorded", func() bool {
			due = storetest.Jobs(t, e.store)[0].Due
			return due.After(e.clock.now().Add(10 * time.Minute)) // while it runs, it is due at the end of its lease
		})
		if delay := due.Sub(e.clock.now()); delay < want*3/4-time.Minute || delay > want*5/4+time.Minute {
			t.Errorf("after try %d the job waits %v, want about %v", i+1, delay, want)
		}
		e.clock.pass(want*5/4 + time.Minute)
	}
	<-tried
	testkit.Eventually(t, "the job to be given up", func() bool { return e.idle(t) })
	if reason := e.failures(t); reason != "no luck" || len(tried) != 0 {
		t.Errorf("given up because of %q, tried %d times more", reason, len(tried))
	}
}
