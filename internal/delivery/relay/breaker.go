package relay

import (
	"context"
	"errors"
	"time"

	"github.com/tidings-press/tidings/internal/backoff"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/words"
	"github.com/tidings-press/tidings/mailer"
)

// breaker is the circuit breaker of a relay on this node. It opens in two ways: a relay that cannot
// be reached is held, and this node does not dial it; a relay that refuses our mail is stopped, and
// no node sends over it. When the time is over, one connection tries again. The relay's lock guards
// it.
type breaker struct {
	heldUntil    time.Time // this node does not dial the relay until then
	stoppedUntil time.Time // no node sends over the relay until then
	stops        int       // times this node has stopped it
	reason       string    // of either

	proved    bool // a dial has succeeded since the last failure
	failing   bool // the last dial failed, or connections end before a mail was accepted
	announced bool // the hold is in the store

	// Counts of events in a row.
	failedDials     int
	lostConnections int // ended before a mail was accepted
	refusals        int // policy refusals
	uncertain       int
	uncertainStops  int

	firstDomain    string // of the refusals in a row
	severalDomains bool   // another domain refused too
}

const (
	// refusalsBeforeStop is how many refusals by policy in a row stop a relay.
	refusalsBeforeStop = 5
	// uncertainBeforeStop is how many uncertain mails in a row stop a relay. Otherwise a relay that
	// accepts mails without a reply would get each of them many times.
	uncertainBeforeStop = 5
	uncertainWait       = 30 * time.Second
	// refusalWait is how long a relay is stopped, or a domain throttled, after policy refusals: a
	// person must fix the cause, and until then the same mail would be refused again.
	refusalWait = 15 * time.Minute
	// lostBeforeHold is how many connections in a row that end before a mail was accepted hold
	// the relay. A single one may mean that the server is restarting.
	lostBeforeHold = 3
	// Bounds of the wait before a relay that cannot be reached is dialled again.
	firstRedial   = 250 * time.Millisecond
	longestRedial = 30 * time.Second
	// settingsWait is how long a relay is held after a failure that needs a change of settings.
	settingsWait = 5 * time.Minute
	// longestHold is longer than any hold. A hold that seems longer was written before the clock
	// was set back, and is ignored.
	longestHold = 2 * time.Hour
)

// Held reports whether this node must not dial the relay now.
func (r *Relay) Held() bool { return r.HeldReason() != "" }

// HeldReason returns why the relay is held or stopped; empty when it is not.
func (r *Relay) HeldReason() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.heldNow() {
		return ""
	}
	if r.reason == "" {
		return "no reason given"
	}
	return r.reason
}

// State is the state of a relay's circuit breaker on this node.
type State string

// The states.
const (
	Closed   State = "closed"
	Open     State = "open"      // nothing is sent
	HalfOpen State = "half_open" // a single connection tries whether the relay works again
)

// States are all states, in the order of their definition.
var States = []State{Closed, Open, HalfOpen}

// State returns the state of the circuit breaker.
func (r *Relay) State() State {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.heldNow():
		return Open
	case r.failing:
		return HalfOpen
	}
	return Closed
}

// Stopped reports whether no node may send over the relay, not even on an open connection.
func (r *Relay) Stopped() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.stoppedNow()
}

// Reachable reports whether the last dial succeeded.
func (r *Relay) Reachable() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.proved
}

// heldNow and stoppedNow are Held and Stopped for callers that have the lock.
func (r *Relay) heldNow() bool    { return time.Now().Before(r.heldUntil) || r.stoppedNow() }
func (r *Relay) stoppedNow() bool { return time.Now().Before(r.stoppedUntil) }

// Dial connects to the relay. A failed dial holds the relay. Call Closed when the connection has ended.
func (r *Relay) Dial(ctx context.Context) (*mailer.Conn, error) {
	conn, err := mailer.Dial(ctx, r.Relay)
	r.connectionCount.Dialled(err)
	if err != nil {
		r.onDialFailed(ctx, err)
		return nil, err
	}
	r.onDialed(ctx)
	return conn, nil
}

// Closed counts the end of a connection that Dial made.
func (r *Relay) Closed() { r.connectionCount.Closed() }

// onDialFailed holds the relay after a failed dial: briefly after a temporary failure, longer
// when only a change of settings helps, so that a wrong password is not tried for every mail.
func (r *Relay) onDialFailed(ctx context.Context, err error) {
	if ctx.Err() != nil {
		return
	}
	var failed *mailer.DialError
	if errors.As(err, &failed) && !failed.Temporary() {
		r.set.Log.Error("relay paused", "relay", r.Name, "reason", err)
		r.hold(ctx, settingsWait, err.Error())
		return
	}
	if errors.As(err, &failed) && failed.Reply.Code == 421 {
		r.shrink()
	}
	r.mu.Lock()
	r.failedDials++
	n := r.failedDials
	r.mu.Unlock()
	if n == 1 || n%10 == 0 {
		r.set.Log.Warn("relay cannot be reached", "relay", r.Name, "times", n, "error", err)
	}
	r.hold(ctx, backoff.Delay(firstRedial, longestRedial, n), err.Error())
}

// onDialed records a successful dial. It does not end the hold of a relay whose connections end
// before a mail is accepted.
func (r *Relay) onDialed(ctx context.Context) {
	r.mu.Lock()
	r.failedDials = 0
	works, first := r.lostConnections < lostBeforeHold, !r.proved
	r.proved = works
	r.mu.Unlock()
	if works && first {
		r.wakeUp()
	}
	if works {
		r.endHold(ctx)
	}
}

// onConnectionLost records a connection that ended before a mail was accepted. After several in
// a row the relay is held, so that it is not dialled for each mail of a list. slowDown reports
// that the server asked for fewer connections.
func (r *Relay) onConnectionLost(ctx context.Context, reason string, slowDown bool) {
	if slowDown {
		r.shrink()
	}
	r.mu.Lock()
	r.lostConnections++
	n := r.lostConnections
	r.mu.Unlock()
	if n >= lostBeforeHold {
		r.hold(ctx, backoff.Delay(firstRedial, longestRedial, n+1-lostBeforeHold), reason)
	}
}

// onReply records that the relay answered, even if it refused the mail.
func (r *Relay) onReply(ctx context.Context) {
	r.mu.Lock()
	lost, failing := r.lostConnections > 0, r.failing
	r.lostConnections, r.proved = 0, true
	r.mu.Unlock()
	if lost {
		r.wakeUp()
	}
	if failing {
		r.endHold(ctx)
	}
}

// onAccepted records an accepted mail and resets the counts of failures in a row.
func (r *Relay) onAccepted(domain string) {
	r.accepted.Add(1)
	r.throttle.onAccepted(domain)
	r.mu.Lock()
	r.refusals, r.uncertain, r.uncertainStops = 0, 0, 0
	r.mu.Unlock()
}

// onPolicyRefusal counts a policy refusal. A refusal before RCPT concerns us and this relay. A
// later one may come from the recipient's domain, so the domain is throttled. When several
// domains refuse in a row, the relay is stopped before the whole list is refused.
func (r *Relay) onPolicyRefusal(ctx context.Context, domain string, reply mailer.Reply) {
	beforeRecipient := reply.Stage == mailer.StageMail
	if !beforeRecipient {
		r.announceThrottle(ctx, domain, r.throttle.onRefused(domain), reply)
	}
	if n := r.countRefusal(domain, beforeRecipient); n > 0 {
		r.stop(ctx, refusalWait, words.T("{0} policy refusals in a row, the last: {1}", n, reply).String())
	}
}

// countRefusal counts a policy refusal. It returns the number of refusals in a row if the relay
// should be stopped, otherwise 0. everyDomain is set when the refusal concerns all recipients.
func (r *Relay) countRefusal(domain string, everyDomain bool) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stoppedNow() {
		return 0 // the mail was being sent when the relay was stopped
	}
	if r.refusals++; r.refusals == 1 {
		r.firstDomain, r.severalDomains = domain, false
	}
	r.severalDomains = r.severalDomains || everyDomain || domain != r.firstDomain
	if r.refusals < refusalsBeforeStop || !r.severalDomains {
		return 0
	}
	n := r.refusals
	r.refusals = 0
	return n
}

// onUncertain counts an uncertain mail. After several in a row the relay is stopped, for longer
// each time.
func (r *Relay) onUncertain(ctx context.Context, reason string) {
	r.mu.Lock()
	if r.uncertain++; r.uncertain < uncertainBeforeStop || r.stoppedNow() {
		r.mu.Unlock()
		return
	}
	n := r.uncertain
	r.uncertain = 0
	r.uncertainStops++
	d := backoff.Delay(uncertainWait, refusalWait, r.uncertainStops)
	r.mu.Unlock()
	r.stop(ctx, d, words.T("the outcome of {0} mails in a row is unknown, the last: {1}", n, reason).String())
}

// stop keeps all nodes from sending over this relay.
func (r *Relay) stop(ctx context.Context, d time.Duration, reason string) {
	r.mu.Lock()
	r.stoppedUntil, r.reason = time.Now().Add(d), reason
	r.stops++
	r.mu.Unlock()
	r.set.Log.Error("relay paused", "relay", r.Name, "for", d.Round(time.Second), "reason", reason)
	r.announce(ctx, store.RelayHeld, "", d, reason)
}

// hold keeps this node from dialling a relay that it cannot reach. Other nodes may still reach
// it: the reason is stored only to be shown.
func (r *Relay) hold(ctx context.Context, d time.Duration, reason string) {
	r.mu.Lock()
	r.heldUntil, r.reason = time.Now().Add(d), reason
	r.proved, r.failing, r.announced = false, true, true
	r.mu.Unlock()
	r.announce(ctx, store.ConnectionHeld, "", d, reason)
}

// endHold ends what hold began.
func (r *Relay) endHold(ctx context.Context) {
	r.mu.Lock()
	announced := r.announced
	r.failing, r.announced, r.heldUntil = false, false, time.Time{}
	r.mu.Unlock()
	if announced {
		r.withdraw(ctx, store.ConnectionHeld)
	}
}

// announce writes a hold to the store, where the other nodes read it.
func (r *Relay) announce(ctx context.Context, kind store.HoldKind, domain string, d time.Duration, reason string) {
	h := store.Hold{Relay: r.Name, Kind: kind, Domain: domain, Until: r.set.Store.Now().Add(d), Reason: reason}
	if err := r.set.Store.PutHold(ctx, h); err != nil {
		r.set.Log.Warn("a hold could not be stored for the other nodes", "what", h.Target(), "error", err)
	}
}

// withdraw removes a hold from the store.
func (r *Relay) withdraw(ctx context.Context, kind store.HoldKind) {
	h := store.Hold{Relay: r.Name, Kind: kind}
	if err := r.set.Store.DropHold(ctx, h); err != nil {
		r.set.Log.Warn("the end of a hold could not be stored for the other nodes", "what", h.Target(), "error", err)
	}
}

// Reset ends the stops of all relays: an administrator who starts a node has most likely
// fixed what was wrong.
func (s *Set) Reset(ctx context.Context) {
	for _, r := range s.relays {
		r.withdraw(ctx, store.RelayHeld)
	}
}

// readHolds reads from the store which relays and domains other nodes have stopped.
func (s *Set) readHolds(ctx context.Context) {
	stops := make([]int, len(s.relays))
	for i, r := range s.relays {
		stops[i] = r.stopsSoFar()
	}
	holds, err := s.Store.Holds(ctx)
	if err != nil {
		return
	}
	now := s.Store.Now()
	for i, r := range s.relays {
		var stop store.Hold // zero when the relay is no longer stopped
		for _, h := range holds {
			left := h.Until.Sub(now)
			if h.Relay != r.Name || left > longestHold {
				continue
			}
			switch h.Kind {
			case store.RelayHeld:
				stop = h
			case store.DomainHeld:
				r.throttle.applyRemote(h.Domain, time.Now().Add(left))
			}
		}
		r.applyStop(stop, now, stops[i])
	}
}

// applyStop applies a stop from the store, or its end. before is the value of stops when the store
// was read: if this node has stopped the relay since, applyStop does nothing.
func (r *Relay) applyStop(stop store.Hold, now time.Time, before int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stops != before {
		return
	}
	if r.stoppedUntil = (time.Time{}); !stop.Until.IsZero() {
		r.stoppedUntil, r.reason = time.Now().Add(stop.Until.Sub(now)), stop.Reason
	}
}

func (r *Relay) stopsSoFar() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.stops
}
