package mailer

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// lineMax is the maximum length of a body line without CRLF and without the "=" of a soft break,
// with which RFC 2045, section 6.7, rule 5 allows 76.
const lineMax = 75

const hexDigits = "0123456789ABCDEF"

var softBreak = []byte("=\r\n")

// appendQuoted appends text in quoted-printable, starting at the first column; with escape, HTML
// characters are escaped. Line ends become CRLF. Spaces at the end of a line or of the text are
// encoded, and so is a dot at the start of a line, which SMTP would require to be doubled
// (RFC 5321, section 4.5.2).
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
		case escape && htmlEntity[b] != "":
			for _, e := range []byte(htmlEntity[b]) {
				q.literal(e)
			}
		case !isLiteral[b]:
			q.hex(b)
		default:
			end := i + 1
			for end < len(text) && isLiteral[text[end]] && (!escape || htmlEntity[text[end]] == "") {
				end++
			}
			q.literals(text[i:end])
			i = end - 1
		}
	}
	return q.dst
}

// isLiteral holds the characters that quoted-printable does not encode, except for spaces.
var isLiteral = func() (table [256]bool) {
	for b := byte('!'); b <= '~'; b++ {
		table[b] = b != '='
	}
	return table
}()

// htmlEntity holds the escapes of the characters that are special in HTML text and attributes.
var htmlEntity = [256]string{'&': "&amp;", '<': "&lt;", '>': "&gt;", '"': "&#34;", '\'': "&#39;"}

// qpWriter writes quoted-printable and breaks its lines.
type qpWriter struct {
	dst    []byte
	column int
}

// literals appends characters that need no encoding, up to a whole line at a time.
func (q *qpWriter) literals(text string) {
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

// space appends a space or tab, encoded if it is the last character of its line.
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

// ensureSpace breaks the line if n more octets do not fit.
func (q *qpWriter) ensureSpace(n int) {
	if q.column+n > lineMax {
		q.breakLine()
	}
}

func (q *qpWriter) breakLine() {
	q.dst = append(q.dst, softBreak...)
	q.column = 0
}

// appendEncoded appends text that is already quoted-printable but has no soft breaks, and inserts
// new ones.
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

// appendEncodedOctet appends one octet. It encodes the F of "From " at the start of a line, which
// mailbox files would turn into ">From " and so break signatures.
func (q *qpWriter) appendEncodedOctet(b byte, rest []byte) {
	q.ensureSpace(1)
	if q.column == 0 && b == 'F' && bytes.HasPrefix(rest, []byte("From ")) {
		q.hex(b)
		return
	}
	q.literal(b)
}
