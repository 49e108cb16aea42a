package bounce

import (
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
