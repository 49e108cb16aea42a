package bounce

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

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
