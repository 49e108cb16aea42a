package websub_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/websub"
)

// doing is the task of jobs of kind test.
func doing(do func(context.Context, []byte) error) map[string]websub.Task {
	return map[string]websub.Task{"test": {Do: do}}
}

func TestNoMoreJobsAreClaimedThanThereAreHands(t *testing.T) {
	t.Parallel()
	q := newQueue()
	for i := range 20 {
		_ = q.Enqueue(t.Context(), websub.Job{Kind: "test", Key: fmt.Sprint(i)})
	}
	var at, most atomic.Int64
	both := make(chan struct{}, 20)
	work(t, &websub.Worker{Queue: q, Hands: 2, Do: doing(func(ctx context.Context, _ []byte) error {
		defer at.Add(-1)
		most.Store(max(most.Load(), at.Add(1)))
		both <- struct{}{}
		for len(both) < 2 { // both hands are full
			time.Sleep(time.Millisecond)
		}
		return nil
	})})
	eventually(t, "all jobs to be done", q.idle)
	if q.most != 2 || most.Load() != 2 {
		t.Errorf("%d jobs were claimed at once and %d done at once, want two of two: the lease of a job begins with it", q.most, most.Load())
	}
}

func TestAWorkerThatStopsGivesItsJobsBack(t *testing.T) {
	t.Parallel()
	q := newQueue()
	_ = q.Enqueue(t.Context(), websub.Job{Kind: "test", Key: "cut"})
	begun := make(chan struct{})
	ctx, stop := context.WithCancel(t.Context())
	w := &websub.Worker{Queue: q, Poll: time.Millisecond, Log: slog.New(slog.DiscardHandler), Do: doing(func(ctx context.Context, _ []byte) error {
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
	if jobs, _ := q.Claim(t.Context(), []string{"test"}, 1, time.Minute); len(jobs) != 1 {
		t.Error("the job that was cut short is not to be had before the end of its lease")
	}
}

func TestAFailingJobIsTriedWithGrowingDelaysAndGivenUp(t *testing.T) {
	t.Parallel()
	q := newQueue()
	_ = q.Enqueue(t.Context(), websub.Job{Kind: "test", Key: "bad"})
	tries := 0
	work(t, &websub.Worker{Queue: q, Do: map[string]websub.Task{"test": {
		Do: func(context.Context, []byte) error { tries++; return errors.New("no such luck") }, Tries: 6, Rest: 60 * time.Millisecond,
	}}})
	eventually(t, "the job to be given up", q.idle)
	if tries != 6 || q.ended("bad") != "no such luck" || len(q.delays) != 5 {
		t.Fatalf("%d tries, delays %v, ended: %s", tries, q.delays, q.ended("bad"))
	}
	for i, want := range []time.Duration{10, 20, 40, 60, 60} {
		want *= time.Millisecond
		if got := q.delays[i]; got < want*3/4 || got > want*5/4+1 {
			t.Errorf("after try %d it rested %v, want about %v", i+1, got, want)
		}
	}
}
