package delivery

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/tidings-press/tidings/digest"
	"github.com/tidings-press/tidings/mailer"
	"github.com/tidings-press/tidings/store"
	"github.com/tidings-press/tidings/subscriber"
)

// sender is one connection at work. Its mails follow each other on the wire: the
// body of one and the envelope of the next go out in one write, and the outcome of
// one is stored together with the intent of the next. A body goes out only after
// its intent is stored.
type sender struct {
	relay  *relay
	engine *Engine
	signer *mailer.Signer
	conn   *mailer.Conn

	mail   []byte // the current mail
	spare  []byte // the buffer of the next
	values []string

	tried *store.Tried // outcome that is not stored yet
	of    job          // whose it is

	stopping context.Context // ends when no new mail may be begun
}

// idleFor is how long an open connection waits for more work.
const idleFor = 2 * time.Second

func newSender(r *relay) *sender {
	return &sender{relay: r, engine: r.engine, signer: r.signer.Clone()}
}

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
		if !current.opened && !s.open(ctx, current) {
			return
		}
		current = s.send(ctx, current)
	}
}

// nextMail returns the next mail that may be sent now. It stores the last outcome
// before it waits. It returns nil when the sender should end.
func (s *sender) nextMail(ctx context.Context) *mail {
	for ctx.Err() == nil && !s.relay.surplus() {
		m, delay := s.tryMail(ctx)
		if m != nil {
			return m
		}
		s.flush()
		if delay > 0 {
			wait(ctx, min(max(delay, 5*time.Millisecond), time.Second))
			continue
		}
		idle, cancel := context.WithTimeout(ctx, idleFor)
		j, ok := s.engine.queue.take(idle)
		cancel()
		if !ok {
			return nil
		}
		s.engine.queue.back(j)
		if s.relay.held() {
			return nil
		}
	}
	return nil
}

// tryMail returns the next mail if one is there and within the limits, or how long
// these ask to wait. Mails that need no try are settled on the way.
func (s *sender) tryMail(ctx context.Context) (*mail, time.Duration) {
	for ctx.Err() == nil {
		if !s.relay.mayTake() {
			return nil, 5 * time.Millisecond
		}
		j, ok := s.engine.queue.try()
		if !ok {
			return nil, 0
		}
		if j.lease.lost.Load() {
			s.engine.done(j.lease)
			continue
		}
		if until := s.relay.restOf(domainOf(j.Address)); !until.IsZero() {
			s.skip(j, digest.DeliveryDeferred, "its domain asks for a rest", s.engine.Store.Now().Add(time.Until(until)+rand.N(time.Minute)))
			continue
		}
		if d, err := s.relay.admit(ctx); d > 0 || err != nil {
			s.engine.queue.back(j)
			s.relay.fullFor(d)
			return nil, max(d, 5*time.Millisecond)
		}
		if m := s.compose(ctx, j); m != nil {
			return m, 0
		}
	}
	return nil, 0
}

// compose pours the mail of a job. It returns nil when that is settled without a
// try, or impossible for now.
func (s *sender) compose(ctx context.Context, j job) *mail {
	l := j.lease.edition
	address, err := subscriber.ParseAddress(j.Address)
	if err != nil {
		s.skip(j, digest.DeliverySkipped, "the address cannot be mailed: "+err.Error(), time.Time{})
		return nil
	}
	mould, err := s.engine.mouldOf(ctx, l, j.Variant)
	if err != nil {
		s.engine.Log.Error("a frozen variant cannot be read", "edition", l.ID, "variant", j.Variant, "error", err)
		s.skip(j, digest.DeliveryDeferred, "its variant cannot be read: "+err.Error(), s.engine.Store.Now().Add(firstWait))
		return nil
	}
	s.values = s.engine.values(s.values[:0], mould, l.paths, l, j.Recipient, address)
	body, err := s.signer.Pour(s.relay.begin(roomFor(s.spare, mould.Size()), s.values[messageIDValue]), mould.Mould, s.values)
	if err != nil {
		s.skip(j, digest.DeliveryDeferred, "the mail cannot be signed: "+err.Error(), s.engine.Store.Now().Add(firstWait))
		return nil
	}
	if !s.relay.takes(len(body)) {
		s.spare = body
		s.tooLarge(j, len(body))
		return nil
	}
	// The other buffer holds the mail that is on the wire: it is free only when this
	// one takes its place.
	s.mail, s.spare = body, s.mail
	from := l.paths.ReturnPath(mailer.ID{Edition: l.ID, Subscriber: j.Subscriber})
	return &mail{job: j, address: address, body: body, envelope: mailer.Envelope{From: from, To: address.ASCII(), Size: len(body), Poured: true}}
}

// beside is room for what a mail has besides its mould: values, signatures, and the
// next envelope, which goes out behind it from the same buffer.
const beside = 8 << 10

// roomFor empties a buffer for a mail of a mould of some size. A buffer that grows
// while it is poured into would be half garbage.
func roomFor(buffer []byte, size int) []byte {
	if cap(buffer) < size+beside {
		return make([]byte, 0, size+2*beside)
	}
	return buffer[:0]
}

// takes says whether a mail of so many bytes is within the relay's limit.
func (r *relay) takes(size int) bool { return r.MaxSize == 0 || int64(size) <= r.MaxSize }

// tooLarge leaves a mail to a relay that takes larger ones, if there is one.
func (s *sender) tooLarge(j job, size int) {
	for _, r := range s.engine.relays {
		if r.takes(size) {
			s.skip(j, digest.DeliveryDeferred, "the mail is larger than the relay "+s.relay.Name+" takes", s.engine.Store.Now().Add(brokenWait))
			return
		}
	}
	s.skip(j, digest.DeliverySkipped, "the mail is larger than any relay takes", time.Time{})
}

// skip stores that a job gets no try.
func (s *sender) skip(j job, state digest.DeliveryState, reason string, next time.Time) {
	note := store.Note{Skip: &store.Skip{Chunk: j.lease.Chunk, Subscriber: j.Subscriber, State: state, Reason: reason, NextTry: next}}
	s.record(note)
	s.engine.done(j.lease)
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
	reply, err := s.conn.Ready(ctx)
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
	full := s.relay.PerConnection > 0 && s.conn.Mails()+1 >= s.relay.PerConnection
	if full || s.stopping.Err() != nil || s.relay.surplus() {
		return nil
	}
	m, _ := s.tryMail(ctx)
	return m
}

// settle keeps an outcome for the next commit and draws its consequences.
func (s *sender) settle(ctx context.Context, m *mail, intent store.Intent, reply mailer.Reply, err error) {
	tried, class := s.engine.judge(m.job, intent, s.relay.Name, reply, err)
	s.tried, s.of = &tried, m.job
	s.engine.follow(ctx, s.relay, m.job, class, reply)
	full := s.relay.PerConnection > 0 && s.conn.Mails() >= s.relay.PerConnection
	if err != nil || !s.conn.Usable() || full {
		s.hangUp(err == nil && full)
	}
}

// refused deals with a mail that may not go: its reader left, its edition stopped,
// or its chunk is another node's.
func (s *sender) refused(ctx context.Context, m *mail, intent store.Intent) {
	s.hangUp(false) // its envelope is on the wire; nothing else takes it back
	why, err := s.engine.Store.WhyNot(ctx, intent)
	switch {
	case err != nil || why == "taken":
	case why == "lost" || why == "stopped":
		m.lease.lost.Store(true)
	default:
		s.skip(m.job, digest.DeliverySkipped, why, time.Time{})
		return
	}
	s.engine.done(m.lease)
}

// storeIntent stores the last outcome and the next intent in one commit, and says
// whether the mail may go.
func (s *sender) storeIntent(intent store.Intent) bool {
	done := s.tried
	granted := s.record(store.Note{Done: done, Next: &intent})
	s.recorded(done)
	return granted
}

// flush stores the last outcome by itself.
func (s *sender) flush() {
	if done := s.tried; done != nil {
		s.record(store.Note{Done: done})
		s.recorded(done)
	}
}

func (s *sender) recorded(done *store.Tried) {
	if done != nil {
		s.tried = nil
		s.engine.done(s.of.lease)
	}
}

// record stores a note, again and again while the store is away: an outcome that
// was not stored would be a doubt, and a doubt is what we promise to avoid.
func (s *sender) record(note store.Note) bool {
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
