package delivery

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/tidings-press/tidings/mailer"
)

// tokens are mails that this node may still send in a window, taken from the
// limit that all nodes share.
type tokens struct {
	left int64
	used bool      // nobody has any left
	next time.Time // when the window ends
}

// admit takes a place within the relay's limits. When there is none it returns how
// long to wait for the next window.
func (r *relay) admit(ctx context.Context) (time.Duration, error) {
	if r.PerHour > 0 {
		if d, err := r.takeToken(ctx, "hour", time.Hour, int64(r.PerHour)); d > 0 || err != nil {
			return d, err
		}
	}
	if r.PerSecond <= 0 {
		return 0, nil
	}
	// Fewer than one a second are counted over as many seconds as make one.
	window, limit := time.Second, int64(math.Round(r.PerSecond))
	if r.PerSecond < 1 {
		window, limit = time.Duration(float64(time.Second)/r.PerSecond), 1
	}
	d, err := r.takeToken(ctx, "second", window, limit)
	if d > 0 && r.PerHour > 0 {
		r.giveToken("hour")
	}
	return d, err
}

// fullFor keeps for the other relays that this one's limits have no room for now.
func (r *relay) fullFor(d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.full = time.Now().Add(d)
}

// takeToken takes one mail of a window, fetching a batch from the store when this
// node has none left: a twentieth of the limit, so that nodes share it evenly and
// a dead one takes little along.
func (r *relay) takeToken(ctx context.Context, kind string, window time.Duration, limit int64) (time.Duration, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	t := r.tokens[kind]
	now := r.engine.Store.Now()
	if t == nil || !now.Before(t.next) {
		t = &tokens{}
		r.tokens[kind] = t
	}
	if t.left == 0 {
		if t.used {
			return t.next.Sub(now), nil
		}
		granted, next, err := r.engine.Store.TakeQuota(ctx, r.Name, kind, window, limit, max(1, limit/20))
		if err != nil {
			return 0, err
		}
		t.next, t.left = next, granted
		if granted == 0 {
			t.used = true
			return max(next.Sub(now), time.Millisecond), nil
		}
	}
	t.left--
	return 0, nil
}

func (r *relay) giveToken(kind string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if t := r.tokens[kind]; t != nil {
		t.left++
	}
}

// takeSlot takes one of the relay's connections that all nodes share; -1 when
// there is no limit. When all are taken it is not asked again for a while.
func (r *relay) takeSlot(ctx context.Context) (slot int64, ok bool) {
	if r.Connections == 0 {
		return -1, true
	}
	if r.isCrowded() {
		return -1, false
	}
	slot, err := r.engine.Store.TakeSlot(ctx, r.Name, r.engine.Node, r.Connections, r.engine.Lease)
	if err == nil && slot >= 0 {
		return slot, true
	}
	r.mu.Lock()
	r.crowded = time.Now().Add(crowdedWait)
	r.mu.Unlock()
	return -1, false
}

// crowdedWait is how long a node waits that found all connections taken.
const crowdedWait = 500 * time.Millisecond

func (r *relay) isCrowded() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return time.Now().Before(r.crowded)
}

// lookForRoom keeps a node without any connection from fetching mails that it could
// not send: it does so again when another node has given a connection back.
func (r *relay) lookForRoom(ctx context.Context) {
	r.mu.Lock()
	due := r.running == 0 && !r.crowded.IsZero() && !time.Now().Before(r.crowded)
	r.mu.Unlock()
	if !due {
		return
	}
	taken, err := r.engine.Store.SlotsTaken(ctx, r.Name)
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil || taken >= int64(r.Connections) {
		r.crowded = time.Now().Add(crowdedWait)
		return
	}
	r.crowded = time.Time{}
}

func (r *relay) dropSlot(slot int64) {
	if slot < 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), releaseFor)
	defer cancel()
	// What cannot be given back is free when its lease ends.
	_ = r.engine.Store.DropSlot(ctx, r.Name, r.engine.Node, slot)
}

// keepSlots renews the connection slots of this node.
func (e *Engine) keepSlots(ctx context.Context) {
	for _, r := range e.relays {
		if r.Connections > 0 {
			_ = e.Store.RenewSlots(ctx, e.Node, e.Lease)
			return
		}
	}
}

// readHolds learns what other nodes found out.
func (e *Engine) readHolds(ctx context.Context) {
	holds, err := e.Store.Holds(ctx)
	if err != nil {
		return
	}
	now := e.Store.Now()
	for _, r := range e.relays {
		r.mu.Lock()
		r.shared = time.Time{} // somebody may have ended it
		for _, h := range holds {
			until := time.Now().Add(h.Until.Sub(now))
			switch {
			case h.Kind == "relay" && h.Name == r.Name:
				r.shared = until
			case h.Kind == "domain" && until.After(r.domains[h.Name]):
				r.domains[h.Name] = until
			}
		}
		r.mu.Unlock()
	}
}

// freshStart ends the holds of this node's relays: whoever starts a node has most
// likely changed what was wrong.
func (e *Engine) freshStart(ctx context.Context) {
	for _, r := range e.relays {
		r.drop(ctx, "relay")
	}
}

// restOf says until when a domain asks for a rest; zero when it does not.
func (r *relay) restOf(domain string) time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	until, ok := r.domains[domain]
	if ok && time.Now().After(until) {
		delete(r.domains, domain)
		return time.Time{}
	}
	return until
}

// throttled backs off from a domain that asked to slow down, longer each time.
func (r *relay) throttled(ctx context.Context, domain string, reply mailer.Reply) {
	if reply.Code == 421 {
		r.shrink()
	}
	r.restDomain(ctx, domain, backoff(30*time.Second, time.Hour, r.step(domain)), reply)
}

// step counts how often in a row a domain asked to slow down.
func (r *relay) step(domain string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.steps[domain]++
	r.throttle.Store(int64(len(r.steps)))
	return r.steps[domain]
}

func (r *relay) restDomain(ctx context.Context, domain string, d time.Duration, reply mailer.Reply) {
	r.mu.Lock()
	r.domains[domain] = time.Now().Add(d)
	r.mu.Unlock()
	r.tell(ctx, "domain", domain, d, reply.String())
}

// faultsBeforeHold is how many refusals for what we are stop a relay.
const faultsBeforeHold = 5

// blame counts a refusal for what we are or send. The domain gets a rest; when
// several say so in a row the relay stops, rather than burn through the list.
func (r *relay) blame(ctx context.Context, domain string, reply mailer.Reply) {
	r.restDomain(ctx, domain, faultWait, reply)
	if r.faults.Add(1) == faultsBeforeHold {
		r.faults.Store(0)
		reason := fmt.Sprintf("%d refusals in a row for what we are or send, the last: %s", faultsBeforeHold, reply)
		r.engine.Log.Error("relay stopped", "relay", r.Name, "reason", reason)
		r.hold(ctx, faultWait, reason)
	}
}

// praised ends a row of refusals.
func (r *relay) praised(domain string) {
	r.accepted.Add(1)
	r.share.add(time.Now())
	r.faults.Store(0)
	if r.throttle.Load() == 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.steps, domain)
	r.throttle.Store(int64(len(r.steps)))
}
