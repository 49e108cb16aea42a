package bounce

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/token"
	"github.com/tidings-press/tidings/mailer"
)

// Options configure a Processor.
type Options struct {
	Addresses *mailer.SignedAddresses
	Recorder  Recorder
	Log       *slog.Logger     // slog.Default when nil
	Now       func() time.Time // time.Now when nil
	// Mailboxes are additional addresses that the listeners accept, besides abuse and postmaster at
	// the return paths' domain (RFC 2142; RFC 5321, section 4.5.1). Register one of them with
	// feedback loops. A mail to them has an effect only if it contains one of our Message-IDs or
	// return paths.
	Mailboxes []string
}

// Processor classifies returned mails and webhook events and records their outcomes. It is safe for
// concurrent use.
type Processor struct {
	addresses *mailer.SignedAddresses
	recorder  Recorder
	log       *slog.Logger
	now       func() time.Time
	mailboxes map[string]bool
}

// New makes a Processor.
func New(opts Options) *Processor {
	d := &Processor{addresses: opts.Addresses, recorder: opts.Recorder, log: opts.Log, now: opts.Now, mailboxes: map[string]bool{}}
	if d.log == nil {
		d.log = slog.Default()
	}
	if d.now == nil {
		d.now = time.Now
	}
	for _, address := range append(opts.Mailboxes, "abuse@"+d.addresses.Domain(), "postmaster@"+d.addresses.Domain()) {
		d.mailboxes[foldAddress(address)] = true
	}
	return d
}

// mailMax is how many octets of a mail are read; ParseReport reads no more.
const mailMax = 1 << 20

// Result is what the Processor did with a mail.
type Result string

// The results of Receive.
const (
	Recorded Result = "recorded"  // recorded, now or earlier
	NoAction Result = "no action" // a report on one of our mails that needs no action, such as a delay
	NotOurs  Result = "not ours"  // does not identify one of our deliveries
)

// Receive handles a mail that was sent to the addresses in to; if to is empty, they are read from the
// mail's header. If it returns an error, the outcome was not recorded, and the mail should be
// delivered again.
func (p *Processor) Receive(ctx context.Context, source string, to []string, mail io.Reader) (Result, error) {
	data, err := io.ReadAll(io.LimitReader(mail, mailMax))
	if err != nil {
		return NotOurs, err
	}
	if len(to) == 0 { // a polled mailbox has no envelope
		to = mailer.AddressedTo(data)
	}
	if ids := p.parseAll(mailer.PurposeUnsubscribe, to); len(ids) > 0 {
		return p.unsubscribe(ctx, source, ids, data)
	}
	report, err := mailer.ParseReport(bytes.NewReader(data))
	if errors.Is(err, mailer.ErrNoReport) {
		return p.receiveSES(ctx, source, data)
	}
	if err != nil {
		return NotOurs, err
	}
	id, found := p.deliveryOf(to, report)
	if !found {
		p.log.Debug("report on a mail that is not ours", "source", source, "kind", report.Kind)
		return NotOurs, nil
	}
	return p.record(ctx, outcomeOf(report, id, source))
}

// receiveSES reads events of Amazon SES that an SNS topic sent as a mail. Any other mail that is not
// a report is a reply of a person or an automatic reply, and is not ours.
func (p *Processor) receiveSES(ctx context.Context, source string, data []byte) (Result, error) {
	events, err := sesEvents(snsMailText(mailer.BodyText(data)))
	if err != nil {
		return NotOurs, nil
	}
	result := NotOurs
	for _, e := range events {
		id, found := p.findDelivery(e.raw)
		switch {
		case !found:
			continue
		case e.note == noteSuppressed:
			p.logNotSent(source, id, e.text)
			result = NoAction
			continue
		case e.kind == "":
			result = NoAction
			continue
		}
		if result, err = p.record(ctx, Outcome{ID: id, Kind: e.kind, Code: e.code, Text: e.text, Source: source}); err != nil {
			return result, err
		}
	}
	return result, nil
}

// unsubscribe handles a mail to unsubscribe addresses. A mail that a person wrote unsubscribes the
// subscriber of each; an automatic reply does not.
func (p *Processor) unsubscribe(ctx context.Context, source string, ids []mailer.DeliveryID, data []byte) (Result, error) {
	if mailer.IsAutomatic(data) {
		p.log.Debug("an automatic reply to an unsubscribe address", "source", source, "subscriber", ids[0].Person.String())
		return NoAction, nil
	}
	result := NoAction
	for _, id := range ids {
		one, err := p.record(ctx, Outcome{ID: id, Kind: Unsubscribed, Source: source})
		if err != nil {
			return one, err
		}
		if one == Recorded {
			result = one
		}
	}
	return result, nil
}

// deliveryOf finds the delivery that a report is about: by the return path that the report was sent
// to, else by the Message-ID that it quotes.
func (p *Processor) deliveryOf(to []string, report mailer.Report) (mailer.DeliveryID, bool) {
	if id, found := p.parseFirst(mailer.PurposeReturnPath, to); found {
		return id, true
	}
	if id, found := p.parseFirst(mailer.PurposeReturnPath, report.To); found {
		return id, true
	}
	return p.parseFirst(mailer.PurposeMessageID, report.MessageIDs)
}

// parseFirst returns the delivery of the first of the names that has the purpose.
func (p *Processor) parseFirst(purpose mailer.Purpose, names []string) (mailer.DeliveryID, bool) {
	for _, name := range names {
		if got, id, err := p.addresses.Parse(name); err == nil && got == purpose {
			return id, true
		}
	}
	return mailer.DeliveryID{}, false
}

// parseAll returns the deliveries of the names that have the purpose.
func (p *Processor) parseAll(purpose mailer.Purpose, names []string) []mailer.DeliveryID {
	var all []mailer.DeliveryID
	for _, name := range names {
		if got, id, err := p.addresses.Parse(name); err == nil && got == purpose && !slices.Contains(all, id) {
			all = append(all, id)
		}
	}
	return all
}

// outcomeOf returns the outcome of a report. Each mail has one recipient, so several recipients in a
// report are the members of a list or alias behind that address. The most severe outcome counts, but
// it is a soft bounce at most if the mail was delivered to one of them.
func outcomeOf(report mailer.Report, id mailer.DeliveryID, source string) Outcome {
	outcome := Outcome{ID: id, Source: source}
	if report.Kind == mailer.ComplaintReport {
		outcome.Kind, outcome.Text = kindOfComplaint(report.Feedback), report.Feedback
		return outcome
	}
	arrived := false
	for _, recipient := range report.Recipients {
		class := recipient.Class()
		arrived = arrived || class == mailer.Accepted
		kind := kindOfClass(class)
		if recipient.Action == "delivered" {
			kind = Delivered
		}
		if severity[kind] > severity[outcome.Kind] || outcome.Text == "" {
			outcome.Kind, outcome.Code, outcome.Text = kind, recipient.Reply.Code, recipient.Reply.String()
		}
	}
	if outcome.Kind == Bounced && arrived {
		outcome.Kind = Soft
	}
	return outcome
}

// severity orders the outcomes of several recipients in one report.
var severity = map[Kind]int{"": 0, Delivered: 1, Soft: 2, Bounced: 3}

// kindOfComplaint returns the kind of a complaint by its type (RFC 5965, section 3.1, and RFC 6591).
// It returns "" for reports on failed authentication or a virus and for unknown types, which are not
// requests of the subscriber.
func kindOfComplaint(feedback string) Kind {
	switch feedback {
	case "abuse", "fraud":
		return Complained
	case "opt-out", "opt-out-list":
		return Unsubscribed
	}
	return ""
}

// kindOfClass returns the kind of a class, or "" if the class says nothing about the address: delays,
// and refusals because of the sender or the content.
func kindOfClass(class mailer.Class) Kind {
	switch class {
	case mailer.Suppress:
		return Bounced
	case mailer.Soft:
		return Soft
	}
	return ""
}

// record records an outcome. One without a kind, or about a mail to an editor, is only logged.
func (p *Processor) record(ctx context.Context, outcome Outcome) (Result, error) {
	if outcome.Kind == "" {
		if outcome.Text != "" {
			p.log.Warn("a mail was refused because of its sender or content", "source", outcome.Source, "edition", outcome.ID.Edition, "reply", subscriber.ScrubAddresses(outcome.Text))
		}
		return NoAction, nil
	}
	if outcome.ID.Person == (token.Person{}) {
		p.log.Warn("a mail to an editor came back", "kind", outcome.Kind, "source", outcome.Source, "reply", subscriber.ScrubAddresses(outcome.Text))
		return NoAction, nil
	}
	outcome.Key = string(outcome.Kind) + ":" + p.addresses.MessageID(outcome.ID)
	outcome.At = p.now()
	fresh, err := p.recorder.Record(ctx, outcome)
	if err != nil {
		return NotOurs, err
	}
	if fresh {
		p.log.Info("a mail came back", "kind", outcome.Kind, "source", outcome.Source, "edition", outcome.ID.Edition, "subscriber", outcome.ID.Person.String(), "reply", subscriber.ScrubAddresses(outcome.Text))
	}
	return Recorded, nil
}

// Kind is what an outcome means for the subscriber.
type Kind string

// The kinds.
const (
	Bounced      Kind = "bounced"      // the address does not exist
	Soft         Kind = "soft"         // refused for a reason that may pass
	Complained   Kind = "complained"   // the subscriber reported the mail as spam
	Unsubscribed Kind = "unsubscribed" // the subscriber unsubscribed
	Delivered    Kind = "delivered"    // the mail was delivered: earlier soft bounces no longer count
)

// Outcome is the outcome of a delivery according to a report or event.
type Outcome struct {
	// Key is the same for all outcomes of the same delivery and kind, so that repeated reports are
	// recorded once.
	Key    string
	ID     mailer.DeliveryID
	Kind   Kind
	Code   int    // SMTP reply code, 0 if there is none
	Text   string // the server's reply, bounded
	Source string // where it came from: smtp, lmtp, imap, pop3 or the webhook's service
	At     time.Time
}

// Recorder stores outcomes and changes the subscriber's state, in one transaction. It reports
// whether the outcome's key was new. An unknown subscriber is not an error.
type Recorder interface {
	Record(ctx context.Context, outcome Outcome) (fresh bool, err error)
}

// StoreRecorder records outcomes in the store.
type StoreRecorder struct {
	Store *store.Store
	Soft  func() store.SoftRule // called each time, because settings may be reloaded
}

// Record stores an outcome and changes the subscriber's state. It drops an outcome about a subscriber
// who is not in the store, which happens after an older backup was restored.
func (r StoreRecorder) Record(ctx context.Context, o Outcome) (fresh bool, err error) {
	sub, err := r.Store.SubscriberByToken(ctx, o.ID.Person)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return r.Store.RecordFeedback(ctx, store.Feedback{
		Key: o.Key, Subscriber: sub.ID, Edition: o.ID.Edition, Kind: feedbackKinds[o.Kind],
		Code: o.Code, Text: o.Text, Source: o.Source, At: o.At,
	}, r.Soft())
}

var feedbackKinds = map[Kind]store.FeedbackKind{
	Bounced: store.FeedbackBounced, Soft: store.FeedbackSoft, Complained: store.FeedbackComplained, Unsubscribed: store.FeedbackUnsubscribed,
	Delivered: store.FeedbackDelivered,
}

// kindOfReply classifies a reply that a mail service quotes and returns its kind and code.
// addressInvalid means that the service itself considers the address invalid, which it knows from more
// than this reply. A refusal because of the sender or the content never counts against a subscriber.
func kindOfReply(text, status string, addressInvalid bool) (Kind, int) {
	recipient := mailer.Recipient{Action: "failed", Reply: mailer.ParseReply(text, status)}
	class := recipient.Class()
	switch {
	case addressInvalid && !mailer.BlamesSender(text):
		return Bounced, recipient.Reply.Code
	case class == mailer.OurFault:
		return "", recipient.Reply.Code
	case class == mailer.Suppress:
		return Bounced, recipient.Reply.Code
	}
	return Soft, recipient.Reply.Code
}

// accepts reports whether the listeners accept mail to an address.
func (p *Processor) accepts(address string) bool {
	if p.mailboxes[foldAddress(address)] {
		return true
	}
	_, _, err := p.addresses.Parse(address)
	return err == nil
}

func foldAddress(address string) string { return strings.ToLower(strings.Trim(address, "<> ")) }
