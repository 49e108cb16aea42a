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

// domain is what is known of one recipient domain.
type domain struct {
	until     time.Time // no mail for it until then
	throttled int       // times in a row that it asked to slow down
	refusals  int       // by its policy, in a row
}

const (
	// Bounds of the wait that a domain gets which asks to slow down.
	firstThrottle   = 30 * time.Second
	longestThrottle = time.Hour
	// refusalsOfDomain is how many refusals by policy in a row throttle a domain. A single
	// one says little: some addresses take no mail from outside.
	refusalsOfDomain = 3
	// maxDomains bounds what is known. A domain that is forgotten is only tried too soon.
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

// onThrottled waits with mail for a domain that asked to slow down, and tells all nodes.
func (r *Relay) onThrottled(ctx context.Context, domain string, reply mailer.Reply) {
	if reply.Code == 421 {
		r.shrink()
	}
	r.announceThrottle(ctx, domain, r.throttle.onThrottled(domain), reply)
}

// announceThrottle tells all nodes that a domain is throttled for d, if that is not 0.
func (r *Relay) announceThrottle(ctx context.Context, domain string, d time.Duration, reply mailer.Reply) {
	if d > 0 {
		r.announce(ctx, store.DomainHeld, domain, d, reply.String())
	}
}

// onThrottled returns for how long a domain is throttled that asked to slow down, longer
// each time. It returns 0 for mail that was under way when the throttle began.
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

// onRefused counts a refusal by policy, and returns for how long the domain is throttled; 0
// when it is not, or was before.
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

// onAccepted forgets what is known of a domain that takes mail. An answer from before the
// throttle does not end it.
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

// learn takes over what another node found out.
func (t *throttle) learn(name string, until time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if known := t.domain(name); until.After(known.until) {
		known.until = until
	}
}

// domain returns what is known of a domain. The caller has the lock.
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

// forgetOne makes room: it drops a domain of the first few that is not throttled any more,
// or else any.
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
