package relay

import (
	"cmp"
	"time"
)

// Connections that a relay gets when its configuration names no number: so many at first,
// and more while that makes sending faster.
const (
	firstConnections = 8
	maxConnections   = 64
)

// concurrency is the controller that finds the number of connections with the highest rate
// that the server bears. It doubles them while that helps, goes back when it does not, and
// tries again from time to time, since something else may have slowed a step down.
type concurrency struct {
	limit    int // never exceeded
	target   int
	previous int // target before the step that is being tried; 0 when none is

	since    time.Time // when this number was first tried
	mails    int64     // that had been accepted then
	best     float64   // mails a second
	retryAt  time.Time // no further step before
	patience time.Duration
	cooldown time.Time // no step before: the server asked to slow down
}

const (
	// stepTime is how long one number of connections is tried.
	stepTime = 300 * time.Millisecond
	// stepGain is the factor by which a step must raise the rate to be kept.
	stepGain = 1.05
	// Bounds of the wait before a step that brought nothing is tried again.
	minPatience = time.Second
	maxPatience = time.Minute
	// cooldownTime is how long a server that asked to slow down gets no more connections.
	cooldownTime = 30 * time.Second
)

// newConcurrency begins with all that the configured limits allow, or with a few. all is the
// limit over all nodes and each that of each node; 0 is none.
func newConcurrency(all, each int) concurrency {
	limit := cmp.Or(each, all)
	if all > 0 {
		limit = min(limit, all)
	}
	if limit > 0 {
		return concurrency{limit: limit, target: limit}
	}
	return concurrency{limit: maxConnections, target: firstConnections}
}

// measure rates the last step and takes the next one. mails is the number that the relay has
// accepted so far, and busy whether more are waiting.
func (c *concurrency) measure(mails int64, busy bool, at time.Time) {
	if !busy || c.since.IsZero() {
		// A rate that was measured with other work does not compare.
		c.since, c.mails, c.best, c.previous = at, mails, 0, 0
		return
	}
	took := at.Sub(c.since)
	if took < stepTime {
		return
	}
	rate := float64(mails-c.mails) / took.Seconds()
	c.since, c.mails = at, mails
	switch {
	case at.Before(c.cooldown):
	case rate > c.best*stepGain:
		c.best, c.patience = rate, minPatience
		c.grow()
	case c.previous > 0:
		c.target, c.previous = c.previous, 0
		c.retryAt = at.Add(c.patience)
		c.patience = min(2*c.patience, maxPatience)
	case !at.Before(c.retryAt):
		c.best = rate
		c.grow()
	}
}

// grow doubles the connections, if the limit allows.
func (c *concurrency) grow() {
	c.previous = 0
	if c.target < c.limit {
		c.previous = c.target
		c.target = min(c.limit, 2*c.target)
	}
}

// shrink halves the connections when the server asks to slow down. They may grow again after
// the cooldown. A server that closes several connections at once counts as one request.
func (c *concurrency) shrink(at time.Time) {
	if at.Before(c.cooldown.Add(stepTime - cooldownTime)) {
		return
	}
	c.target = max(1, c.target/2)
	c.cooldown, c.best, c.previous = at.Add(cooldownTime), 0, 0
}

func (r *Relay) shrink() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.concurrency.shrink(time.Now())
}
