package relay

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tidings-press/tidings/internal/backoff"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/mailer"
)

// throttle is the throttle per recipient domain. A recipient domain judges each relay's
// address by itself, so each relay has its own.
type throttle struct {
	mu     sync.Mutex
	known  map[string]*domain
	length atomic.Int64 // of known, so that most mails take no lock
}

// domain is the throttle of one recipient domain.
type domain struct {
	until     time.Time // no mail for it until then
	throttled int       // times in a row the domain asked to slow down
	refusals  int       // policy refusals in a row
}

const (
	// Limits of the throttle of a domain that asks to slow down.
	firstThrottle   = 30 * time.Second
	longestThrottle = time.Hour
	// refusalsOfDomain is how many policy refusals in a row throttle a domain. A single one means
	// little: some addresses accept no mail from outside.
	refusalsOfDomain = 3
	// maxDomains bounds the number of throttles. A domain whose throttle was dropped is only
	// tried too soon.
	maxDomains = 10_000
)

// ThrottledUntil returns when the relay takes mail for a domain again; zero for now.
func (r *Relay) ThrottledUntil(domain string) time.Time { return r.throttle.until(domain) }

func (t *throttle) until(name string) time.Time {
	if t.length.Load() == 0 {
		return time.Time{}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if known := t.known[name]; known != nil && time.Now().Before(known.until) {
		return known.until
	}
	return time.Time{}
}

// onThrottled throttles a domain that asked to slow down, on all nodes.
func (r *Relay) onThrottled(ctx context.Context, domain string, reply mailer.Reply) {
	if reply.Code == 421 {
		r.shrink()
	}
	r.announceThrottle(ctx, domain, r.throttle.onThrottled(domain), reply)
}

// announceThrottle stores the throttle of a domain for the other nodes, unless d is 0.
func (r *Relay) announceThrottle(ctx context.Context, domain string, d time.Duration, reply mailer.Reply) {
	if d > 0 {
		r.announce(ctx, store.DomainHeld, domain, d, reply.String())
	}
}

// onThrottled throttles a domain that asked to slow down, for longer each time, and returns the
// duration. It returns 0 if the domain was throttled already, since the mail was sent before.
func (t *throttle) onThrottled(name string) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	known := t.domain(name)
	if time.Now().Before(known.until) {
		return 0
	}
	known.throttled++
	return known.wait(backoff.Delay(firstThrottle, longestThrottle, known.throttled))
}

// onRefused counts a policy refusal. It returns for how long the domain is now throttled, or 0 if
// it is not or already was.
func (t *throttle) onRefused(name string) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	known := t.domain(name)
	if time.Now().Before(known.until) {
		return 0
	}
	if known.refusals++; known.refusals < refusalsOfDomain {
		return 0
	}
	known.refusals = 0
	return known.wait(refusalWait)
}

// onAccepted resets a domain that accepts mail, unless it is still throttled: the reply is then
// to a mail that was sent before the throttle.
func (t *throttle) onAccepted(name string) {
	if t.length.Load() == 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if known := t.known[name]; known != nil && !time.Now().Before(known.until) {
		delete(t.known, name)
		t.length.Store(int64(len(t.known)))
	}
}

// applyRemote applies the throttle of another node.
func (t *throttle) applyRemote(name string, until time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if known := t.domain(name); until.After(known.until) {
		known.until = until
	}
}

// domain returns the throttle of a domain, and makes one if needed. The caller has the lock.
func (t *throttle) domain(name string) *domain {
	if known := t.known[name]; known != nil {
		return known
	}
	if t.known == nil {
		t.known = map[string]*domain{}
	}
	if len(t.known) >= maxDomains {
		t.forgetOne()
	}
	made := &domain{}
	t.known[name] = made
	t.length.Store(int64(len(t.known)))
	return made
}

// forgetOne drops one domain: of a small sample, one that is no longer throttled if possible.
func (t *throttle) forgetOne() {
	const sample = 32
	seen := 0
	for name, known := range t.known {
		if seen++; seen == sample || time.Now().After(known.until) {
			delete(t.known, name)
			return
		}
	}
}

func (d *domain) wait(wait time.Duration) time.Duration {
	d.until = time.Now().Add(wait)
	return wait
}
