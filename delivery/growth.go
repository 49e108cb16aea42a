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
// bears.
type growth struct {
	most   int // connections that are never exceeded
	target int

	since time.Time // when this number was first tried
	mails int64     // that had been taken then
	best  float64   // mails a second
	spare time.Time // no growth before: the server asked to slow down
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
	growEvery = 500 * time.Millisecond
	// spareFor is how long a server that asked to slow down is spared growth.
	spareFor = 30 * time.Second
)

// measure adds a quarter more connections after each step that made the sending
// faster by a twentieth. mails is how many the relay has taken so far.
func (g *growth) measure(mails int64, busy bool, at time.Time) {
	if !busy || g.since.IsZero() {
		// What was measured with other work says nothing of the next.
		g.since, g.mails, g.best = at, mails, 0
		return
	}
	took := at.Sub(g.since)
	if took < growEvery {
		return
	}
	rate := float64(mails-g.mails) / took.Seconds()
	g.since, g.mails = at, mails
	if at.Before(g.spare) || g.target >= g.most || rate <= g.best*1.05 {
		return
	}
	g.best = rate
	g.target = min(g.most, g.target+max(1, g.target/4))
}

// shrink halves the connections. After a while they may grow again, from what is
// measured then. A server that closes all connections at once asks once.
func (g *growth) shrink(at time.Time) {
	if at.Before(g.spare.Add(growEvery - spareFor)) {
		return
	}
	g.target = max(1, g.target/2)
	g.spare, g.best = at.Add(spareFor), 0
}
