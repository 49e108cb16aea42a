package delivery

import (
	"context"
	"time"

	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/token"
	"github.com/tidings-press/tidings/mailer"
)

// render pours the mail of a job. It returns nil when that is settled without a
// try, or impossible for now.
func (s *sender) render(ctx context.Context, j job) *mail {
	l := j.lease.edition
	address, err := subscriber.ParseAddress(j.Address)
	if err != nil {
		s.skip(j, digest.DeliverySkipped, "the address cannot be mailed: "+err.Error())
		return nil
	}
	mould, err := s.engine.compiledVariant(ctx, l, j.Variant)
	if err != nil {
		s.engine.Log.Error("a frozen variant cannot be read", "edition", l.ID, "variant", j.Variant, "error", err)
		s.putOff(j, "its variant cannot be read: "+err.Error(), firstWait)
		return nil
	}
	s.values = s.engine.values(s.values[:0], mould, l.paths, l, j.Recipient, address)
	body, err := s.signer.Render(s.relay.begin(roomFor(s.spare, mould.Size()), s.values[messageIDValue]), mould.Compiled, s.values)
	if err != nil {
		s.putOff(j, "the mail cannot be signed: "+err.Error(), firstWait)
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
	from := l.fixed.returnPath(l.paths, mailer.DeliveryID{Edition: l.ID, Person: token.PersonOf(j.UID)})
	return &mail{job: j, address: address, body: body, envelope: mailer.Envelope{From: from, To: address.ASCII(), Size: len(body), Rendered: true}}
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

// tooLarge leaves a mail to a relay that takes larger ones, if one is at work.
func (s *sender) tooLarge(j job, size int) {
	for _, r := range s.engine.relays {
		if r.takes(size) && !r.aside() {
			j.size = size
			s.engine.queue.back(j)
			return
		}
	}
	s.skip(j, digest.DeliverySkipped, "the mail is larger than any relay takes")
}

// skip ends a job without a try.
func (s *sender) skip(j job, state digest.DeliveryState, reason string) {
	s.settled(store.Skip{Chunk: j.lease.Chunk, Subscriber: j.Subscriber, State: state, Reason: reason}, j)
}

// putOff leaves a job for later, without a try, for as long as tries go on.
func (s *sender) putOff(j job, reason string, after time.Duration) {
	now := s.engine.Store.Now()
	if s.engine.worn(j, now.Add(after)) {
		s.skip(j, digest.DeliveryRefused, s.engine.wornOut(j.Tries)+"; "+reason)
		return
	}
	s.settled(store.Skip{Chunk: j.lease.Chunk, Subscriber: j.Subscriber, State: digest.DeliveryDeferred, Reason: reason, NextTry: now.Add(after)}, j)
}

func (s *sender) settled(skip store.Skip, j job) {
	s.record(store.RecorderEntry{Skip: &skip})
	s.engine.done(j.lease)
}
