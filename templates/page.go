package templates

import (
	"html"
	"html/template"
	"strings"
	"time"

	"golang.org/x/text/language"
	"golang.org/x/text/unicode/bidi"
)

// Page returns the Page of a mail in the given language, with English phrases if the language has none.
func (s *Set) Page(site Site, lang string) Page {
	phrases := s.phrases(lang)
	return Page{Site: site, Language: phrases.tag.String(), Direction: phrases.Direction, phrases: phrases}
}

// phrases returns the phrases of a language: those of the language tag, of its parents, of another
// region, or English. A nil Set has English ones.
func (s *Set) phrases(lang string) *Phrases {
	if s == nil {
		return english
	}
	tag, err := language.Parse(lang)
	if err != nil {
		return s.phrasesByLanguage["en"]
	}
	for ; tag != language.Und; tag = tag.Parent() {
		if p, ok := s.phrasesByLanguage[tag.String()]; ok {
			return p
		}
	}
	base, _, _ := language.Make(lang).Raw()
	for _, name := range s.Languages() {
		if name == base.String() || strings.HasPrefix(name, base.String()+"-") {
			return s.phrasesByLanguage[name]
		}
	}
	return s.phrasesByLanguage["en"]
}

// usedPhrases returns the page's phrases, or English ones if the page was not made by Set.Page.
func (p Page) usedPhrases() *Phrases {
	if p.phrases == nil {
		return english
	}
	return p.phrases
}

// Phrase returns a phrase in the mail's language, with args in place of {0}, {1} and so on.
func (p Page) Phrase(key string, args ...string) (string, error) {
	return p.usedPhrases().phrase(key, args)
}

// Count returns a phrase with a number, such as "3 articles".
func (p Page) Count(key string, n int) (string, error) { return p.usedPhrases().count(key, n) }

// Date formats a date, such as "Friday, 27 November 2026".
func (p Page) Date(t time.Time) string { return p.usedPhrases().date(p.usedPhrases().LongDate, t) }

// ShortDate formats a date without its weekday, such as "27 November 2026".
func (p Page) ShortDate(t time.Time) string {
	return p.usedPhrases().date(p.usedPhrases().ShortDate, t)
}

// Moment is DateTime under its name in earlier versions, for templates that use it.
func (p Page) Moment(t time.Time) string { return p.DateTime(t) }

// DateTime formats a date and time, such as "27 November 2026, 18:30 CET".
func (p Page) DateTime(t time.Time) string {
	return p.ShortDate(t) + p.usedPhrases().List.Comma + t.Format("15:04 MST")
}

// List joins names, such as "Anna, Ben and Carla".
func (p Page) List(names []string) string { return p.usedPhrases().join(names) }

// AlignEnd returns the side where lines end, for the align attribute.
func (p Page) AlignEnd() string {
	if p.Align() == "left" {
		return "right"
	}
	return "left"
}

// Align returns the side where lines begin, "left" or "right", for the align attribute that Outlook
// needs.
func (p Page) Align() string { return align(p.Direction) }

// ByLine returns the authors and the date of an article, such as "Anna and Ben · 3 May 2026". Its
// direction is that of the mail, not that of the article. If it has names of the other direction,
// direction marks (UAX 9) keep the names and the date in order.
func (p Page) ByLine(a Article) string {
	return p.byLine(a, func(part string) string { return part })
}

// ByLineHTML is ByLine for HTML parts. Each name and the date is isolated by a bdi element. The marks
// stay, because Outlook does not know the element.
func (p Page) ByLineHTML(a Article) template.HTML {
	return template.HTML(p.byLine(a, isolate)) //nolint:gosec // isolate escapes all values; what joins them is from the phrases
}

// PhraseHTML is Phrase for HTML parts. Each argument is isolated by a bdi element, so that a name of
// the other direction does not reorder the words around it.
func (p Page) PhraseHTML(key string, args ...string) (template.HTML, error) {
	text, err := p.Phrase(key)
	if err != nil {
		return "", err
	}
	isolated := make([]string, len(args))
	for i, arg := range args {
		isolated[i] = isolate(arg)
	}
	return template.HTML(fillIn(html.EscapeString(text), isolated)), nil //nolint:gosec // all of it is escaped
}

// PhraseText is Phrase for text parts. An argument with letters of the other direction stands between
// the characters that isolate it (UAX 9, section 2.4: U+2068 and U+2069), so that it does not reorder
// the words around it. Values that differ per recipient count by their placeholders, which are Latin
// letters.
func (p Page) PhraseText(key string, args ...string) (string, error) {
	isolated := make([]string, len(args))
	for i, arg := range args {
		isolated[i] = arg
		if p.directionMark([]string{arg}) != "" {
			isolated[i] = "\u2068" + arg + "\u2069"
		}
	}
	return p.Phrase(key, isolated...)
}

// isolate returns text in an element whose direction is that of the text and does not depend on the
// text around it.
func isolate(text string) string { return "<bdi>" + html.EscapeString(text) + "</bdi>" }

// Details returns what stands below the title of an article: where it comes from, its authors and date,
// and how long it takes to read, such as "via The Coast Review · Anna · 3 May 2026 · 4 min read".
func (p Page) Details(a Article) (string, error) {
	return p.details(a, func(part string) string { return part })
}

// DetailsHTML is Details for HTML parts, with each part isolated as in ByLineHTML.
func (p Page) DetailsHTML(a Article) (template.HTML, error) {
	text, err := p.details(a, isolate)
	return template.HTML(text), err //nolint:gosec // isolate escapes all values; what joins them is from the phrases
}

func (p Page) details(a Article, write func(part string) string) (string, error) {
	var parts []string
	if a.Source != "" {
		via, err := p.Phrase("via")
		if err != nil {
			return "", err
		}
		mark := p.directionMark([]string{a.Source})
		parts = append(parts, mark+fillIn(via, []string{write(a.Source)})+mark)
	}
	if line := p.byLine(a, write); line != "" {
		parts = append(parts, line)
	}
	if a.ReadingMinutes > 0 {
		minutes, err := p.Count("minutes", a.ReadingMinutes)
		if err != nil {
			return "", err
		}
		parts = append(parts, write(minutes))
	}
	return strings.Join(parts, " · "), nil
}

func (p Page) byLine(a Article, write func(part string) string) string {
	var parts []string
	mark := p.directionMark(a.Authors)
	if len(a.Authors) > 0 {
		names := make([]string, len(a.Authors))
		for i, name := range a.Authors {
			names[i] = mark + write(name) + mark
		}
		parts = append(parts, p.List(names))
	}
	if !a.Published.IsZero() {
		parts = append(parts, mark+write(p.ShortDate(a.Published)))
	}
	return strings.Join(parts, " · ")
}

// directionMark returns the mark of the page's direction if one of the texts has letters of the other
// direction, or an empty string.
func (p Page) directionMark(texts []string) string {
	rtl := p.Direction == "rtl"
	for _, text := range texts {
		for _, r := range text {
			switch properties, _ := bidi.LookupRune(r); properties.Class() {
			case bidi.L:
				if rtl {
					return "\u200F"
				}
			case bidi.R, bidi.AL:
				if !rtl {
					return "\u200E"
				}
			}
		}
	}
	return ""
}
