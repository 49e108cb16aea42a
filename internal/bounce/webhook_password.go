package bounce

import (
	"cmp"
	"context"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// password authenticates the requests of services that do not sign them. They send it by HTTP basic
// authentication, with any user name, or as a bearer token.
type password struct{ secret string }

func newPassword(secret, name string) (password, error) {
	if len(secret) < 16 {
		return password{}, fmt.Errorf("use a password of at least 16 octets, and put it into the webhook's URL at %s too", name)
	}
	return password{secret}, nil
}

func (p password) verify(_ context.Context, header http.Header, _ []byte) error {
	_, got, basic := (&http.Request{Header: header}).BasicAuth()
	if !basic {
		got, _ = strings.CutPrefix(header.Get("Authorization"), "Bearer ")
	}
	if subtle.ConstantTimeCompare([]byte(got), []byte(p.secret)) != 1 {
		return errSignature
	}
	return nil
}

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

// sparkPost is the webhook of SparkPost. Its events contain the metadata of the mail's header
// X-MSYS-API.
type sparkPost struct{ password }

func newSparkPost(secret string) (service, error) {
	password, err := newPassword(secret, "SparkPost")
	return sparkPost{password}, err
}

// sparkPostIgnored are the events that need no action. generation_failure comes before sending.
var sparkPostIgnored = map[string]bool{
	"injection": true, "delivery": true, "delay": true, "open": true, "initial_open": true, "click": true, "amp_open": true, "amp_initial_open": true,
	"amp_click": true, "sms_status": true, "generation_failure": true, "relay_injection": true, "relay_rejection": true, "relay_delivery": true,
	"relay_tempfail": true, "relay_permfail": true, "ab_test_completed": true, "ab_test_cancelled": true, "ingest_success": true, "ingest_error": true,
}

// events reads a batch: a list of {"msys": {CLASS: EVENT}}, where a test has no class.
func (s sparkPost) events(_ context.Context, body []byte) ([]event, error) {
	list, err := jsonEvents(body)
	if err != nil {
		return nil, err
	}
	return readEvents(list, func(raw json.RawMessage) (event, error) {
		var wrapper struct {
			Msys map[string]json.RawMessage `json:"msys"`
		}
		if err := json.Unmarshal(raw, &wrapper); err != nil {
			return event{}, err
		}
		if len(wrapper.Msys) > 1 {
			return event{}, fmt.Errorf("%d classes under msys; expected one", len(wrapper.Msys))
		}
		for _, inner := range wrapper.Msys {
			return sparkPostEvent(inner)
		}
		return event{}, nil
	})
}

func sparkPostEvent(raw json.RawMessage) (event, error) {
	var payload struct {
		Type      string `json:"type"`
		Class     any    `json:"bounce_class"` // a number in a string, or a number
		Reason    string `json:"reason"`
		RawReason string `json:"raw_reason"`
		Feedback  string `json:"fbtype"`
	}
	if err := json.Unmarshal(raw, &payload); err != nil {
		return event{}, err
	}
	reply := cmp.Or(payload.RawReason, payload.Reason)
	switch payload.Type {
	case "bounce", "out_of_band":
		class := fmt.Sprint(payload.Class)
		if class == "90" { // a request to unsubscribe that came to the return path
			return event{kind: Unsubscribed, raw: raw}, nil
		}
		v := sparkPostVerdict(class, reply)
		if v == verdictDelay {
			return event{}, nil
		}
		return bounceEvent(raw, reply, "", v), nil
	case "spam_complaint":
		// Many providers give no type, because their feedback loops report only the spam button.
		return event{kind: kindOfComplaint(cmp.Or(strings.ToLower(payload.Feedback), "abuse")), raw: raw}, nil
	case "list_unsubscribe", "link_unsubscribe":
		return event{kind: Unsubscribed, raw: raw}, nil
	case "policy_rejection", "generation_rejection": // not sent
		return event{note: noteSuppressed, text: reply, raw: raw}, nil
	default:
		return ignoredEvent(payload.Type, sparkPostIgnored[payload.Type]), nil
	}
}

// sparkPostVerdict reads SparkPost's classification code of a bounce. SparkPost marks its own words with
// "[internal]": no server gave that reply.
func sparkPostVerdict(class, reply string) verdict {
	switch class {
	case "60", "80", "100": // automatic reply, request to subscribe, challenge
		return verdictDelay
	case "25", "50", "51", "52", "53", "54": // refused by SparkPost's own rules, mail or spam block, content, relaying
		return verdictOurs
	case "20", "21", "22", "23", "24", "40", "70":
		return verdictTemporary
	}
	switch {
	case strings.Contains(reply, "[internal]"):
		return verdictTemporary
	case class == "10":
		return verdictInvalid
	}
	return verdictPermanent
}
