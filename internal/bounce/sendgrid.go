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

// sendgrid signs the time and the body with ECDSA. Each event has our Message-ID
// as its "smtp-id".
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
		return nil, errors.New("the verification key is not of ECDSA; copy it from the signed event webhook's settings")
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
		var said struct {
			Event  string `json:"event"`
			Type   string `json:"type"`
			Reason string `json:"reason"`
			Status string `json:"status"`
		}
		if err := json.Unmarshal(raw, &said); err != nil {
			return nil, fmt.Errorf("%w: %w", errFormat, err)
		}
		e := event{text: said.Reason, raw: raw}
		switch {
		case said.Event == "bounce" && said.Type != "blocked": // a block is about us
			e.kind, e.code = kindOfReply(said.Reason, said.Status, false)
		case said.Event == "spamreport":
			e.kind = Complained
		case said.Event == "unsubscribe" || said.Event == "group_unsubscribe":
			e.kind = Unsubscribed
		}
		all = append(all, e)
	}
	return all, nil
}
