package article

import (
	"strings"

	"github.com/rivo/uniseg"
)

// SummaryLength is the usual length of a summary that is made, in letters as
// readers count them.
const SummaryLength = 280

// Summarise makes a summary of HTML: as many whole sentences from its start as
// fit into so many letters, and words of the first sentence when not even that
// one does. Sentence and word boundaries are those of Unicode (UAX 29), so it
// works for scripts without spaces.
func Summarise(source string, letters int) string {
	text := openingText(source, letters)
	var out strings.Builder
	count, state := 0, -1
	for rest := text; rest != ""; {
		var sentence string
		sentence, rest, state = uniseg.FirstSentenceInString(rest, state)
		n := uniseg.GraphemeClusterCount(sentence)
		if count+uniseg.GraphemeClusterCount(strings.TrimSpace(sentence)) > letters {
			if count == 0 {
				return cutWords(sentence, letters)
			}
			break
		}
		out.WriteString(sentence)
		count += n
	}
	return strings.TrimSpace(out.String())
}

// openingText returns the text of the first paragraphs on one line, no more than a
// summary can need. Headings, tables and code make no sentences.
func openingText(source string, letters int) string {
	var parts []string
	size := 0
	for _, p := range paragraphs(source) {
		if p = cleanLine(p); p == "" {
			continue
		}
		parts = append(parts, p)
		// A letter can take many bytes; this many hold enough of any script.
		if size += len(p); size > letters*16 {
			break
		}
	}
	return strings.Join(parts, " ")
}

// cutWords cuts a sentence after its last word that fits, and says so with an
// ellipsis.
func cutWords(sentence string, letters int) string {
	var out strings.Builder
	count, state := 0, -1
	for rest := sentence; rest != ""; {
		var word string
		word, rest, state = uniseg.FirstWordInString(rest, state)
		n := uniseg.GraphemeClusterCount(word)
		if count+n > letters-1 {
			break
		}
		out.WriteString(word)
		count += n
	}
	cut := strings.TrimRight(out.String(), " ,;:–—-(«“\"'")
	if cut == "" {
		return ""
	}
	return cut + "…"
}
