package mailer

import "strings"

// encoding is how a value is written; it depends on the place of the placeholder.
type encoding int

const (
	encodeText    encoding = iota // the text part: quoted-printable
	encodeHTML                    // the HTML part: escaped, then quoted-printable
	encodeHeader                  // an unstructured header: encoded words, folded
	encodeToken                   // a URL or id in a header: characters that would end it are %-encoded
	encodeMailbox                 // "Name <address>"
)

// templatePart is plain text or, if value is not negative, a placeholder by its index.
type templatePart struct {
	text  string
	value int
}

// template is plain text split at its placeholders.
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

// nextPlaceholder returns the position and index of the first placeholder in text. Without one, the
// position is len(text) and the index -1.
func nextPlaceholder(text string, words []string) (at, which int) {
	at, which = len(text), -1
	for i, word := range words {
		if j := strings.Index(text[:min(at+len(word), len(text))], word); j >= 0 && j < at {
			at, which = j, i
		}
	}
	return at, which
}

// hasPlaceholder reports whether a template contains a placeholder.
func (t template) hasPlaceholder() bool {
	for _, p := range t {
		if p.value >= 0 {
			return true
		}
	}
	return false
}

// fill replaces the placeholders by their values. The common template, a single placeholder, needs
// no allocation.
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

// placeholder is a place in a mail whose text differs per recipient.
type placeholder struct {
	encoding encoding
	content  template
	name     template // the display name of a mailbox
	column   int      // where it starts on its line; 0 in bodies
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

// appendToken appends a URL or id to a header. Characters that could end it or the header are
// %-encoded. It is cut at tokenMax octets to keep to the maximum line length.
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
