package article

import (
	"strings"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"github.com/tidings-press/tidings/internal/plaintext"
)

// Words returns the words of a text in the form that search compares: in NFKC, with case folded
// and combining marks kept. In scripts without spaces every character is a word, so that any part
// of a text can be found.
func Words(text string) []string {
	text = norm.NFKC.String(cases.Fold().String(norm.NFKC.String(text)))
	var words []string
	start := -1
	flush := func(end int) {
		if start >= 0 {
			words = append(words, text[start:end])
			start = -1
		}
	}
	for i, r := range text {
		switch {
		case plaintext.Unspaced(r):
			flush(i)
			words = append(words, string(r))
		case unicode.IsLetter(r), unicode.IsNumber(r), unicode.IsMark(r) && start >= 0:
			if start < 0 {
				start = i
			}
		default:
			flush(i)
		}
	}
	flush(len(text))
	return words
}

// SearchText returns all words of title, summary and body in the form of Words, separated by
// spaces. A search finds the article if the words of the query occur in it side by side.
func (a *Article) SearchText() string {
	words := Words(a.Title)
	words = append(words, Words(a.Summary)...)
	words = append(words, Words(PlainText(a.HTML))...)
	return strings.Join(words, " ")
}
