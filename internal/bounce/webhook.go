package bounce

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/tidings-press/tidings/internal/metrics"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/mailer"
)

const (
	requestMax = 1 << 20 // octets of a request
	eventsMax  = 2000    // events of a request
)

// The errors of services, which determine the HTTP status.
var (
	errSignature   = errors.New("wrong signature")
	errFormat      = errors.New("the body is not in the format of the service")
	errUnavailable = errors.New("the service cannot be reached")
)

// event is what a service reports about one recipient. An event that needs no action has no kind.
type event struct {
	kind Kind
	code int
	text string
	raw  []byte // JSON that contains one of our message ids or return paths
	note note
}

// note explains an event without a kind.
type note string

// The notes. The metrics have them as results.
const (
	noteUnknown    note = "unknown"    // a type that is not in the service's documentation
	noteSuppressed note = "suppressed" // the service did not send the mail, by its own list or rules
	noteRefused    note = "refused"    // refused because of the sender or the content
)

// service is the webhook format of a mail service.
type service interface {
	// verify checks that a request comes from the service. For services that authenticate by a
	// header alone, the body is nil.
	verify(ctx context.Context, header http.Header, body []byte) error
	// events reads a verified request.
	events(ctx context.Context, body []byte) ([]event, error)
}

// webhookFormat is how the requests of a service are received.
type webhookFormat struct {
	open       func(p *Processor, secret, address string) (service, error)
	success    int   // the status that the service takes for success
	byHeader   bool  // a header alone authenticates the request, so it is verified before the body is read
	requestMax int64 // octets of a request
	eventsMax  int   // events of a request
}

// webhookFormats are the formats by the name of the service. Mailgun and Mandrill document 200 as the
// only success. SparkPost collects up to 10,000 events, and Mandrill 1000, which it writes as a form.
var webhookFormats = map[string]webhookFormat{
	"ses":       {open: func(p *Processor, secret, _ string) (service, error) { return newSES(secret, p.log) }},
	"postmark":  {open: func(_ *Processor, secret, _ string) (service, error) { return newPostmark(secret) }, byHeader: true},
	"sendgrid":  {open: func(_ *Processor, secret, _ string) (service, error) { return newSendGrid(secret) }},
	"generic":   {open: func(p *Processor, secret, _ string) (service, error) { return newGeneric(secret, p.now) }},
	"mailgun":   {open: func(p *Processor, secret, _ string) (service, error) { return newMailgun(secret, p.now) }, success: http.StatusOK},
	"brevo":     {open: func(_ *Processor, secret, _ string) (service, error) { return newBrevo(secret) }, success: http.StatusOK, byHeader: true},
	"mailjet":   {open: func(_ *Processor, secret, _ string) (service, error) { return newMailjet(secret) }, success: http.StatusOK, byHeader: true},
	"sparkpost": {open: func(_ *Processor, secret, _ string) (service, error) { return newSparkPost(secret) }, success: http.StatusOK, byHeader: true, requestMax: 16 << 20, eventsMax: 10_000},
	"resend":    {open: func(p *Processor, secret, _ string) (service, error) { return newResend(secret, p.now) }, success: http.StatusOK},
	"mandrill":  {open: func(_ *Processor, secret, address string) (service, error) { return newMandrill(secret, address) }, success: http.StatusOK, requestMax: 4 << 20},
}

// Webhook returns the handler of a mail service's webhook. address is its URL, as it is written in the
// settings of the service, which Mandrill signs. The secret is:
//
//	ses        the ARN of the SNS topic
//	postmark   the password of the HTTP basic authentication in the webhook's address
//	sendgrid   the verification key of the signed event webhook, in base64
//	mailgun    the HTTP webhook signing key
//	brevo, mailjet, sparkpost
//	           the password of the HTTP basic authentication
//	resend     the signing secret, which begins with whsec_
//	mandrill   the webhook's key
//	generic    the key of the HMAC, at least 16 octets
//
// The handler answers 204 or 200 on success, 401 if the signature is wrong, 400 if the body cannot be
// read, 413 if it is too large, and 503 if it cannot be verified or recorded now, so that the service
// sends it again. A batch that was recorded in part is sent again as a whole; what is recorded already
// does not count twice.
func (p *Processor) Webhook(name, secret, address string) (http.Handler, error) {
	format, known := webhookFormats[name]
	if !known {
		return nil, fmt.Errorf("bounce: unknown mail service %q; use one of: %s", name, strings.Join(slices.Sorted(maps.Keys(webhookFormats)), ", "))
	}
	service, err := format.open(p, secret, address)
	if err != nil {
		return nil, fmt.Errorf("bounce: webhook %s: %w", name, err)
	}
	return newWebhook(p, name, service), nil
}

func newWebhook(p *Processor, name string, service service) *webhook {
	format := webhookFormats[name]
	format.success = cmp.Or(format.success, http.StatusNoContent)
	format.requestMax = cmp.Or(format.requestMax, requestMax)
	format.eventsMax = cmp.Or(format.eventsMax, eventsMax)
	return &webhook{processor: p, name: name, service: service, format: format}
}

// webhook is the handler that Processor.Webhook returns.
type webhook struct {
	processor *Processor
	name      string
	service   service
	format    webhookFormat
}

// MaxBody returns the largest body of a request, in bytes.
func (h *webhook) MaxBody() int64 { return h.format.requestMax }

// ServeHTTP handles a POST of the service. It answers HEAD, by which Mandrill checks an address before
// it has a key.
func (h *webhook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodHead:
		w.WriteHeader(http.StatusOK)
		return
	case http.MethodPost:
	default:
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "only POST", http.StatusMethodNotAllowed)
		return
	}
	status, err := h.receive(w, r)
	metrics.Webhook(h.name, status)
	switch {
	case err == nil:
		w.WriteHeader(status)
		return
	case status == http.StatusBadRequest: // the sender may see what is wrong with its body
		http.Error(w, err.Error(), status)
	default:
		http.Error(w, http.StatusText(status), status)
	}
	h.processor.log.Warn("webhook", "service", h.name, "status", status, "error", err)
}

// receive verifies a request and records its events. It returns the status to answer with.
func (h *webhook) receive(w http.ResponseWriter, r *http.Request) (int, error) {
	if h.format.byHeader {
		if err := h.service.verify(r.Context(), r.Header, nil); err != nil {
			return http.StatusUnauthorized, err
		}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, h.format.requestMax))
	if err != nil {
		return http.StatusRequestEntityTooLarge, fmt.Errorf("the body is larger than %d octets or was cut: %w", h.format.requestMax, err)
	}
	return h.handle(r.Context(), r.Header, body)
}

// handle verifies the body of a request and records its events.
func (h *webhook) handle(ctx context.Context, header http.Header, body []byte) (int, error) {
	if !h.format.byHeader {
		if err := h.service.verify(ctx, header, body); err != nil {
			return statusOf(err, http.StatusUnauthorized), err
		}
	}
	events, err := h.service.events(ctx, body)
	if err != nil {
		return statusOf(err, http.StatusBadRequest), err
	}
	if len(events) > h.format.eventsMax {
		return http.StatusBadRequest, fmt.Errorf("%w: %d events at once, at most %d are taken", errFormat, len(events), h.format.eventsMax)
	}
	for _, e := range events {
		result, err := h.record(ctx, e)
		if err != nil {
			return http.StatusServiceUnavailable, err
		}
		metrics.WebhookEvent(h.name, result)
	}
	return h.format.success, nil
}

// statusOf returns 503 if the error is temporary and 400 if the body cannot be read, else the fallback.
// SNS does not repeat a request that was answered with 4xx.
func statusOf(err error, fallback int) int {
	switch {
	case errors.Is(err, errUnavailable):
		return http.StatusServiceUnavailable
	case errors.Is(err, errFormat):
		return http.StatusBadRequest
	}
	return fallback
}

// record records an event if it identifies one of our deliveries. It returns the result for the
// metrics.
func (h *webhook) record(ctx context.Context, e event) (string, error) {
	if e.kind == "" && e.note == "" {
		return "ignored", nil
	}
	if e.note == noteUnknown {
		h.processor.log.Debug("webhook event of an unknown type", "service", h.name, "type", e.text)
		return string(noteUnknown), nil
	}
	id, found := h.processor.findDelivery(e.raw)
	if !found {
		h.processor.log.Debug("webhook event on a mail that is not ours", "service", h.name)
		return "not ours", nil
	}
	if e.note == noteSuppressed {
		h.processor.logNotSent(h.name, id, e.text)
		return string(noteSuppressed), nil
	}
	if _, err := h.processor.record(ctx, Outcome{ID: id, Kind: e.kind, Code: e.code, Text: e.text, Source: h.name}); err != nil {
		return "", err
	}
	return cmp.Or(string(e.note), "recorded"), nil
}

// logNotSent logs that a mail service accepted a mail and did not send it. That suppresses no address,
// since no server refused the mail.
func (p *Processor) logNotSent(source string, id mailer.DeliveryID, reason string) {
	p.log.Warn("the mail service did not send a mail, for example because the address is on its suppression list",
		"source", source, "edition", id.Edition, "subscriber", id.Person.String(), "reply", subscriber.ScrubAddresses(reason))
}

// jsonEvents returns the events of a body that is a JSON array or a single event.
func jsonEvents(body []byte) ([]json.RawMessage, error) {
	var list []json.RawMessage
	trimmed := bytes.TrimLeft(body, " \t\r\n")
	if len(trimmed) > 0 && trimmed[0] == '{' {
		list = []json.RawMessage{nil}
		if err := json.Unmarshal(body, &list[0]); err != nil {
			return nil, fmt.Errorf("%w: %w", errFormat, err)
		}
		return list, nil
	}
	if err := json.Unmarshal(body, &list); err != nil {
		return nil, fmt.Errorf("%w: %w", errFormat, err)
	}
	return list, nil
}

// readEvents reads each event of a list.
func readEvents(list []json.RawMessage, read func(raw json.RawMessage) (event, error)) ([]event, error) {
	all := make([]event, 0, len(list))
	for i, raw := range list {
		e, err := read(raw)
		if err != nil {
			return nil, fmt.Errorf("%w: event %d: %w", errFormat, i, err)
		}
		all = append(all, e)
	}
	return all, nil
}

// signedAddress matches our return paths and message ids. findDelivery checks their HMAC.
var signedAddress = regexp.MustCompile(`(?i)\b[bm]-[a-z2-7]{18,62}@`)

// findDelivery returns the delivery of the first of our return paths or Message-IDs in a service's
// JSON, in any field: services differ in the fields that they keep, and the HMAC identifies our
// own. It searches decoded strings, because many services write < as \u003c, whose last letter
// would otherwise be taken for a part of the id.
func (p *Processor) findDelivery(raw []byte) (mailer.DeliveryID, bool) {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	for {
		token, err := decoder.Token()
		if err != nil {
			return mailer.DeliveryID{}, false
		}
		text, _ := token.(string)
		for _, name := range signedAddress.FindAllString(text, 20) {
			if purpose, id, err := p.addresses.Parse(name); err == nil && purpose != mailer.PurposeUnsubscribe {
				return id, true
			}
		}
	}
}
