package relay

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// Lease is the right to one of the connections to a relay that all nodes share. A node that
// was frozen or cut off from its store may have lost it to another one, so a mail is begun
// only on a lease that was renewed in time. A nil lease is that of a relay without a limit.
type Lease struct {
	number  int64
	length  time.Duration
	renewed atomic.Pointer[time.Time]
	lost    atomic.Bool
}

// Valid reports whether a mail may be begun.
func (l *Lease) Valid() bool {
	return l == nil || !l.lost.Load() && time.Since(*l.renewed.Load()) < l.length
}

func (l *Lease) renew(at time.Time) { l.renewed.Store(&at) }

// leases are the connections to a relay that this node has.
type leases struct {
	mu      sync.Mutex
	held    map[*Lease]bool
	crowded time.Time // other nodes had all connections; to be tried again then
}

const (
	// crowdedWait is how long a node waits that found all connections taken.
	crowdedWait = 500 * time.Millisecond
	// noticeWait is how long a single mail waits for a connection that editions give back.
	noticeWait = 5 * time.Second
	// releaseTimeout bounds how long a connection takes to be given back. What is not given
	// back is free when its lease ends.
	releaseTimeout = 5 * time.Second
)

// Acquire takes one of the relay's connections; the lease is nil when the relay has no limit.
// ok is false when all are taken.
func (r *Relay) Acquire(ctx context.Context) (lease *Lease, ok bool) {
	if r.Connections == 0 {
		return nil, true
	}
	l := &r.leases
	l.mu.Lock()
	defer l.mu.Unlock()
	if time.Now().Before(l.crowded) {
		return nil, false
	}
	asked := time.Now()
	number, err := r.set.Store.LeaseConnection(ctx, r.Name, r.set.Node, r.Connections, r.set.Lease)
	if err != nil || number < 0 {
		l.crowded = time.Now().Add(crowdedWait)
		return nil, false
	}
	lease = &Lease{number: number, length: r.set.Lease}
	lease.renew(asked)
	if l.held == nil {
		l.held = map[*Lease]bool{}
	}
	l.held[lease] = true
	return lease, true
}

// AcquireForNotice takes a connection for a single mail. When editions have all of them, one
// ends after its mail and makes room.
func (r *Relay) AcquireForNotice(ctx context.Context) (lease *Lease, ok bool) {
	if lease, ok = r.Acquire(ctx); ok {
		return lease, true
	}
	r.notices.Add(1)
	defer r.notices.Add(-1)
	ctx, cancel := context.WithTimeout(ctx, noticeWait)
	defer cancel()
	ticker := time.NewTicker(crowdedWait / 5)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return nil, false
		}
		if lease, ok = r.Acquire(ctx); ok {
			return lease, true
		}
	}
}

// Release gives a connection back.
func (r *Relay) Release(lease *Lease) {
	if lease == nil {
		return
	}
	r.leases.mu.Lock()
	delete(r.leases.held, lease)
	r.leases.mu.Unlock()
	if lease.lost.Load() {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), releaseTimeout)
	defer cancel()
	_ = r.set.Store.ReleaseConnection(ctx, r.Name, r.set.Node, lease.number)
}

// crowded reports whether other nodes had all connections at the last try.
func (r *Relay) crowded() bool {
	r.leases.mu.Lock()
	defer r.leases.mu.Unlock()
	return !r.leases.crowded.IsZero()
}

// checkCrowded keeps a node without any connection from claiming mails that it could not
// send, until another node has given a connection back.
func (r *Relay) checkCrowded(ctx context.Context) {
	l := &r.leases
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.held) > 0 || l.crowded.IsZero() || time.Now().Before(l.crowded) {
		return
	}
	taken, err := r.set.Store.CountConnections(ctx, r.Name)
	if err != nil || taken >= int64(r.Connections) {
		l.crowded = time.Now().Add(crowdedWait)
		return
	}
	l.crowded = time.Time{}
}

// renewLeases renews the connections of this node. Those that another node has taken since
// are lost.
func (r *Relay) renewLeases(ctx context.Context) {
	if r.Connections == 0 {
		return
	}
	l := &r.leases
	l.mu.Lock()
	defer l.mu.Unlock()
	asked := time.Now()
	kept, err := r.set.Store.RenewConnections(ctx, r.Name, r.set.Node, r.set.Lease)
	if err != nil {
		return
	}
	ours := map[int64]bool{}
	for _, number := range kept {
		ours[number] = true
	}
	for lease := range l.held {
		if ours[lease.number] {
			lease.renew(asked)
		} else {
			lease.lost.Store(true)
		}
	}
}
