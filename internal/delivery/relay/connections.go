package relay

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// Lease is the right to use one of the connections to a relay that all nodes share. A node that
// was frozen or cut off from the store may have lost it to another node, so a mail is started
// only on a lease that was renewed in time. The lease of a relay without a limit is nil.
type Lease struct {
	number  int64
	length  time.Duration
	renewed atomic.Pointer[time.Time]
	lost    atomic.Bool
}

// Valid reports whether a mail may be started on the connection.
func (l *Lease) Valid() bool {
	return l == nil || !l.lost.Load() && time.Since(*l.renewed.Load()) < l.length
}

func (l *Lease) renew(at time.Time) { l.renewed.Store(&at) }

// leases holds this node's connection leases of a relay.
type leases struct {
	mu      sync.Mutex
	held    map[*Lease]bool
	retryAt time.Time // when to try again after all connections were taken; zero if they were not
}

const (
	// allTakenWait is how long a node waits after it found all connections taken.
	allTakenWait = 500 * time.Millisecond
	// singleMailWait is how long a single mail waits for a connection that editions give back.
	singleMailWait = 5 * time.Second
	// releaseTimeout is the timeout for releasing a lease. A lease that could not be released
	// ends by itself.
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
	if time.Now().Before(l.retryAt) {
		return nil, false
	}
	asked := time.Now()
	number, err := r.set.Store.LeaseConnection(ctx, r.Name, r.set.Node, r.Connections, r.set.Lease)
	if err != nil || number < 0 {
		l.retryAt = time.Now().Add(allTakenWait)
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

// AcquireForSingleMail takes a connection for a single mail. When editions use all of them, it waits
// until one of them ends after its current mail.
func (r *Relay) AcquireForSingleMail(ctx context.Context) (lease *Lease, ok bool) {
	if lease, ok = r.Acquire(ctx); ok {
		return lease, true
	}
	r.singleMails.Add(1)
	defer r.singleMails.Add(-1)
	ctx, cancel := context.WithTimeout(ctx, singleMailWait)
	defer cancel()
	ticker := time.NewTicker(allTakenWait / 5)
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

// allConnectionsTaken reports whether other nodes had all connections at the last try.
func (r *Relay) allConnectionsTaken() bool {
	r.leases.mu.Lock()
	defer r.leases.mu.Unlock()
	return !r.leases.retryAt.IsZero()
}

// recheckConnections marks the relay as used up as long as other nodes have all its connections, so
// that this node does not claim mails that it cannot send.
func (r *Relay) recheckConnections(ctx context.Context) {
	l := &r.leases
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.held) > 0 || l.retryAt.IsZero() || time.Now().Before(l.retryAt) {
		return
	}
	taken, err := r.set.Store.CountConnections(ctx, r.Name)
	if err != nil || taken >= int64(r.Connections) {
		l.retryAt = time.Now().Add(allTakenWait)
		return
	}
	l.retryAt = time.Time{}
}

// renewLeases renews this node's connection leases, and marks those as lost that another node
// has taken.
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
