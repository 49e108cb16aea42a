// Package words translates the texts of pages. The English text is the key: Language.Say returns
// its translation, with args in place of {0}, {1} and so on. Load reads a catalogue of translations,
// Catalogue.In returns one of its languages.
//
// Go code that does not know the language of the page holds a Text, made by T, or an error, made by
// Errorf; Language.Translate translates both when they are shown.
package words

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Text is a text of a page before its translation.
type Text struct {
	English string
	Args    []any // in place of {0}, {1} and so on; texts, errors, times and durations among them are translated

	number  any    // of a text with a number; English is its singular
	several string // its plural
}

// T returns an English text and what replaces {0}, {1} and so on.
func T(english string, args ...any) Text { return Text{English: english, Args: args} }

// N returns a text with a number, as Language.Plural does.
func N(n any, one, other string, args ...any) Text { return Text{one, args, n, other} }

// Verbatim returns a text that is not translated, such as the subject of an edition.
func Verbatim(s string) Text { return T("{0}", s) }

// Date is a time of which a text shows the date alone, such as "27 November 2026".
type Date time.Time

// Stored is an English text that was stored, such as the reason of a skipped edition. Language.Recognize
// translates it.
type Stored string

// List returns texts, names or numbers as a list, such as "Monday, Wednesday and Friday".
func List[V any](items ...V) Text {
	if len(items) == 0 {
		return Text{}
	}
	list := T("{0}", items[0])
	for i, item := range items[1:] {
		if i == len(items)-2 {
			return T("{0} and {1}", list, item)
		}
		list = T("{0}, {1}", list, item)
	}
	return list
}

// Joined returns texts in a row with a separator between them.
func Joined(separator string, texts ...Text) Text {
	var out Text
	for i, text := range texts {
		if i == 0 {
			out = text
			continue
		}
		out = T("{0}{1}{2}", out, separator, text)
	}
	return out
}

// String returns the text in English.
func (t Text) String() string { return english.Translate(t) }

// IsZero reports whether there is no text.
func (t Text) IsZero() bool { return t.English == "" }

// Errorf returns an error with an English text and what replaces {0}, {1} and so on. It
// wraps the errors among args.
func Errorf(text string, args ...any) error { return &textError{T(text, args...)} }

// textError is an error whose text can be translated.
type textError struct{ text Text }

// Error implements error.
func (e *textError) Error() string { return e.text.String() }

// Text implements translatable.
func (e *textError) Text() Text { return e.text }

// Unwrap returns the errors among the arguments.
func (e *textError) Unwrap() []error {
	var wrapped []error
	for _, arg := range e.text.Args {
		if err, ok := arg.(error); ok {
			wrapped = append(wrapped, err)
		}
	}
	return wrapped
}

// translatable is an error with a text that can be translated: those of Errorf, and types that callers
// decide on.
type translatable interface {
	error
	Text() Text
}

// textOf returns the text of an error, if it can be translated. The texts of errors that wrap it are
// left out.
func textOf(err error) (Text, bool) {
	if e, ok := errors.AsType[translatable](err); ok {
		return e.Text(), true
	}
	return Text{}, false
}

// fill puts args in place of {0}, {1} and so on.
func fill(text string, args []string) string {
	if len(args) == 0 {
		return text
	}
	pairs := make([]string, 0, 2*len(args))
	for i, arg := range args {
		pairs = append(pairs, fmt.Sprintf("{%d}", i), arg)
	}
	return strings.NewReplacer(pairs...).Replace(text)
}
