package bounce

import (
	"context"
	"encoding/json"
	"strings"
)

// brevo is the webhook of Brevo. Its events contain the Message-ID, and the mail's header
// X-Mailin-custom.
type brevo struct{ password }

func newBrevo(secret string) (service, error) {
	password, err := newPassword(secret, "Brevo")
	return brevo{password}, err
}

// brevoIgnored are the events that need no action.
var brevoIgnored = map[string]bool{
	"request": true, "sent": true, "delivered": true, "deferred": true, "error": true, "opened": true, "uniqueopened": true, "uniqueproxyopen": true,
	"proxyopen": true, "click": true, "listaddition": true, "contactupdated": true, "contactdeleted": true, "inboundemailprocessed": true,
}

func (b brevo) events(_ context.Context, body []byte) ([]event, error) {
	list, err := jsonEvents(body)
	if err != nil {
		return nil, err
	}
	return readEvents(list, brevoEvent)
}

func brevoEvent(raw json.RawMessage) (event, error) {
	var payload struct {
		Event  string `json:"event"`
		Reason string `json:"reason"`
	}
	if err := json.Unmarshal(raw, &payload); err != nil {
		return event{}, err
	}
	// The settings of webhooks write hardBounce, the events hard_bounce.
	switch name := strings.ToLower(strings.ReplaceAll(payload.Event, "_", "")); name {
	case "hardbounce":
		return bounceEvent(raw, payload.Reason, "", verdictInvalid), nil
	case "softbounce":
		return bounceEvent(raw, payload.Reason, "", verdictTemporary), nil
	case "spam", "complaint":
		return event{kind: Complained, raw: raw}, nil
	case "unsubscribe", "unsubscribed":
		return event{kind: Unsubscribed, raw: raw}, nil
	case "blocked", "invalid", "invalidemail": // not sent
		return event{note: noteSuppressed, text: payload.Reason, raw: raw}, nil
	default:
		return ignoredEvent(payload.Event, brevoIgnored[name]), nil
	}
}
