package public

import (
	"embed"
	"encoding/json"
	"fmt"
	"strings"
)

// words are the fixed phrases of the pages in one language, by their English form.
type words map[string]string

//go:embed words/*.json
var wordFiles embed.FS

// wordsFor returns the phrases of a language; English, which needs none, for those
// that we have none of.
func wordsFor(tag string) (words, error) {
	primary, _, _ := strings.Cut(strings.ToLower(tag), "-")
	name := "words/" + primary + ".json"
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

// say returns a phrase.
func (w words) say(english string) string {
	if s, ok := w[english]; ok {
		return s
	}
	return english
}
