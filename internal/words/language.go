package words

import (
	"fmt"
	"html/template"
	"reflect"
	"strings"
	"sync"
	"time"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

// Language contains the texts and formats of one language.
type Language struct {
	Tag     string
	texts   map[string]string // by English text
	tag     language.Tag
	printer *message.Printer
	formats formats
	// patterns returns those of Recognize.
	patterns func() []pattern
}

var english = newLanguage("en")

func newLanguage(tag string) *Language {
	parsed := language.Make(tag)
	l := &Language{Tag: tag, texts: map[string]string{}, tag: parsed, printer: message.NewPrinter(parsed), formats: formatsOf(tag)}
	l.patterns = sync.OnceValue(func() []pattern { return newPatterns(l.texts) })
	return l
}

// Name returns the name of the language in itself.
func (l *Language) Name() string { return NameOf(l.Tag) }

// Texts returns the translations by English text.
func (l *Language) Texts() map[string]string { return l.texts }

// Say returns the translation of an English text, with args in place of {0}, {1} and so on. Texts and
// errors among args are translated.
func (l *Language) Say(text string, args ...any) string {
	return fill(l.translation(text), l.translateAll(args))
}

// SayHTML is like Say, for args that are HTML. It escapes the text and all other args.
func (l *Language) SayHTML(text string, args ...any) template.HTML {
	return l.fillHTML(l.translation(text), args)
}

// Plural returns the translation of one for n if the language has its singular there, and else of other. The
// number is in place of {0}, args are in place of {1}, {2} and so on. Texts without {0} are nouns, and the
// number precedes them: "subscriber" is short for "{0} subscriber".
func (l *Language) Plural(n any, one, other string, args ...any) string {
	return fill(l.pluralForm(n, one, other), append([]string{l.Number(n)}, l.translateAll(args)...))
}

// PluralHTML is like Plural, for args that are HTML. It escapes the text and all other args.
func (l *Language) PluralHTML(n any, one, other string, args ...any) template.HTML {
	return l.fillHTML(l.pluralForm(n, one, other), append([]any{l.Number(n)}, args...))
}

// Translate returns a text, an error or an English string of any type in the language, and formats all other
// values. Errors without a translation stay in English.
func (l *Language) Translate(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return l.translation(v)
	case template.HTML:
		return string(v)
	case Stored:
		return l.Recognize(string(v))
	}
	if value := reflect.ValueOf(v); value.Kind() == reflect.String {
		if _, isError := v.(error); !isError {
			return l.translation(value.String())
		}
	}
	return l.format(v)
}

func (l *Language) translation(text string) string {
	if s, ok := l.texts[text]; ok {
		return s
	}
	return text
}

func (l *Language) pluralForm(n any, one, other string) string {
	if !strings.Contains(other, "{0}") {
		one, other = "{0} "+one, "{0} "+other
	}
	// MatchPlural expects the absolute value, whose digits above the lowest seven may be others, and the digits
	// behind the point. Without one above, 10,000,001 would be one.
	value := magnitude(n)
	if value >= 10_000_000 {
		value = value%10_000_000 + 10_000_000
	}
	if plural.Cardinal.MatchPlural(l.tag, int(value), 0, 0, 0, 0) == plural.One {
		return l.translation(one)
	}
	return l.translation(other)
}

func magnitude(n any) uint64 {
	v := reflect.ValueOf(n)
	switch {
	case v.CanUint():
		return v.Uint()
	case v.CanInt():
		return uint64(max(v.Int(), -v.Int()))
	}
	return 0
}

func (l *Language) fillHTML(text string, args []any) template.HTML {
	escaped := make([]string, len(args))
	for i, arg := range args {
		if html, ok := arg.(template.HTML); ok {
			escaped[i] = string(html)
		} else {
			escaped[i] = template.HTMLEscapeString(l.format(arg))
		}
	}
	return template.HTML(fill(template.HTMLEscapeString(text), escaped))
}

func (l *Language) translateAll(args []any) []string {
	out := make([]string, len(args))
	for i, arg := range args {
		out[i] = l.format(arg)
	}
	return out
}

// format returns what stands in a text in place of a value. Strings are not translated: they are names,
// addresses and the like.
func (l *Language) format(v any) string {
	switch v := v.(type) {
	case Text:
		return l.text(v)
	case error:
		if text, ok := textOf(v); ok {
			return l.text(text)
		}
		return v.Error()
	case time.Time:
		return l.date(v, l.formats.longDateTime)
	case Stored:
		return l.Recognize(string(v))
	case Date:
		return l.FullDay(time.Time(v))
	case time.Duration:
		return l.Duration(v)
	case time.Weekday:
		return l.Weekday(v)
	case time.Month:
		return l.formats.months[v-1]
	}
	return fmt.Sprint(v)
}

func (l *Language) text(t Text) string {
	if t.several != "" {
		return l.Plural(t.number, t.English, t.several, t.Args...)
	}
	return l.Say(t.English, t.Args...)
}

// Number formats a whole number with separators, such as 1,204.
func (l *Language) Number(n any) string { return l.printer.Sprintf("%d", n) }

// Percent formats a percentage, such as "33 %".
func (l *Language) Percent(part, whole int64) string {
	if whole == 0 {
		part, whole = 0, 1
	}
	return fmt.Sprintf("%d %%", part*100/whole)
}
