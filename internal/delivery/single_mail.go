package delivery

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/tidings-press/tidings/internal/backoff"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/metrics"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/token"
	"github.com/tidings-press/tidings/mailer"
	"github.com/tidings-press/tidings/templates"
)

// singleMailKind is the kind of the jobs that carry single mails.
const singleMailKind = "notice"

// singleMailTries bounds the tries of a single mail. With the backoff they take about two days.
const singleMailTries = 15

// singleMail is a single mail, as stored in its job.
type singleMail struct {
	ID          string
	Digest      string // whose sender it has; the first digest's when empty
	To          string
	Person      uuid.UUID // the subscriber whom it is for; zero for editors
	Unsubscribe string    // one-click URL (RFC 8058); empty for mails without an unsubscribe link
	Mail        templates.Rendered
}

// delivery returns the id that the return path of the mail carries.
func (n singleMail) delivery() mailer.DeliveryID {
	return mailer.DeliveryID{Edition: n.ID, Person: token.PersonOf(n.Person)}
}

// SendSingleMail queues a single mail, such as a confirmation; it is sent as soon as a relay takes it.
func (e *Engine) SendSingleMail(ctx context.Context, to subscriber.Address, rendered templates.Rendered) error {
	return e.enqueueSingleMail(ctx, to, singleMail{To: to.String(), Mail: rendered})
}

// SendToSubscriber queues a single mail to a subscriber; it is sent as soon as a relay takes it.
// Its bounces are recorded for the subscriber. unsubscribe is the one-click URL, or empty.
func (e *Engine) SendToSubscriber(ctx context.Context, sub subscriber.Subscriber, unsubscribe string, rendered templates.Rendered) error {
	return e.enqueueSingleMail(ctx, sub.Address, singleMail{To: sub.Address.String(), Person: sub.UID, Unsubscribe: unsubscribe, Mail: rendered})
}

func (e *Engine) enqueueSingleMail(ctx context.Context, to subscriber.Address, n singleMail) error {
	job, err := n.job()
	if err != nil {
		return err
	}
	job.About = to
	_, err = e.Store.Enqueue(ctx, job)
	return err
}

// job makes the job that carries a single mail.
func (n singleMail) job() (store.Job, error) {
	n.ID = uuid.NewString()
	payload, err := json.Marshal(n)
	return store.Job{Kind: singleMailKind, Key: n.ID, Payload: payload}, err
}

// sendSingleMail tries one single mail and settles its job.
func (e *Engine) sendSingleMail(ctx context.Context, conn *singleMailConn, j store.Job) error {
	var n singleMail
	if err := json.Unmarshal(j.Payload, &n); err != nil {
		return e.Store.FailJob(ctx, j, "it cannot be read: "+err.Error())
	}
	if bounced, err := e.bouncedBefore(ctx, n); err != nil || bounced {
		if err != nil {
			return err
		}
		metrics.SingleMail(metrics.SingleMailFailed)
		return e.Store.FailJob(ctx, j, "not sent, because an earlier mail to the address bounced")
	}
	sending, cancel := withGrace(ctx, singleMailGrace)
	defer cancel()
	err := e.compileAndSend(sending, conn, n)
	ctx = context.WithoutCancel(ctx) // a mail whose outcome is not stored would be sent again
	var refused *refusedError
	switch {
	case err == nil:
		metrics.SingleMail(metrics.SingleMailSent)
		return e.Store.FinishJob(ctx, j)
	case errors.As(err, &refused) && refused.final():
		metrics.SingleMail(metrics.SingleMailFailed)
		return errors.Join(e.recordRefusal(ctx, n, refused.reply), e.Store.FailJob(ctx, j, err.Error()))
	case errors.Is(err, errRelaysFull): // no try was made
		return e.Store.ContinueJob(ctx, j, backoff.Delay(5*time.Second, 6*time.Hour, 1))
	case j.Tries >= singleMailTries:
		metrics.SingleMail(metrics.SingleMailFailed)
		return e.Store.FailJob(ctx, j, err.Error())
	}
	metrics.SingleMail(metrics.SingleMailRetried)
	return e.Store.RetryJob(ctx, j, backoff.Delay(5*time.Second, 6*time.Hour, j.Tries), err.Error())
}

// withGrace returns a context that ends some time after ctx, so that a stopping node finishes the mail
// under way.
func withGrace(ctx context.Context, grace time.Duration) (context.Context, context.CancelFunc) {
	longer, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(grace, cancel) })
	return longer, func() { stop(); cancel() }
}

// bouncedBefore reports whether a single mail is for a subscriber whose address has bounced, perhaps
// while the mail was queued.
func (e *Engine) bouncedBefore(ctx context.Context, n singleMail) (bool, error) {
	address, err := subscriber.ParseAddress(n.To)
	if n.Person == uuid.Nil || err != nil {
		return false, nil
	}
	held, err := e.Store.Suppression(ctx, address)
	return held.Reason == store.BouncedReason, err
}

// recordRefusal records a refusal as a hard or soft bounce of the subscriber, as for editions.
func (e *Engine) recordRefusal(ctx context.Context, n singleMail, reply mailer.Reply) error {
	kind := map[mailer.Class]store.FeedbackKind{mailer.Suppress: store.FeedbackBounced, mailer.Soft: store.FeedbackSoft}[mailer.Classify(reply, nil)]
	if kind == "" || n.Person == uuid.Nil {
		return nil
	}
	sub, err := e.Store.SubscriberByToken(ctx, token.PersonOf(n.Person))
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = e.Store.RecordFeedback(ctx, store.Feedback{
		Key: "smtp:" + n.ID, Subscriber: sub.ID, Edition: n.ID, Kind: kind,
		Code: reply.Code, Text: replyText(reply), Source: "smtp", At: e.Store.Now(),
	}, e.Policy.Soft)
	return err
}

// compileAndSend hands a single mail to the first relay that takes it.
func (e *Engine) compileAndSend(ctx context.Context, conn *singleMailConn, n singleMail) error {
	m, err := e.compileSingleMail(n)
	if err != nil {
		return err
	}
	return e.sendByAnyRelay(ctx, conn, m)
}

func (e *Engine) compileSingleMail(n singleMail) (compiledMail, error) {
	def, err := e.senderOf(n.Digest)
	if err != nil {
		return compiledMail{}, err
	}
	to, err := subscriber.ParseAddress(n.To)
	if err != nil {
		return compiledMail{}, err
	}
	paths, err := e.paths(def)
	if err != nil {
		return compiledMail{}, err
	}
	messageID := paths.MessageID(n.delivery()) // mail services report it, and not the return path
	compiled, err := mailer.Compile(mailer.Message{
		From: def.From, ReplyTo: def.ReplyTo, To: mailer.Address{Email: to.ASCII()}, Subject: n.Mail.Subject, Date: e.Store.Now(),
		MessageID: messageID, Text: n.Mail.Text, HTML: n.Mail.HTML,
		Headers: e.singleMailHeaders(n, paths),
	})
	from := settings{From: def.From, ReturnPaths: e.ReturnPaths}.returnPath(paths, n.delivery())
	return compiledMail{from: from, to: to, compiled: compiled, messageID: messageID}, err
}

// singleMailHeaders returns the List-Unsubscribe headers of a mail that offers to unsubscribe, and
// the headers of an automatic mail otherwise.
func (e *Engine) singleMailHeaders(n singleMail, paths *mailer.SignedAddresses) []mailer.Header {
	if n.Unsubscribe == "" {
		return []mailer.Header{{Name: "Auto-Submitted", Value: "auto-generated"}}
	}
	list := mailer.List{Unsubscribe: n.Unsubscribe}
	if e.UnsubscribeMail {
		list.Mailto = paths.Unsubscribe(n.delivery())
	}
	return list.Headers()
}

// senderOf returns the digest whose sender single mails have.
func (e *Engine) senderOf(name string) (*Definition, error) {
	switch {
	case name == "" && len(e.Digests) > 0:
		return &e.Digests[0], nil
	case name == "" && e.From.Email != "":
		return &Definition{From: e.From}, nil
	}
	return e.definition(name)
}

// refusedError reports that a server refused a single mail.
type refusedError struct{ reply mailer.Reply }

// final reports whether another try would be useless. It is false when the server asks for a
// later try, and when it refuses us rather than the recipient, since that can be fixed.
func (r *refusedError) final() bool {
	switch mailer.Classify(r.reply, nil) {
	case mailer.Later, mailer.OurFault:
		return false
	}
	return true
}

func (r *refusedError) Error() string { return "the relay refused the mail: " + r.reply.String() }

// errRelaysFull reports that no relay takes a single mail at the moment.
var errRelaysFull = errors.New("every relay is at its limits")

// SendTest sends a preview of a digest's next edition to one address at once, and returns the
// preview. Nothing is recorded for the digest or its articles.
func (e *Engine) SendTest(ctx context.Context, name string, options PreviewOptions, to subscriber.Address) (Preview, error) {
	preview, err := e.Preview(ctx, name, options)
	if err != nil {
		return preview, err
	}
	return preview, e.sendTestMail(ctx, name, preview.Variant, digest.ListPath(name), to)
}

// SendNextTest sends a variant that PreviewNextVariant returned to one address.
func (e *Engine) SendNextTest(ctx context.Context, name string, variant digest.Variant, to subscriber.Address) error {
	return e.sendTestMail(ctx, name, variant, digest.ListPath(name), to)
}

// SendEditionTest sends an edition in its current form, frozen or not, to one address.
func (e *Engine) SendEditionTest(ctx context.Context, id string, to subscriber.Address) error {
	variant, err := e.PreviewEdition(ctx, id)
	if err != nil {
		return err
	}
	return e.SendVariantTest(ctx, id, variant, to)
}

// SendVariantTest sends a variant of an edition that PreviewEditionVariant returned to one address.
func (e *Engine) SendVariantTest(ctx context.Context, id string, variant digest.Variant, to subscriber.Address) error {
	edition, err := e.Store.Edition(ctx, id)
	if err != nil {
		return err
	}
	if edition.Approved.IsZero() {
		return e.sendTestMail(ctx, edition.Digest, variant, edition.PagePath(), to)
	}
	fixed, date, err := e.settingsOf(edition)
	if err != nil {
		return err
	}
	return e.sendOne(ctx, testMail{fixed, variant, date, edition.PagePath()}, to)
}

func (e *Engine) sendTestMail(ctx context.Context, name string, variant digest.Variant, page string, to subscriber.Address) error {
	if err := e.mayPublish(ctx); err != nil {
		return err
	}
	fixed, err := e.settings(name)
	if err != nil {
		return err
	}
	return e.sendOne(ctx, testMail{fixed, variant, e.Store.Now(), page}, to)
}

// testMail is a variant to send to one address.
type testMail struct {
	fixed   settings
	variant digest.Variant
	date    time.Time
	page    string // path of the public page; a variant that is only shown has none
}

// sendOne sends a variant to one address that need not be a subscriber's.
func (e *Engine) sendOne(ctx context.Context, mail testMail, to subscriber.Address) error {
	fixed, variant := mail.fixed, mail.variant
	m, err := e.compile(fixed, mail.date, variant, mail.page)
	if err != nil {
		return err
	}
	paths, err := mailer.NewSignedAddresses(e.secret, fixed.Domain)
	if err != nil {
		return err
	}
	// No subscriber has the zero id: the links of a test mail unsubscribe no one.
	l := &loadedEdition{Edition: store.Edition{Edition: digest.Edition{ID: variant.Edition, Digest: fixed.Digest}}, fixed: fixed}
	values := e.values(nil, m, paths, l, store.Recipient{}, to)
	from := fixed.returnPath(paths, mailer.DeliveryID{Edition: variant.Edition})
	return e.sendByAnyRelay(ctx, nil, compiledMail{from: from, to: to, compiled: m.Compiled, values: values, messageID: values[messageIDValue]})
}
