// Package cpulimit limits the processor time of HTTP requests while mail is sent. New makes a
// Limiter. Limiter.Request is called for each request, Limiter.Render for each rendering, that is, for
// an answer that is not in memory.
//
// While mail is sent, requests may use 7 % of the processors and renderings 8 %. Requests
// beyond that wait in a queue, and are refused when the queue is long. At other times
// requests have no limit, and only the number of renderings at a time is limited, since more
// of them would not finish sooner.
package cpulimit

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"time"

	"github.com/tidings-press/tidings/internal/backoff"
)

// ErrBusy is returned when the queue is too long. The answer is 503 with Retry-After.
var ErrBusy = errors.New("too many requests are waiting")

// Class is a kind of rendering. Each has its own queue and share, so that many renderings of
// one class do not delay the other.
type Class int

// The classes.
const (
	Cacheable Class = iota // documents that links lead to; their number is limited
	Search                 // searches and filter expressions; their number is unlimited
	classes   = 2
)

// The shares of all processors that requests and renderings may use while mail is sent.
const (
	requestShare   = 0.07
	cacheableShare = 0.06
	searchShare    = 0.02
)

// Estimates of processor time, measured with wrk on the same machine, whose own use is
// included. requestCost is for an answer from memory: reading the request and the system
// calls. costPerMB is for copying the body to the socket. handlerCost is what other answers
// cost in addition, besides their rendering.
const (
	requestCost = 50 * time.Microsecond
	handlerCost = 30 * time.Microsecond
	costPerMB   = 400 * time.Microsecond
)

// How long requests and renderings wait at most, and how many renderings of a class wait.
const (
	maxWait    = 10 * time.Second
	searchWait = 3 * time.Second
	maxWaiting = 512
)

// Limiter limits the processor time of HTTP requests. Its methods are safe for concurrent use.
// A nil Limiter sets no limits.
type Limiter struct {
	sending  func() bool
	requests budget
	renders  [classes]queue
}

// New returns a Limiter. sending reports whether mail is being sent now; nil means never.
func New(sending func() bool) *Limiter {
	if sending == nil {
		sending = func() bool { return false }
	}
	processors := runtime.GOMAXPROCS(0)
	s := &Limiter{sending: sending}
	s.requests.share = requestShare * float64(processors)
	s.renders[Cacheable] = newQueue(processors+1, cacheableShare*float64(processors), maxWait)
	s.renders[Search] = newQueue(max(processors/2, 1), searchShare*float64(processors), searchWait)
	return s
}

// Request waits until a request may be answered, which is at once unless mail is sent. It
// returns ErrBusy when that would take too long, or the error of the context.
func (s *Limiter) Request(ctx context.Context) error {
	if s == nil || !s.sending() {
		return nil
	}
	wait := s.requests.reserve(time.Now(), requestCost)
	if wait > maxWait {
		return ErrBusy
	}
	return backoff.Wait(ctx, wait)
}

// Answered charges for an answer of a number of bytes. fromMemory is set if no handler had to be
// called for it.
func (s *Limiter) Answered(bytes int64, fromMemory bool) {
	if s == nil || fromMemory && bytes < 16<<10 || !s.sending() {
		return
	}
	cost := time.Duration(bytes) * costPerMB >> 20
	if !fromMemory {
		cost += handlerCost
	}
	s.requests.charge(time.Now(), cost)
}

// Render calls work as soon as the limits allow it. It returns ErrBusy when too many others
// wait, or the error of the context; work is then not called.
func (s *Limiter) Render(ctx context.Context, class Class, work func()) error {
	if s == nil {
		work()
		return nil
	}
	q := &s.renders[class]
	if err := q.enter(ctx); err != nil {
		return err
	}
	defer q.leave()
	if s.sending() {
		due := q.budget.debt(time.Now())
		if due > q.maxWait {
			return ErrBusy
		}
		if err := backoff.Wait(ctx, due); err != nil {
			return err
		}
	}
	began := time.Now()
	defer func() {
		if s.sending() {
			now := time.Now()
			q.budget.charge(now, now.Sub(began))
		}
	}()
	work()
	return nil
}

// queue limits how many renderings of a class run and wait.
type queue struct {
	running chan struct{}
	waiting chan struct{}
	maxWait time.Duration
	budget  budget
}

func newQueue(limit int, share float64, wait time.Duration) queue {
	return queue{running: make(chan struct{}, limit), waiting: make(chan struct{}, maxWaiting), maxWait: wait, budget: budget{share: share}}
}

// enter waits until fewer renderings run than the limit allows.
func (q *queue) enter(ctx context.Context) error {
	select {
	case q.running <- struct{}{}:
		return nil
	default:
	}
	select {
	case q.waiting <- struct{}{}:
		defer func() { <-q.waiting }()
	default:
		return ErrBusy
	}
	timer := time.NewTimer(q.maxWait)
	defer timer.Stop()
	select {
	case q.running <- struct{}{}:
		return nil
	case <-timer.C:
		return ErrBusy
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (q *queue) leave() { <-q.running }

// budget is an allowance of processor time that grows at a steady rate. A caller that uses
// more than has accrued must wait until the rest has accrued.
type budget struct {
	share float64 // processors

	mu        sync.Mutex
	paidUntil time.Time // when the allowance covers everything that was used
}

// burst is for how long the allowance accrues while it is not used.
const burst = 50 * time.Millisecond

// reserve adds a cost and returns how long the caller must wait first. If that is longer than
// maxWait, the cost is not added.
func (b *budget) reserve(now time.Time, cost time.Duration) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	wait := b.start(now).Sub(now)
	if wait <= maxWait {
		b.paidUntil = b.start(now).Add(b.waitFor(cost))
	}
	return max(wait, 0)
}

// charge adds a cost that was already spent.
func (b *budget) charge(now time.Time, cost time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.paidUntil = b.start(now).Add(b.waitFor(cost))
}

// debt returns how long it takes until the allowance covers everything that was used.
func (b *budget) debt(now time.Time) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	return max(b.paidUntil.Sub(now), 0)
}

// start returns the time from which the next cost is counted.
func (b *budget) start(now time.Time) time.Time {
	if earliest := now.Add(-burst); b.paidUntil.Before(earliest) {
		return earliest
	}
	return b.paidUntil
}

// waitFor returns how long a cost takes to accrue.
func (b *budget) waitFor(cost time.Duration) time.Duration {
	return time.Duration(float64(cost) / b.share)
}
