package store

import (
	"strings"
	"unicode/utf8"
)

// tidy makes the texts among a query's arguments fit for both engines. PostgreSQL
// refuses NUL and broken UTF-8, which replies of mail servers and names of
// browsers do contain; to fail on these would lose a bounce, or a sign-in.
func tidy(args []any) []any {
	for i, arg := range args {
		switch value := arg.(type) {
		case string:
			if !clean(value) {
				args[i] = tidyText(value)
			}
		case []string:
			for j, text := range value {
				if !clean(text) {
					value[j] = tidyText(text)
				}
			}
		}
	}
	return args
}

func clean(text string) bool { return utf8.ValidString(text) && strings.IndexByte(text, 0) < 0 }

// tidyText drops NULs and puts U+FFFD for bytes that are no UTF-8.
func tidyText(text string) string {
	return strings.ToValidUTF8(strings.ReplaceAll(text, "\x00", ""), "\uFFFD")
}
