// Package plaintext converts the HTML of articles to plain text, for the text parts of mails. Start
// with FromHTML. OneLine joins the lines of a text.
package plaintext

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// OneLine returns a text on one line. Each run of white space becomes one space, but a line break
// between two characters of Chinese or Japanese becomes nothing, since these scripts have no spaces
// between words (CSS Text 3, section 4.1.3). Korean has them and keeps the space.
func OneLine(text string) string {
	if strings.IndexByte(text, '\n') < 0 {
		return strings.Join(strings.Fields(text), " ")
	}
	var out strings.Builder
	last := rune(0)
	for line := range strings.Lines(text) {
		line = strings.Join(strings.Fields(line), " ")
		if line == "" {
			continue
		}
		first, _ := utf8.DecodeRuneInString(line)
		if out.Len() > 0 && !(isEastAsian(last) && isEastAsian(first)) {
			out.WriteByte(' ')
		}
		out.WriteString(line)
		last, _ = utf8.DecodeLastRuneInString(line)
	}
	return out.String()
}

// Join joins texts as OneLine joins lines.
func Join(texts ...string) string { return OneLine(strings.Join(texts, "\n")) }

// isEastAsian reports whether a character is a letter or a mark of Chinese or Japanese.
func isEastAsian(r rune) bool {
	switch {
	case r < 0x2E80:
		return false
	case r >= 0x3000 && r <= 0x30FF, r >= 0xFF01 && r <= 0xFF9F, r >= 0xFFE0 && r <= 0xFFE6: // with their punctuation
		return true
	}
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Bopomofo, unicode.Yi)
}
