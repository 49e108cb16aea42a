package mailer

import "strings"

// encoding tells how a value is written at its place.
type encoding int

const (
	encodeText    encoding = iota // the text part: quoted-printable
	encodeHTML                    // the HTML part: escaped, then quoted-printable
	encodeHeader                  // an unstructured header: encoded words, folded
	encodeToken                   // a URL or id in a header: as it is, %-encoded where it would break out
	encodeMailbox                 // "Name <address>"
)

// templatePart is a stretch of plain text or, when value is not negative, a value.
type templatePart struct {
	text  string
	value int
}

// template is plain text with placeholders, split at them.
type template []templatePart

// parseTemplate splits text at the placeholders.
func parseTemplate(text string, words []string) template {
	var t template
	for text != "" {
		at, which := nextPlaceholder(text, words)
		if which < 0 {
			return append(t, templatePart{text, -1})
		}
		if at > 0 {
			t = append(t, templatePart{text[:at], -1})
		}
		t = append(t, templatePart{"", which})
		text = text[at+len(words[which]):]
	}
	return t
}

// nextPlaceholder finds the first placeholder in text: where, and which one, -1 for none.
func nextPlaceholder(text string, words []string) (at, which int) {
	at, which = len(text), -1
	for i, word := range words {
		if j := strings.Index(text[:min(at+len(word), len(text))], word); j >= 0 && j < at {
			at, which = j, i
		}
	}
	return at, which
}

// hasPlaceholder reports whether a value stands in it.
func (t template) hasPlaceholder() bool {
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

func (p templatePart) fill(values []string) string {
	switch {
	case p.value < 0:
		return p.text
	case p.value < len(values):
		return values[p.value]
	}
	return ""
}

// placeholder is a value that differs per recipient, at one place of a mail.
type placeholder struct {
	encoding encoding
	content  template
	name     template // the display name of a mailbox
	column   int      // of the line that it starts at; 0 in bodies
}

func (p *placeholder) render(dst []byte, values []string) []byte {
	value := p.content.fill(values)
	switch p.encoding {
	case encodeText:
		return appendQuoted(dst, value, false)
	case encodeHTML:
		return appendQuoted(dst, value, true)
	case encodeHeader:
		return appendText(dst, p.column, value)
	case encodeMailbox:
		return appendMailbox(dst, p.column, p.name.fill(values), value)
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
