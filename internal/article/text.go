package article

import (
	"strings"
	"unicode/utf8"
)

// CleanText makes a string fit for XML 1.0 (section 2.2) and JSON: control
// characters other than tab, line feed and carriage return, surrogates, U+FFFE and
// U+FFFF are dropped, and each run of broken UTF-8 becomes one U+FFFD.
func CleanText(s string) string {
	if isClean(s) {
		return s
	}
	return strings.Map(func(r rune) rune {
		if !allowed(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}

func isClean(s string) bool {
	for i, r := range s {
		if !allowed(r) || (r == utf8.RuneError && !strings.HasPrefix(s[i:], "\uFFFD")) {
			return false
		}
	}
	return true
}

func allowed(r rune) bool {
	switch {
	case r == '\t' || r == '\n' || r == '\r':
		return true
	case r < 0x20, r >= 0x7F && r < 0xA0, r&0xFFFE == 0xFFFE:
		return false
	}
	return r < 0xD800 || r > 0xDFFF
}

// cleanLine makes one line of text: no breaks, no doubled spaces.
func cleanLine(s string) string {
	return strings.Join(strings.Fields(CleanText(s)), " ")
}
