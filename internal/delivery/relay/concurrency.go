package relay

import (
	"cmp"
	"time"
)

// Connections to a relay without a configured limit: the first number, and the highest number
// that is tried while more connections make sending faster.
const (
	firstConnections = 8
	maxConnections   = 64
)

// concurrency is the controller that finds the number of connections with the highest rate. It
// doubles the number while that raises the rate, and halves it when the rate does not rise. It
// tries again from time to time, since something else may have slowed down a step.
type concurrency struct {
	limit    int // never exceeded
	target   int
	previous int // target before the step that is being tried; 0 when none is

	since      time.Time // when this number was first tried
	mails      int64     // accepted by then
	best       float64   // mails a second
	retryAt    time.Time // no further step before this
	retryDelay time.Duration
	cooldown   time.Time // no step before this, since the server asked to slow down
}

const (
	// stepTime is how long one number of connections is tried.
	stepTime = 300 * time.Millisecond
	// stepGain is the factor by which a step must raise the rate to be kept.
	stepGain = 1.05
	// Bounds of the wait before a step that did not raise the rate is tried again.
	minRetryDelay = time.Second
	maxRetryDelay = time.Minute
	// cooldownTime is how long the number stays halved after the server asked to slow down.
	cooldownTime = 30 * time.Second
)

// newConcurrency starts with as many connections as the configured limits allow, or with a few
// when there are none. all is the limit over all nodes, each the limit of one node; 0 is no
// limit.
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

// measure evaluates the last step and takes the next one. mails is the number of mails that the
// relay has accepted so far; busy is set when more are waiting.
func (c *concurrency) measure(mails int64, busy bool, at time.Time) {
	if !busy || c.since.IsZero() {
		// A rate that was measured with another load cannot be compared.
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
		c.best, c.retryDelay = rate, minRetryDelay
		c.grow()
	case c.previous > 0:
		c.target, c.previous = c.previous, 0
		c.retryAt = at.Add(c.retryDelay)
		c.retryDelay = min(2*c.retryDelay, maxRetryDelay)
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
