package bounce

import (
	"bytes"
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
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
// who saw a request cannot send another event with its signature.
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

// mandrill is the webhook of Mandrill (Mailchimp Transactional). Its events contain the metadata of the
// mail's header X-MC-Metadata.
type mandrill struct{ key, address string }

func newMandrill(secret, address string) (service, error) {
	if len(secret) < 16 {
		return nil, errors.New("the secret is the webhook's key, which Mandrill shows after the webhook is added")
	}
	return mandrill{secret, address}, nil
}

// verify checks the signature of the webhook's URL and the form, whose fields are sorted by name.
func (m mandrill) verify(_ context.Context, header http.Header, body []byte) error {
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return fmt.Errorf("%w: %w", errFormat, err)
	}
	mac := hmac.New(sha1.New, []byte(m.key))
	mac.Write([]byte(m.address))
	for _, name := range slices.Sorted(maps.Keys(form)) {
		mac.Write([]byte(name + form.Get(name)))
	}
	got, err := base64.StdEncoding.DecodeString(header.Get("X-Mandrill-Signature"))
	if err != nil || !hmac.Equal(got, mac.Sum(nil)) {
		return fmt.Errorf("%w: it must be one of the URL %s", errSignature, m.address)
	}
	return nil
}

func (m mandrill) events(_ context.Context, body []byte) ([]event, error) {
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errFormat, err)
	}
	if !form.Has("mandrill_events") {
		return nil, fmt.Errorf("%w: there is no field mandrill_events", errFormat)
	}
	list, err := jsonEvents([]byte(form.Get("mandrill_events")))
	if err != nil {
		return nil, err
	}
	return readEvents(list, mandrillEvent)
}

// mandrillIgnored are the events that need no action. whitelist and blacklist report changes of
// Mandrill's lists.
var mandrillIgnored = map[string]bool{"send": true, "deferral": true, "delivered": true, "open": true, "click": true, "inbound": true, "whitelist": true, "allowlist": true, "blacklist": true, "denylist": true}

func mandrillEvent(raw json.RawMessage) (event, error) {
	var payload struct {
		Event string `json:"event"`
		Type  string `json:"type"` // of changes of lists
		Msg   struct {
			Diag        string `json:"diag"`
			Description string `json:"bounce_description"`
		} `json:"msg"`
	}
	if err := json.Unmarshal(raw, &payload); err != nil {
		return event{}, err
	}
	msg := payload.Msg
	switch name := cmp.Or(payload.Event, payload.Type); name {
	case "hard_bounce":
		v := verdictPermanent
		if msg.Description == "bad_mailbox" || msg.Description == "invalid_domain" {
			v = verdictInvalid
		}
		return mandrillBounce(raw, msg.Diag, msg.Description, v), nil
	case "soft_bounce":
		return mandrillBounce(raw, msg.Diag, msg.Description, verdictTemporary), nil
	case "spam":
		return event{kind: Complained, raw: raw}, nil
	case "unsub":
		return event{kind: Unsubscribed, raw: raw}, nil
	case "reject": // not sent
		return event{note: noteSuppressed, text: msg.Diag, raw: raw}, nil
	default:
		return ignoredEvent(name, mandrillIgnored[name]), nil
	}
}

// mandrillBounce reads a bounce by the server's reply, else by Mandrill's description, such as
// "mailbox_full" or "spam_content".
func mandrillBounce(raw json.RawMessage, reply, description string, v verdict) event {
	if reply == "" && v != verdictInvalid {
		reply, v = strings.ReplaceAll(description, "_", " "), verdictTemporary
	}
	return bounceEvent(raw, reply, "", v)
}
