package delivery

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/mailer"
)

const (
	noticeWorkers = 8                // connections of a node for single mails
	noticeRound   = 200              // mails of a worker before the relays are looked at again
	noticeFor     = 5 * time.Minute  // a conversation with a server may take
	noticeLease   = 10 * time.Minute // longer than that
	slotPatience  = 5 * time.Second  // for a connection that an edition gives back
)

// sendNotices sends the single mails that are due over several connections at once: a
// subscriber who waits for a confirmation is not held back by the queue before them.
func (e *Engine) sendNotices(ctx context.Context) error {
	workers, mails := e.noticeWorkers()
	var group errgroup.Group
	for range workers {
		group.Go(func() error { return e.sendSome(ctx, mails) })
	}
	return group.Wait()
}

// noticeWorkers returns how many connections single mails may use now, and how many mails
// each may send. Until a relay has proved to work one mail goes alone, so that a wrong
// password is tried once.
func (e *Engine) noticeWorkers() (workers, mails int) {
	proved := false
	for _, r := range e.relays {
		limit := cmp.Or(r.PerNode, r.Connections, noticeWorkers)
		if r.Connections > 0 {
			limit = min(limit, r.Connections)
		}
		workers += limit
		proved = proved || r.works()
	}
	if !proved {
		return min(workers, 1), 1
	}
	return min(workers, noticeWorkers), noticeRound
}

// sendSome sends up to so many single mails over one connection. Each job is claimed when its
// turn has come: one that waited here behind a slow server would be taken by another node,
// and sent twice.
func (e *Engine) sendSome(ctx context.Context, mails int) error {
	line := &noticeLine{}
	defer line.close()
	for range mails {
		if !e.anyRelay() {
			return nil // each would be a try more that could not be made
		}
		jobs, err := e.Store.ClaimJobs(ctx, []string{noticeKind}, 1, noticeLease)
		if err != nil || len(jobs) == 0 {
			return err
		}
		if err := e.sendNotice(ctx, line, jobs[0]); err != nil {
			return err
		}
	}
	return nil
}

// noticeLine is a connection that stays open from one single mail to the next. The zero
// value is none.
type noticeLine struct {
	relay *relay
	slot  *slot
	conn  *mailer.Conn
}

// over reports whether the next mail over a relay can use the connection.
func (l *noticeLine) over(r *relay) bool {
	return l.relay == r && l.conn.Usable() && l.slot.valid() && (r.PerConnection == 0 || l.conn.Accepted() < r.PerConnection)
}

func (l *noticeLine) close() {
	if l.relay == nil {
		return
	}
	if l.conn.Usable() {
		_ = l.conn.Quit() // its mails are settled
	} else {
		_ = l.conn.Close()
	}
	l.relay.dropSlot(l.slot)
	*l = noticeLine{}
}

// handOver sends one mail over the line, or over a connection of its own when line is nil, to
// the first relay that can be reached. It keeps to the limits of relays, and leaves those
// alone that are held back; what it finds out about one holds for editions too.
func (e *Engine) handOver(ctx context.Context, line *noticeLine, from string, to subscriber.Address, mould *mailer.Compiled, messageID string, values []string) error {
	if len(e.relays) == 0 {
		return errors.New("no relay is configured; add one under relays: in config.yaml")
	}
	if line == nil {
		line = &noticeLine{}
		defer line.close()
	}
	ctx, cancel := context.WithTimeout(ctx, noticeFor)
	defer cancel()
	var errs []error
	for _, r := range e.relays {
		if why := r.heldFor(); why != "" {
			errs = append(errs, fmt.Errorf("relay %s is held back: %s", r.Name, why))
			continue
		}
		handed, err := r.handOver(ctx, line, from, to, mould, messageID, values)
		if handed {
			return err
		}
		errs = append(errs, err)
	}
	return cmp.Or(errors.Join(errs...), errNoRelay)
}

// handOver sends one mail over the relay. handed is false when it cannot be reached
// or is at its limits.
func (r *relay) handOver(ctx context.Context, line *noticeLine, from string, to subscriber.Address, mould *mailer.Compiled, messageID string, values []string) (handed bool, err error) {
	body, err := r.signer.Clone().Render(r.begin(nil, messageID), mould, values)
	if err != nil {
		return true, err
	}
	envelope := mailer.Envelope{From: from, To: to.ASCII(), Size: len(body)}
	if line.over(r) {
		if d, err := r.rates.take(ctx); (d > 0 || err != nil) && !urgent(ctx) {
			return false, err
		}
		begun, err := handOne(ctx, line.conn, envelope, body)
		if begun || err == nil {
			return true, err
		}
		r.rates.giveBack() // the server closed the idle connection: nothing was sent
	}
	if err := r.connect(ctx, line); err != nil || line.relay == nil {
		return false, err
	}
	_, err = handOne(ctx, line.conn, envelope, body)
	return true, err
}

// connect opens a connection to the relay for the line, in the place of what it was. The line
// stays empty when the relay is at its limits.
func (r *relay) connect(ctx context.Context, line *noticeLine) error {
	line.close()
	slot, ok := r.awaitSlot(ctx)
	if !ok && !urgent(ctx) {
		return nil
	}
	if d, err := r.rates.take(ctx); (d > 0 || err != nil) && !urgent(ctx) {
		r.dropSlot(slot)
		return err
	}
	conn, err := mailer.Dial(ctx, r.Relay.Relay)
	if err != nil {
		r.rates.giveBack()
		r.dropSlot(slot)
		r.unreachable(ctx, err)
		return err
	}
	r.reached(ctx)
	*line = noticeLine{relay: r, slot: slot, conn: conn}
	return nil
}

// awaitSlot takes one of the relay's connections. When an edition has them all, one of its
// senders ends after its mail and makes room.
func (r *relay) awaitSlot(ctx context.Context) (*slot, bool) {
	if taken, ok := r.takeSlot(ctx); ok || urgent(ctx) {
		return taken, ok
	}
	r.notices.Add(1)
	defer r.notices.Add(-1)
	for deadline := time.Now().Add(slotPatience); time.Now().Before(deadline) && ctx.Err() == nil; {
		wait(ctx, crowdedWait/5)
		if taken, ok := r.takeSlot(ctx); ok {
			return taken, true
		}
	}
	return nil, false
}

// ceded is how many of the relay's connections editions leave to single mails that wait: at
// most half of them, and one of one.
func (r *relay) ceded() int {
	return min(int(r.notices.Load()), max(1, r.growth.target/2))
}

// handOne sends one mail. begun is false when the connection broke before the server could
// have taken anything, so that another one may be tried.
func handOne(ctx context.Context, conn *mailer.Conn, envelope mailer.Envelope, body []byte) (begun bool, err error) {
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
