package delivery

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/tidings-press/tidings/internal/backoff"
	"github.com/tidings-press/tidings/internal/delivery/relay"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/token"
	"github.com/tidings-press/tidings/internal/words"
	"github.com/tidings-press/tidings/mailer"
)

// Limits of the wait between two tries of a mail.
const (
	firstWait = time.Minute
	maxWait   = 4 * time.Hour
	// A connection that broke before anything was accepted says little about the recipient,
	// so the next try may come soon.
	firstBrokenWait = 2 * time.Second
	maxBrokenWait   = 15 * time.Minute
	// A policy refusal must be fixed by a person; until then the mail would be refused again.
	ourFaultWait = 15 * time.Minute
)

// outcomeOf turns a reply, or the error of an attempt without one, into the outcome to record.
func (e *Engine) outcomeOf(j job, intent store.Intent, relayName string, reply mailer.Reply, err error) (store.Outcome, mailer.Class) {
	class := mailer.Classify(reply, err)
	now := e.Store.Now()
	t := store.Outcome{Intent: intent, Relay: relayName, Code: reply.Code, Reply: replyText(reply)}
	switch class {
	case mailer.Accepted:
		t.State = digest.DeliverySent
	case mailer.Suppress:
		t.State, t.Feedback = digest.DeliveryRefused, e.feedback(j, store.FeedbackBounced, reply, now)
	case mailer.Soft:
		t.State, t.Feedback, t.SoftRule = digest.DeliveryRefused, e.feedback(j, store.FeedbackSoft, reply, now), e.Policy.Soft
	case mailer.Unsendable:
		// No server answered, so nothing is known about the address.
		t.State, t.Reason, t.Code, t.Reply = digest.DeliverySkipped, words.T("the address cannot be sent to the relay: {0}", reply.Text).String(), 0, ""
	case mailer.Uncertain:
		t.State, t.Reason = digest.DeliveryUncertain, inDoubt(failureText(reply, err))
	case mailer.OurFault:
		e.deferOrRefuse(&t, j, now, backoff.Delay(ourFaultWait, maxWait, j.Tries+1), "")
	case mailer.Retry:
		e.deferOrRefuse(&t, j, now, backoff.Delay(firstBrokenWait, maxBrokenWait, j.Tries+1), failureText(reply, err))
	default:
		if relay.ClosesConnection(reply) {
			e.deferOrRefuse(&t, j, now, backoff.Delay(firstBrokenWait, maxBrokenWait, j.Tries+1), "")
			break
		}
		e.deferOrRefuse(&t, j, now, backoff.Delay(firstWait, maxWait, j.Tries+1), "")
		// A server that has deferred a mail until the retries ended has refused it: a mailbox that
		// stays full counts as a soft bounce here, as it does behind a relay that queues mail.
		if t.State == digest.DeliveryRefused && classAfterRetries(reply) == mailer.Soft {
			t.Feedback, t.SoftRule = e.feedback(j, store.FeedbackSoft, reply, now), e.Policy.Soft
		}
	}
	return t, class
}

// classAfterRetries returns the class of a temporary refusal once retries have ended.
func classAfterRetries(reply mailer.Reply) mailer.Class {
	return mailer.Recipient{Action: "failed", Reply: reply}.Class()
}

// deferOrRefuse defers a mail, or refuses it when it has been tried for as long as the policy
// allows.
func (e *Engine) deferOrRefuse(t *store.Outcome, j job, now time.Time, after time.Duration, reason string) {
	t.State, t.NextTry, t.Reason = digest.DeliveryDeferred, now.Add(after), reason
	if tries := j.Tries + 1; tries >= minTries && e.expired(j, t.NextTry) {
		t.State, t.NextTry = digest.DeliveryRefused, time.Time{}
		t.Reason = words.T("{0}: {1}", e.giveUpReason(tries), cmp.Or(reason, t.Reply)).String()
	}
}

// minTries is the number of tries that are made even after the retry time is over. Otherwise a
// clock that jumps by days, such as one that is set after the start, would end retries early.
const minTries = 3

// expired reports whether the next try of a mail would be after the retry time.
func (e *Engine) expired(j job, next time.Time) bool {
	return !j.FirstTry.IsZero() && next.Sub(j.FirstTry) > e.Policy.RetryFor
}

// giveUpReason returns the reason to record for a mail whose retries have ended.
func (e *Engine) giveUpReason(tries int) words.Text {
	return words.T("given up after {0} and {1} tries", e.Policy.RetryFor.String(), tries)
}

// inDoubt returns the reason of an uncertain delivery. Queries of the store find it by how it begins.
func inDoubt(why string) string { return words.T("in doubt: {0}", why).String() }

// maxReply bounds the stored text of a reply, in bytes.
const maxReply = 500

func replyText(reply mailer.Reply) string {
	text := strings.TrimSpace(reply.Enhanced + " " + reply.Text)
	if len(text) > maxReply {
		text = strings.ToValidUTF8(text[:maxReply], "")
	}
	return text
}

func failureText(reply mailer.Reply, err error) string {
	var broken *mailer.BrokenError
	if errors.As(err, &broken) {
		return words.T("the connection ended {0}: {1}", string(broken.Stage), broken.Err).String()
	}
	if err != nil {
		return err.Error()
	}
	return reply.String()
}

// enhancedStatus returns the enhanced status code (RFC 3463) that a stored reply begins with, if it has one.
func enhancedStatus(reply string) string {
	first, _, _ := strings.Cut(reply, " ")
	if strings.Count(first, ".") != 2 || strings.Trim(first, "0123456789.") != "" {
		return ""
	}
	return first
}

// logOutcome logs the outcome of a try of a mail: a refusal or an unknown outcome at level info, the
// others for debugging. It leaves out the address and the words of the reply, which may name people; the
// page of the edition has them.
func (e *Engine) logOutcome(ctx context.Context, j job, t store.Outcome, class mailer.Class) {
	level := slog.LevelDebug
	if t.State == digest.DeliveryRefused || t.State == digest.DeliveryUncertain {
		level = slog.LevelInfo
	}
	if !e.Log.Enabled(ctx, level) {
		return
	}
	l := j.lease.edition
	delivery, _, _ := strings.Cut(l.paths.MessageID(mailer.DeliveryID{Edition: l.ID, Person: token.PersonOf(j.UID)}), "@")
	e.Log.LogAttrs(ctx, level, "mail "+string(t.State), slog.String("edition", l.ID), slog.String("delivery", delivery), slog.Int64("subscriber", j.Subscriber), slog.String("relay", t.Relay),
		slog.String("class", string(class)), slog.Int("code", t.Code), slog.String("status", enhancedStatus(t.Reply)), slog.Int("tries", j.Tries+1))
}

// feedback returns the bounce to record for a refused address.
func (e *Engine) feedback(j job, kind store.FeedbackKind, reply mailer.Reply, at time.Time) *store.Feedback {
	return &store.Feedback{
		Key: "smtp:" + j.lease.edition.ID + ":" + fmt.Sprint(j.Subscriber), Subscriber: j.Subscriber, Edition: j.lease.edition.ID,
		Kind: kind, Code: reply.Code, Text: replyText(reply), Source: "smtp", At: at,
	}
}
