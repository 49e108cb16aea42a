package bounce

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"
)

// resend is the webhook of Resend, which Svix delivers and signs.
type resend struct {
	key []byte
	now func() time.Time
}

func newResend(secret string, now func() time.Time) (service, error) {
	encoded, found := strings.CutPrefix(secret, "whsec_")
	key, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || !found || len(key) < 16 {
		return nil, errors.New("the secret is the webhook's signing secret, which begins with whsec_ and goes on in base64")
	}
	return resend{key, now}, nil
}

// verify checks one of the signatures of "v1,BASE64 v1,BASE64". There are several while the secret is
// replaced.
func (r resend) verify(_ context.Context, header http.Header, body []byte) error {
	stamp := header.Get("Svix-Timestamp")
	mac := hmac.New(sha256.New, r.key)
	mac.Write([]byte(header.Get("Svix-Id") + "." + stamp + "."))
	mac.Write(body)
	want := mac.Sum(nil)
	for part := range strings.FieldsSeq(header.Get("Svix-Signature")) {
		encoded, found := strings.CutPrefix(part, "v1,")
		if got, err := base64.StdEncoding.DecodeString(encoded); err == nil && found && hmac.Equal(got, want) {
			return checkStamp(stamp, r.now(), signatureAge)
		}
	}
	return errSignature
}

func (r resend) events(_ context.Context, body []byte) ([]event, error) {
	list, err := jsonEvents(body)
	if err != nil {
		return nil, err
	}
	return readEvents(list, resendEvent)
}

func resendEvent(raw json.RawMessage) (event, error) {
	var payload struct {
		Type string `json:"type"`
		Data struct {
			Bounce struct {
				Type       string   `json:"type"`
				SubType    string   `json:"subType"`
				Message    string   `json:"message"`
				Diagnostic textList `json:"diagnosticCode"`
			} `json:"bounce"`
		} `json:"data"`
	}
	if err := json.Unmarshal(raw, &payload); err != nil {
		return event{}, err
	}
	bounce := payload.Data.Bounce
	switch payload.Type {
	case "email.bounced":
		reply := string(bounce.Diagnostic)
		v := resendVerdict(bounce.Type, bounce.SubType, reply)
		switch v {
		case verdictDelay:
			return event{}, nil
		case verdictNotSent:
			return event{note: noteSuppressed, text: bounce.Message, raw: raw}, nil
		}
		e := bounceEvent(raw, reply, "", v)
		e.text = cmp.Or(e.text, bounce.SubType)
		return e, nil
	case "email.complained":
		return event{kind: Complained, raw: raw}, nil
	case "email.suppressed": // not sent
		return event{note: noteSuppressed, text: bounce.Message, raw: raw}, nil
	case "email.failed": // by Resend
		return event{note: noteRefused, text: "not sent by Resend", raw: raw}, nil
	case "email.sent", "email.scheduled", "email.delivered", "email.delivery_delayed", "email.opened", "email.clicked", "email.received":
		return event{}, nil
	default:
		other := strings.HasPrefix(payload.Type, "contact.") || strings.HasPrefix(payload.Type, "domain.")
		return ignoredEvent(payload.Type, other), nil
	}
}

// resendVerdict reads Resend's types of a bounce, which are those of Amazon SES. Resend's message has
// no words of the recipient's server.
func resendVerdict(kind, sub, reply string) verdict {
	switch {
	case sesNotSent[sub]:
		return verdictNotSent
	case sub == "MessageTooLarge" || sub == "ContentRejected" || sub == "AttachmentRejected":
		return verdictOurs
	case kind == "Permanent":
		return verdictInvalid
	case reply == "" && sub != "MailboxFull": // may be an automatic reply
		return verdictDelay
	}
	return verdictTemporary
}
