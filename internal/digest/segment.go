package digest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/language"

	"github.com/tidings-press/tidings/internal/article"
)

// Segment selects subscribers: all conditions must hold. The zero value selects all.
type Segment []Condition

// Condition is one part of a segment. It holds if any of its values does.
type Condition struct {
	Kind   ConditionKind
	Not    bool
	Values []string // in the form in which they are compared
}

// ConditionKind is what a condition compares.
type ConditionKind string

// The kinds of conditions.
const (
	HasLabel     ConditionKind = "label"         // a label of the subscriber, as TagKey compares
	InTopic      ConditionKind = "topic"         // a topic of a subscription; without topics they get all
	HasLanguage  ConditionKind = "lang"          // the language of mails to the subscriber, or a region of it
	JoinedSince  ConditionKind = "joined-since"  // a day: added then or later
	JoinedBefore ConditionKind = "joined-before" // a day: added earlier
)

var conditionKinds = []ConditionKind{HasLabel, InTopic, HasLanguage, JoinedSince, JoinedBefore}

// Limits of a segment. They are far above what people write, and bound the work of the store.
const (
	maxSegment    = 2000 // bytes
	maxConditions = 20
	maxValues     = 50
)

// ParseSegment reads a segment such as
//
//	label:donor,"board member" AND NOT lang:de AND joined-since:2026-01-01
//
// Conditions are joined by AND, and NOT reverses the one after it. Of several values after a
// condition, one must hold. An empty text selects all subscribers.
func ParseSegment(text string) (Segment, error) {
	if len(text) > maxSegment {
		return nil, fmt.Errorf("segment: it has %d characters; at most %d are read", len(text), maxSegment)
	}
	var out Segment
	rest := strings.TrimSpace(article.CleanText(text))
	for rest != "" {
		var c Condition
		var err error
		if len(out) > 0 {
			if rest == "AND" {
				return nil, fmt.Errorf("segment: a condition is expected after the last AND")
			}
			tail, found := cutWord(rest, "AND")
			if !found {
				return nil, fmt.Errorf("segment: AND is expected before %q; write values of one condition as label:donor,press", firstWord(rest))
			}
			rest = tail
		}
		if tail, found := cutWord(rest, "NOT"); found {
			c.Not, rest = true, tail
		}
		if rest, err = c.read(rest); err != nil {
			return nil, fmt.Errorf("segment: %w", err)
		}
		if out = append(out, c); len(out) > maxConditions {
			return nil, fmt.Errorf("segment: more than %d conditions", maxConditions)
		}
	}
	return out, nil
}

// read reads a condition from the beginning of a text and returns the rest.
func (c *Condition) read(text string) (rest string, err error) {
	kind, tail, found := strings.Cut(text, ":")
	if c.Kind = ConditionKind(kind); !found || !slices.Contains(conditionKinds, c.Kind) {
		return "", fmt.Errorf("unknown condition %q; expected label:, topic:, lang:, joined-since: or joined-before: and a value", firstWord(text))
	}
	for {
		var value string
		if value, tail, err = cutValue(tail); err != nil {
			return "", err
		}
		if value, err = c.Kind.value(value); err != nil {
			return "", err
		}
		if c.Values = append(c.Values, value); len(c.Values) > maxValues {
			return "", fmt.Errorf("%s: more than %d values", c.Kind, maxValues)
		}
		more := strings.TrimLeftFunc(tail, unicode.IsSpace)
		if !strings.HasPrefix(more, ",") {
			return more, nil
		}
		tail = strings.TrimLeftFunc(more[1:], unicode.IsSpace)
	}
}

// value returns a value of a condition in the form in which it is compared.
func (k ConditionKind) value(text string) (string, error) {
	switch k {
	case JoinedSince, JoinedBefore:
		if _, err := time.Parse(time.DateOnly, text); err != nil {
			return "", fmt.Errorf("%s: %q is not a date; write it as 2026-01-31", k, text)
		}
		return text, nil
	case HasLanguage:
		tag, err := language.Parse(text)
		if err != nil || tag == language.Und {
			return "", fmt.Errorf("lang: %q is not a language; write it as en or pt-BR", text)
		}
		return strings.ToLower(tag.String()), nil
	}
	key := article.TagKey(text)
	if key == "" {
		return "", fmt.Errorf("%s: needs a value after it, such as %[1]s:donor", k)
	}
	return key, nil
}

// cutValue reads a value, which may be in quotes, and returns the rest.
func cutValue(text string) (value, rest string, err error) {
	if tail, quoted := strings.CutPrefix(text, `"`); quoted {
		value, rest, closed := strings.Cut(tail, `"`)
		if !closed {
			return "", "", fmt.Errorf("the quote before %q is never closed", firstWord(tail))
		}
		return value, rest, nil
	}
	end := strings.IndexFunc(text, func(r rune) bool { return unicode.IsSpace(r) || r == ',' || r == '"' })
	if end < 0 {
		end = len(text)
	}
	return text[:end], text[end:], nil
}

// cutWord removes a word from the beginning of a text.
func cutWord(text, word string) (rest string, found bool) {
	tail, found := strings.CutPrefix(text, word)
	trimmed := strings.TrimLeftFunc(tail, unicode.IsSpace)
	if !found || trimmed == tail {
		return text, false
	}
	return trimmed, true
}

func firstWord(text string) string {
	fields := strings.Fields(text)
	return cmp.Or(strings.Join(fields[:min(len(fields), 1)], ""), "the end")
}
