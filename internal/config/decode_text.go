package config

import (
	"fmt"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v3"
	"golang.org/x/text/language"
)

// text sets a Text from a string, or from a map with a string per language.
func (d *decoder) text(node *yaml.Node, into reflect.Value, key string) {
	switch node.Kind {
	case yaml.ScalarNode:
		text, _ := d.oneText(node, key)
		into.SetString(text)
	case yaml.MappingNode:
		d.texts(node, into, key)
	default:
		d.wrong(node.Line, key, "the value is "+kindOf(node), "write one text, or one per language, such as {en: The Week, fr: La semaine}")
	}
}

func (d *decoder) texts(node *yaml.Node, into reflect.Value, key string) {
	var pairs [][2]string
	seen := map[string]int{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		name, value := node.Content[i], node.Content[i+1]
		path := join(key, name.Value)
		d.lines[path] = name.Line
		tag, ok := d.languageKey(name, path)
		if before, twice := seen[tag]; ok && twice {
			what := fmt.Sprintf("the same language is in line %d", before)
			if before == 0 { // of a stored value
				what = "the same language is there twice"
			}
			d.wrong(name.Line, path, what, "remove one of them")
			continue
		}
		seen[tag] = name.Line
		text, valid := d.oneText(value, path)
		if valid && text == "" {
			d.wrong(value.Line, path, "it has no text", "write one, or remove the key")
		}
		if valid && ok && text != "" {
			pairs = append(pairs, [2]string{tag, text})
		}
	}
	if len(node.Content) == 0 {
		d.wrong(node.Line, key, "it has no texts", "write one per language, such as {en: The Week, fr: La semaine}")
	}
	into.SetString(string(textOf(pairs...)))
}

// languageKey returns the canonical form of a key that is a language tag, or "" for every language.
func (d *decoder) languageKey(name *yaml.Node, path string) (string, bool) {
	if name.Value == "" || name.Tag == "!!null" {
		return "", true
	}
	tag, err := language.Parse(name.Value)
	if err == nil && tag != language.Und {
		return tag.String(), true
	}
	fix := `write a tag such as en or pt-BR, or "" for every other language`
	if best := nearestLanguage(name.Value, commonLanguages); best != "" {
		fix = "did you mean " + best + "?"
	}
	d.wrong(name.Line, path, fmt.Sprintf("%q is not a language tag", name.Value), fix)
	return "", false
}

// commonLanguages are the languages that wrong tags are compared with.
var commonLanguages = []string{"en", "de", "fr", "es", "it", "pt", "pt-BR", "nl", "sv", "da", "nb", "fi", "pl", "cs", "ru", "uk", "tr", "el", "ar", "he", "fa", "hi", "zh", "ja", "ko"}

// oneText returns the text of one language, or of all.
func (d *decoder) oneText(value *yaml.Node, path string) (string, bool) {
	if value.Kind == yaml.AliasNode {
		value = value.Alias
	}
	var text string
	before := len(d.problems)
	d.scalar(value, reflect.ValueOf(&text).Elem(), path)
	if len(d.problems) > before {
		return "", false
	}
	if i := strings.Index(text, textMark); i >= 0 {
		d.wrong(value.Line, path, fmt.Sprintf("it has the control character U+0000 after %d bytes", i), "write one line of visible characters")
		return "", false
	}
	return text, true
}
