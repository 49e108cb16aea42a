package delivery

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/mailer"
)

// sender is one connection at work. Its mails follow each other on the wire: the
// body of one and the envelope of the next go out in one write, and the outcome of
// one is stored together with the intent of the next. A body goes out only after
// its intent is stored.
type sender struct {
	relay  *relay
	engine *Engine
	signer *mailer.Signer
	slot   *slot // its place among the relay's connections; nil without a limit
	conn   *mailer.Conn

	mail   []byte // the current mail
	spare  []byte // the buffer of the next
	values []string

	tried *store.Outcome // outcome that is not stored yet
	of    job            // whose it is

	stopping context.Context // ends when no new mail may be begun
}

// idleFor is how long an open connection waits for more work.
const idleFor = 2 * time.Second

func newSender(r *relay, slot *slot) *sender {
	return &sender{relay: r, engine: r.engine, signer: r.signer.Clone(), slot: slot}
}

// surplus says whether no further mail is to be begun here.
func (s *sender) surplus() bool { return s.relay.surplus() || !s.slot.valid() }

// mail is a job with its bytes and envelope.
type mail struct {
	job
	address  subscriber.Address
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
		if s.relay.stopped() {
			s.hangUp(false) // an envelope on the wire is taken back by nothing else
			s.giveBack(current)
			return
		}
		if !current.opened && !s.open(ctx, current) {
			return
		}
		current = s.send(ctx, current)
	}
}

// nextMail returns the next mail that may be sent now. It stores the last outcome
// before it waits. It returns nil when the sender should end.
func (s *sender) nextMail(ctx context.Context) *mail {
	idle := time.Now().Add(idleFor)
	for ctx.Err() == nil && !s.surplus() && time.Now().Before(idle) {
		m, delay := s.tryMail(ctx)
		if m != nil {
			return m
		}
		s.flush()
		if s.conn == nil && s.relay.held() {
			return nil
		}
		if delay > 0 {
			idle = time.Now().Add(idleFor)
			wait(ctx, min(max(delay, leastWait), time.Second))
			continue
		}
		s.engine.queue.await(ctx, time.Until(idle))
	}
	return nil
}

// leastWait is how often a connection looks whether it may go on that waits for a
// limit or for other relays.
const leastWait = 5 * time.Millisecond

// tryMail returns the next mail if one is there and within the limits, or how long
// these ask to wait. Mails that need no try are settled on the way.
func (s *sender) tryMail(ctx context.Context) (*mail, time.Duration) {
	for ctx.Err() == nil {
		j, ok := s.engine.queue.try(s.relay.fits)
		if !ok && s.engine.queue.length() > 0 {
			return nil, leastWait // what waits is for other relays, as it looks now
		}
		if !ok {
			return nil, 0
		}
		if j.lease.lost.Load() {
			s.engine.done(j.lease)
			continue
		}
		if until := s.relay.domains.restOf(domainOf(j.Address)); !until.IsZero() {
			s.putOff(j, "its domain asks for a rest", time.Until(until)+rand.N(time.Minute))
			continue
		}
		if d, err := s.relay.rates.take(ctx); d > 0 || err != nil {
			s.engine.queue.back(j)
			s.relay.fullFor(d)
			return nil, max(d, leastWait)
		}
		if m := s.render(ctx, j); m != nil {
			return m, 0
		}
		s.relay.rates.giveBack()
	}
	return nil, 0
}

// send carries one mail whose envelope is on the wire to its outcome, and returns
// the next one, whose envelope then is.
func (s *sender) send(ctx context.Context, m *mail) *mail {
	intent := store.Intent{Chunk: m.lease.Chunk, Subscriber: m.Subscriber, Attempt: rand.Int64N(1<<62) + 1}
	if !s.storeIntent(intent) {
		s.refused(ctx, m, intent)
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

// following returns the mail whose envelope may go out behind the current body.
func (s *sender) following(ctx context.Context) *mail {
	full := s.relay.PerConnection > 0 && s.conn.Accepted()+1 >= s.relay.PerConnection
	if full || s.stopping.Err() != nil || s.surplus() {
		return nil
	}
	m, _ := s.tryMail(ctx)
	return m
}

// settle keeps an outcome for the next commit and draws its consequences.
func (s *sender) settle(ctx context.Context, m *mail, intent store.Intent, reply mailer.Reply, err error) {
	tried, class := s.engine.judge(m.job, intent, s.relay.Name, reply, err)
	s.tried, s.of = &tried, m.job
	now := time.Now()
	s.relay.share.add(now)
	s.engine.activity.tried(now)
	broke := err != nil || !s.conn.Usable()
	switch {
	case class == mailer.Uncertain:
		s.relay.doubt(ctx, tried.Reason)
	case broke && s.conn.Accepted() == 0:
		s.relay.stumbled(ctx, cause(reply, err), reply.Code == 421)
	default:
		s.relay.heard(ctx)
	}
	s.relay.follow(ctx, domainOf(m.Address), class, reply)
	full := s.relay.PerConnection > 0 && s.conn.Accepted() >= s.relay.PerConnection
	if broke || full {
		s.hangUp(err == nil && full)
	}
}

// refused deals with a mail that may not go: its reader left, its edition stopped,
// or its chunk is another node's.
func (s *sender) refused(ctx context.Context, m *mail, intent store.Intent) {
	s.hangUp(false) // its envelope is on the wire; nothing else takes it back
	why, err := s.engine.Store.DenialReason(ctx, intent)
	switch {
	case err != nil || why == "taken":
	case why == "lost" || why == "stopped":
		m.lease.lost.Store(true)
	default:
		s.skip(m.job, digest.DeliverySkipped, why)
		return
	}
	s.engine.done(m.lease)
}

// storeIntent stores the last outcome and the next intent in one commit, and says
// whether the mail may go.
func (s *sender) storeIntent(intent store.Intent) bool {
	done := s.tried
	granted := s.record(store.RecorderEntry{Outcome: done, Intent: &intent})
	s.recorded(done)
	return granted
}

// flush stores the last outcome by itself.
func (s *sender) flush() {
	if done := s.tried; done != nil {
		s.record(store.RecorderEntry{Outcome: done})
		s.recorded(done)
	}
}

func (s *sender) recorded(done *store.Outcome) {
	if done != nil {
		s.tried = nil
		s.engine.done(s.of.lease)
	}
}

// record stores a note, again and again while the store is away: an outcome that
// was not stored would be a doubt, and a doubt is what we promise to avoid.
func (s *sender) record(note store.RecorderEntry) bool {
	for attempt := 1; ; attempt++ {
		granted, err := s.engine.recorder.Record(context.Background(), note)
		if err == nil {
			return granted
		}
		attempts := recordAttempts
		if s.stopping.Err() != nil {
			attempts = lastAttempts
		}
		if errors.Is(err, context.Canceled) || attempt >= attempts {
			s.engine.Log.Error("an outcome could not be stored; the mail is in doubt", "error", err)
			return false
		}
		time.Sleep(min(time.Duration(attempt)*50*time.Millisecond, time.Second))
	}
}

// recordAttempts are about ten minutes of a store that is away, lastAttempts a
// quarter of one, for a node that is to stop.
const (
	recordAttempts = 600
	lastAttempts   = 25
)
