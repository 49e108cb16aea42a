package article

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/language"
	"golang.org/x/text/unicode/norm"

	"github.com/tidings-press/tidings/internal/plaintext"
)

// CleanText returns a string that is valid in XML 1.0 (section 2.2) and JSON. It drops control
// characters other than tab, line feed and carriage return, surrogates, U+FFFE and U+FFFF, and
// replaces each run of invalid UTF-8 by one U+FFFD.
func CleanText(s string) string {
	if isClean(s) {
		return s
	}
	return strings.Map(func(r rune) rune {
		if !allowedInXML(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}

func isClean(s string) bool {
	for i, r := range s {
		if !allowedInXML(r) || (r == utf8.RuneError && !strings.HasPrefix(s[i:], "\uFFFD")) {
			return false
		}
	}
	return true
}

func allowedInXML(r rune) bool {
	switch {
	case r == '\t' || r == '\n' || r == '\r':
		return true
	case r < 0x20, r >= 0x7F && r < 0xA0, r&0xFFFE == 0xFFFE:
		return false
	}
	return r < 0xD800 || r > 0xDFFF
}

// CleanLine is CleanText for one line: each run of spaces and line breaks becomes one space, except
// that a line break between two characters of Chinese or Japanese becomes nothing.
func CleanLine(s string) string { return plaintext.OneLine(CleanText(s)) }

// TagKey returns the form in which tags are compared. Case, spaces and Unicode normalization do
// not matter. It is empty for a tag of spaces.
func TagKey(tag string) string { return key(tag) }

// AuthorKey returns the form in which authors' names are compared.
func AuthorKey(name string) string { return key(name) }

func key(s string) string {
	s = strings.Join(strings.Fields(CleanText(s)), " ")
	// Folding can undo the normalization, so the text is normalized again.
	return norm.NFC.String(cases.Fold().String(norm.NFC.String(s)))
}

const maxSlug = 120 // bytes

// Slugify makes a slug, the last element of a path, from any text. It keeps letters and digits of
// every script, dots and underscores; other characters become single hyphens.
func Slugify(text string) string {
	text = norm.NFC.String(cases.Lower(language.Und).String(norm.NFC.String(CleanText(text))))
	var out strings.Builder
	for _, r := range text {
		keep := unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsMark(r) || r == '.' || r == '_'
		switch {
		case keep && out.Len()+utf8.RuneLen(r) > maxSlug:
			return strings.Trim(out.String(), "-.")
		case keep:
			out.WriteRune(r)
		case out.Len() > 0 && !strings.HasSuffix(out.String(), "-"):
			out.WriteByte('-')
		}
	}
	return strings.Trim(out.String(), "-.")
}
