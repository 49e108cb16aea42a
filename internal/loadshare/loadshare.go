// Package loadshare keeps a share of the machine for sending mail, whatever readers ask for
// over HTTP. New makes a Share. Share.Request is called for each request, Share.Render does
// the work of an answer that is not ready in memory.
//
// While mail is sent as fast as the machine allows, requests have 7 % of the processors and
// renderings 8 %. What comes faster waits in a queue, and is refused when the queue is long. At all other times requests have the whole machine, and renderings are only
// bounded in number, since more at a time would finish none of them sooner.
package loadshare

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"time"
)

// ErrBusy is returned when the queue is too long: the answer is 503 with Retry-After.
var ErrBusy = errors.New("too many requests wait for their turn")

// Class is a kind of rendering. Each has slots and a share of its own, so that a flood of one
// kind does not hold up the other.
type Class int

// The classes.
const (
	Linked  Class = iota // documents that links lead to: there is a bounded number of them
	AdHoc               // searches and expressions, of which anyone can think up more
	classes = 2
)

// The shares of one processor that requests and renderings have while mail is sent, times the
// number of processors.
const (
	requestShare = 0.07
	linkedShare  = 0.06
	adHocShare  = 0.02
)

// What an answer from memory costs: reading the request, the system calls, and copying the body
// to the socket; and how much more others cost besides their rendering. Measured with wrk, whose
// own part is in it.
const (
	requestCost = 50 * time.Microsecond
	handlerCost = 30 * time.Microsecond
	costPerMB    = 400 * time.Microsecond
)

// How long requests and renderings wait, and how many of each class.
const (
	maxWait = 10 * time.Second
	adHocWait  = 3 * time.Second
	maxWaiting = 512
)

// Share is the part of the machine that answers to readers may use. Its methods may be called
// by many goroutines, and on nil, which sets no limits.
type Share struct {
	sending     func() bool
	requests budget
	renders  [classes]queue
}

// New makes a share. busy reports whether mail is sent right now; nil means never.
func New(sending func() bool) *Share {
	if sending == nil {
		sending = func() bool { return false }
	}
	processors := runtime.GOMAXPROCS(0)
	s := &Share{sending: sending}
	s.requests.share = requestShare * float64(processors)
	s.renders[Linked] = newQueue(processors+1, linkedShare*float64(processors), maxWait)
	s.renders[AdHoc] = newQueue(max(processors/2, 1), adHocShare*float64(processors), adHocWait)
	return s
}

// Request waits until a request may be answered, which is at once unless mail is sent. It
// returns ErrBusy when that would take too long, or the error of the context.
func (s *Share) Request(ctx context.Context) error {
	if s == nil || !s.sending() {
		return nil
	}
	wait := s.requests.reserve(time.Now(), requestCost)
	if wait > maxWait {
		return ErrBusy
	}
	return sleep(ctx, wait)
}

// Answered counts the bytes of an answer. fromMemory says that no handler was needed for it.
func (s *Share) Answered(bytes int64, fromMemory bool) {
	if s == nil || fromMemory && bytes < 16<<10 || !s.sending() {
		return
	}
	cost := time.Duration(bytes) * costPerMB >> 20
	if !fromMemory {
		cost += handlerCost
	}
	s.requests.charge(time.Now(), cost)
}

// Render does work for an answer, when it is its turn. It returns ErrBusy when too many wait,
// or the error of the context, without having begun.
func (s *Share) Render(ctx context.Context, class Class, work func()) error {
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
		if err := sleep(ctx, due); err != nil {
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

// queue bounds how many renderings of a class are under way and wait.
type queue struct {
	running   chan struct{}
	waiting chan struct{}
	maxWait    time.Duration
	budget  budget
}

func newQueue(limit int, share float64, wait time.Duration) queue {
	return queue{running: make(chan struct{}, limit), waiting: make(chan struct{}, maxWaiting), maxWait: wait, budget: budget{share: share}}
}

// enter waits for a slot.
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

// budget is processor time that comes in at a steady rate. What is taken in advance is paid
// back by waiting.
type budget struct {
	share float64 // processors

	mu   sync.Mutex
	paidUntil time.Time // when all that was taken is paid for
}

// burst is how much time may be saved up while nothing is asked for.
const burst = 50 * time.Millisecond

// reserve takes a cost and returns how long to wait before it is spent. What would have to
// wait too long is not taken.
func (b *budget) reserve(now time.Time, cost time.Duration) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	wait := b.start(now).Sub(now)
	if wait <= maxWait {
		b.paidUntil = b.start(now).Add(b.waitFor(cost))
	}
	return max(wait, 0)
}

// charge takes a cost that was spent already.
func (b *budget) charge(now time.Time, cost time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.paidUntil = b.start(now).Add(b.waitFor(cost))
}

// debt is how long it takes until everything is paid for.
func (b *budget) debt(now time.Time) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	return max(b.paidUntil.Sub(now), 0)
}

func (b *budget) start(now time.Time) time.Time {
	if earliest := now.Add(-burst); b.paidUntil.Before(earliest) {
		return earliest
	}
	return b.paidUntil
}

func (b *budget) waitFor(cost time.Duration) time.Duration {
	return time.Duration(float64(cost) / b.share)
}

func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
