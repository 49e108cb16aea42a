package delivery

import (
	"bytes"
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tidings-press/tidings/mailer"
)

// relay is a relay at work on this node.
type relay struct {
	Relay
	engine *Engine
	signer *mailer.Signer
	look   chan struct{} // one token: more connections may be wanted
	head   []byte        // what each mail over this relay begins with
	share  share
	rates  *rates
	slots  slots

	accepted atomic.Int64 // mails, for the growth of connections
	notices  atomic.Int64 // single mails that wait for a connection
	domains  domains

	mu      sync.Mutex
	running int
	growth  growth
	full    time.Time // its limits have no room before
	standing
}

func newRelay(e *Engine, r Relay, signer *mailer.Signer) *relay {
	return &relay{Relay: r, engine: e, signer: signer, head: headOf(r.Headers), rates: newRates(r, e.Store), growth: newGrowth(r.Connections, r.PerNode),
		look: make(chan struct{}, 1), standing: standing{told: true}}
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
		busy := r.engine.queue.length() > 0 // whoever has the queue may ask for relays
		r.mu.Lock()
		r.growth.measure(r.accepted.Load(), busy, time.Now())
		r.mu.Unlock()
		r.lookForRoom(ctx)
		for r.wanted() {
			slot, ok := r.takeSlot(ctx)
			if !ok {
				break
			}
			r.started()
			senders.Go(func() {
				defer r.ended(slot)
				newSender(r, slot).run(ctx)
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
	return r.running < r.growth.target-r.ceded() && (r.proved || r.running == 0) && waiting > 0 && !aside && !r.heldNow()
}

func (r *relay) started() {
	r.mu.Lock()
	r.running++
	r.mu.Unlock()
}

func (r *relay) ended(slot *slot) {
	r.dropSlot(slot)
	r.mu.Lock()
	r.running--
	r.mu.Unlock()
}

// aside says whether this relay is for failover and not needed now.
func (r *relay) aside() bool { return r.Weight == 0 && r.engine.otherWorks(r) }

// surplus says whether a sender should end: fewer are wanted, or the relay is
// stopped on all nodes.
func (r *relay) surplus() bool {
	if r.aside() {
		return true
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.running > r.growth.target-r.ceded() || r.stoppedNow()
}

// works reports whether the last dial succeeded.
func (r *relay) works() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.proved
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
	crowded := r.crowded()
	r.mu.Lock()
	defer r.mu.Unlock()
	return !r.heldNow() && (r.running > 0 || !crowded)
}
