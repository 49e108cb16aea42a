package article

import (
	"strings"

	"github.com/abadojack/whatlanggo"
	"golang.org/x/text/language"
)

// detectFrom bounds the text that a language is detected from, in bytes.
const detectFrom = 6000

// normalLanguage returns a language tag in its usual form (BCP 47), such as
// "pt-BR". It returns false for what is none.
func normalLanguage(tag string) (string, bool) {
	t, err := language.Parse(strings.ReplaceAll(strings.TrimSpace(tag), "_", "-"))
	if err != nil || t == language.Und {
		return "", false
	}
	return t.String(), true
}

// detectLanguage guesses the language of a text. It returns nothing when there is
// too little text, or too little difference between the candidates.
func detectLanguage(text string) string {
	if len(text) > detectFrom {
		text = strings.ToValidUTF8(text[:detectFrom], "")
	}
	info := whatlanggo.Detect(text)
	if !info.IsReliable() {
		return ""
	}
	return info.Lang.Iso6391()
}
