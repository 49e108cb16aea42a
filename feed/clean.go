package feed

import (
	"strings"
	"unicode/utf8"
)

// clean makes text valid in XML 1.0 and JSON. It drops invalid UTF-8, and control
// characters and noncharacters that make an XML document malformed (XML 1.0, section 2.2),
// and turns line ends into \n. The encoders of the standard library and gorilla/feeds do
// not do that.
func clean(s string) string {
	if isClean(s) {
		return s
	}
	s = strings.ReplaceAll(s, "\r\n", "\n")
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\r':
			return '\n'
		case r == utf8.RuneError, !allowed(r):
			return -1
		}
		return r
	}, s)
}

func isClean(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= utf8.RuneSelf {
			return isCleanUnicode(s[i:])
		}
		if c < ' ' && c != '\t' && c != '\n' || c == 0x7F {
			return false
		}
	}
	return true
}

func isCleanUnicode(s string) bool {
	for _, r := range s {
		if r == utf8.RuneError || r == '\r' || !allowed(r) {
			return false
		}
	}
	return true
}

// allowed reports whether a document may contain a character. Besides the characters that
// XML forbids, it excludes the C1 controls and all noncharacters: XML discourages them, and
// some feed readers fail on them.
func allowed(r rune) bool {
	switch {
	case r == '\t', r == '\n', r == '\r':
		return true
	case r < ' ', r >= 0x7F && r <= 0x9F:
		return false
	case r >= 0xFDD0 && r <= 0xFDEF, r&0xFFFE == 0xFFFE:
		return false
	}
	return true
}

// singleLine cleans text that must stay on one line, such as a title.
func singleLine(s string) string {
	return strings.Join(strings.Fields(clean(s)), " ")
}

// clip shortens text to at most max bytes and an ellipsis, at the end of a word if possible.
func clip(s string, max int) string {
	if len(s) <= max {
		return s
	}
	cut := max
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	s = s[:cut]
	if space := strings.LastIndexByte(s, ' '); space > max/2 {
		s = s[:space]
	}
	return strings.TrimRight(s, " ,;:-") + "…"
}
