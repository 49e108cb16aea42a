package store

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/tidings-press/tidings/internal/subscriber"
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

// saidMax bounds what is kept of a server's words, in characters. It may say as
// much as it likes, about every reader of an edition.
const saidMax = 500

// said makes a server's words, or a reason with them in it, fit to be kept: without the
// addresses that they name, on one line, and for both engines. PostgreSQL refuses a NUL, and with it the outcomes of
// every mail in that commit.
func said(text string) string {
	text = subscriber.ScrubAddresses(text)
	if plain(text) {
		return text
	}
	text = strings.Map(func(r rune) rune {
		switch {
		case r == 0:
			return -1
		case unicode.IsControl(r):
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "\uFFFD"))
	n := 0
	for at := range text {
		if n++; n > saidMax {
			return text[:at]
		}
	}
	return text
}

// plain says whether a text is short and of printable ASCII, as nearly all are.
func plain(text string) bool {
	for i := range len(text) {
		if text[i] < ' ' || text[i] > '~' {
			return false
		}
	}
	return len(text) <= saidMax
}
