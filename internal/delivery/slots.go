package delivery

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// slot is one of the connections to a relay that all nodes share. A node that was
// frozen or without its store may have lost it to another one, so a mail is begun
// only on one that was renewed within its lease.
type slot struct {
	number  int64
	lease   time.Duration
	renewed atomic.Pointer[time.Time]
	lost    atomic.Bool
}

// valid says whether a mail may be begun. Without a limit there is no slot.
func (s *slot) valid() bool {
	return s == nil || !s.lost.Load() && time.Since(*s.renewed.Load()) < s.lease
}

func (s *slot) renew(at time.Time) { s.renewed.Store(&at) }

// slots are those that this node holds of a relay.
type slots struct {
	mu      sync.Mutex
	held    map[*slot]bool
	crowded time.Time // other nodes had all connections; looked at again then
}

// crowdedWait is how long a node waits that found all connections taken.
const crowdedWait = 500 * time.Millisecond

// takeSlot takes one of the relay's connections; nil when there is no limit. When
// all are taken it is not asked again for a while.
func (r *relay) takeSlot(ctx context.Context) (taken *slot, ok bool) {
	if r.Connections == 0 {
		return nil, true
	}
	l := &r.slots
	l.mu.Lock()
	defer l.mu.Unlock()
	if time.Now().Before(l.crowded) {
		return nil, false
	}
	asked := time.Now()
	number, err := r.engine.Store.LeaseConnection(ctx, r.Name, r.engine.Node, r.Connections, r.engine.Lease)
	if err != nil || number < 0 {
		l.crowded = time.Now().Add(crowdedWait)
		return nil, false
	}
	taken = &slot{number: number, lease: r.engine.Lease}
	taken.renew(asked)
	if l.held == nil {
		l.held = map[*slot]bool{}
	}
	l.held[taken] = true
	return taken, true
}

// dropSlot gives a connection back. What cannot be given back is free when its
// lease ends.
func (r *relay) dropSlot(taken *slot) {
	if taken == nil {
		return
	}
	r.slots.mu.Lock()
	delete(r.slots.held, taken)
	r.slots.mu.Unlock()
	if taken.lost.Load() {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), releaseFor)
	defer cancel()
	_ = r.engine.Store.ReleaseConnection(ctx, r.Name, r.engine.Node, taken.number)
}

// crowded says whether other nodes had all connections when it was last tried.
func (r *relay) crowded() bool {
	r.slots.mu.Lock()
	defer r.slots.mu.Unlock()
	return !r.slots.crowded.IsZero()
}

// lookForRoom keeps a node without any connection from fetching mails that it could
// not send: it does so again when another node has given a connection back.
func (r *relay) lookForRoom(ctx context.Context) {
	l := &r.slots
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.held) > 0 || l.crowded.IsZero() || time.Now().Before(l.crowded) {
		return
	}
	taken, err := r.engine.Store.CountConnections(ctx, r.Name)
	if err != nil || taken >= int64(r.Connections) {
		l.crowded = time.Now().Add(crowdedWait)
		return
	}
	l.crowded = time.Time{}
}

// keepSlots renews the connections of this node. Those that another node has taken
// meanwhile are lost.
func (r *relay) keepSlots(ctx context.Context) {
	if r.Connections == 0 {
		return
	}
	l := &r.slots
	l.mu.Lock()
	defer l.mu.Unlock()
	asked := time.Now()
	kept, err := r.engine.Store.RenewConnections(ctx, r.Name, r.engine.Node, r.engine.Lease)
	if err != nil {
		return
	}
	ours := map[int64]bool{}
	for _, number := range kept {
		ours[number] = true
	}
	for held := range l.held {
		if ours[held.number] {
			held.renew(asked)
		} else {
			held.lost.Store(true)
		}
	}
}
