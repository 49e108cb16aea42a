package delivery

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tidings-press/tidings/mailer"
	"github.com/tidings-press/tidings/store"
)

// How many connections a relay gets when its configuration says none: so many at
// first, more while that makes the sending faster.
const (
	firstConnections = 8
	mostConnections  = 64
)

// relay is a relay at work on this node.
type relay struct {
	Relay
	engine *Engine
	signer *mailer.Signer

	accepted atomic.Int64 // mails, for the growth of connections
	faults   atomic.Int64 // refusals for what we are, in a row
	failures atomic.Int64 // dials that failed, in a row

	mu       sync.Mutex
	running  int
	target   int
	until    time.Time // held back until then
	domains  map[string]time.Time
	tokens   map[string]*tokens
	slots    map[int64]bool
	steps    map[string]int
	idleGone chan struct{}
}

func newRelay(e *Engine, r Relay, signer *mailer.Signer) *relay {
	target := r.Connections
	if target == 0 {
		target = firstConnections
	}
	return &relay{Relay: r, engine: e, signer: signer, target: target,
		domains: map[string]time.Time{}, tokens: map[string]*tokens{}, slots: map[int64]bool{}, steps: map[string]int{}}
}

// run keeps the wanted number of connections busy until the context ends, and
// waits for them.
func (r *relay) run(ctx context.Context) {
	var senders sync.WaitGroup
	defer senders.Wait()
	grow := growth{}
	for ctx.Err() == nil {
		if r.Connections == 0 {
			r.setTarget(grow.next(r.goal(), r.accepted.Load(), r.engine.queue.length() > 0, time.Now()))
		}
		for r.start() {
			senders.Go(func() {
				defer r.stopped()
				newSender(r).run(ctx)
			})
		}
		wait(ctx, 100*time.Millisecond)
	}
}

// start counts one more sender in, if one is wanted and there is work for it.
func (r *relay) start() bool {
	waiting := r.engine.queue.length()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.running >= r.target || waiting == 0 || time.Now().Before(r.until) {
		return false
	}
	// A failover relay stays out of it while a weighted one works.
	if r.Weight == 0 && r.engine.otherWorks(r) {
		return false
	}
	r.running++
	return true
}

func (r *relay) stopped() {
	r.mu.Lock()
	r.running--
	r.mu.Unlock()
}

func (r *relay) goal() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.target
}

func (r *relay) setTarget(n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.target = n
}

// surplus says whether a sender should end because fewer are wanted.
func (r *relay) surplus() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.running > r.target
}

// shrink halves the connections when the server asks to slow down.
func (r *relay) shrink() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.target = max(1, r.target/2)
}

// held says whether the relay takes no mail at the moment.
func (r *relay) held() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return time.Now().Before(r.until)
}

// hold keeps mail from this relay on all nodes, and says why.
func (r *relay) hold(ctx context.Context, d time.Duration, reason string) {
	r.mu.Lock()
	r.until = time.Now().Add(d)
	r.mu.Unlock()
	h := store.Hold{Kind: "relay", Name: r.Name, Until: r.engine.Store.Now().Add(d), Reason: reason}
	if err := r.engine.Store.PutHold(ctx, h); err != nil {
		r.engine.Log.Warn("a hold could not be told to other nodes", "relay", r.Name, "error", err)
	}
}

// otherWorks says whether a relay with a weight takes mail.
func (e *Engine) otherWorks(self *relay) bool {
	for _, r := range e.relays {
		if r != self && r.Weight > 0 && !r.held() {
			return true
		}
	}
	return false
}

// share says whether this relay should take the next mail, given the weights: one
// that has had more than its share lets the others go first.
func (r *relay) share() bool {
	if len(r.engine.relays) == 1 || r.Weight == 0 {
		return true
	}
	var weights, mails int64
	for _, o := range r.engine.relays {
		if o.Weight > 0 && !o.held() {
			weights += int64(o.Weight)
			mails += o.accepted.Load()
		}
	}
	const slack = 50 // mails
	return r.accepted.Load()*weights <= (mails+slack)*int64(r.Weight)
}

// growth looks for the number of connections that is fastest.
type growth struct {
	since time.Time
	mails int64
	best  float64
}

// growEvery is the time that one number of connections is tried.
const growEvery = 500 * time.Millisecond

// next returns how many connections to use: a quarter more after each step that
// made the sending faster by a twentieth.
func (g *growth) next(now int, mails int64, busy bool, at time.Time) int {
	if !busy || g.since.IsZero() {
		g.since, g.mails = at, mails
		return now
	}
	took := at.Sub(g.since)
	if took < growEvery {
		return now
	}
	rate := float64(mails-g.mails) / took.Seconds()
	g.since, g.mails = at, mails
	if rate <= g.best*1.05 || now >= mostConnections {
		return now
	}
	g.best = rate
	return min(mostConnections, now+max(1, now/4))
}
