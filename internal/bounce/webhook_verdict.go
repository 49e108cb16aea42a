package bounce

import (
	"encoding/json"
	"strings"

	"github.com/tidings-press/tidings/mailer"
)

// verdict is what a mail service makes of a bounce. The words of the recipient's server outweigh it.
type verdict byte

// The verdicts.
const (
	verdictPermanent verdict = iota // refused permanently, without a cause
	verdictInvalid                  // the address or its domain does not exist
	verdictTemporary                // refused for a reason that may pass, or by no server's reply
	verdictOurs                     // refused because of the sender or the content
	verdictDelay                    // no refusal: the service tries again, or an automatic reply came
	verdictNotSent                  // the service did not send the mail, because of its own list
)

// bounceEvent returns the event of a bounce. reply is the reply of the recipient's server, if the
// service quotes one; status is its enhanced code, if the service gives it apart.
func bounceEvent(raw json.RawMessage, reply, status string, v verdict) event {
	e := event{text: reply, raw: raw}
	e.kind, e.code = v.kindOf(reply, status)
	if e.kind == "" {
		e.note = noteRefused
	}
	return e
}

// kindOf returns the kind and code of a bounce. A server's reply is classified as everywhere, but a
// verdict that blames the sender, or that calls the refusal temporary, is not made worse by it. Words
// without a server's code may be the service's own: they suppress an address only together with the
// verdict that it does not exist.
func (v verdict) kindOf(reply, status string) (Kind, int) {
	kind, code := kindOfReply(reply, status, false)
	switch {
	case v == verdictOurs:
		return "", code
	case code != 0:
	case mailer.BlamesSender(reply):
		return "", 0
	case v == verdictInvalid:
		return Bounced, 0
	case v == verdictTemporary, reply == "", kind == Bounced:
		return Soft, 0
	}
	if kind == Bounced && v == verdictTemporary {
		kind = Soft
	}
	return kind, code
}

// ignoredEvent returns the event of a type that needs no action, or that is unknown.
func ignoredEvent(name string, known bool) event {
	if known {
		return event{}
	}
	return event{note: noteUnknown, text: name}
}

// textList is a JSON string, or a list of strings that is joined by spaces.
type textList string

// UnmarshalJSON reads a text or a list of texts.
func (t *textList) UnmarshalJSON(data []byte) error {
	var list []string
	if len(data) > 0 && data[0] == '[' {
		err := json.Unmarshal(data, &list)
		*t = textList(strings.Join(list, " "))
		return err
	}
	return json.Unmarshal(data, (*string)(t))
}
