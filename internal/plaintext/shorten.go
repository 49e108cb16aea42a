package plaintext

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/rivo/uniseg"
)

// Shorten returns a text with at most that many letters (grapheme clusters): the sentences at its
// start that fit, or words of the first sentence and an ellipsis if that does not fit. Sentences
// and words are split by UAX 29, which works for scripts without spaces, too.
func Shorten(text string, letters int) string {
	text = strings.TrimSpace(text) // an empty line at its start would be its first sentence
	var out strings.Builder
	count, state := 0, -1
	for rest := text; rest != ""; {
		var sentence string
		sentence, rest, state = nextSentence(rest, state)
		n := uniseg.GraphemeClusterCount(sentence)
		if count+uniseg.GraphemeClusterCount(strings.TrimRightFunc(sentence, unicode.IsSpace)) > letters {
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

// abbreviated matches a text that ends with a full stop that does not end a sentence: after an
// initial, a day of the month in German, or a common abbreviation.
var abbreviated = regexp.MustCompile(`(?:^|[\s(«“"'’.])(?:\p{Lu}|\d{1,2}|Mrs?|Ms|Dr|Prof|St|No|vs|etc|[eE]\.g|[iI]\.e|cf|Mme|Mlle|MM|Nr|bzw|ca|usw|z\. ?B|d\. ?h)\.\s+$`)

// nextSentence splits a text after its first sentence.
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

// cutWords cuts a sentence after the last word that fits, and adds an ellipsis.
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
	cut := strings.TrimRight(cutAtClause(out.String()), " ,;:–—-(«“\"'、，،؛；：「『（")
	if cut == "" {
		return ""
	}
	return cut + "…"
}

// cutAtClause cuts a text in a script without spaces after its last clause, since the end of a
// word cannot be found without a dictionary.
func cutAtClause(text string) string {
	last, _ := utf8.DecodeLastRuneInString(text)
	if !Unspaced(last) {
		return text
	}
	if at := strings.LastIndexAny(text, "、，；：。！？）」』 "); at > len(text)/3 {
		return text[:at]
	}
	return text
}

// Unspaced reports whether a letter belongs to a script without spaces between words.
func Unspaced(r rune) bool {
	return r >= 0x0E00 && unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar)
}
