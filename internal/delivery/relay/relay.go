// Package relay decides whether, when and over how many connections mail is handed to each
// SMTP relay. New makes the Set of a node's relays, Set.Run keeps their connections running, and
// Relay.Record takes the outcome of each mail.
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

	"github.com/tidings-press/tidings/internal/metrics"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/warmup"
	"github.com/tidings-press/tidings/mailer"
)

// Config is a relay of the configuration, with its limits over all nodes.
type Config struct {
	mailer.Relay
	Weight        int // share of the mail; 0 for a standby, used only when no other relay works
	Connections   int // limit over all nodes; 0 lets the controller decide
	PerNode       int // limit of each node; 0 lets the controller decide
	PerSecond     float64
	PerHour       int
	PerConnection int

	Warmup          warmup.Plan // mails of a day, over all nodes
	WarmupPerDomain warmup.Plan // and to each recipient domain

	MaxSize int64    // bytes of a mail; 0 for no limit
	Headers []string // header lines for the mail service that runs the relay, without line ends
}

// Options make a Set. All but Relays are needed.
type Options struct {
	Relays  []Config
	Store   *store.Store
	Node    string        // names this node in the connection leases
	Lease   time.Duration // how long a node that stopped renewing keeps its connections
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
			quota: newQuota(c, options.Store), warmups: newWarmups(c, options.Store), connectionCount: metrics.NewSMTP(c.Name), concurrency: newConcurrency(c.Connections, c.PerNode),
			breaker: breaker{announced: true}, // a hold of an earlier run may be stored until a dial succeeds
		})
	}
	return s
}

// All returns the relays in the order of the configuration.
func (s *Set) All() []*Relay { return s.relays }

// Available reports whether this node can hand mail to any relay now or soon.
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

// Run keeps the wanted number of connections of each relay open until the context ends, and
// waits for them. serve sends mail over one connection until there is nothing left to do.
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

// Relay is a relay as this node uses it.
type Relay struct {
	Config
	set    *Set
	wake   chan struct{} // one token: more connections may be wanted
	header []byte        // prepended to each mail over this relay

	recentMails mailCounter
	quota       *quota
	warmups     *warmups
	leases      leases
	throttle    throttle
	accepted    atomic.Int64 // mails, for the concurrency controller
	singleMails atomic.Int64 // single mails that wait for a connection

	connectionCount metrics.SMTP

	mu          sync.Mutex // guards what follows
	running     int        // open connections for editions
	concurrency concurrency
	quotaFull   time.Time // its quotas are used up until then
	breaker
}

// run keeps the wanted number of connections open until the context ends.
func (r *Relay) run(ctx context.Context, serve func(ctx context.Context, r *Relay, lease *Lease)) {
	var connections sync.WaitGroup
	defer connections.Wait()
	for ctx.Err() == nil {
		busy := r.set.Pending() > 0
		r.mu.Lock()
		r.concurrency.measure(r.accepted.Load(), busy, time.Now())
		r.mu.Unlock()
		r.recheckConnections(ctx)
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

// count changes the number of open connections.
func (r *Relay) count(by int) {
	r.mu.Lock()
	r.running += by
	r.mu.Unlock()
}

// wantsConnection reports whether one more connection should be opened. Until a login has
// succeeded only one is open, so that a wrong password is tried once, not by every connection.
func (r *Relay) wantsConnection() bool {
	if r.WarmupWait() > 0 {
		return false
	}
	waiting, standby := r.set.Pending(), r.OnStandby()
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.running < r.concurrency.target-r.reserved() && (r.proved || r.running == 0) && waiting > 0 && !standby && !r.heldNow()
}

// ShouldCloseConnection reports whether a connection should not start another mail, since there are too many,
// no node may send over the relay, or its warm-up allows no further mails today.
func (r *Relay) ShouldCloseConnection() bool {
	if r.OnStandby() || r.WarmupWait() > 0 {
		return true
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.running > r.concurrency.target-r.reserved() || r.stoppedNow()
}

// reserved returns how many connections editions leave to waiting single mails: one for each, at
// most half of all connections or the only one.
func (r *Relay) reserved() int {
	return min(int(r.singleMails.Load()), max(1, r.concurrency.target/2))
}

// available reports whether this node can hand mail to the relay now or soon: it is not
// held, and other nodes do not have all its connections.
func (r *Relay) available() bool {
	taken := r.allConnectionsTaken()
	r.mu.Lock()
	defer r.mu.Unlock()
	return !r.heldNow() && (r.running > 0 || !taken)
}

// Result is the outcome of handing a mail to a relay.
type Result struct {
	Domain string // of the recipient, as DomainOf returns it
	Class  mailer.Class
	Reply  mailer.Reply
	Reason string // why the connection broke, or why the outcome is unknown
	Lost   bool   // the connection ended before the relay accepted a mail on it
}

// Record takes the outcome of a mail, and stops or slows down the relay if needed.
func (r *Relay) Record(ctx context.Context, a Result) {
	r.recentMails.add(time.Now())
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

// ClosesConnection reports whether the server ends the connection with this reply before it
// knows the recipient, as servers do that accept a limited number of mails on each. The reply
// does not concern the recipient's domain, and the mail may be sent over a new connection.
func ClosesConnection(reply mailer.Reply) bool {
	return reply.Code == 421 && reply.Stage == mailer.StageMail
}

// DomainOf returns the domain of an address in lower case.
func DomainOf(address string) string {
	return strings.ToLower(address[strings.LastIndexByte(address, '@')+1:])
}

// headerLines joins a relay's own headers. They are put before the frozen mail and are not signed:
// the relay is known only when the mail is sent, and the mail service removes them.
func headerLines(lines []string) []byte {
	var out []byte
	for _, line := range lines {
		out = append(append(out, line...), "\r\n"...)
	}
	return out
}

// messageIDPlaceholder is replaced by a mail's Message-ID in a relay's headers. Mail services
// that assign ids of their own return such a header with their events.
var messageIDPlaceholder = []byte("{message_id}")

// AppendHeader appends the relay's own headers for a mail to dst, and returns it.
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
