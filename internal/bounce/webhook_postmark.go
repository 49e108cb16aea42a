package bounce

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
)

// postmark is the webhook of Postmark. Postmark does not sign requests; it sends the user name and
// password of the webhook's URL. Its events contain our Message-ID if the mail has the header
// "X-PM-KeepID: true", and in the mail that they quote.
type postmark struct{ password }

func newPostmark(secret string) (service, error) {
	password, err := newPassword(secret, "Postmark")
	return postmark{password}, err
}

// postmarkRefused are the types of bounces that the subscriber's server caused, and whether the type
// says that the address does not exist. Most other types are automatic replies, blocks and problems
// that are not the subscriber's.
var postmarkRefused = map[string]bool{"HardBounce": true, "SoftBounce": false, "Transient": false}

// postmarkNotSent are the types of mails that no server refused, because Postmark did not send them:
// the address is not valid by its own check, was deactivated in the account of Postmark, or the mail
// was refused when it was handed over.
var postmarkNotSent = map[string]bool{"BadEmailAddress": true, "ManuallyDeactivated": true, "SMTPApiError": true}

func (p postmark) events(_ context.Context, body []byte) ([]event, error) {
	var payload struct {
		RecordType        string
		Type              string
		Details           string
		SuppressSending   bool
		SuppressionReason string
		Origin            string
	}
	if err := json.Unmarshal(body, &payload); err != nil {
		return nil, fmt.Errorf("%w: %w", errFormat, err)
	}
	e := event{text: payload.Details, raw: body}
	switch {
	case payload.RecordType == "SpamComplaint" || payload.Type == "SpamComplaint":
		e.kind = Complained
	case payload.RecordType == "SubscriptionChange" && payload.SuppressSending:
		e.kind, e.note = postmarkSuppression(payload.SuppressionReason, payload.Origin)
		e.text = payload.SuppressionReason
	case payload.Type == "Unsubscribe":
		e.kind = Unsubscribed
	case payload.RecordType != "Bounce":
	case postmarkNotSent[payload.Type]:
		e.note, e.text = noteSuppressed, cmp.Or(payload.Details, payload.Type)
	default:
		if invalid, refused := postmarkRefused[payload.Type]; refused {
			e.kind, e.code = kindOfReply(payload.Details, "", invalid)
		}
	}
	return []event{e}, nil
}

// postmarkSuppression reads why Postmark put an address on the suppression list of a stream. A
// recipient who unsubscribes is suppressed with the reason ManualSuppression, as is one whom the
// customer or Postmark's staff suppressed; only the first asked for it. A hard bounce has an event of
// its own, with the words of the server.
func postmarkSuppression(reason, origin string) (Kind, note) {
	switch {
	case reason == "HardBounce":
		return "", ""
	case reason == "SpamComplaint":
		return Complained, ""
	case origin == "Customer" || origin == "Admin":
		return "", noteSuppressed
	}
	return Unsubscribed, ""
}
