package article

import (
	"iter"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/tidings-press/tidings/internal/plaintext"
)

// Segment is a part of a text. Marked parts are those that a search found.
type Segment struct {
	Text   string
	Marked bool
}

// markedWord is a word in the form of Words and where it stands in the text.
type markedWord struct {
	word       string
	start, end int
}

// wordsIn yields the words of a text with their places.
func wordsIn(text string) iter.Seq[markedWord] {
	return func(yield func(markedWord) bool) {
		start := -1
		for i, r := range text {
			unspaced := plaintext.Unspaced(r)
			letter := !unspaced && (unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsMark(r))
			if start >= 0 && !letter {
				if !yieldWords(text, start, i, yield) {
					return
				}
				start = -1
			}
			switch {
			case unspaced:
				if !yieldWords(text, i, i+utf8.RuneLen(r), yield) {
					return
				}
			case letter && start < 0:
				start = i
			}
		}
		if start >= 0 {
			yieldWords(text, start, len(text), yield)
		}
	}
}

// yieldWords yields a piece of a text in the form of Words: one word, except for signs such as ½.
// Most words are in ASCII, for which lower case is the form of Words.
func yieldWords(text string, start, end int, yield func(markedWord) bool) bool {
	piece := text[start:end]
	if isASCII(piece) {
		return yield(markedWord{strings.ToLower(piece), start, end})
	}
	for _, word := range Words(piece) {
		if !yield(markedWord{word, start, end}) {
			return false
		}
	}
	return true
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// place is where a phrase stands in a text.
type place struct{ phrase, start, end int }

// find yields the places of phrases in a text, in order and without overlaps. Each phrase is a list
// of words in the form of Words.
func find(text string, phrases [][]string) iter.Seq[place] {
	return func(yield func(place) bool) {
		longest := 0
		for _, phrase := range phrases {
			longest = max(longest, len(phrase))
		}
		var words []markedWord // the last ones since the last place, as many as the longest phrase has
		for word := range wordsIn(text) {
			if words = append(words, word); len(words) > longest {
				words = words[1:]
			}
			for i, phrase := range phrases {
				n := len(phrase)
				if n == 0 || n > len(words) || !slices.EqualFunc(words[len(words)-n:], phrase, func(w markedWord, p string) bool { return w.word == p }) {
					continue
				}
				if !yield(place{i, words[len(words)-n].start, word.end}) {
					return
				}
				words = words[:0]
				break
			}
		}
	}
}

// CountPhrases returns how many of the phrases are in a text.
func CountPhrases(text string, phrases [][]string) int {
	there := map[int]bool{}
	for p := range find(text, phrases) {
		there[p.phrase] = true
	}
	return len(there)
}

// Mark divides a text into the phrases that a search found in it and what is between them.
func Mark(text string, phrases [][]string) []Segment {
	var out []Segment
	at := 0
	for f := range find(text, phrases) {
		if f.start > at {
			out = append(out, Segment{Text: text[at:f.start]})
		}
		if f.start >= at {
			out = append(out, Segment{Text: text[f.start:f.end], Marked: true})
			at = f.end
		}
	}
	if at < len(text) {
		out = append(out, Segment{Text: text[at:]})
	}
	return out
}

// Excerpt returns about n bytes of a text around the first phrase in it, with the phrases marked.
// It returns nil if there is none.
func Excerpt(text string, phrases [][]string, n int) []Segment {
	text = strings.Join(strings.Fields(text), " ")
	var first place
	for first = range find(text, phrases) {
		break
	}
	if first.end == 0 {
		return nil
	}
	start := cutBefore(text, max(first.start-n/3, 0), first.start)
	end := min(max(start+n, first.end), len(text))
	for end < len(text) && !utf8.RuneStart(text[end]) {
		end++
	}
	if end < len(text) {
		if space := strings.LastIndexByte(text[first.end:end], ' '); space > 0 {
			end = first.end + space
		}
	}
	out := Mark(text[start:end], phrases)
	if start > 0 {
		out = append([]Segment{{Text: "… "}}, out...)
	}
	if end < len(text) {
		out = append(out, Segment{Text: " …"})
	}
	return out
}

// cutBefore returns the first place from start on where a word begins, at most limit.
func cutBefore(text string, start, limit int) int {
	if start == 0 {
		return 0
	}
	if space := strings.IndexByte(text[start:limit], ' '); space >= 0 {
		return start + space + 1
	}
	for start < limit && !utf8.RuneStart(text[start]) { // a script without spaces
		start++
	}
	return start
}
