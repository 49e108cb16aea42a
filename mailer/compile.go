package mailer

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	mail "github.com/wneessen/go-mail"
)

// Compile compiles a message. It refuses placeholders that could be confused with the text
// around them, headers with line breaks, and invalid addresses.
//
// go-mail writes the message once, and Compile splits it at the placeholders. Header values are
// encoded by this package, because go-mail folds inside words that must not be split and does not
// know about placeholders.
func Compile(msg Message) (*Compiled, error) {
	fields := msg.fields()
	if err := msg.check(fields); err != nil {
		return nil, err
	}
	boundary, marker := msg.uniqueStrings()
	written, err := msg.write(fields, boundary, marker)
	if err != nil {
		return nil, fmt.Errorf("mailer: %w", err)
	}
	head, body, found := bytes.Cut(written, []byte("\r\n\r\n"))
	if !found {
		return nil, errors.New("mailer: the message has no body")
	}
	m := &Compiled{needsUTF8: msg.needsUTF8()}
	compileHeader(m, append(head, "\r\n\r\n"...), fields, marker)
	m.endHeader()
	msg.compileBody(m, body, boundary)
	if msg.Text != "" && msg.HTML != "" {
		m.canonicalizeBody() // the body ends with the boundary, so there are no empty lines to remove
	}
	return m, nil
}

// uniqueStrings returns two strings that do not occur in the message, because they are a hash of all
// of it: the MIME boundary, and the marker that write puts in place of header values.
func (msg *Message) uniqueStrings() (border, word string) {
	h := sha256.New()
	for _, text := range msg.texts() {
		h.Write(binary.AppendUvarint(nil, uint64(len(text))))
		_, _ = io.WriteString(h, text)
	}
	sum := h.Sum(nil)
	return hex.EncodeToString(sum[:16]), hex.EncodeToString(sum[16:28])
}

// texts returns all values of a message, for hashing.
func (msg *Message) texts() []string {
	all := []string{
		msg.From.Name, msg.From.Email, msg.ReplyTo.Name, msg.ReplyTo.Email, msg.To.Name, msg.To.Email,
		msg.Subject, msg.Date.UTC().Format(time.RFC3339Nano), msg.MessageID, msg.Text, msg.HTML,
	}
	for _, header := range msg.Headers {
		all = append(all, header.Name, header.Value)
	}
	return append(all, msg.Placeholders...)
}

// write lets go-mail write the message. Each header value is the index of the field in two digits,
// followed by the marker.
func (msg *Message) write(fields []field, boundary, marker string) ([]byte, error) {
	m := mail.NewMsg(mail.WithEncoding(mail.EncodingQP), mail.WithBoundary(boundary), mail.WithNoDefaultUserAgent())
	for i, f := range fields {
		m.SetGenHeader(mail.Header(f.name), fmt.Sprintf("%02d%s", i, marker))
	}
	m.SetDateWithValue(msg.Date)
	switch {
	case msg.Text == "":
		m.SetBodyString(mail.TypeTextHTML, msg.HTML)
	case msg.HTML == "":
		m.SetBodyString(mail.TypeTextPlain, msg.Text)
	default:
		m.SetBodyString(mail.TypeTextPlain, msg.Text)
		m.AddAlternativeString(mail.TypeTextHTML, msg.HTML)
	}
	var out bytes.Buffer
	_, err := m.WriteTo(&out)
	return out.Bytes(), err
}

// compileHeader replaces the index and marker of each header by the value of the field.
func compileHeader(m *Compiled, head []byte, fields []field, marker string) {
	for {
		at := bytes.Index(head, []byte(marker))
		if at < 2 {
			break
		}
		i := int(head[at-2]-'0')*10 + int(head[at-1]-'0')
		m.appendStatic(head[:at-2])
		fields[i].compile(m)
		head = head[at+len(marker):]
	}
	m.appendStatic(head)
}

// compileBody compiles the parts of the body. In go-mail's output the first empty line of a part
// ends its header, and the boundary does not occur in the content, because it is a hash of it.
func (msg *Message) compileBody(m *Compiled, body []byte, boundary string) {
	if msg.Text == "" || msg.HTML == "" {
		enc := encodeText
		if msg.Text == "" {
			enc = encodeHTML
		}
		compilePart(m, body, enc, msg.Placeholders)
		if !bytes.HasSuffix(body, []byte("\r\n")) {
			m.appendStatic([]byte("\r\n"))
		}
		return
	}
	end := []byte("\r\n--" + boundary)
	enc := encodeText
	for {
		head, rest, found := bytes.Cut(body, []byte("\r\n\r\n"))
		if !found {
			break
		}
		m.appendStatic(head)
		m.appendStatic([]byte("\r\n\r\n"))
		length := bytes.Index(rest, end)
		compilePart(m, rest[:length], enc, msg.Placeholders)
		body, enc = rest[length:], encodeHTML
	}
	m.appendStatic(body)
}

// compilePart wraps the lines of a part again, so that each placeholder has lines of its own. So a
// value cannot make a line too long or make a line start with a dot.
func compilePart(m *Compiled, encoded []byte, enc encoding, placeholders []string) {
	text := string(bytes.ReplaceAll(encoded, softBreak, nil))
	q := qpWriter{}
	for {
		at, which := nextEncodedPlaceholder(text, placeholders)
		q.appendEncoded([]byte(text[:at]))
		if which < 0 {
			break
		}
		if q.column > 0 {
			q.breakLine()
		}
		m.appendStatic(q.dst)
		m.addPlaceholder(placeholder{encoding: enc, content: template{{"", which}}})
		q = qpWriter{}
		text = text[at+len(placeholders[which]):]
		if text != "" && !strings.HasPrefix(text, "\r\n") {
			q.breakLine()
		}
	}
	m.appendStatic(q.dst)
}

// nextEncodedPlaceholder is nextPlaceholder for quoted-printable text, where the digits of an escape
// such as "=C3" may look like the start of a placeholder.
func nextEncodedPlaceholder(text string, placeholders []string) (at, which int) {
	for from := 0; ; from = at + 1 {
		at, which = nextPlaceholder(text[from:], placeholders)
		at += from
		if which < 0 || !strings.Contains(text[max(at-2, 0):at], "=") {
			return at, which
		}
	}
}

// Compiled is a message compiled for sending: encoded segments with placeholders between
// them. It is immutable and safe for concurrent use.
type Compiled struct {
	segments       []segment
	headerSegments int // segments before the body
	size           int
	needsUTF8      bool
}

// segment is static text of a mail and the placeholder after it, or nil.
type segment struct {
	static      []byte
	relaxed     []byte // static text of the body in the form that DKIM hashes, RFC 6376, section 3.4.4
	placeholder *placeholder
}

// Render appends the mail of one recipient to dst and returns the extended slice. values[i] replaces
// Placeholders[i] of the message; missing values are empty. Values are plain text: Render escapes and
// encodes them for the place of the placeholder, which is a header, the text or the HTML. The mail
// has CRLF line ends, also at its end, and no line starts with a dot, so it needs no further encoding
// for SMTP.
func (c *Compiled) Render(dst []byte, values []string) []byte {
	return renderSegments(dst, c.segments, values)
}

func renderSegments(dst []byte, segments []segment, values []string) []byte {
	for i := range segments {
		dst = append(dst, segments[i].static...)
		if p := segments[i].placeholder; p != nil {
			dst = p.render(dst, values)
		}
	}
	return dst
}

// Size returns the length in octets of the static text, which is a mail without its values.
func (c *Compiled) Size() int { return c.size }

// NeedsUTF8 reports whether the header contains an address of the sender with a local part in Unicode.
// Only a server with SMTPUTF8 may get such a mail.
func (c *Compiled) NeedsUTF8() bool { return c.needsUTF8 }

// Memory returns an estimate of the memory that the message takes, in octets.
func (c *Compiled) Memory() int {
	total := 256
	for i := range c.segments {
		s := &c.segments[i]
		total += 128 + len(s.static)
		if len(s.relaxed) > 0 && &s.relaxed[0] != &s.static[0] {
			total += len(s.relaxed)
		}
	}
	return total
}

// appendStatic appends text that is the same for every recipient.
func (c *Compiled) appendStatic(data []byte) {
	if n := len(c.segments); n == c.headerSegments || c.segments[n-1].placeholder != nil {
		c.segments = append(c.segments, segment{})
	}
	last := &c.segments[len(c.segments)-1]
	last.static = append(last.static, data...)
	c.size += len(data)
}

// addPlaceholder appends a placeholder, which ends the segment.
func (c *Compiled) addPlaceholder(h placeholder) {
	if n := len(c.segments); n == c.headerSegments || c.segments[n-1].placeholder != nil {
		c.segments = append(c.segments, segment{})
	}
	c.segments[len(c.segments)-1].placeholder = &h
}

// endHeader marks the end of the header. All later segments belong to the body.
func (c *Compiled) endHeader() { c.headerSegments = len(c.segments) }

// canonicalizeBody prepares the body for DKIM. It can treat each segment by itself, because
// placeholders have lines of their own.
func (c *Compiled) canonicalizeBody() {
	for i := c.headerSegments; i < len(c.segments); i++ {
		s := &c.segments[i]
		s.relaxed = collapseWhitespace(nil, s.static)
		if bytes.Equal(s.relaxed, s.static) {
			s.relaxed = s.static // equal, so share the memory
		}
	}
}
