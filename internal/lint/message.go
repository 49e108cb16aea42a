package lint

import (
	"bytes"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"strings"
)

// htmlSize returns the size of the HTML part in bytes, as the mail program gets it: decoded, with
// the values of a sample recipient.
func htmlSize(v *Variant) int {
	part, err := htmlPart(v.Message)
	if err != nil {
		return len(v.HTML)
	}
	return len(part)
}

// htmlPart returns the decoded HTML part of a message that package mailer compiled.
func htmlPart(message []byte) ([]byte, error) {
	m, err := mail.ReadMessage(bytes.NewReader(message))
	if err != nil {
		return nil, err
	}
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		return nil, err
	}
	if kind == "text/html" {
		return io.ReadAll(quotedprintable.NewReader(m.Body))
	}
	parts := multipart.NewReader(m.Body, params["boundary"])
	for {
		part, err := parts.NextPart() // decodes quoted-printable
		if err != nil {
			return nil, err
		}
		if strings.HasPrefix(part.Header.Get("Content-Type"), "text/html") {
			return io.ReadAll(part)
		}
	}
}
