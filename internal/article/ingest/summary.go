package ingest

import (
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/rivo/uniseg"

	"github.com/tidings-press/tidings/internal/article"
)

// SummaryLength is the usual length of a summary that is made, in letters as
// readers count them.
const SummaryLength = 280

// Summarize makes a summary of HTML: as many whole sentences from its start as
// fit into so many letters, and words of the first sentence when not even that
// one does. Sentence and word boundaries are those of Unicode (UAX 29), so it
// works for scripts without spaces.
func Summarize(source string, letters int) string {
	text := openingText(source, letters)
	var out strings.Builder
	count, state := 0, -1
	for rest := text; rest != ""; {
		var sentence string
		sentence, rest, state = nextSentence(rest, state)
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

// abbreviated matches a text that ends in a point that ends no sentence: after an
// initial, a day of the month as German writes it, or a usual abbreviation.
var abbreviated = regexp.MustCompile(`(?:^|[\s(«“"'’.])(?:\p{Lu}|\d{1,2}|Mrs?|Ms|Dr|Prof|St|No|vs|etc|[eE]\.g|[iI]\.e|cf|Mme|Mlle|MM|Nr|bzw|ca|usw|z\. ?B|d\. ?h)\.\s+$`)

// nextSentence cuts the first sentence off a text.
func nextSentence(text string, state int) (sentence, rest string, after int) {
	rest = text
	for rest != "" {
		var part string
		part, rest, state = uniseg.FirstSentenceInString(rest, state)
		sentence = text[:len(text)-len(rest)]
		if !abbreviated.MatchString(part) {
			break
		}
	}
	return sentence, rest, state
}

// openingText returns the text of the first paragraphs on one line, no more than a
// summary can need. Headings, tables and code make no sentences.
func openingText(source string, letters int) string {
	var parts []string
	size := 0
	// A letter can take many bytes; this many hold enough of any script.
	enough := letters*16 + 100
	for _, p := range paragraphs(source, enough) {
		p = cutText(article.CleanLine(p), enough)
		parts = append(parts, p)
		if size += len(p); size > enough {
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
	cut := strings.TrimRight(atClause(out.String()), " ,;:–—-(«“\"'、，،؛；：「『（")
	if cut == "" {
		return ""
	}
	return cut + "…"
}

// atClause cuts a text in a script without spaces after its last clause, since only
// a dictionary could tell where a word of it ends.
func atClause(text string) string {
	last, _ := utf8.DecodeLastRuneInString(text)
	if !article.Unspaced(last) {
		return text
	}
	if at := strings.LastIndexAny(text, "、，；：。！？）」』 "); at > len(text)/3 {
		return text[:at]
	}
	return text
}
