package delivery

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/tidings-press/tidings/internal/backoff"
	"github.com/tidings-press/tidings/internal/delivery/relay"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/metrics"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/mailer"
)

// sender works on one connection to a relay. It pipelines mails: the body of one and the
// envelope of the next go out in one write, and the outcome of one is stored together with
// the intent of the next. A body goes out only after its intent is stored.
type sender struct {
	relay  *relay.Relay
	engine *Engine
	signer *mailer.Signer
	lease  *relay.Lease // of the connection; nil without a limit
	conn   *mailer.Conn // nil before the first mail and after a failure

	mail   []byte // the current mail
	spare  []byte // the buffer of the next
	values []string

	outcome    *store.Outcome // of the last mail, not stored yet
	outcomeJob job

	stopping context.Context // ends when no new mail may be started
}

// idleFor is how long an open connection waits for more work.
const idleFor = 2 * time.Second

// serve sends mails over one connection to a relay until there is nothing left to do.
func (e *Engine) serve(ctx context.Context, r *relay.Relay, lease *relay.Lease) {
	s := &sender{relay: r, engine: e, signer: e.signer.Clone(), lease: lease}
	s.run(ctx)
}

// shouldClose reports whether this connection should not start another mail.
func (s *sender) shouldClose() bool { return s.relay.ShouldCloseConnection() || !s.lease.Valid() }

// mail is a job with its bytes and envelope.
type mail struct {
	job
	envelope mailer.Envelope
	body     []byte
	opened   bool // its envelope is on the wire
}

// run sends until there is nothing left to do for a while, the relay cannot be
// used, or the context ends. Mails on the wire are finished first.
func (s *sender) run(ctx context.Context) {
	defer s.close()
	s.stopping = ctx
	var current *mail
	for {
		if current == nil {
			if current = s.nextMail(ctx); current == nil {
				return
			}
		}
		if s.relay.Stopped() {
			s.disconnect(false) // cancels the envelope that was sent: SMTP has no other way
			s.requeue(current)
			return
		}
		if !current.opened && !s.open(ctx, current) {
			return
		}
		current = s.send(ctx, current)
	}
}

// nextMail returns the next mail that may be sent now, or nil when the connection should end.
// It stores the last outcome before it waits.
func (s *sender) nextMail(ctx context.Context) *mail {
	idle := time.Now().Add(idleFor)
	for ctx.Err() == nil && !s.shouldClose() && time.Now().Before(idle) {
		m, delay := s.tryMail(ctx)
		if m != nil {
			return m
		}
		s.flush()
		if s.conn == nil && s.relay.Held() {
			return nil
		}
		if delay > 0 {
			idle = time.Now().Add(idleFor)
			wait(ctx, min(max(delay, minWait), time.Second))
			continue
		}
		s.engine.queue.await(ctx, time.Until(idle))
	}
	return nil
}

// minWait is how often a connection that waits for a quota or for other relays checks whether
// it may go on.
const minWait = 5 * time.Millisecond

// tryMail returns the next mail that the quotas allow, or how long to wait. It settles mails
// that must not be sent now without a try.
func (s *sender) tryMail(ctx context.Context) (*mail, time.Duration) {
	for ctx.Err() == nil {
		j, ok := s.engine.queue.take(s.relay)
		if !ok && s.engine.queue.length() > 0 {
			return nil, minWait // the first jobs are all for other relays
		}
		if !ok {
			return nil, 0
		}
		if j.lease.lost.Load() {
			s.engine.done(j.lease)
			continue
		}
		domain := relay.DomainOf(j.Address)
		if until := s.relay.ThrottledUntil(domain); !until.IsZero() {
			s.deferJob(j, "its domain is rate-limited", time.Until(until)+rand.N(time.Minute))
			continue
		}
		if d, err := s.relay.TakeQuota(ctx, domain); d > 0 || err != nil {
			if s.relay.WarmupWait() == 0 && s.relay.WarmupWaitOf(domain) > 0 {
				s.postpone(j, domain, d)
				continue
			}
			s.engine.queue.putBack(j)
			if s.relay.WarmupWait() == 0 {
				s.relay.QuotaFullFor(d)
			}
			return nil, max(d, minWait)
		}
		if m := s.render(ctx, j); m != nil {
			return m, 0
		}
		s.relay.ReturnQuota(domain)
	}
	return nil, 0
}

// send delivers a mail whose envelope has been sent, and returns the next mail, whose envelope was
// sent in the same write; nil when there is none.
func (s *sender) send(ctx context.Context, m *mail) *mail {
	intent := store.Intent{Chunk: m.lease.Chunk, Subscriber: m.Subscriber, Nonce: rand.Int64N(1<<62) + 1}
	if !s.storeIntent(intent) {
		s.denied(ctx, m, intent)
		return nil
	}
	// A stopping node finishes the mail that is on the wire.
	ctx = context.WithoutCancel(ctx)
	reply, err := s.conn.AwaitReady(ctx)
	if err != nil || !reply.OK() {
		s.settle(ctx, m, intent, reply, err)
		return nil
	}
	next := s.following(ctx)
	var envelope *mailer.Envelope
	if next != nil {
		envelope = &next.envelope
	}
	reply, err = s.conn.Deliver(ctx, m.body, envelope)
	s.settle(ctx, m, intent, reply, err)
	if next != nil {
		next.opened = s.conn != nil
	}
	return next
}

// following returns the mail whose envelope can be sent together with the current body, or nil.
func (s *sender) following(ctx context.Context) *mail {
	full := s.relay.PerConnection > 0 && s.conn.Accepted()+1 >= s.relay.PerConnection
	if full || s.stopping.Err() != nil || s.shouldClose() {
		return nil
	}
	m, _ := s.tryMail(ctx)
	return m
}

// settle keeps an outcome for the next commit and reports it to the relay.
func (s *sender) settle(ctx context.Context, m *mail, intent store.Intent, reply mailer.Reply, err error) {
	tried, class := s.engine.outcomeOf(m.job, intent, s.relay.Name, reply, err)
	s.outcome, s.outcomeJob = &tried, m.job
	metrics.Delivery(string(tried.State), string(class), m.Tries > 0)
	s.engine.logOutcome(ctx, m.job, tried, class)
	s.engine.activity.tried(time.Now())
	broke := err != nil || !s.conn.Usable()
	result := relay.Result{Domain: relay.DomainOf(m.Address), Class: class, Reply: reply, Lost: broke && s.conn.Accepted() == 0}
	if broke || class == mailer.Uncertain {
		result.Reason = failureText(reply, err)
	}
	s.relay.Record(ctx, result)
	full := s.relay.PerConnection > 0 && s.conn.Accepted() >= s.relay.PerConnection
	if broke || full {
		s.disconnect(err == nil && full)
	}
}

// denied settles a mail whose intent was not granted: the subscriber unsubscribed, the edition
// was stopped, or another node has the chunk.
func (s *sender) denied(ctx context.Context, m *mail, intent store.Intent) {
	s.disconnect(false) // cancels the envelope that was sent: SMTP has no other way
	reason, err := s.engine.Store.DenialReason(ctx, intent)
	switch {
	case err != nil || reason == "taken":
	case reason == "lost" || reason == "stopped":
		m.lease.lost.Store(true)
	default:
		s.skip(m.job, digest.DeliverySkipped, reason)
		return
	}
	s.engine.done(m.lease)
}

// storeIntent stores the last outcome and the next intent in one commit, and reports whether
// the mail may be sent.
func (s *sender) storeIntent(intent store.Intent) bool {
	done := s.outcome
	granted := s.record(store.RecorderEntry{Outcome: done, Intent: &intent})
	s.outcomeStored(done)
	return granted
}

// flush stores the last outcome without an intent.
func (s *sender) flush() {
	if done := s.outcome; done != nil {
		s.record(store.RecorderEntry{Outcome: done})
		s.outcomeStored(done)
	}
}

func (s *sender) outcomeStored(done *store.Outcome) {
	if done != nil {
		s.outcome = nil
		s.engine.done(s.outcomeJob.lease)
	}
}

// record stores an entry, and retries while the store cannot be reached: a mail whose outcome is
// not stored would become uncertain.
func (s *sender) record(entry store.RecorderEntry) bool {
	for attempt := 1; ; attempt++ {
		granted, err := s.engine.recorder.Record(context.Background(), entry)
		if err == nil {
			return granted
		}
		limit := recordAttempts
		if s.stopping.Err() != nil {
			limit = lastAttempts
		}
		if errors.Is(err, context.Canceled) || attempt >= limit {
			s.engine.Log.Error("an outcome could not be stored; the mail is uncertain", "error", err)
			return false
		}
		time.Sleep(backoff.Delay(50*time.Millisecond, time.Second, attempt))
	}
}

// recordAttempts take about ten minutes. lastAttempts take about 20 seconds and apply to a node
// that is stopping.
const (
	recordAttempts = 600
	lastAttempts   = 25
)

// open sends a mail's envelope, over a new connection if there is none. When that fails it
// puts the mail back into the queue, untried, and returns false.
func (s *sender) open(ctx context.Context, m *mail) bool {
	for attempt := range 2 {
		if s.conn == nil && (s.relay.Held() || !s.dial(ctx)) {
			break
		}
		if err := s.conn.SendEnvelope(ctx, m.envelope); err == nil {
			m.opened = true
			return true
		}
		// The server may have closed an idle connection: try once more on a new one.
		s.disconnect(false)
		if attempt == 1 {
			break
		}
	}
	s.requeue(m)
	return false
}

// requeue returns a mail that was not tried to the queue.
func (s *sender) requeue(m *mail) {
	s.relay.ReturnQuota(relay.DomainOf(m.Address))
	s.engine.queue.putBack(m.job)
}

// dial connects to the relay.
func (s *sender) dial(ctx context.Context) bool {
	conn, err := s.relay.Dial(ctx)
	s.conn = conn
	return err == nil
}

// disconnect ends the connection. If quit is set, it sends QUIT and waits for the reply.
func (s *sender) disconnect(quit bool) {
	if s.conn == nil {
		return
	}
	if quit {
		_ = s.conn.Quit() // the mails are settled, so an error changes nothing
	} else {
		_ = s.conn.Close()
	}
	s.relay.Closed()
	s.conn = nil
}

// close stores the last outcome and closes the connection.
func (s *sender) close() {
	s.flush()
	s.disconnect(true)
}
