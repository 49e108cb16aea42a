package sqldb

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// CleanArgs makes the texts among a query's arguments valid on both engines.
// PostgreSQL refuses NUL and broken UTF-8, which replies of mail servers and names of
// browsers contain; an error would lose a bounce or a sign-in.
func CleanArgs(args []any) []any {
	for i, arg := range args {
		switch value := arg.(type) {
		case string:
			if cleaned := CleanText(value); cleaned != value {
				args[i] = cleaned
			}
		case []string:
			if !slices.ContainsFunc(value, func(text string) bool { return CleanText(text) != text }) {
				continue
			}
			cleaned := make([]string, len(value)) // the caller keeps its own
			for j, text := range value {
				cleaned[j] = CleanText(text)
			}
			args[i] = cleaned
		}
	}
	return args
}

// CleanText returns a text without NULs, and with U+FFFD for bytes that are not UTF-8.
func CleanText(text string) string {
	if utf8.ValidString(text) && strings.IndexByte(text, 0) < 0 {
		return text
	}
	return strings.ToValidUTF8(strings.ReplaceAll(text, "\x00", ""), "\uFFFD")
}
