package delivery

import (
	"cmp"
	"time"
)

// How many connections a relay gets when its configuration says none: so many at
// first, more while that makes the sending faster.
const (
	firstConnections = 8
	mostConnections  = 64
)

// growth looks for the number of connections that is fastest, and that the server
// bears. It doubles them while that helps, goes back when it did not, and tries
// again now and then, since what slowed a step down may have been something else.
type growth struct {
	most   int // connections that are never exceeded
	target int
	before int // target before the step that is being tried; 0 when none is

	since    time.Time // when this number was first tried
	mails    int64     // that had been taken then
	best     float64   // mails a second
	again    time.Time // no further try before
	patience time.Duration
	spare    time.Time // no growth before: the server asked to slow down
}

// newGrowth begins with all that the configured limits allow, or with a few. The
// limits are of all nodes and of each node, 0 for none.
func newGrowth(all, each int) growth {
	limit := cmp.Or(each, all)
	if all > 0 {
		limit = min(limit, all)
	}
	if limit > 0 {
		return growth{most: limit, target: limit}
	}
	return growth{most: mostConnections, target: firstConnections}
}

const (
	// growEvery is the time that one number of connections is tried.
	growEvery = 300 * time.Millisecond
	// growBy is the gain that a step must bring to be kept.
	growBy = 1.05
	// A step that brought nothing is tried again after a while, longer each time.
	leastPatience = time.Second
	mostPatience  = time.Minute
	// spareFor is how long a server that asked to slow down is spared growth.
	spareFor = 30 * time.Second
)

// measure looks at the step that was taken last and takes the next one. mails is
// how many the relay has taken so far.
func (g *growth) measure(mails int64, busy bool, at time.Time) {
	if !busy || g.since.IsZero() {
		// What was measured with other work says nothing of the next.
		g.since, g.mails, g.best, g.before = at, mails, 0, 0
		return
	}
	took := at.Sub(g.since)
	if took < growEvery {
		return
	}
	rate := float64(mails-g.mails) / took.Seconds()
	g.since, g.mails = at, mails
	switch {
	case at.Before(g.spare):
	case rate > g.best*growBy:
		g.best, g.patience = rate, leastPatience
		g.grow()
	case g.before > 0:
		g.target, g.before = g.before, 0
		g.again = at.Add(g.patience)
		g.patience = min(2*g.patience, mostPatience)
	case !at.Before(g.again):
		g.best = rate
		g.grow()
	}
}

// grow takes a step, if there is room for one.
func (g *growth) grow() {
	g.before = 0
	if g.target < g.most {
		g.before = g.target
		g.target = min(g.most, 2*g.target)
	}
}

// shrink halves the connections. After a while they may grow again, from what is
// measured then. A server that closes all connections at once asks once.
func (g *growth) shrink(at time.Time) {
	if at.Before(g.spare.Add(growEvery - spareFor)) {
		return
	}
	g.target = max(1, g.target/2)
	g.spare, g.best, g.before = at.Add(spareFor), 0, 0
}
