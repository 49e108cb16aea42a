package mailer

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// lineMax is the longest line of a body without its CRLF; RFC 2045, section 6.7,
// rule 5 allows 76 with the "=" of a soft break.
const lineMax = 75

const hexDigits = "0123456789ABCDEF"

var softBreak = []byte("=\r\n")

// appendQuoted appends text in quoted-printable, from the first column on. Line
// ends become CRLF, spaces before them and at the end are encoded, and so is a dot at the
// start of a line, which SMTP would want doubled (RFC 5321, section 4.5.2).
func appendQuoted(dst []byte, text string, escape bool) []byte {
	q := qpWriter{dst: dst}
	if !utf8.ValidString(text) {
		text = strings.ToValidUTF8(text, "\uFFFD")
	}
	for i := 0; i < len(text); i++ {
		switch b := text[i]; {
		case b == '\r' && i+1 < len(text) && text[i+1] == '\n':
		case b == '\r' || b == '\n':
			q.newline()
		case b == ' ' || b == '\t':
			q.space(b, i+1 == len(text) || text[i+1] == '\r' || text[i+1] == '\n')
		case escape && entity[b] != "":
			for _, e := range []byte(entity[b]) {
				q.literal(e)
			}
		case !literally[b]:
			q.hex(b)
		default:
			end := i + 1
			for end < len(text) && literally[text[end]] && (!escape || entity[text[end]] == "") {
				end++
			}
			q.run(text[i:end])
			i = end - 1
		}
	}
	return q.dst
}

// literally has what quoted-printable leaves as it is, spaces apart.
var literally = func() (table [256]bool) {
	for b := byte('!'); b <= '~'; b++ {
		table[b] = b != '='
	}
	return table
}()

// entity has the characters that mean something in HTML, in text and in
// attributes.
var entity = [256]string{'&': "&amp;", '<': "&lt;", '>': "&gt;", '"': "&#34;", '\'': "&#39;"}

// qpWriter appends octets to lines of quoted-printable.
type qpWriter struct {
	dst    []byte
	column int
}

// run appends literal octets, a line's worth at a time.
func (q *qpWriter) run(text string) {
	for text != "" {
		n := min(len(text), lineMax-q.column)
		if n < 1 || q.column == 0 && text[0] == '.' {
			q.literal(text[0])
			text = text[1:]
			continue
		}
		q.dst = append(q.dst, text[:n]...)
		q.column += n
		text = text[n:]
	}
}

func (q *qpWriter) space(b byte, last bool) {
	if last {
		q.hex(b)
		return
	}
	q.literal(b)
}

func (q *qpWriter) literal(b byte) {
	q.ensureSpace(1)
	if b == '.' && q.column == 0 {
		q.hex(b)
		return
	}
	q.dst = append(q.dst, b)
	q.column++
}

func (q *qpWriter) hex(b byte) {
	q.ensureSpace(3)
	q.dst = append(q.dst, '=', hexDigits[b>>4], hexDigits[b&15])
	q.column += 3
}

func (q *qpWriter) newline() {
	q.dst = append(q.dst, '\r', '\n')
	q.column = 0
}

// ensureSpace breaks the line when n more octets do not fit.
func (q *qpWriter) ensureSpace(n int) {
	if q.column+n > lineMax {
		q.breakLine()
	}
}

func (q *qpWriter) breakLine() {
	q.dst = append(q.dst, softBreak...)
	q.column = 0
}

// appendEncoded appends text that is quoted-printable already, without soft breaks, and
// breaks its lines again.
func (q *qpWriter) appendEncoded(encoded []byte) {
	for i := 0; i < len(encoded); {
		switch b := encoded[i]; {
		case b == '\r' || b == '\n':
			q.dst = append(q.dst, b)
			q.column = 0
			i++
		case b == '=' && i+3 <= len(encoded):
			q.ensureSpace(3)
			q.dst = append(q.dst, encoded[i:i+3]...)
			q.column += 3
			i += 3
		default:
			q.appendEncodedOctet(b, encoded[i:])
			i++
		}
	}
}

// appendEncodedOctet appends one octet, encoded where it would be mangled on the way: "From "
// at the start of a line gets a ">" in mailbox files, which breaks signatures.
func (q *qpWriter) appendEncodedOctet(b byte, rest []byte) {
	q.ensureSpace(1)
	if q.column == 0 && b == 'F' && bytes.HasPrefix(rest, []byte("From ")) {
		q.hex(b)
		return
	}
	q.literal(b)
}
