package delivery

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tidings-press/tidings/internal/delivery/relay"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/mailer"
)

const (
	maxSingleMailWorkers = 8                // connections of a node for single mails
	singleMailBatch      = 200              // mails of a worker before the relays are checked again
	singleMailTimeout    = 5 * time.Minute  // for one mail
	singleMailLease      = 10 * time.Minute // must be longer than singleMailTimeout
	singleMailGrace      = 20 * time.Second // for the mail under way when the node stops
)

// sendSingleMails sends the single mails that are due, over several connections at once, so that a
// confirmation does not wait for the whole queue before it.
func (e *Engine) sendSingleMails(ctx context.Context) error {
	workers, mails := e.singleMailWorkers()
	var group errgroup.Group
	for range workers {
		group.Go(func() error { return e.sendSingleMailBatch(ctx, mails) })
	}
	return group.Wait()
}

// singleMailWorkers returns how many connections single mails may use now, and how many mails each
// may send. It allows only one mail until a login has succeeded, so that a wrong password is
// tried once.
func (e *Engine) singleMailWorkers() (workers, mails int) {
	reachable := false
	for _, r := range e.relays.All() {
		limit := cmp.Or(r.PerNode, r.Connections, maxSingleMailWorkers)
		if r.Connections > 0 {
			limit = min(limit, r.Connections)
		}
		workers += limit
		reachable = reachable || r.Reachable()
	}
	if !reachable {
		return min(workers, 1), 1
	}
	return min(workers, maxSingleMailWorkers), singleMailBatch
}

// sendSingleMailBatch sends at most the given number of single mails over one connection. It claims
// each job just before sending it: a job claimed earlier could wait for a slow server until its
// lease ends, and another node would send it too.
func (e *Engine) sendSingleMailBatch(ctx context.Context, mails int) error {
	conn := &singleMailConn{}
	defer conn.close()
	for range mails {
		if ctx.Err() != nil || !e.relays.Available() {
			return nil // a claim would count as a try
		}
		// A claim that is stored although its context ended would delay the mail by the lease.
		jobs, err := e.Store.ClaimJobs(context.WithoutCancel(ctx), []string{singleMailKind}, 1, singleMailLease)
		if err != nil || len(jobs) == 0 {
			return err
		}
		if err := e.sendSingleMail(ctx, conn, jobs[0]); err != nil {
			return err
		}
	}
	return nil
}

// singleMailConn is a connection that stays open from one single mail to the next. The zero value
// is closed.
type singleMailConn struct {
	relay *relay.Relay
	lease *relay.Lease
	conn  *mailer.Conn
}

// reusable reports whether the next mail over a relay can use the connection.
func (c *singleMailConn) reusable(r *relay.Relay) bool {
	return c.relay == r && c.conn.Usable() && c.lease.Valid() && (r.PerConnection == 0 || c.conn.Accepted() < r.PerConnection)
}

func (c *singleMailConn) close() {
	if c.relay == nil {
		return
	}
	if c.conn.Usable() {
		_ = c.conn.Quit() // its mails are settled, so an error changes nothing
	} else {
		_ = c.conn.Close()
	}
	c.relay.Closed()
	c.relay.Release(c.lease)
	*c = singleMailConn{}
}

// open closes the current connection and connects to the relay, for a mail to a domain. When the relay is at its limits
// the connection stays closed and open returns no error.
func (c *singleMailConn) open(ctx context.Context, r *relay.Relay, domain string) error {
	c.close()
	acquire := r.AcquireForSingleMail
	if urgent(ctx) {
		acquire = r.Acquire
	}
	lease, ok := acquire(ctx)
	if !ok && !urgent(ctx) {
		return nil
	}
	if d, err := r.TakeQuotaForSingleMail(ctx, domain); (d > 0 || err != nil) && !urgent(ctx) {
		r.Release(lease)
		return err
	}
	conn, err := r.Dial(ctx)
	if err != nil {
		r.ReturnQuota(domain)
		r.Release(lease)
		return err
	}
	*c = singleMailConn{relay: r, lease: lease, conn: conn}
	return nil
}

// compiledMail is one compiled mail outside an edition.
type compiledMail struct {
	from      string // return path
	to        subscriber.Address
	compiled  *mailer.Compiled
	values    []string // of its placeholders
	messageID string
}

// sendByAnyRelay sends one mail to the first relay that can be reached, over conn, or over a new
// connection when conn is nil. It respects the limits of the relays and skips paused ones. A relay
// that fails here is paused for editions too.
func (e *Engine) sendByAnyRelay(ctx context.Context, conn *singleMailConn, m compiledMail) error {
	if len(e.relays.All()) == 0 {
		return errors.New("no relay is configured; add one under relays: in config.yaml")
	}
	if conn == nil {
		conn = &singleMailConn{}
		defer conn.close()
	}
	ctx, cancel := context.WithTimeout(ctx, singleMailTimeout)
	defer cancel()
	var errs []error
	for _, r := range e.relays.All() {
		if reason := r.HeldReason(); reason != "" {
			errs = append(errs, fmt.Errorf("relay %s is paused: %s", r.Name, reason))
			continue
		}
		tried, err := e.sendByRelay(ctx, r, conn, m)
		if tried {
			return err
		}
		errs = append(errs, err)
	}
	return cmp.Or(errors.Join(errs...), errRelaysFull)
}

// sendByRelay sends one mail over a relay. tried is false when the relay cannot be reached or
// is at its limits.
func (e *Engine) sendByRelay(ctx context.Context, r *relay.Relay, conn *singleMailConn, m compiledMail) (tried bool, err error) {
	body, err := e.signer.Clone().Render(r.AppendHeader(nil, m.messageID), m.compiled, m.values)
	if err != nil {
		return true, err
	}
	envelope := mailer.Envelope{From: m.from, To: m.to.ASCII(), Size: len(body), NeedsUTF8: m.compiled.NeedsUTF8()}
	domain := relay.DomainOf(envelope.To)
	if conn.reusable(r) {
		if d, err := r.TakeQuotaForSingleMail(ctx, domain); (d > 0 || err != nil) && !urgent(ctx) {
			return false, err
		}
		begun, err := sendOnConn(ctx, conn.conn, envelope, body)
		if begun || err == nil {
			return true, err
		}
		r.ReturnQuota(domain) // the server closed the idle connection: nothing was sent
	}
	if err := conn.open(ctx, r, domain); err != nil || conn.relay == nil {
		return false, err
	}
	_, err = sendOnConn(ctx, conn.conn, envelope, body)
	return true, err
}

// sendOnConn sends one mail. begun is false when the connection broke before the server could
// have taken anything, so that another one may be tried.
func sendOnConn(ctx context.Context, conn *mailer.Conn, envelope mailer.Envelope, body []byte) (begun bool, err error) {
	if err := conn.SendEnvelope(ctx, envelope); err != nil {
		return false, err
	}
	reply, err := conn.AwaitReady(ctx)
	if err != nil {
		return false, err
	}
	if reply.OK() {
		reply, err = conn.Deliver(ctx, body, nil)
	}
	if err == nil && !reply.OK() {
		err = &refusedError{reply}
	}
	return true, err
}
