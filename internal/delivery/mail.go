package delivery

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/metrics"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/token"
	"github.com/tidings-press/tidings/internal/words"
	"github.com/tidings-press/tidings/mailer"
)

// render renders the mail of a job. It returns nil when the job was settled without a try or
// deferred.
func (s *sender) render(ctx context.Context, j job) *mail {
	l := j.lease.edition
	address, err := subscriber.ParseAddress(j.Address)
	if err != nil {
		s.skip(j, digest.DeliverySkipped, words.T("the address cannot be mailed: {0}", err).String())
		return nil
	}
	compiled, err := s.engine.compiledVariant(ctx, l, j.Variant)
	if err != nil {
		s.engine.Log.Error("a frozen variant cannot be read", "edition", l.ID, "variant", j.Variant, "error", err)
		s.deferJob(j, words.T("its variant cannot be read: {0}", err).String(), firstWait)
		return nil
	}
	s.values = s.engine.values(s.values[:0], compiled, l.paths, l, j.Recipient, address)
	body, err := s.signer.Render(s.relay.AppendHeader(withCapacity(s.spare, compiled.Size()), s.values[messageIDValue]), compiled.Compiled, s.values)
	if err != nil {
		s.deferJob(j, words.T("the mail cannot be signed: {0}", err).String(), firstWait)
		return nil
	}
	if !s.relay.Fits(len(body)) {
		s.spare = body
		s.tooLarge(j, len(body))
		return nil
	}
	// The other buffer holds the mail that is being sent, until this one replaces it.
	s.mail, s.spare = body, s.mail
	from := l.fixed.returnPath(l.paths, mailer.DeliveryID{Edition: l.ID, Person: token.PersonOf(j.UID)})
	return &mail{job: j, body: body, envelope: mailer.Envelope{From: from, To: address.ASCII(), Size: len(body), Rendered: true, NeedsUTF8: compiled.NeedsUTF8()}}
}

// extraSpace is reserved for what a mail has beyond its compiled variant: values, signatures, and
// the next envelope, which is sent after it from the same buffer.
const extraSpace = 8 << 10

// withCapacity returns the buffer emptied, or a larger one if a compiled variant of this size
// does not fit. Growing it during rendering would waste half of the memory.
func withCapacity(buffer []byte, size int) []byte {
	if cap(buffer) < size+extraSpace {
		return make([]byte, 0, size+2*extraSpace)
	}
	return buffer[:0]
}

// tooLarge returns a mail to the queue for a relay with a higher size limit, or skips it when there is none.
func (s *sender) tooLarge(j job, size int) {
	for _, r := range s.engine.relays.All() {
		if r.Fits(size) && !r.OnStandby() {
			j.size = size
			s.engine.queue.putBack(j)
			return
		}
	}
	s.skip(j, digest.DeliverySkipped, words.T("the mail is larger than any relay takes").String())
}

// skip records a final state for a job without a try.
func (s *sender) skip(j job, state digest.DeliveryState, reason string) {
	s.settleUntried(store.Skip{Chunk: j.lease.Chunk, Subscriber: j.Subscriber, State: state, Reason: reason}, j)
}

// deferJob defers a job without a try, or refuses it when the policy allows no later try.
func (s *sender) deferJob(j job, reason string, after time.Duration) {
	now := s.engine.Store.Now()
	if s.engine.expired(j, now.Add(after)) {
		s.skip(j, digest.DeliveryRefused, words.T("{0}; {1}", s.engine.giveUpReason(j.Tries), reason).String())
		return
	}
	s.settleUntried(store.Skip{Chunk: j.lease.Chunk, Subscriber: j.Subscriber, State: digest.DeliveryDeferred, Reason: reason, NextTry: now.Add(after)}, j)
}

// longestPostponement is shorter than the time from which on a next try counts as set by a wrong clock.
const longestPostponement = 5 * time.Hour

// postpone defers a job without a try until the warm-up of its domain allows more mail. Unlike
// deferJob it does not start the time limit for retries.
func (s *sender) postpone(j job, domain string, after time.Duration) {
	next := s.engine.Store.Now().Add(min(after, longestPostponement) + rand.N(time.Minute))
	reason := words.T("warm-up: the mails of today to {0} are used up", domain).String()
	s.settleUntried(store.Skip{Chunk: j.lease.Chunk, Subscriber: j.Subscriber, State: digest.DeliveryDeferred, Reason: reason, NextTry: next}, j)
}

func (s *sender) settleUntried(skip store.Skip, j job) {
	metrics.Delivery(string(skip.State), "", false)
	s.record(store.RecorderEntry{Skip: &skip})
	s.engine.done(j.lease)
}
