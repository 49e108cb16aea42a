package subscriber

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Search is what an editor typed to find subscribers, in the form in which addresses and names are
// compared: in lower case and without accents. Each word must occur in the address or the name; a
// word of two characters must begin a part of it after a space.
type Search struct {
	Words []string
}

// Limits of a search.
const (
	maxSearchWords    = 5
	maxSearchRunes    = 64 // of a word
	maxSearchTrigrams = 20
)

// ParseSearch reads the words of a search. Words of one character are dropped, since nearly all
// addresses contain them.
func ParseSearch(text string) Search {
	var s Search
	for _, word := range strings.Fields(foldText(text)) {
		runes := []rune(word)
		if len(runes) < 2 || len(s.Words) == maxSearchWords {
			continue
		}
		s.Words = append(s.Words, string(runes[:min(len(runes), maxSearchRunes)]))
	}
	return s
}

// IsZero reports whether a search has no word, so that it finds everyone.
func (s Search) IsZero() bool { return len(s.Words) == 0 }

// Parts returns the texts that the address and the name must contain, if a space stands before each
// of the two.
func (s Search) Parts() []string {
	parts := slices.Clone(s.Words)
	for i, word := range parts {
		if len([]rune(word)) == 2 {
			parts[i] = " " + word
		}
	}
	return parts
}

// Trigrams returns the sequences of three characters that the words of a search contain, at most 20.
func (s Search) Trigrams() []string {
	var out []string
	for _, part := range s.Parts() {
		runes := []rune(part)
		for i := 0; i+3 <= len(runes) && len(out) < maxSearchTrigrams; i++ {
			if trigram := string(runes[i : i+3]); !slices.Contains(out, trigram) {
				out = append(out, trigram)
			}
		}
	}
	return out
}

// Matches reports whether an address and a name contain all words of a search.
func (s Search) Matches(address, name string) bool {
	text := foldText(" " + address + " " + name + " ")
	return !slices.ContainsFunc(s.Parts(), func(part string) bool { return !strings.Contains(text, part) })
}

// foldText returns a text in lower case, without accents and control characters.
func foldText(text string) string {
	plain := strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Mn, r):
			return -1
		case unicode.IsControl(r):
			return ' '
		}
		return unicode.ToLower(r)
	}, norm.NFKD.String(strings.ToValidUTF8(text, "")))
	return norm.NFC.String(plain)
}
