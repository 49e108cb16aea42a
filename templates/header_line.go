package templates

import (
	"strings"
	"unicode"

	"github.com/rivo/uniseg"
)

// MaxSubject is how many characters a subject line may have, as a reader counts
// them. Inboxes show fewer than half of that.
const MaxSubject = 200

// HeaderLine makes a header-safe line: every run of spaces and controls becomes one
// space, and the characters that turn the direction of what follows are
// dropped, since a subject could pose as another with them.
func HeaderLine(text string) string {
	var out strings.Builder
	space := false
	for _, r := range strings.ToValidUTF8(text, "") {
		switch {
		case unicode.IsSpace(r) || unicode.IsControl(r):
			space = out.Len() > 0
		case isBidiControl(r) || r == '\uFFFE' || r == '\uFFFF':
		default:
			if space {
				out.WriteByte(' ')
				space = false
			}
			out.WriteRune(r)
		}
	}
	return Truncate(out.String(), MaxSubject)
}

// isBidiControl is true for the embeddings, overrides and isolates of UAX 9.
func isBidiControl(r rune) bool {
	return (r >= '\u202A' && r <= '\u202E') || (r >= '\u2066' && r <= '\u2069')
}

// maxCluster bounds one character and meanBytes the mean of all, in bytes: a heap of
// accents must not pass as one character, nor a row of emoji families as a line.
const (
	maxCluster = 64
	meanBytes  = 8
)

// Truncate shortens a text to at most width characters as a reader counts them, with an
// ellipsis in place of what is left out, and at the end of a word where there is one.
func Truncate(text string, width int) string {
	if width < 1 {
		return ""
	}
	if len(text) <= width {
		return text
	}
	end, lastSpace, count, state := 0, 0, 0, -1
	for rest := text; rest != ""; count++ {
		var cluster string
		cluster, rest, _, state = uniseg.FirstGraphemeClusterInString(rest, state)
		if count == width-1 && rest != "" || len(cluster) > maxCluster || end+len(cluster) > width*meanBytes {
			return cutAt(text, end, lastSpace)
		}
		if cluster == " " {
			lastSpace = end
		}
		end += len(cluster)
	}
	return text
}

// cutAt goes back to a word's end unless more than a third would go with it.
func cutAt(text string, end, lastSpace int) string {
	if lastSpace > end*2/3 {
		end = lastSpace
	}
	return strings.TrimRight(text[:end], " ,;:.-–—") + "…"
}
