package delivery

import (
	"context"
	"time"

	"github.com/tidings-press/tidings/internal/store"
)

// standing is what a relay's own behaviour has come to on this node. The relay's
// lock guards it.
type standing struct {
	until  time.Time // this node dials it no more until then
	shared time.Time // no node sends over it until then
	stops  int       // how often this node has said so
	reason string    // of either

	proved  bool // a dial has succeeded since the last one that failed
	failing bool // the last dial failed, or its connections end before they have taken a mail
	told    bool // the store says so

	dials    int // that failed, in a row
	stumbles int // connections that ended before they took a mail, in a row
	faults   int // refusals for what we are, in a row
	doubts   int // mails in doubt, in a row
	doubted  int // holds for doubts, in a row

	domain  string // of the first fault in the row
	several bool   // another domain said so too
}

const (
	// faultsBeforeHold is how many refusals in a row for what we are stop a relay.
	faultsBeforeHold = 5
	// doubtsBeforeHold is how many mails in doubt in a row stop a relay: one that
	// takes mails and never says so would get each of them again and again.
	doubtsBeforeHold = 5
	doubtHold        = 30 * time.Second
	// stumblesBeforeRest is how many connections in a row may end before they took a
	// mail. One may be a server that is being restarted.
	stumblesBeforeRest = 3
	// settingsWait is how long a relay rests that only a change of settings can help.
	settingsWait = 5 * time.Minute
	// longestHold is longer than any hold: one beyond it was set by a clock that was
	// put back since.
	longestHold = 2 * time.Hour
)

// held says whether this node begins no conversation with the relay at the moment.
func (r *relay) held() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.heldNow()
}

// heldFor is the reason why the relay is held back; empty when it is not.
func (r *relay) heldFor() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.heldNow() {
		return ""
	}
	return r.reason
}

// heldNow is held for those who have the lock.
func (r *relay) heldNow() bool { return time.Now().Before(r.until) || r.stoppedNow() }

// stopped says whether no node may send over the relay, not even on a connection
// that is open.
func (r *relay) stopped() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.stoppedNow()
}

// stoppedNow is stopped for those who have the lock.
func (r *relay) stoppedNow() bool { return time.Now().Before(r.shared) }

// hold keeps mail from this relay on all nodes, and says why.
func (r *relay) hold(ctx context.Context, d time.Duration, reason string) {
	r.mu.Lock()
	r.shared, r.reason = time.Now().Add(d), reason
	r.stops++
	r.mu.Unlock()
	r.engine.Log.Error("relay stopped", "relay", r.Name, "for", d.Round(time.Second), "reason", reason)
	r.tell(ctx, store.RelayHeld, "", d, reason)
}

// rest keeps mail from this relay on this node, which cannot reach it. The others
// may well do: they are told for whoever looks at the progress.
func (r *relay) rest(ctx context.Context, d time.Duration, reason string) {
	r.mu.Lock()
	r.until, r.reason = time.Now().Add(d), reason
	r.proved, r.failing, r.told = false, true, true
	r.mu.Unlock()
	r.tell(ctx, store.ConnectionHeld, "", d, reason)
}

func (r *relay) tell(ctx context.Context, kind store.HoldKind, domain string, d time.Duration, reason string) {
	h := store.Hold{Relay: r.Name, Kind: kind, Domain: domain, Until: r.engine.Store.Now().Add(d), Reason: reason}
	if err := r.engine.Store.PutHold(ctx, h); err != nil {
		r.engine.Log.Warn("a hold could not be told to other nodes", "what", h.Target(), "error", err)
	}
}

func (r *relay) drop(ctx context.Context, kind store.HoldKind) {
	h := store.Hold{Relay: r.Name, Kind: kind}
	if err := r.engine.Store.DropHold(ctx, h); err != nil {
		r.engine.Log.Warn("the end of a hold could not be told", "what", h.Target(), "error", err)
	}
}

// readHolds learns what other nodes found out.
func (e *Engine) readHolds(ctx context.Context) {
	stops := make([]int, len(e.relays))
	for i, r := range e.relays {
		stops[i] = r.stopsSoFar()
	}
	holds, err := e.Store.Holds(ctx)
	if err != nil {
		return
	}
	now := e.Store.Now()
	for i, r := range e.relays {
		var shared store.Hold // none when somebody has ended it
		for _, h := range holds {
			left := h.Until.Sub(now)
			if h.Relay != r.Name || left > longestHold {
				continue
			}
			switch h.Kind {
			case store.RelayHeld:
				shared = h
			case store.DomainHeld:
				r.domains.learn(h.Domain, time.Now().Add(left))
			}
		}
		r.mu.Lock()
		if r.stops == stops[i] { // else it was stopped here after the store was asked
			r.learn(shared, now)
		}
		r.mu.Unlock()
	}
}

// learn takes over what another node said of the relay, or that nobody says anything
// any more.
func (r *relay) learn(h store.Hold, now time.Time) {
	if r.shared = (time.Time{}); !h.Until.IsZero() {
		r.shared, r.reason = time.Now().Add(h.Until.Sub(now)), h.Reason
	}
}

func (r *relay) stopsSoFar() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.stops
}

// freshStart ends the holds of this node's relays: whoever starts a node has most
// likely changed what was wrong.
func (e *Engine) freshStart(ctx context.Context) {
	for _, r := range e.relays {
		r.drop(ctx, store.RelayHeld)
	}
}
