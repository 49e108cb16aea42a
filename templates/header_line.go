package templates

import (
	"strings"
	"unicode"

	"github.com/rivo/uniseg"
)

// MaxSubject is the maximum length of a subject line in characters (grapheme clusters). Inboxes show
// less than half of that.
const MaxSubject = 200

// HeaderLine returns text as a single line for a header, at most MaxSubject characters long. Each run
// of spaces and control characters becomes one space. Characters that change the text direction are
// removed, because a subject could imitate another with them.
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

// isBidiControl reports whether r is an embedding, override or isolate of UAX 9.
func isBidiControl(r rune) bool {
	return (r >= '\u202A' && r <= '\u202E') || (r >= '\u2066' && r <= '\u2069')
}

// maxCluster is the maximum length of a character in bytes, and meanBytes that of the average: so a
// character with many accents or a line of long emoji sequences is truncated.
const (
	maxCluster = 64
	meanBytes  = 8
)

// Truncate shortens a text to at most width characters (grapheme clusters), at the end of a word if
// possible, and ends it with an ellipsis.
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

// cutAt cuts text at end, or at the last space before it if that drops at most a third of the text.
func cutAt(text string, end, lastSpace int) string {
	if lastSpace > end*2/3 {
		end = lastSpace
	}
	return strings.TrimRight(text[:end], " ,;:.-–—") + "…"
}
