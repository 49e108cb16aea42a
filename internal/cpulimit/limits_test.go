package cpulimit

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestRequestsBeyondTenSecondsAreRefused(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := New(alwaysSending)
		for s.requests.debt(time.Now()) <= maxWait {
			s.requests.charge(time.Now(), time.Millisecond)
		}
		owed := s.requests.debt(time.Now())
		for range 100 {
			if err := s.Request(t.Context()); !errors.Is(err, ErrBusy) {
				t.Fatalf("with a debt of %v: %v", owed, err)
			}
		}
		if now := s.requests.debt(time.Now()); now != owed {
			t.Errorf("refused requests changed the debt from %v to %v", owed, now)
		}
		time.Sleep(owed - maxWait)
		began := time.Now()
		if err := s.Request(t.Context()); err != nil || time.Since(began) != maxWait {
			t.Errorf("a request at the limit waited %v: %v", time.Since(began), err)
		}
	})
}

func TestWaitingRequestEndsWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := New(alwaysSending)
		s.requests.charge(time.Now(), time.Duration(float64(5*time.Second)*s.requests.share))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		if err := s.Request(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Second {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
	})
}

func TestWaitingRenderingEndsWithItsContext(t *testing.T) {
	t.Parallel()
	for name, prepare := range map[string]func(*Limiter) (release func()){
		"in the queue": func(s *Limiter) func() {
			q := &s.renders[Search]
			for range cap(q.running) {
				q.running <- struct{}{}
			}
			return func() {
				for range cap(q.running) {
					q.leave()
				}
			}
		},
		"for the share": func(s *Limiter) func() {
			q := &s.renders[Search]
			q.budget.charge(time.Now(), time.Duration(float64(2*time.Second)*q.budget.share))
			return func() {}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := New(alwaysSending)
				release := prepare(s)
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(time.Second, cancel)
				began := time.Now()
				err := s.Render(ctx, Search, func() { t.Error("the work was done for a client that has left") })
				if !errors.Is(err, context.Canceled) || time.Since(began) != time.Second {
					t.Errorf("after %v: %v", time.Since(began), err)
				}
				release()
				time.Sleep(time.Minute)
				done := false
				if err := s.Render(t.Context(), Search, func() { done = true }); err != nil || !done {
					t.Errorf("the place of the client that has left is taken: %v", err)
				}
				if q := &s.renders[Search]; len(q.running) != 0 || len(q.waiting) != 0 {
					t.Errorf("%d run and %d wait at the end", len(q.running), len(q.waiting))
				}
			})
		})
	}
}

func TestRenderingBeyondItsShareIsRefused(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := New(alwaysSending)
		for class, wait := range map[Class]time.Duration{Search: searchWait, Cacheable: maxWait} {
			q := &s.renders[class]
			q.budget.charge(time.Now(), time.Duration(float64(wait+time.Second)*q.budget.share))
			if err := s.Render(t.Context(), class, func() { t.Error("the work was done") }); !errors.Is(err, ErrBusy) {
				t.Errorf("class %d: %v", class, err)
			}
			if len(q.running) != 0 {
				t.Errorf("class %d: a refused rendering keeps its place", class)
			}
		}
	})
}

func TestPanicOfARenderingFreesItsPlace(t *testing.T) {
	t.Parallel()
	s := New(nil)
	for range cap(s.renders[Search].running) + 1 {
		func() {
			defer func() { _ = recover() }()
			_ = s.Render(t.Context(), Search, func() { panic("a template") })
		}()
	}
	if n := len(s.renders[Search].running); n != 0 {
		t.Errorf("%d places are taken after all panicked", n)
	}
}

func TestRenderingIsChargedWhileMailIsSent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var sending atomic.Bool
		s := New(sending.Load)
		work := func() { time.Sleep(100 * time.Millisecond) }
		if err := s.Render(t.Context(), Cacheable, work); err != nil {
			t.Fatal(err)
		}
		if debt := s.renders[Cacheable].budget.debt(time.Now()); debt != 0 {
			t.Errorf("while no mail is sent, a rendering costs %v", debt)
		}
		sending.Store(true)
		if err := s.Render(t.Context(), Cacheable, work); err != nil {
			t.Fatal(err)
		}
		want := time.Duration(float64(100*time.Millisecond)/(cacheableShare*float64(runtime.GOMAXPROCS(0)))) - burst
		if debt := s.renders[Cacheable].budget.debt(time.Now()); debt < want-time.Millisecond || debt > want+time.Millisecond {
			t.Errorf("a rendering of 100 ms costs %v, want %v", debt, want)
		}
		if debt := s.renders[Search].budget.debt(time.Now()); debt != 0 {
			t.Errorf("the other class is charged %v", debt)
		}
	})
}

func TestAnswerIsChargedByItsSizeAndSource(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for _, test := range []struct {
			name       string
			bytes      int64
			fromMemory bool
			want       time.Duration
		}{
			{"a small answer from memory", 16<<10 - 1, true, 0},
			{"a large answer from memory", 4 << 20, true, 4 * costPerMB},
			{"an empty answer of a handler", 0, false, handlerCost},
			{"a large answer of a handler", 1 << 20, false, handlerCost + costPerMB},
			{"the largest file of a disk", 1 << 42, true, 1 << 22 * costPerMB},
		} {
			s := New(alwaysSending)
			s.Answered(test.bytes, test.fromMemory)
			want := time.Duration(0)
			if test.want > 0 {
				want = max(time.Duration(float64(test.want)/s.requests.share)-burst, 0)
			}
			if got := s.requests.debt(time.Now()); got != want {
				t.Errorf("%s: %v, want %v", test.name, got, want)
			}
		}
		idle := New(nil)
		idle.Answered(1<<30, false)
		if got := idle.requests.debt(time.Now()); got != 0 {
			t.Errorf("while no mail is sent: %v", got)
		}
	})
}

// TestBudgetGivesItsShareOverAnyTime: random costs at random times never use more than the share and a burst, and
// callers that wait as told use all of it.
func TestBudgetGivesItsShareOverAnyTime(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(11, 12))
	for range 50 {
		b := budget{share: 0.01 + random.Float64()}
		start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		now, used := start, time.Duration(0)
		var last time.Duration
		for range 500 {
			last = time.Duration(random.Int64N(int64(2 * time.Millisecond)))
			wait := b.reserve(now, last)
			if wait < 0 || wait > maxWait {
				t.Fatalf("a wait of %v", wait)
			}
			now = now.Add(wait)
			used += last
			if random.IntN(10) == 0 {
				now = now.Add(time.Duration(random.Int64N(int64(100 * time.Millisecond))))
			}
		}
		allowed := time.Duration(b.share*float64(now.Sub(start)+burst)) + last
		if used > allowed+time.Microsecond {
			t.Fatalf("a share of %.3f: %v were used in %v, at most %v", b.share, used, now.Sub(start), allowed)
		}
	}
}

func TestUnusedAllowanceIsKeptForABurstOnly(t *testing.T) {
	t.Parallel()
	b, now := budget{share: 0.5}, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	b.charge(now, time.Millisecond)
	now = now.Add(time.Hour)
	served := 0
	for b.reserve(now, time.Millisecond) == 0 {
		served++
	}
	if want := int(float64(burst)*b.share/float64(time.Millisecond)) + 1; served != want {
		t.Errorf("after an idle hour, %d requests of 1 ms go at once, want %d", served, want)
	}
}
