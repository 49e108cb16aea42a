package public

import (
	"embed"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// words are the fixed phrases of the pages in one language, by their English text.
type words map[string]string

//go:embed words/*.json
var wordFiles embed.FS

// hasWords reports whether the phrases are translated into a language.
func hasWords(tag string) bool {
	if primary(tag) == "en" {
		return true
	}
	_, err := wordFiles.Open("words/" + primary(tag) + ".json")
	return err == nil
}

// wordsFor returns the phrases of a language; nil for English and for languages without a
// translation.
func wordsFor(tag string) (words, error) {
	name := "words/" + primary(tag) + ".json"
	data, err := wordFiles.ReadFile(name)
	if err != nil {
		return nil, nil // English
	}
	var w words
	if err := json.Unmarshal(data, &w); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return w, nil
}

// say returns the translation of a phrase, with args in place of {0}, {1} and so on.
func (w words) say(english string, args ...string) string {
	text := english
	if s, ok := w[english]; ok {
		text = s
	}
	if len(args) == 0 {
		return text
	}
	var pairs []string
	for i, arg := range args {
		pairs = append(pairs, "{"+strconv.Itoa(i)+"}", arg)
	}
	return strings.NewReplacer(pairs...).Replace(text)
}
