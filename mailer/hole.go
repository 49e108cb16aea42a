package mailer

import "strings"

// place is where a hole stands. It decides how a value is encoded.
type place int

const (
	inText    place = iota // the text part: quoted-printable
	inHTML                 // the HTML part: escaped, then quoted-printable
	inHeader               // an unstructured header: encoded words, folded
	inToken                // a URL or id in a header: as it is, %-encoded where it would break out
	inMailbox              // "Name <address>"
)

// piece is a stretch of plain text or, when value is not negative, a value.
type piece struct {
	text  string
	value int
}

// template is plain text with marks, taken apart.
type template []piece

// parseTemplate takes text apart at the marks.
func parseTemplate(text string, marks []string) template {
	var t template
	for text != "" {
		at, which := nextMark(text, marks)
		if which < 0 {
			return append(t, piece{text, -1})
		}
		if at > 0 {
			t = append(t, piece{text[:at], -1})
		}
		t = append(t, piece{"", which})
		text = text[at+len(marks[which]):]
	}
	return t
}

// nextMark finds the first mark in text: where, and which one, -1 for none.
func nextMark(text string, marks []string) (at, which int) {
	at, which = len(text), -1
	for i, mark := range marks {
		if j := strings.Index(text[:min(at+len(mark), len(text))], mark); j >= 0 && j < at {
			at, which = j, i
		}
	}
	return at, which
}

// dynamic says whether there is a mark in it.
func (t template) dynamic() bool {
	for _, p := range t {
		if p.value >= 0 {
			return true
		}
	}
	return false
}

// fill puts the values in. The usual template is one value alone, which costs
// nothing.
func (t template) fill(values []string) string {
	if len(t) == 1 {
		return t[0].fill(values)
	}
	var b strings.Builder
	for _, p := range t {
		b.WriteString(p.fill(values))
	}
	return b.String()
}

func (p piece) fill(values []string) string {
	switch {
	case p.value < 0:
		return p.text
	case p.value < len(values):
		return values[p.value]
	}
	return ""
}

// hole is what differs per recipient, at one place of a mail.
type hole struct {
	place   place
	content template
	name    template // the display name of a mailbox
	column  int      // of the line that it starts at; bodies' holes start at 0
}

func (h *hole) pour(dst []byte, values []string) []byte {
	value := h.content.fill(values)
	switch h.place {
	case inText:
		return appendQuoted(dst, value, false)
	case inHTML:
		return appendQuoted(dst, value, true)
	case inHeader:
		return appendText(dst, h.column, value)
	case inMailbox:
		return appendMailbox(dst, h.column, h.name.fill(values), value)
	default:
		return appendToken(dst, value)
	}
}

// appendToken appends a URL or id to a header. What could end it or the header is
// %-encoded; one that would pass the longest line is cut.
func appendToken(dst []byte, value string) []byte {
	value = asciiURL(value)
	limit := len(dst) + tokenMax
	for i := 0; i < len(value) && len(dst) < limit; i++ {
		if b := value[i]; b <= ' ' || b >= 0x7f || b == '<' || b == '>' || b == '"' {
			dst = append(dst, '%', hexDigits[b>>4], hexDigits[b&15])
		} else {
			dst = append(dst, b)
		}
	}
	return dst
}
