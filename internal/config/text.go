package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"iter"
	"strings"

	"golang.org/x/text/language"
	"golang.org/x/text/language/display"
)

// Text is a text for readers: one for every language, or one per language. In the file it is a
// string, or a map from language tags to strings; the tag "" is for every other language.
//
// A text for every language is the string itself. Several are kept in one string too, so that
// texts can be compared and an empty one is the zero value: each is a textMark, its language, a
// textMark and the text. The marks are control characters, which the file cannot contain.
type Text string

const textMark = "\x00"

// textOf returns a text of pairs of a language tag and a string.
func textOf(pairs ...[2]string) Text {
	if len(pairs) == 1 && pairs[0][0] == "" {
		return Text(pairs[0][1])
	}
	var out strings.Builder
	for _, pair := range pairs {
		out.WriteString(textMark + pair[0] + textMark + pair[1])
	}
	return Text(out.String())
}

// All returns the texts by language, "" for every language, in their order.
func (t Text) All() iter.Seq2[string, string] {
	return func(yield func(tag, text string) bool) {
		if !t.Several() {
			if t != "" {
				yield("", string(t))
			}
			return
		}
		parts := strings.Split(string(t[1:]), textMark)
		for i := 0; i+1 < len(parts); i += 2 {
			if !yield(parts[i], parts[i+1]) {
				return
			}
		}
	}
}

// Several reports whether there is a text per language.
func (t Text) Several() bool { return strings.HasPrefix(string(t), textMark) }

// String returns the text for readers whose language is unknown: the one in the site's language, the
// one for every language, or the first.
func (t Text) String() string {
	for _, text := range t.All() {
		return text
	}
	return ""
}

// In returns the text in a language, in its base language (fr for fr-CA), or in another region's
// form of it. Without one it returns the text in the site's language, the one for every language,
// or the first.
func (t Text) In(tag string) string {
	if !t.Several() {
		return string(t)
	}
	if _, text, found := t.match(tag); found {
		return text
	}
	return t.String()
}

// match returns the text in a language, in its parents, or in another form of its base language,
// with the tag that it has.
func (t Text) match(tag string) (key, text string, found bool) {
	wanted, err := language.Parse(tag)
	if err != nil || wanted == language.Und {
		return "", "", false
	}
	base, _, _ := wanted.Raw()
	for ; wanted != language.Und; wanted = wanted.Parent() {
		if text, found := t.of(wanted.String()); found {
			return wanted.String(), text, true
		}
	}
	for key, text := range t.All() {
		if head, _, _ := strings.Cut(key, "-"); head == base.String() {
			return key, text, true
		}
	}
	return "", "", false
}

// of returns the text with exactly that tag.
func (t Text) of(tag string) (string, bool) {
	for key, text := range t.All() {
		if key == tag {
			return text, true
		}
	}
	return "", false
}

// preferring returns the text with that of the site's language first or, if it has none, the one
// for every language: the first one is used for languages without a text.
func (t Text) preferring(site string) Text {
	if !t.Several() {
		return t
	}
	first, _, found := t.match(site)
	if _, every := t.of(""); !found && !every {
		return t
	}
	text, _ := t.of(first)
	pairs := [][2]string{{first, text}}
	for key, text := range t.All() {
		if key != first {
			pairs = append(pairs, [2]string{key, text})
		}
	}
	return textOf(pairs...)
}

// MarshalJSON writes a text for every language as a string, and others as an object.
func (t Text) MarshalJSON() ([]byte, error) {
	if !t.Several() {
		return json.Marshal(string(t))
	}
	var out bytes.Buffer
	separator := "{"
	for tag, text := range t.All() {
		key, _ := json.Marshal(tag) // strings cannot fail
		value, _ := json.Marshal(text)
		fmt.Fprintf(&out, "%s%s:%s", separator, key, value)
		separator = ","
	}
	out.WriteString("}")
	return out.Bytes(), nil
}

// UnmarshalJSON reads what MarshalJSON wrote, in the same order.
func (t *Text) UnmarshalJSON(data []byte) error {
	var plain string
	if err := json.Unmarshal(data, &plain); err == nil {
		*t = Text(plain)
		return nil
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	if start, err := decoder.Token(); err != nil || start != json.Delim('{') {
		return fmt.Errorf("a text is a string or an object of strings, not %.40s", data)
	}
	var pairs [][2]string
	for decoder.More() {
		key, err := decoder.Token()
		if err != nil {
			return err
		}
		var text string
		if err := decoder.Decode(&text); err != nil {
			return err
		}
		pairs = append(pairs, [2]string{key.(string), text})
	}
	*t = textOf(pairs...)
	return nil
}

// nearestLanguage returns the language that a wrong tag probably means, or "": that of a country
// (jp), that of a name (French, deutsch), or the most similar of the known ones.
func nearestLanguage(tag string, known []string) string {
	word := strings.ToLower(strings.TrimSpace(tag))
	if region, err := language.ParseRegion(word); err == nil && len(word) == 2 {
		if guess, err := language.Compose(language.Und, region); err == nil {
			if base, confidence := guess.Base(); confidence >= language.Low {
				return base.String()
			}
		}
	}
	for _, candidate := range display.Supported.Tags() {
		names := []string{display.English.Languages().Name(candidate), display.Self.Name(candidate)}
		for _, name := range names {
			if strings.ToLower(name) == word {
				return candidate.String()
			}
		}
	}
	return nearest(word, known)
}
