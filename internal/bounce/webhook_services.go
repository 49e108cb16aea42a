package bounce

import (
	"context"
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
)

// postmark does not sign; it sends the name and password that stand in the
// webhook's address. Our Message-ID comes back when mails go out with the header
// "X-PM-KeepID: true", and in the mail that it quotes.
type postmark struct{ password string }

func newPostmark(secret string) (service, error) {
	if len(secret) < 16 {
		return nil, errors.New("a password of at least 16 octets is needed, which the webhook's address at Postmark has too")
	}
	return postmark{secret}, nil
}

func (p postmark) verify(_ context.Context, header http.Header, _ []byte) error {
	_, password, _ := (&http.Request{Header: header}).BasicAuth()
	if subtle.ConstantTimeCompare([]byte(password), []byte(p.password)) != 1 {
		return errSignature
	}
	return nil
}

// postmarkGone are the types of bounces after which Postmark itself gives an
// address up.
var postmarkGone = map[string]bool{"HardBounce": true, "BadEmailAddress": true, "ManuallyDeactivated": true}

// postmarkSoft are those that count: refusals of the reader's server. All others are
// automatic replies, blocks and troubles that are not the reader's.
var postmarkSoft = map[string]bool{"SoftBounce": true, "Transient": true}

func (p postmark) events(_ context.Context, body []byte) ([]event, error) {
	var said struct {
		RecordType      string
		Type            string
		Details         string
		Description     string
		SuppressSending bool
	}
	if err := json.Unmarshal(body, &said); err != nil {
		return nil, fmt.Errorf("%w: %w", errFormat, err)
	}
	e := event{text: said.Details, raw: body}
	switch {
	case said.RecordType == "SpamComplaint" || said.Type == "SpamComplaint":
		e.kind = Complained
	case said.RecordType == "SubscriptionChange" && said.SuppressSending || said.Type == "Unsubscribe":
		e.kind = Unsubscribed
	case said.RecordType == "Bounce" && (postmarkGone[said.Type] || postmarkSoft[said.Type]):
		e.kind, e.code = kindOfReply(said.Details, "", postmarkGone[said.Type])
	}
	return []event{e}, nil
}

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
