package mailer

import (
	"fmt"
	"strings"
)

// field is a header field on its way into a mould.
type field struct {
	name  string
	place place
	value template
	label template // display name of a mailbox
}

// structured are the headers whose values are ids, URLs and keywords. They may be
// folded between these and nowhere else, and never have encoded words put in.
func structured(name string) bool {
	name = strings.ToLower(name)
	switch name {
	case "message-id", "references", "in-reply-to", "feedback-id", "precedence", "auto-submitted", "content-language":
		return true
	}
	return strings.HasPrefix(name, "list-")
}

// fields collects all header fields of a message that are ours to write: all but
// Date, MIME-Version and those of the content.
func (msg *Message) fields() []field {
	all := []field{
		msg.mailbox("From", msg.From),
		msg.mailbox("To", msg.To),
		{name: "Subject", place: inHeader, value: parseTemplate(msg.Subject, msg.Marks)},
		{name: "Message-ID", place: inToken, value: parseTemplate("<"+msg.MessageID+">", msg.Marks)},
	}
	if msg.ReplyTo.Email != "" {
		all = append(all, msg.mailbox("Reply-To", msg.ReplyTo))
	}
	for _, h := range msg.Headers {
		place := inHeader
		if structured(h.Name) {
			place = inToken
		}
		all = append(all, field{name: h.Name, place: place, value: parseTemplate(h.Value, msg.Marks)})
	}
	return all
}

func (msg *Message) mailbox(name string, a Address) field {
	return field{name: name, place: inMailbox, value: parseTemplate(a.Email, msg.Marks), label: parseTemplate(a.Name, msg.Marks)}
}

// cast puts the value of the field, from the column behind "Name: " on, into a
// mould.
func (f *field) cast(m *Mould) {
	column := len(f.name) + 2
	switch {
	case f.place == inToken:
		f.castTokens(m, column)
	case f.value.dynamic() || f.label.dynamic():
		m.leave(hole{place: f.place, content: f.value, name: f.label, column: column})
	default:
		h := hole{place: f.place, content: f.value, name: f.label, column: column}
		m.freeze(h.pour(nil, nil))
	}
}

// castTokens folds a structured value after its commas, where it has holes of
// unknown length, and by length where it has none.
func (f *field) castTokens(m *Mould, column int) {
	if !f.value.dynamic() {
		m.freeze(appendFolded(nil, column, f.value.fill(nil)))
		return
	}
	for _, p := range f.value {
		if p.value < 0 {
			m.freeze([]byte(strings.ReplaceAll(p.text, ", ", ",\r\n ")))
			continue
		}
		m.leave(hole{place: inToken, content: template{p}})
	}
}

// check says what a field must not have. Values of unstructured headers are
// cleaned rather than refused, as subjects come from editors.
func (f *field) check() error {
	if f.name == "" || strings.ContainsFunc(f.name, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == ':' }) {
		return fmt.Errorf("mailer: header name %q: a name is made of printable ASCII without colon", f.name)
	}
	if f.place != inToken {
		return nil
	}
	for _, p := range f.value {
		if i := strings.IndexFunc(p.text, func(r rune) bool { return r < ' ' || r >= 0x7f }); i >= 0 {
			return fmt.Errorf("mailer: header %s: %q at octet %d of %q: only printable ASCII can stand there", f.name, p.text[i], i, p.text)
		}
		for word := range strings.FieldsSeq(p.text) {
			if len(word) > frozenMax {
				return fmt.Errorf("mailer: header %s: %q cannot be folded, at most %d octets fit a line", f.name, word, frozenMax)
			}
		}
	}
	return nil
}
