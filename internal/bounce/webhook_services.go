package bounce

import (
	"cmp"
	"context"
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
)

// postmark is the webhook of Postmark. Postmark does not sign requests; it sends the user name and
// password of the webhook's URL. Its events contain our Message-ID if the mail has the header
// "X-PM-KeepID: true", and in the mail that they quote.
type postmark struct{ password }

func newPostmark(secret string) (service, error) {
	password, err := newPassword(secret, "Postmark")
	return postmark{password}, err
}

// postmarkRefused are the types of bounces that the subscriber's server caused, and whether the type
// says that the address does not exist. Most other types are automatic replies, blocks and problems
// that are not the subscriber's.
var postmarkRefused = map[string]bool{"HardBounce": true, "SoftBounce": false, "Transient": false}

// postmarkNotSent are the types of mails that no server refused, because Postmark did not send them:
// the address is not valid by its own check, was deactivated in the account of Postmark, or the mail
// was refused when it was handed over.
var postmarkNotSent = map[string]bool{"BadEmailAddress": true, "ManuallyDeactivated": true, "SMTPApiError": true}

func (p postmark) events(_ context.Context, body []byte) ([]event, error) {
	var payload struct {
		RecordType        string
		Type              string
		Details           string
		Description       string
		SuppressSending   bool
		SuppressionReason string
		Origin            string
	}
	if err := json.Unmarshal(body, &payload); err != nil {
		return nil, fmt.Errorf("%w: %w", errFormat, err)
	}
	e := event{text: payload.Details, raw: body}
	switch {
	case payload.RecordType == "SpamComplaint" || payload.Type == "SpamComplaint":
		e.kind = Complained
	case payload.RecordType == "SubscriptionChange" && payload.SuppressSending:
		e.kind, e.note = postmarkSuppression(payload.SuppressionReason, payload.Origin)
		e.text = payload.SuppressionReason
	case payload.Type == "Unsubscribe":
		e.kind = Unsubscribed
	case payload.RecordType != "Bounce":
	case postmarkNotSent[payload.Type]:
		e.note, e.text = noteSuppressed, cmp.Or(payload.Details, payload.Type)
	default:
		if invalid, refused := postmarkRefused[payload.Type]; refused {
			e.kind, e.code = kindOfReply(payload.Details, "", invalid)
		}
	}
	return []event{e}, nil
}

// postmarkSuppression reads why Postmark put an address on the suppression list of a stream. A
// recipient who unsubscribes is suppressed with the reason ManualSuppression, as is one whom the
// customer or Postmark's staff suppressed; only the first asked for it. A hard bounce has an event of
// its own, with the words of the server.
func postmarkSuppression(reason, origin string) (Kind, note) {
	switch {
	case reason == "HardBounce":
		return "", ""
	case reason == "SpamComplaint":
		return Complained, ""
	case origin == "Customer" || origin == "Admin":
		return "", noteSuppressed
	}
	return Unsubscribed, ""
}

// The headers of SendGrid's signed event webhook.
const (
	sendgridSignature = "X-Twilio-Email-Event-Webhook-Signature"
	sendgridTimestamp = "X-Twilio-Email-Event-Webhook-Timestamp"
)

// sendgrid is the webhook of SendGrid, which signs the time and the body with ECDSA. The "smtp-id" of
// an event is our Message-ID.
type sendgrid struct{ key *ecdsa.PublicKey }

func newSendGrid(secret string) (service, error) {
	der, err := base64.StdEncoding.DecodeString(secret)
	if err != nil {
		return nil, fmt.Errorf("the verification key is not in base64: %w", err)
	}
	key, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return nil, fmt.Errorf("the verification key: %w", err)
	}
	public, ok := key.(*ecdsa.PublicKey)
	if !ok {
		return nil, errors.New("the verification key is not an ECDSA key; copy it from the signed event webhook's settings")
	}
	return sendgrid{public}, nil
}

func (s sendgrid) verify(_ context.Context, header http.Header, body []byte) error {
	signature, err := base64.StdEncoding.DecodeString(header.Get(sendgridSignature))
	if err != nil {
		return errSignature
	}
	sum := sha256.Sum256(append([]byte(header.Get(sendgridTimestamp)), body...))
	if !ecdsa.VerifyASN1(s.key, sum[:], signature) {
		return errSignature
	}
	return nil
}

func (s sendgrid) events(_ context.Context, body []byte) ([]event, error) {
	var posted []json.RawMessage
	if err := json.Unmarshal(body, &posted); err != nil {
		return nil, fmt.Errorf("%w: %w", errFormat, err)
	}
	var all []event
	for _, raw := range posted {
		var payload struct {
			Event  string `json:"event"`
			Type   string `json:"type"`
			Reason string `json:"reason"`
			Status string `json:"status"`
		}
		if err := json.Unmarshal(raw, &payload); err != nil {
			return nil, fmt.Errorf("%w: %w", errFormat, err)
		}
		e := event{text: payload.Reason, raw: raw}
		switch {
		case payload.Event == "bounce" && payload.Type != "blocked": // a block is about the sender
			e.kind, e.code = kindOfReply(payload.Reason, payload.Status, false)
		case payload.Event == "spamreport":
			e.kind = Complained
		case payload.Event == "unsubscribe" || payload.Event == "group_unsubscribe":
			e.kind = Unsubscribed
		case payload.Event == "dropped": // not sent: an earlier bounce, complaint or unsubscription, or spam
			e.note = noteSuppressed
		}
		all = append(all, e)
	}
	return all, nil
}
