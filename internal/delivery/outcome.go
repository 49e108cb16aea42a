package delivery

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/mailer"
)

// inDoubt begins the reason of a mail of which nobody knows whether it arrived.
const inDoubt = "in doubt: "

// judge turns a reply, or the error that came in its place, into what is recorded.
func (e *Engine) judge(j job, intent store.Intent, relay string, reply mailer.Reply, err error) (store.Outcome, mailer.Class) {
	class := mailer.Classify(reply, err)
	now := e.Store.Now()
	t := store.Outcome{Intent: intent, Relay: relay, Code: reply.Code, Reply: replyText(reply)}
	switch class {
	case mailer.Accepted:
		t.State = digest.DeliverySent
	case mailer.Suppress:
		t.State, t.Feedback = digest.DeliveryRefused, e.back(j, store.FeedbackBounced, reply, now)
	case mailer.Soft:
		t.State, t.Feedback, t.SoftRule = digest.DeliveryRefused, e.back(j, store.FeedbackSoft, reply, now), e.Policy.Soft
	case mailer.Unsendable:
		// Nothing was heard from a server, so nothing is known of the address.
		t.State, t.Reason, t.Code, t.Reply = digest.DeliverySkipped, "the address cannot be told to the relay: "+reply.Text, 0, ""
	case mailer.Uncertain:
		t.State, t.Reason = digest.DeliveryUncertain, inDoubt+cause(reply, err)
	case mailer.OurFault:
		e.put(&t, j, now, backoff(faultWait, longWait, j.Tries+1), "")
	case mailer.Retry:
		e.put(&t, j, now, backoff(brokenWait, longBrokenWait, j.Tries+1), cause(reply, err))
	default:
		if closing(reply) {
			e.put(&t, j, now, backoff(brokenWait, longBrokenWait, j.Tries+1), "")
			break
		}
		e.put(&t, j, now, backoff(firstWait, longWait, j.Tries+1), "")
		// A server that has deferred a mail to the end has refused it: a mailbox that stays
		// full counts as a soft bounce here as it does behind a relay that queues.
		if t.State == digest.DeliveryRefused && givenUp(reply) == mailer.Soft {
			t.Feedback, t.SoftRule = e.back(j, store.FeedbackSoft, reply, now), e.Policy.Soft
		}
	}
	return t, class
}

// givenUp is what a temporary refusal means when the mail is tried no more.
func givenUp(reply mailer.Reply) mailer.Class {
	return mailer.Recipient{Action: "failed", Reply: reply}.Class()
}

// closing says whether a server ends a connection before it has heard who the mail
// is for, as one does that takes so many mails on each: that is no wish of the
// recipient's domain, and the mail may go over a new connection.
func closing(reply mailer.Reply) bool {
	return reply.Code == 421 && reply.Stage == mailer.StageMail
}

// put defers a mail, or ends it when it has been tried for as long as retries go on.
func (e *Engine) put(t *store.Outcome, j job, now time.Time, after time.Duration, reason string) {
	t.State, t.NextTry, t.Reason = digest.DeliveryDeferred, now.Add(after), reason
	if tries := j.Tries + 1; tries >= leastTries && e.worn(j, t.NextTry) {
		t.State, t.NextTry = digest.DeliveryRefused, time.Time{}
		t.Reason = e.wornOut(tries) + ": " + cmp.Or(reason, t.Reply)
	}
}

// leastTries are made however long they take: a clock that jumps by days, as one does
// that begins without the time, ends no mail at its first try.
const leastTries = 3

// worn says whether a mail's next try would come after the last one that is made.
func (e *Engine) worn(j job, next time.Time) bool {
	return !j.FirstTry.IsZero() && next.Sub(j.FirstTry) > e.Policy.RetryFor
}

// wornOut is the reason of a mail that is not tried any more.
func (e *Engine) wornOut(tries int) string {
	return fmt.Sprintf("given up after %v and %d tries", e.Policy.RetryFor, tries)
}

// maxReply bounds what is kept of a reply, in bytes.
const maxReply = 500

func replyText(reply mailer.Reply) string {
	text := strings.TrimSpace(reply.Enhanced + " " + reply.Text)
	if len(text) > maxReply {
		text = strings.ToValidUTF8(text[:maxReply], "")
	}
	return text
}

func cause(reply mailer.Reply, err error) string {
	var broken *mailer.BrokenError
	if errors.As(err, &broken) {
		return "the connection ended " + string(broken.Stage) + ": " + broken.Err.Error()
	}
	if err != nil {
		return err.Error()
	}
	return reply.String()
}

// follow draws the consequences of an outcome for the relay and the domain on it.
func (r *relay) follow(ctx context.Context, domain string, class mailer.Class, reply mailer.Reply) {
	switch {
	case class == mailer.OurFault:
		r.blame(ctx, domain, reply)
	case closing(reply):
	case reply.Throttled():
		r.throttled(ctx, domain, reply)
	case class == mailer.Accepted:
		r.praised(domain)
	}
}

// back is what a refusal says of the address that was tried.
func (e *Engine) back(j job, kind store.FeedbackKind, reply mailer.Reply, at time.Time) *store.Feedback {
	return &store.Feedback{
		Key: "smtp:" + j.lease.edition.ID + ":" + fmt.Sprint(j.Subscriber), Subscriber: j.Subscriber, Edition: j.lease.edition.ID,
		Kind: kind, Code: reply.Code, Text: replyText(reply), Source: "smtp", At: at,
	}
}

func domainOf(address string) string {
	return strings.ToLower(address[strings.LastIndexByte(address, '@')+1:])
}
