package mailer

import (
	"fmt"
	"strings"
)

// field is a header field on its way into a mould.
type field struct {
	name     string
	encoding encoding
	value    template
	label    template // display name of a mailbox
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
		{name: "Subject", encoding: encodeHeader, value: parseTemplate(msg.Subject, msg.Placeholders)},
		{name: "Message-ID", encoding: encodeToken, value: parseTemplate("<"+msg.MessageID+">", msg.Placeholders)},
	}
	if msg.ReplyTo.Email != "" {
		all = append(all, msg.mailbox("Reply-To", msg.ReplyTo))
	}
	for _, h := range msg.Headers {
		place := encodeHeader
		if structured(h.Name) {
			place = encodeToken
		}
		all = append(all, field{name: h.Name, encoding: place, value: parseTemplate(h.Value, msg.Placeholders)})
	}
	return all
}

func (msg *Message) mailbox(name string, a Address) field {
	return field{name: name, encoding: encodeMailbox, value: parseTemplate(a.Email, msg.Placeholders), label: parseTemplate(a.Name, msg.Placeholders)}
}

// compile puts the value of the field, from the column behind "Name: " on, into a
// mould.
func (f *field) compile(m *Compiled) {
	column := len(f.name) + 2
	switch {
	case f.encoding == encodeToken:
		f.compileTokens(m, column)
	case f.value.hasPlaceholder() || f.label.hasPlaceholder():
		m.addPlaceholder(placeholder{encoding: f.encoding, content: f.value, name: f.label, column: column})
	default:
		h := placeholder{encoding: f.encoding, content: f.value, name: f.label, column: column}
		m.appendStatic(h.render(nil, nil))
	}
}

// compileTokens folds a structured value after its commas, where it has holes of
// unknown length, and by length where it has none.
func (f *field) compileTokens(m *Compiled, column int) {
	if !f.value.hasPlaceholder() {
		m.appendStatic(appendFolded(nil, column, f.value.fill(nil)))
		return
	}
	for _, p := range f.value {
		if p.value < 0 {
			m.appendStatic([]byte(strings.ReplaceAll(p.text, ", ", ",\r\n ")))
			continue
		}
		m.addPlaceholder(placeholder{encoding: encodeToken, content: template{p}})
	}
}

// check says what a field must not have. Values of unstructured headers are
// cleaned rather than refused, as subjects come from editors.
func (f *field) check() error {
	if f.name == "" || strings.ContainsFunc(f.name, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == ':' }) {
		return fmt.Errorf("mailer: header name %q: a name is made of printable ASCII without colon", f.name)
	}
	if f.encoding != encodeToken {
		return nil
	}
	for _, p := range f.value {
		if i := strings.IndexFunc(p.text, func(r rune) bool { return r < ' ' || r >= 0x7f }); i >= 0 {
			return fmt.Errorf("mailer: header %s: %q at octet %d of %q: only printable ASCII can stand there", f.name, p.text[i], i, p.text)
		}
		for word := range strings.FieldsSeq(p.text) {
			if len(word) > staticMax {
				return fmt.Errorf("mailer: header %s: %q cannot be folded, at most %d octets fit a line", f.name, word, staticMax)
			}
		}
	}
	return nil
}
