// Package relay decides whether, when and over how many connections mail is handed to each
// SMTP relay. New makes the Set of a node's relays, Set.Run keeps their connections at work,
// and Relay.Record hears what became of each mail.
//
// A relay has a circuit breaker (breaker.go), a throttle per recipient domain (throttle.go),
// connections that all nodes share (connections.go) and whose number a controller finds
// (concurrency.go), quotas (quota.go), and a weight beside the other relays (routing.go).
package relay

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/mailer"
)

// Config is a relay of the configuration, with its limits over all nodes.
type Config struct {
	mailer.Relay
	Weight        int // share of the mail; 0 for a standby that works only when no other relay does
	Connections   int // over all nodes; 0 for as many as help
	PerNode       int // connections of each node; 0 for as many as help
	PerSecond     float64
	PerHour       int
	PerConnection int
	MaxSize       int64    // bytes of a mail; 0 for no limit
	Headers       []string // lines for the mail service behind it, without line ends
}

// Options make a Set. All but Relays are needed.
type Options struct {
	Relays  []Config
	Store   *store.Store
	Node    string        // names this node in the connection leases
	Lease   time.Duration // how long a silent node keeps its connections
	Pending func() int    // number of mails that wait for a connection on this node
	Log     *slog.Logger
}

// Set is the relays of a node. It is safe for concurrent use.
type Set struct {
	Options
	relays []*Relay
}

// New makes the relays of a node. None is dialled yet.
func New(options Options) *Set {
	s := &Set{Options: options}
	for _, c := range options.Relays {
		s.relays = append(s.relays, &Relay{
			Config: c, set: s, header: headerLines(c.Headers), wake: make(chan struct{}, 1),
			quota: newQuota(c, options.Store), concurrency: newConcurrency(c.Connections, c.PerNode),
			breaker: breaker{announced: true}, // until a dial succeeds, what an earlier run announced may hold
		})
	}
	return s
}

// All returns the relays in the order of the configuration.
func (s *Set) All() []*Relay { return s.relays }

// Available reports whether any relay takes mail from this node now or soon.
func (s *Set) Available() bool {
	for _, r := range s.relays {
		if r.available() {
			return true
		}
	}
	return false
}

// Wake makes all relays check now whether more connections are wanted.
func (s *Set) Wake() {
	for _, r := range s.relays {
		r.wakeUp()
	}
}

// Run keeps the wanted number of connections of each relay at work until the context ends,
// and waits for them. serve works on one connection until there is nothing left to do.
func (s *Set) Run(ctx context.Context, serve func(ctx context.Context, r *Relay, lease *Lease)) {
	var relays sync.WaitGroup
	for _, r := range s.relays {
		relays.Go(func() { r.run(ctx, serve) })
	}
	relays.Wait()
}

// Renew renews the connection leases of this node, and reads which relays and domains
// other nodes have stopped.
func (s *Set) Renew(ctx context.Context) {
	for _, r := range s.relays {
		r.renewLeases(ctx)
	}
	s.readHolds(ctx)
}

// Relay is a relay at work on this node.
type Relay struct {
	Config
	set    *Set
	wake   chan struct{} // one token: more connections may be wanted
	header []byte        // what each mail over this relay begins with

	routed   routed
	quota    *quota
	leases   leases
	throttle throttle
	accepted atomic.Int64 // mails, for the concurrency controller
	notices  atomic.Int64 // single mails that wait for a connection

	mu          sync.Mutex // guards what follows
	running     int        // connections at work for editions
	concurrency concurrency
	quotaFull   time.Time // its quotas are used up until then
	breaker
}

// run keeps the wanted number of connections at work until the context ends.
func (r *Relay) run(ctx context.Context, serve func(ctx context.Context, r *Relay, lease *Lease)) {
	var connections sync.WaitGroup
	defer connections.Wait()
	for ctx.Err() == nil {
		busy := r.set.Pending() > 0
		r.mu.Lock()
		r.concurrency.measure(r.accepted.Load(), busy, time.Now())
		r.mu.Unlock()
		r.checkCrowded(ctx)
		for r.wantsConnection() {
			lease, ok := r.Acquire(ctx)
			if !ok {
				break
			}
			r.count(1)
			connections.Go(func() {
				defer r.count(-1)
				defer r.Release(lease)
				serve(ctx, r, lease)
			})
		}
		select {
		case <-r.wake:
		case <-ctx.Done():
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func (r *Relay) wakeUp() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// count changes the number of connections at work.
func (r *Relay) count(by int) {
	r.mu.Lock()
	r.running += by
	r.mu.Unlock()
}

// wantsConnection reports whether one more connection is wanted and there is work for it.
// The first one goes alone until the server has let it in: a wrong password is tried once,
// not by every connection.
func (r *Relay) wantsConnection() bool {
	waiting, standby := r.set.Pending(), r.Standby()
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.running < r.concurrency.target-r.reserved() && (r.proved || r.running == 0) && waiting > 0 && !standby && !r.heldNow()
}

// Surplus reports whether a connection should begin no further mail: fewer are wanted, or
// no node may send over the relay.
func (r *Relay) Surplus() bool {
	if r.Standby() {
		return true
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.running > r.concurrency.target-r.reserved() || r.stoppedNow()
}

// reserved returns how many of the relay's connections editions leave to the single mails
// that wait: at most half of them, or the only one.
func (r *Relay) reserved() int {
	return min(int(r.notices.Load()), max(1, r.concurrency.target/2))
}

// available reports whether this node can hand mail to the relay now or soon: it is not
// held, and other nodes do not have all its connections.
func (r *Relay) available() bool {
	crowded := r.crowded()
	r.mu.Lock()
	defer r.mu.Unlock()
	return !r.heldNow() && (r.running > 0 || !crowded)
}

// Attempt is what became of a mail that was handed to a relay.
type Attempt struct {
	Domain string // of the recipient, as DomainOf returns it
	Class  mailer.Class
	Reply  mailer.Reply
	Reason string // why the connection broke, or why the outcome is unknown
	Lost   bool   // the connection ended before the relay took a mail on it
}

// Record tells the relay what became of a mail, so that it stops, slows down or goes on.
func (r *Relay) Record(ctx context.Context, a Attempt) {
	r.routed.add(time.Now())
	switch {
	case a.Class == mailer.Uncertain:
		r.onUncertain(ctx, a.Reason)
	case a.Lost:
		r.onConnectionLost(ctx, a.Reason, a.Reply.Code == 421)
	default:
		r.onReply(ctx)
	}
	switch {
	case a.Class == mailer.OurFault:
		r.onPolicyRefusal(ctx, a.Domain, a.Reply)
	case ClosesConnection(a.Reply):
	case a.Reply.Throttled():
		r.onThrottled(ctx, a.Domain, a.Reply)
	case a.Class == mailer.Accepted:
		r.onAccepted(a.Domain)
	}
}

// ClosesConnection reports whether a reply ends a connection before the server has heard who
// the mail is for, as a server does that takes a number of mails on each. It says nothing
// about the recipient's domain, and the mail may go over a new connection.
func ClosesConnection(reply mailer.Reply) bool {
	return reply.Code == 421 && reply.Stage == mailer.StageMail
}

// DomainOf returns the domain of an address in lower case.
func DomainOf(address string) string {
	return strings.ToLower(address[strings.LastIndexByte(address, '@')+1:])
}

// headerLines joins a relay's own headers. They stand above the frozen mail and its
// signature: the relay is known only when the mail is sent, and the mail service behind it
// takes them off again.
func headerLines(lines []string) []byte {
	var out []byte
	for _, line := range lines {
		out = append(append(out, line...), "\r\n"...)
	}
	return out
}

// messageIDPlaceholder stands for a mail's Message-ID in a relay's headers. Services that
// give mails an id of their own return such a header with their events.
var messageIDPlaceholder = []byte("{message_id}")

// AppendHeader appends what a mail over this relay begins with to dst, and returns it.
func (r *Relay) AppendHeader(dst []byte, messageID string) []byte {
	rest := r.header
	for {
		before, after, found := bytes.Cut(rest, messageIDPlaceholder)
		dst = append(dst, before...)
		if !found {
			return dst
		}
		dst, rest = append(dst, messageID...), after
	}
}
