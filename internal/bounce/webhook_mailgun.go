package bounce

import (
	"bytes"
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/tidings-press/tidings/internal/lru"
)

// mailgun is the webhook of Mailgun, which signs a time and a random token, but not the event. Its
// events contain our Message-ID.
type mailgun struct {
	key  string
	now  func() time.Time
	seen *lru.Cache[string, [sha256.Size]byte] // events by the tokens that they were received with
}

const (
	mailgunAge    = 12 * time.Hour // Mailgun repeats a request for up to eight hours
	mailgunTokens = 50_000         // that are remembered
)

func newMailgun(secret string, now func() time.Time) (service, error) {
	if len(secret) < 16 {
		return nil, errors.New("the secret is the HTTP webhook signing key, which is longer")
	}
	one := func([sha256.Size]byte) int64 { return 1 }
	return mailgun{secret, now, lru.New[string](mailgunTokens, one, nil)}, nil
}

// mailgunBody is the body of a request.
type mailgunBody struct {
	Signature struct {
		Timestamp string `json:"timestamp"`
		Token     string `json:"token"`
		Signature string `json:"signature"`
	} `json:"signature"`
	Event json.RawMessage `json:"event-data"`
}

// verify checks the signature. Since it does not cover the event, a token is taken for one event only:
// someone who saw a request cannot send another event with its signature.
func (m mailgun) verify(_ context.Context, _ http.Header, body []byte) error {
	var posted mailgunBody
	if err := json.Unmarshal(body, &posted); err != nil {
		return fmt.Errorf("%w: %w", errFormat, err)
	}
	signed := posted.Signature
	mac := hmac.New(sha256.New, []byte(m.key))
	mac.Write([]byte(signed.Timestamp + signed.Token))
	got, err := hex.DecodeString(signed.Signature)
	if err != nil || !hmac.Equal(got, mac.Sum(nil)) {
		return errSignature
	}
	if err := checkStamp(signed.Timestamp, m.now(), mailgunAge); err != nil {
		return err
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, posted.Event); err != nil && len(posted.Event) > 0 {
		return fmt.Errorf("%w: %w", errFormat, err)
	}
	sum := sha256.Sum256(compact.Bytes())
	key := signed.Timestamp + signed.Token
	if former, known := m.seen.Get(key); known && former != sum {
		return fmt.Errorf("%w: its token came with another event before", errSignature)
	}
	m.seen.Put(key, sum)
	return nil
}

// mailgunIgnored are the events that need no action.
var mailgunIgnored = map[string]bool{
	"accepted": true, "delivered": true, "opened": true, "clicked": true, "stored": true, "list_member_uploaded": true, "list_member_upload_error": true, "list_uploaded": true,
}

func (m mailgun) events(_ context.Context, body []byte) ([]event, error) {
	var posted mailgunBody
	if err := json.Unmarshal(body, &posted); err != nil {
		return nil, fmt.Errorf("%w: %w", errFormat, err)
	}
	if len(posted.Event) == 0 {
		return nil, fmt.Errorf("%w: there is no event-data", errFormat)
	}
	return readEvents([]json.RawMessage{posted.Event}, mailgunEvent)
}

func mailgunEvent(raw json.RawMessage) (event, error) {
	var payload struct {
		Event    string `json:"event"`
		Severity string `json:"severity"`
		Reason   string `json:"reason"`
		Status   struct {
			Code        int    `json:"code"`
			Enhanced    string `json:"enhanced-code"`
			Message     string `json:"message"`
			Description string `json:"description"`
		} `json:"delivery-status"`
	}
	if err := json.Unmarshal(raw, &payload); err != nil {
		return event{}, err
	}
	text := strings.TrimSpace(cmp.Or(payload.Status.Message, payload.Status.Description))
	switch payload.Event {
	case "failed":
		switch {
		case payload.Severity == "temporary": // Mailgun tries again
			return event{}, nil
		case strings.HasPrefix(payload.Reason, "suppress-"):
			return event{note: noteSuppressed, text: text, raw: raw}, nil
		case payload.Reason == "old": // given up; the code is Mailgun's own
			return bounceEvent(raw, text, payload.Status.Enhanced, verdictTemporary), nil
		case payload.Status.Code >= 600: // no server's code: Mailgun did not send it
			return event{note: noteSuppressed, text: text, raw: raw}, nil
		}
		if code := payload.Status.Code; code > 0 && !strings.HasPrefix(text, strconv.Itoa(code)) {
			text = strconv.Itoa(code) + " " + text
		}
		return bounceEvent(raw, text, payload.Status.Enhanced, verdictPermanent), nil
	case "complained":
		return event{kind: Complained, raw: raw}, nil
	case "unsubscribed":
		return event{kind: Unsubscribed, raw: raw}, nil
	case "rejected": // by Mailgun, because of the mail
		return event{note: noteRefused, text: cmp.Or(text, "rejected by Mailgun"), raw: raw}, nil
	default:
		return ignoredEvent(payload.Event, mailgunIgnored[payload.Event]), nil
	}
}
