package bounce

import (
	"cmp"
	"context"
	"encoding/json"
)

// mailjet is the webhook of Mailjet. Its events contain the mail's headers X-MJ-CustomID and
// X-MJ-EventPayload.
type mailjet struct{ password }

func newMailjet(secret string) (service, error) {
	password, err := newPassword(secret, "Mailjet")
	return mailjet{password}, err
}

// events reads a list of events, or a single one if the grouping of events is off.
func (m mailjet) events(_ context.Context, body []byte) ([]event, error) {
	list, err := jsonEvents(body)
	if err != nil {
		return nil, err
	}
	return readEvents(list, mailjetEvent)
}

// mailjetIgnored are the events that need no action.
var mailjetIgnored = map[string]bool{"sent": true, "open": true, "click": true}

func mailjetEvent(raw json.RawMessage) (event, error) {
	var payload struct {
		Event   string `json:"event"`
		Hard    bool   `json:"hard_bounce"`
		About   string `json:"error_related_to"`
		Error   string `json:"error"`
		Comment string `json:"comment"`
	}
	if err := json.Unmarshal(raw, &payload); err != nil {
		return event{}, err
	}
	switch payload.Event {
	case "bounce":
		v := mailjetVerdict(payload.Error, payload.About, payload.Hard)
		if v == verdictDelay {
			return event{}, nil
		}
		e := bounceEvent(raw, payload.Comment, "", v)
		e.text = cmp.Or(e.text, payload.Error)
		return e, nil
	case "spam":
		return event{kind: Complained, raw: raw}, nil
	case "unsub":
		return event{kind: Unsubscribed, raw: raw}, nil
	case "blocked": // not sent
		return event{note: noteSuppressed, text: cmp.Or(payload.Comment, payload.Error), raw: raw}, nil
	default:
		return ignoredEvent(payload.Event, mailjetIgnored[payload.Event]), nil
	}
}

// mailjetVerdict reads Mailjet's error of a bounce.
func mailjetVerdict(name, about string, hard bool) verdict {
	switch {
	case name == "greylisted" && !hard: // Mailjet tries again
		return verdictDelay
	case about == "spam", about == "content", about == "mailjet", about == "system", name == "relay/access denied":
		return verdictOurs
	case hard && (name == "user unknown" || name == "invalid domain" || name == "no mail host"):
		return verdictInvalid
	}
	return verdictTemporary
}
