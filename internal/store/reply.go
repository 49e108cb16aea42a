package store

import (
	"strings"
	"unicode"

	"github.com/tidings-press/tidings/internal/store/sqldb"
	"github.com/tidings-press/tidings/internal/subscriber"
)

// maxReply bounds the stored text of a server's reply, in characters. A server may
// answer at any length, for every recipient of an edition.
const maxReply = 500

// replyText prepares a server's reply, or a reason that quotes one, for storing: it removes
// addresses and control characters, makes the text valid on both engines, and cuts it at
// maxReply.
func replyText(text string) string {
	text = subscriber.ScrubAddresses(text)
	if isShortASCII(text) {
		return text
	}
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, sqldb.CleanText(text))
	n := 0
	for at := range text {
		if n++; n > maxReply {
			return text[:at]
		}
	}
	return text
}

// isShortASCII reports whether a text is short and of printable ASCII, as nearly all
// replies are.
func isShortASCII(text string) bool {
	for i := range len(text) {
		if text[i] < ' ' || text[i] > '~' {
			return false
		}
	}
	return len(text) <= maxReply
}
