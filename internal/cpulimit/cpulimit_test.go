package cpulimit

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func alwaysSending() bool { return true }

func TestRequestsAreNotDelayedWhileNoMailIsSent(t *testing.T) {
	t.Parallel()
	for _, s := range []*Limiter{nil, New(nil)} {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			for range 10_000 {
				if err := s.Request(t.Context()); err != nil {
					t.Fatal(err)
				}
				if err := s.Render(t.Context(), Search, func() {}); err != nil {
					t.Fatal(err)
				}
				s.Answered(1<<20, false)
			}
			if took := time.Since(began); took > 0 {
				t.Errorf("requests waited %v", took)
			}
		})
	}
}

// runClients runs concurrent clients that call do in a loop, and returns how many calls
// succeeded and how many were refused.
func runClients(t *testing.T, clients int, lasts time.Duration, do func(context.Context) error) (done, refused int64) {
	var did, failed atomic.Int64
	ctx, cancel := context.WithTimeout(t.Context(), lasts)
	defer cancel()
	var wait sync.WaitGroup
	for range clients {
		wait.Go(func() {
			for ctx.Err() == nil {
				switch err := do(ctx); {
				case err == nil:
					did.Add(1)
				case errors.Is(err, ErrBusy):
					failed.Add(1)
					time.Sleep(time.Millisecond) // the client reads the refusal
				}
			}
		})
	}
	wait.Wait()
	return did.Load(), failed.Load()
}

func TestRequestsAreLimitedWhileMailIsSent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := New(alwaysSending)
		done, refused := runClients(t, 50, 20*time.Second, s.Request)
		used := time.Duration(done) * requestCost
		allowed := time.Duration(requestShare * float64(runtime.GOMAXPROCS(0)) * float64(20*time.Second))
		if used > allowed*11/10 || used < allowed*9/10 || refused > 0 {
			t.Errorf("%d requests took %v of processor time, %d were refused; want %v and none", done, used, refused, allowed)
		}
	})
}

func TestRenderingsAreLimitedWhileMailIsSent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := New(alwaysSending)
		var worked atomic.Int64
		work := func() {
			time.Sleep(20 * time.Millisecond)
			worked.Add(int64(20 * time.Millisecond))
		}
		_, _ = runClients(t, 8, time.Minute, func(ctx context.Context) error { return s.Render(ctx, Cacheable, work) })
		share := float64(worked.Load()) / float64(time.Minute)
		if most := cacheableShare * float64(runtime.GOMAXPROCS(0)); share > most*1.3 || share < most*0.5 {
			t.Errorf("renderings used %.3f of a processor, want about %.3f", share, most)
		}
	})
}

func TestRenderingsBeyondTheQueueAreRefused(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := New(nil)
		hold := make(chan struct{})
		var wait sync.WaitGroup
		var refused, done atomic.Int64
		for range maxWaiting + 100 {
			wait.Go(func() {
				switch err := s.Render(t.Context(), Search, func() { <-hold }); {
				case err == nil:
					done.Add(1)
				case errors.Is(err, ErrBusy):
					refused.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		slots := int64(cap(s.renders[Search].running))
		if got := refused.Load(); got != 100-slots {
			t.Errorf("%d were refused at once, want %d", got, 100-slots)
		}
		if err := s.Render(t.Context(), Cacheable, func() {}); err != nil {
			t.Errorf("many searches delay other pages: %v", err)
		}
		time.Sleep(searchWait)
		synctest.Wait()
		if got := refused.Load(); got != 100-slots+maxWaiting {
			t.Errorf("%d were refused after %v, want %d, that is, all that waited", got, searchWait, 100-slots+maxWaiting)
		}
		close(hold)
		wait.Wait()
		if done.Load() != slots {
			t.Errorf("%d were done, want %d", done.Load(), slots)
		}
	})
}
