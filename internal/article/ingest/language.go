package ingest

import (
	"strings"

	"github.com/abadojack/whatlanggo"
	"golang.org/x/text/language"

	"github.com/tidings-press/tidings/internal/article"
)

// What a language is detected from, in bytes: paragraphs that are long enough to
// tell, from no more of the text than is needed.
const (
	shortest   = 40
	detectFrom = 12000
)

// normalLanguage returns a language tag in its usual form (BCP 47), such as
// "pt-BR". It returns false for what is none.
func normalLanguage(tag string) (string, bool) {
	t, err := language.Parse(strings.ReplaceAll(strings.TrimSpace(tag), "_", "-"))
	if err != nil || t == language.Und {
		return "", false
	}
	return t.String(), true
}

// detectLanguage guesses the language of cleaned HTML. Each paragraph votes, since
// a foreign quotation or a line of code must not decide for the whole. It returns
// nothing when there is too little text or no clear winner.
func detectLanguage(title, source string) string {
	votes := map[whatlanggo.Lang]float64{}
	total, size := 0.0, 0
	for _, p := range append(paragraphs(source, 4*detectFrom), title) {
		p = cutText(article.CleanLine(p), detectFrom)
		if len(p) < shortest {
			continue
		}
		if size > detectFrom {
			break
		}
		size += len(p)
		info := whatlanggo.Detect(p)
		// A longer paragraph knows better, and a sure one better still.
		weight := float64(min(len(p), 500)) * max(info.Confidence, 0.05)
		votes[info.Lang] += weight
		total += weight
	}
	for lang, weight := range votes {
		if weight > total*0.6 {
			return lang.Iso6391()
		}
	}
	return ""
}
