package bounce

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strings"
)

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
