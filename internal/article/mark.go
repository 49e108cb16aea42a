package article

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
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

// wordsIn returns the words of a text with their places.
func wordsIn(text string) []markedWord {
	var out []markedWord
	add := func(start, end int) {
		if piece := text[start:end]; isLowerASCII(piece) {
			out = append(out, markedWord{piece, start, end})
		} else {
			for _, word := range Words(piece) { // one, except for signs such as ½
				out = append(out, markedWord{word, start, end})
			}
		}
	}
	start := -1
	for i, r := range text {
		letter := unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsMark(r)
		if start >= 0 && (!letter || Unspaced(r)) {
			add(start, i)
			start = -1
		}
		switch {
		case Unspaced(r):
			add(i, i+utf8.RuneLen(r))
		case letter && start < 0:
			start = i
		}
	}
	if start >= 0 {
		add(start, len(text))
	}
	return out
}

func isLowerASCII(s string) bool {
	for i := range len(s) {
		if (s[i] < 'a' || s[i] > 'z') && (s[i] < '0' || s[i] > '9') {
			return false
		}
	}
	return true
}

// found is a place in a text where a phrase stands.
type found struct{ start, end int }

// find returns the places of phrases in a text, in order and without overlaps. Each phrase is a
// list of words in the form of Words.
func find(text string, phrases [][]string) []found {
	words := wordsIn(text)
	var out []found
	for i := 0; i < len(words); i++ {
		for _, phrase := range phrases {
			if n := len(phrase); n > 0 && i+n <= len(words) && slices.EqualFunc(words[i:i+n], phrase, func(w markedWord, p string) bool { return w.word == p }) {
				out = append(out, found{words[i].start, words[i+n-1].end})
				i += n - 1
				break
			}
		}
	}
	return out
}

// Mark divides a text into the phrases that a search found in it and what is between them.
func Mark(text string, phrases [][]string) []Segment {
	var out []Segment
	at := 0
	for _, f := range find(text, phrases) {
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
	places := find(text, phrases)
	if len(places) == 0 {
		return nil
	}
	start := cutBefore(text, max(places[0].start-n/3, 0), places[0].start)
	end := min(max(start+n, places[0].end), len(text))
	for end < len(text) && !utf8.RuneStart(text[end]) {
		end++
	}
	if end < len(text) {
		if space := strings.LastIndexByte(text[places[0].end:end], ' '); space > 0 {
			end = places[0].end + space
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
