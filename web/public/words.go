package public

import (
	"strconv"
	"strings"
)

// words are the fixed phrases of the pages in one language, by their English form.
type words map[string]string

// wordsFor returns the phrases of a language; English for those that we have none
// of.
func wordsFor(tag string) words {
	primary, _, _ := strings.Cut(strings.ToLower(tag), "-")
	return translations[primary]
}

// say returns a phrase.
func (w words) say(english string) string {
	if s, ok := w[english]; ok {
		return s
	}
	return english
}

// count returns a phrase with a number in place of "%".
func (w words) count(one, many string, n int64) string {
	phrase := many
	if n == 1 {
		phrase = one
	}
	return strings.Replace(w.say(phrase), "%", strconv.FormatInt(n, 10), 1)
}

var translations = map[string]words{}
