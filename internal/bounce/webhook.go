package bounce

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"

	"github.com/tidings-press/tidings/internal/metrics"
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
}

// service is the webhook format of a mail service.
type service interface {
	// verify checks that a request comes from the service.
	verify(ctx context.Context, header http.Header, body []byte) error
	// events reads a verified request.
	events(ctx context.Context, body []byte) ([]event, error)
}

// Webhook returns the handler of a mail service's webhook. The secret is:
//
//	ses       the ARN of the SNS topic
//	postmark  the password of the HTTP basic authentication in the webhook's address
//	sendgrid  the verification key of the signed event webhook, in base64
//	generic   the key of the HMAC, at least 16 octets
//
// The handler answers 204 on success, 401 if the signature is wrong, 400 if the body cannot be read,
// 413 if it is larger than a megabyte, and 503 if it cannot be verified or recorded now, so that the
// service sends it again.
func (p *Processor) Webhook(name, secret string) (http.Handler, error) {
	service, err := newService(p, name, secret)
	if err != nil {
		return nil, fmt.Errorf("bounce: webhook %s: %w", name, err)
	}
	return &webhook{processor: p, name: name, service: service}, nil
}

func newService(d *Processor, name, secret string) (service, error) {
	switch name {
	case "ses":
		return newSES(secret, d.log)
	case "postmark":
		return newPostmark(secret)
	case "sendgrid":
		return newSendGrid(secret)
	case "generic":
		return newGeneric(secret, d.now)
	}
	return nil, errors.New("unknown service; use ses, postmark, sendgrid or generic")
}

// webhook is the handler that Processor.Webhook returns.
type webhook struct {
	processor *Processor
	name      string
	service   service
}

// ServeHTTP handles a POST of the service.
func (h *webhook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "only POST", http.StatusMethodNotAllowed)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, requestMax))
	if err != nil {
		http.Error(w, "the body is too large or was cut", http.StatusRequestEntityTooLarge)
		metrics.Webhook(h.name, http.StatusRequestEntityTooLarge)
		return
	}
	if status, err := h.handle(r.Context(), r.Header, body); err != nil {
		h.processor.log.Warn("webhook", "service", h.name, "status", status, "error", err)
		http.Error(w, http.StatusText(status), status)
		metrics.Webhook(h.name, status)
		return
	}
	metrics.Webhook(h.name, http.StatusNoContent)
	w.WriteHeader(http.StatusNoContent)
}

// handle verifies a request and records its events. The status is set if it returns an error.
func (h *webhook) handle(ctx context.Context, header http.Header, body []byte) (int, error) {
	if err := h.service.verify(ctx, header, body); err != nil {
		return statusOf(err, http.StatusUnauthorized), err
	}
	events, err := h.service.events(ctx, body)
	if err != nil {
		return statusOf(err, http.StatusBadRequest), err
	}
	if len(events) > eventsMax {
		return http.StatusBadRequest, fmt.Errorf("%w: %d events at once, at most %d are taken", errFormat, len(events), eventsMax)
	}
	for _, e := range events {
		if err := h.record(ctx, e); err != nil {
			return http.StatusServiceUnavailable, err
		}
	}
	return 0, nil
}

// statusOf returns 503 if the error is temporary, else the fallback. SNS does not repeat a request
// that was answered with 4xx.
func statusOf(err error, fallback int) int {
	if errors.Is(err, errUnavailable) {
		return http.StatusServiceUnavailable
	}
	return fallback
}

// record records an event if it identifies one of our deliveries.
func (h *webhook) record(ctx context.Context, e event) error {
	if e.kind == "" {
		return nil
	}
	id, found := h.processor.findDelivery(e.raw)
	if !found {
		h.processor.log.Debug("webhook event on a mail that is not ours", "service", h.name)
		return nil
	}
	_, err := h.processor.record(ctx, Outcome{ID: id, Kind: e.kind, Code: e.code, Text: e.text, Source: h.name})
	return err
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
