package inbox

import (
	"bytes"
	"errors"
	"io"
	"strings"

	"github.com/emersion/go-message"
	_ "github.com/emersion/go-message/charset" // mails in other charsets than UTF-8
	"github.com/emersion/go-message/mail"
)

// maxPart bounds a decoded part, in bytes.
const maxPart = 10 << 20

// field is one header field, as sent but unfolded.
type field struct{ Name, Value string }

// parsedMessage is a message taken apart for showing.
type parsedMessage struct {
	HTML, Text string
	Fields     []field
	Problem    string // what could not be read, for people
}

// subjectAndSender reads the subject and the sender's name.
func subjectAndSender(source []byte) (subject, name string) {
	r, err := mail.CreateReader(bytes.NewReader(source))
	if r == nil || (err != nil && !message.IsUnknownCharset(err)) {
		return "(cannot be read)", ""
	}
	subject, _ = r.Header.Subject()
	if list, err := r.Header.AddressList("From"); err == nil && len(list) > 0 {
		if name = list[0].Name; name == "" {
			name = list[0].Address
		}
	}
	return subject, name
}

// parseMessage decodes the parts that people read.
func parseMessage(source []byte) parsedMessage {
	var p parsedMessage
	r, err := mail.CreateReader(bytes.NewReader(source))
	if r == nil || (err != nil && !message.IsUnknownCharset(err)) {
		p.Problem = "this message's header cannot be read: " + err.Error()
		return p
	}
	for fields := r.Header.Fields(); fields.Next(); {
		p.Fields = append(p.Fields, field{fields.Key(), fields.Value()})
	}
	for {
		part, err := r.NextPart()
		if errors.Is(err, io.EOF) {
			return p
		}
		if err != nil && !message.IsUnknownCharset(err) {
			p.Problem = "a part of this message cannot be read: " + err.Error()
			return p
		}
		if err := p.add(part); err != nil {
			p.Problem = "a part of this message cannot be decoded: " + err.Error()
		}
	}
}

// add keeps the first text and the first HTML part.
func (p *parsedMessage) add(part *mail.Part) error {
	inline, ok := part.Header.(*mail.InlineHeader)
	if !ok {
		return nil
	}
	kind, _, _ := inline.ContentType()
	body, err := io.ReadAll(io.LimitReader(part.Body, maxPart))
	switch {
	case kind == "text/html" && p.HTML == "":
		p.HTML = string(body)
	case strings.HasPrefix(kind, "text/") && kind != "text/html" && p.Text == "":
		p.Text = string(body)
	}
	return err
}
