package delivery

import (
	"bytes"
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tidings-press/tidings/mailer"
	"github.com/tidings-press/tidings/store"
)

// relay is a relay at work on this node.
type relay struct {
	Relay
	engine *Engine
	signer *mailer.Signer
	look   chan struct{} // one token: more connections may be wanted
	head   []byte        // what each mail over this relay begins with
	share  share

	accepted atomic.Int64 // mails, for the growth of connections
	faults   atomic.Int64 // refusals for what we are, in a row
	failures atomic.Int64 // dials that failed, in a row
	throttle atomic.Int64 // domains with a step, so that most mails need no look

	mu      sync.Mutex
	running int
	growth  growth
	proved  bool      // a dial has succeeded since the last one that failed
	failing bool      // the last dial failed
	told    bool      // the store says so
	until   time.Time // held back by this node until then
	shared  time.Time // held back by all nodes until then
	full    time.Time // its limits have no room before
	crowded time.Time // other nodes had all its connections; looked at again then
	domains map[string]time.Time
	steps   map[string]int
	tokens  map[string]*tokens
}

func newRelay(e *Engine, r Relay, signer *mailer.Signer) *relay {
	return &relay{Relay: r, engine: e, signer: signer, head: headOf(r.Headers), growth: newGrowth(r.Connections, r.PerNode), told: true, look: make(chan struct{}, 1),
		domains: map[string]time.Time{}, tokens: map[string]*tokens{}, steps: map[string]int{}}
}

// headOf puts a relay's own headers above the frozen mail and its signature: which
// relay a mail goes over is known no sooner, and the service takes them off again.
func headOf(lines []string) []byte {
	var head []byte
	for _, line := range lines {
		head = append(append(head, line...), "\r\n"...)
	}
	return head
}

// nameHole stands for a mail's Message-ID in a relay's headers. Services that give
// mails an id of their own return such a header with their events.
var nameHole = []byte("{message_id}")

// begin appends what a mail over this relay begins with.
func (r *relay) begin(dst []byte, messageID string) []byte {
	rest := r.head
	for {
		before, after, found := bytes.Cut(rest, nameHole)
		dst = append(dst, before...)
		if !found {
			return dst
		}
		dst, rest = append(dst, messageID...), after
	}
}

// run keeps the wanted number of connections busy until the context ends, and
// waits for them.
func (r *relay) run(ctx context.Context) {
	var senders sync.WaitGroup
	defer senders.Wait()
	for ctx.Err() == nil {
		r.mu.Lock()
		r.growth.measure(r.accepted.Load(), r.engine.queue.length() > 0, time.Now())
		r.mu.Unlock()
		r.lookForRoom(ctx)
		for r.wanted() {
			slot, ok := r.takeSlot(ctx)
			if !ok {
				break
			}
			r.started()
			senders.Go(func() {
				defer r.stopped(slot)
				newSender(r).run(ctx)
			})
		}
		select {
		case <-r.look:
		case <-ctx.Done():
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// nudge makes the relay look now whether more connections are wanted.
func (r *relay) nudge() {
	select {
	case r.look <- struct{}{}:
	default:
	}
}

// wanted says whether one more sender is wanted and there is work for it. The first
// one goes alone, until it is through: a wrong password is tried once, not by every
// connection.
func (r *relay) wanted() bool {
	waiting := r.engine.queue.length()
	aside := r.aside()
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.running < r.growth.target && (r.proved || r.running == 0) && waiting > 0 && !aside && !r.heldNow()
}

func (r *relay) started() {
	r.mu.Lock()
	r.running++
	r.mu.Unlock()
}

func (r *relay) stopped(slot int64) {
	r.dropSlot(slot)
	r.mu.Lock()
	r.running--
	r.mu.Unlock()
}

// aside says whether this relay is for failover and not needed now.
func (r *relay) aside() bool { return r.Weight == 0 && r.engine.otherWorks(r) }

// surplus says whether a sender should end because fewer are wanted.
func (r *relay) surplus() bool {
	if r.aside() {
		return true
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.running > r.growth.target
}

// shrink halves the connections when the server asks to slow down.
func (r *relay) shrink() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.growth.shrink(time.Now())
}

// open says whether this node can hand mail to the relay now, or soon: it is not
// held back, and its connections are not all other nodes'.
func (r *relay) open() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return !r.heldNow() && (r.running > 0 || r.crowded.IsZero())
}

// held says whether the relay takes no mail at the moment.
func (r *relay) held() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.heldNow()
}

// heldNow is held for those who have the lock.
func (r *relay) heldNow() bool {
	now := time.Now()
	return now.Before(r.until) || now.Before(r.shared)
}

// hold keeps mail from this relay on all nodes, and says why.
func (r *relay) hold(ctx context.Context, d time.Duration, reason string) {
	r.mu.Lock()
	r.shared = time.Now().Add(d)
	r.mu.Unlock()
	r.tell(ctx, "relay", r.Name, d, reason)
}

// rest keeps mail from this relay on this node, which cannot reach it. The others
// may well do: they are told for whoever looks at the progress.
func (r *relay) rest(ctx context.Context, d time.Duration, reason string) {
	r.mu.Lock()
	r.until = time.Now().Add(d)
	r.proved, r.failing, r.told = false, true, true
	r.mu.Unlock()
	r.tell(ctx, "connection", r.Name, d, reason)
}

// reached ends what rest began.
func (r *relay) reached(ctx context.Context) {
	r.failures.Store(0)
	r.mu.Lock()
	told, first := r.told, !r.proved
	r.proved, r.failing, r.told = true, false, false
	r.until = time.Time{}
	r.mu.Unlock()
	if first {
		r.nudge()
	}
	if told {
		r.drop(ctx, "connection")
	}
}

func (r *relay) tell(ctx context.Context, kind, name string, d time.Duration, reason string) {
	h := store.Hold{Kind: kind, Name: name, Until: r.engine.Store.Now().Add(d), Reason: reason}
	if err := r.engine.Store.PutHold(ctx, h); err != nil {
		r.engine.Log.Warn("a hold could not be told to other nodes", kind, name, "error", err)
	}
}

func (r *relay) drop(ctx context.Context, kind string) {
	if err := r.engine.Store.DropHold(ctx, kind, r.Name); err != nil {
		r.engine.Log.Warn("the end of a hold could not be told", kind, r.Name, "error", err)
	}
}
