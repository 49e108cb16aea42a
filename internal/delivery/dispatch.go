package delivery

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tidings-press/tidings/internal/store"
)

// lease is a chunk that this node holds.
type lease struct {
	store.Chunk
	edition *loadedEdition
	open    atomic.Int64 // jobs without a recorded outcome, and one for the dispatcher
	lost    atomic.Bool  // another node has the chunk, or the edition is no longer sent
}

// leaseSet holds the leases of this node.
type leaseSet struct {
	mu         sync.Mutex
	all        map[*lease]bool
	unreleased []*lease // could not be given back, since the store could not be reached
}

func (s *leaseSet) add(l *lease) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all == nil {
		s.all = map[*lease]bool{}
	}
	s.all[l] = true
}

func (s *leaseSet) remove(l *lease) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.all, l)
}

func (s *leaseSet) list() []*lease {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Collect(maps.Keys(s.all))
}

// chunks returns all that this node has leased and not given back.
func (s *leaseSet) chunks() []store.Chunk {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []store.Chunk
	for l := range s.all {
		out = append(out, l.Chunk)
	}
	for _, l := range s.unreleased {
		out = append(out, l.Chunk)
	}
	return out
}

// keepUnreleased remembers a lease that could not be given back.
func (s *leaseSet) keepUnreleased(l *lease) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unreleased = append(s.unreleased, l)
}

// takeUnreleased returns the leases that could not be given back, and forgets them.
func (s *leaseSet) takeUnreleased() []*lease {
	s.mu.Lock()
	defer s.mu.Unlock()
	unreleased := s.unreleased
	s.unreleased = nil
	return unreleased
}

// lowWater is the queue length below which the next chunk is fetched. It is large enough that
// connections do not run out of work in the meantime.
const lowWater = 128

// dispatch claims chunks and queues their mails until the context ends.
func (e *Engine) dispatch(ctx context.Context) {
	e.every(ctx, "chunks", func(ctx context.Context) error {
		var lastOpen time.Time // when a relay last took mail
		for ctx.Err() == nil {
			e.heartbeats.beat("chunks")
			open := e.relays.Available() // chunks that cannot be sent from here are left to other nodes
			if open || lastOpen.IsZero() {
				lastOpen = time.Now()
			}
			if !open && e.queue.length() > 0 && time.Since(lastOpen) > releaseAfter {
				e.releaseAll()
			}
			if e.relays.WarmupWait() > 0 {
				e.releaseAll()
			}
			if e.queue.length() > lowWater || !open {
				select {
				case <-e.queue.taken:
				case <-ctx.Done():
				case <-time.After(e.Poll):
				}
				continue
			}
			more, err := e.claim(ctx)
			if err != nil || !more {
				e.waitForWork(ctx)
				return err
			}
		}
		return nil
	})
}

// releaseAfter is how long a node that reaches no relay keeps chunks that other nodes could
// send.
const releaseAfter = 2 * time.Second

// waitForWork waits for the next poll, or for wakeDispatcher.
func (e *Engine) waitForWork(ctx context.Context) {
	select {
	case <-e.wake:
	case <-ctx.Done():
	case <-time.After(e.Poll):
	}
}

// claim leases one chunk and queues its mails. It returns false when there is none.
func (e *Engine) claim(ctx context.Context) (bool, error) {
	chunk, err := e.Store.ClaimChunk(ctx, e.Node, e.Lease, e.leases.chunks()...)
	if err != nil || chunk == nil {
		return false, err
	}
	l := &lease{Chunk: *chunk}
	l.open.Store(1)
	e.leases.add(l)
	defer e.done(l)
	if l.edition, err = e.load(ctx, chunk.Edition); err != nil {
		// An edition that cannot be loaded must not block other editions.
		err = fmt.Errorf("edition %d: %w", chunk.Edition, err)
		return false, errors.Join(err, e.Store.DeferEdition(ctx, *chunk, e.Store.Now().Add(deferEditionFor)))
	}
	now := e.Store.Now()                   // before the wait is read: the day may end while the store is written
	if d := e.relays.WarmupWait(); d > 0 { // what is left is sent tomorrow
		return true, e.Store.DeferEdition(ctx, *chunk, now.Add(min(d, deferWarmupFor)))
	}
	if paused, err := e.pauseForRates(ctx, l.edition.Edition); err != nil || paused {
		return paused, err
	}
	people, err := e.Store.Recipients(ctx, *chunk, e.Policy.Resend)
	if err != nil {
		return false, err
	}
	jobs := make([]job, len(people))
	for i, r := range people {
		jobs[i] = job{Recipient: r, lease: l}
	}
	l.open.Add(int64(len(jobs)))
	e.queue.put(jobs)
	e.relays.Wake()
	return true, nil
}

// deferEditionFor is how long to wait before an edition that cannot be loaded is claimed again.
const deferEditionFor = time.Minute

// deferWarmupFor is the longest time before an edition that waits for a warm-up is claimed again.
const deferWarmupFor = time.Hour

// done records that a job of a lease is settled, and releases the chunk with the last one.
func (e *Engine) done(l *lease) {
	if l.open.Add(-1) > 0 {
		return
	}
	e.leases.remove(l)
	e.release(l)
}

// releaseFor is the timeout for releasing a chunk. A chunk that could not be released becomes
// free when its lease ends.
const releaseFor = 5 * time.Second

func (e *Engine) release(l *lease) {
	ctx, cancel := context.WithTimeout(context.Background(), releaseFor)
	defer cancel()
	e.recorder.DiscardCounts(l.Chunk)
	finished, err := e.Store.ReleaseChunk(ctx, l.Chunk, e.Policy.Resend)
	if err != nil {
		e.Log.Warn("a chunk could not be given back yet", "edition", l.Chunk.Edition, "chunk", l.Number, "error", err)
		e.leases.keepUnreleased(l)
		return
	}
	if finished && l.edition != nil {
		e.Log.Info("edition sent", "digest", l.edition.Digest, "edition", l.edition.ID)
	}
}

// releaseAll drops the queued jobs and releases their chunks.
func (e *Engine) releaseAll() {
	for _, j := range e.queue.drain() {
		e.done(j.lease)
	}
}

// keepLeases renews this node's leases of chunks and connections. It marks leases that were
// lost, so that none of their mails is started.
func (e *Engine) keepLeases(ctx context.Context) {
	for ctx.Err() == nil {
		wait(ctx, e.Lease/4)
		for _, l := range e.leases.takeUnreleased() {
			e.release(l)
		}
		for _, l := range e.leases.list() {
			kept, err := e.Store.RenewChunk(ctx, l.Chunk, e.Lease)
			if err == nil && !kept {
				l.lost.Store(true)
			}
		}
		e.relays.Renew(ctx)
	}
}
