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

// Compile compiles a message. It refuses placeholders that could not be told from the text
// around them, headers with line breaks and addresses that no server would take.
//
// The message is written once by go-mail and cut where the placeholders are. Header
// values are ours, since go-mail folds within words that must stay whole and
// encodes words without regard to placeholders in them.
func Compile(msg Message) (*Compiled, error) {
	fields := msg.fields()
	if err := msg.check(fields); err != nil {
		return nil, err
	}
	border, word := msg.uniqueWords()
	written, err := msg.write(fields, border, word)
	if err != nil {
		return nil, fmt.Errorf("mailer: %w", err)
	}
	head, body, found := bytes.Cut(written, []byte("\r\n\r\n"))
	if !found {
		return nil, errors.New("mailer: the message has no body")
	}
	m := &Compiled{}
	compileHeader(m, append(head, "\r\n\r\n"...), fields, word)
	m.endHeader()
	msg.compileBody(m, body, border)
	if msg.Text != "" && msg.HTML != "" {
		m.canonicalizeBody() // it ends with the border of its parts, so no empty lines do
	}
	return m, nil
}

// uniqueWords are two words that occur nowhere in the message, as they depend on all of
// it: the border of its parts, and what stands in for our header values.
func (msg *Message) uniqueWords() (border, word string) {
	h := sha256.New()
	for _, text := range msg.texts() {
		h.Write(binary.AppendUvarint(nil, uint64(len(text))))
		_, _ = io.WriteString(h, text)
	}
	sum := h.Sum(nil)
	return hex.EncodeToString(sum[:16]), hex.EncodeToString(sum[16:28])
}

// texts are all that a message is made of.
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

// write lets go-mail write the message with a stand-in for each header value.
func (msg *Message) write(fields []field, border, word string) ([]byte, error) {
	m := mail.NewMsg(mail.WithEncoding(mail.EncodingQP), mail.WithBoundary(border), mail.WithNoDefaultUserAgent())
	for i, f := range fields {
		m.SetGenHeader(mail.Header(f.name), fmt.Sprintf("%02d%s", i, word))
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

// compileHeader replaces the stand-ins by the values of the fields.
func compileHeader(m *Compiled, head []byte, fields []field, word string) {
	for {
		at := bytes.Index(head, []byte(word))
		if at < 2 {
			break
		}
		i := int(head[at-2]-'0')*10 + int(head[at-1]-'0')
		m.appendStatic(head[:at-2])
		fields[i].compile(m)
		head = head[at+len(word):]
	}
	m.appendStatic(head)
}

// compileBody goes through the parts. go-mail puts no blank line but the one that
// ends a part's header before its content, and quoted-printable cannot have the
// boundary in it, which the content decides.
func (msg *Message) compileBody(m *Compiled, body []byte, border string) {
	if msg.Text == "" || msg.HTML == "" {
		place := encodeText
		if msg.Text == "" {
			place = encodeHTML
		}
		compilePart(m, body, place, msg.Placeholders)
		if !bytes.HasSuffix(body, []byte("\r\n")) {
			m.appendStatic([]byte("\r\n"))
		}
		return
	}
	end := []byte("\r\n--" + border)
	place := encodeText
	for {
		head, rest, found := bytes.Cut(body, []byte("\r\n\r\n"))
		if !found {
			break
		}
		m.appendStatic(head)
		m.appendStatic([]byte("\r\n\r\n"))
		length := bytes.Index(rest, end)
		compilePart(m, rest[:length], place, msg.Placeholders)
		body, place = rest[length:], encodeHTML
	}
	m.appendStatic(body)
}

// compilePart breaks the lines of a part again, so that each placeholder has lines of its own: a
// value never makes a line too long, nor one that starts with a dot.
func compilePart(m *Compiled, encoded []byte, place encoding, marks []string) {
	text := string(bytes.ReplaceAll(encoded, softBreak, nil))
	q := qpWriter{}
	for {
		at, which := nextEncodedPlaceholder(text, marks)
		q.appendEncoded([]byte(text[:at]))
		if which < 0 {
			break
		}
		if q.column > 0 {
			q.breakLine()
		}
		m.appendStatic(q.dst)
		m.addPlaceholder(placeholder{encoding: place, content: template{{"", which}}})
		q = qpWriter{}
		text = text[at+len(marks[which]):]
		if text != "" && !strings.HasPrefix(text, "\r\n") {
			q.breakLine()
		}
	}
	m.appendStatic(q.dst)
}

// nextEncodedPlaceholder is nextMark for quoted-printable, where "=C3" may look like the
// start of a mark.
func nextEncodedPlaceholder(text string, marks []string) (at, which int) {
	for from := 0; ; from = at + 1 {
		at, which = nextPlaceholder(text[from:], marks)
		at += from
		if which < 0 || !strings.Contains(text[max(at-2, 0):at], "=") {
			return at, which
		}
	}
}

// Compiled is a message compiled for sending: encoded segments with placeholders between
// them. It never changes and may be shared by any number of goroutines.
type Compiled struct {
	segments       []segment
	headerSegments int // segments before the body
	size           int
}

// segment is a static stretch of a mail and the placeholder behind it, if there is one.
type segment struct {
	static      []byte
	relaxed     []byte // of the body: as DKIM hashes it, RFC 6376, section 3.4.4
	placeholder *placeholder
}

// Render appends the mail that has values[i] in place of Placeholders[i] to dst, and
// returns it. Values are plain text; each placeholder escapes and encodes them for its place, be
// it a header, the text or HTML. Missing values are empty. The mail has CRLF line ends, no line that begins with a dot
// and a line end at its end, so that it can be sent as it is.
func (m *Compiled) Render(dst []byte, values []string) []byte {
	return renderSegments(dst, m.segments, values)
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

// Size returns the length of a mail with empty values, in octets.
func (m *Compiled) Size() int { return m.size }

// Memory returns about how much memory the message takes, in octets.
func (m *Compiled) Memory() int {
	total := 256
	for i := range m.segments {
		s := &m.segments[i]
		total += 128 + len(s.static)
		if len(s.relaxed) > 0 && &s.relaxed[0] != &s.static[0] {
			total += len(s.relaxed)
		}
	}
	return total
}

// appendStatic appends bytes that are the same for every recipient.
func (m *Compiled) appendStatic(data []byte) {
	if n := len(m.segments); n == m.headerSegments || m.segments[n-1].placeholder != nil {
		m.segments = append(m.segments, segment{})
	}
	last := &m.segments[len(m.segments)-1]
	last.static = append(last.static, data...)
	m.size += len(data)
}

// addPlaceholder ends a segment with a placeholder.
func (m *Compiled) addPlaceholder(h placeholder) {
	if n := len(m.segments); n == m.headerSegments || m.segments[n-1].placeholder != nil {
		m.segments = append(m.segments, segment{})
	}
	m.segments[len(m.segments)-1].placeholder = &h
}

// endHeader marks the end of the header: what follows is the body.
func (m *Compiled) endHeader() { m.headerSegments = len(m.segments) }

// canonicalizeBody prepares the body for hashing. Each segment can be taken by itself, because
// placeholders have lines of their own.
func (m *Compiled) canonicalizeBody() {
	for i := m.headerSegments; i < len(m.segments); i++ {
		s := &m.segments[i]
		s.relaxed = collapseWhitespace(nil, s.static)
		if bytes.Equal(s.relaxed, s.static) {
			s.relaxed = s.static // nothing to collapse, nothing to keep twice
		}
	}
}
