package templates

import (
	"strings"
	"time"

	"golang.org/x/text/language"
)

// Page makes the frame of a mail in the given language; a language that has no
// phrases gets English ones.
func (s *Set) Page(site Site, lang string) Page {
	phrases := s.phrases(lang)
	return Page{Site: site, Language: phrases.tag.String(), Direction: phrases.Direction, phrases: phrases}
}

// phrases finds the phrases for a language: its own, its base's, those of another
// region of it, or English.
func (s *Set) phrases(lang string) *Phrases {
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

// words are the page's phrases; one that was not made by Set.Page speaks English.
func (p Page) words() *Phrases {
	if p.phrases == nil {
		return english
	}
	return p.phrases
}

// Phrase returns a fixed phrase in the mail's language, with its places filled.
func (p Page) Phrase(key string, args ...string) (string, error) { return p.words().phrase(key, args) }

// Count returns a phrase with a number, such as "3 articles".
func (p Page) Count(key string, n int) (string, error) { return p.words().count(key, n) }

// Date writes a date out, such as "Friday, 27 November 2026".
func (p Page) Date(t time.Time) string { return p.words().date(p.words().LongDate, t) }

// ShortDate writes a date without its weekday, such as "27 November 2026".
func (p Page) ShortDate(t time.Time) string { return p.words().date(p.words().ShortDate, t) }

// Moment writes a date with its time, such as "27 November 2026, 18:30 CET".
func (p Page) Moment(t time.Time) string {
	return p.ShortDate(t) + p.words().List.Comma + t.Format("15:04 MST")
}

// List joins names, such as "Anna, Ben and Carla".
func (p Page) List(names []string) string { return p.words().join(names) }

// Align is the side where lines begin, "left" or "right", for the align attribute
// that Outlook wants.
func (p Page) Align() string { return align(p.Direction) }

// ByLine is who wrote an article and when, such as "Anna and Ben · 3 May 2026". It
// reads in the mail's direction, whatever the article's own is.
func (p Page) ByLine(a Article) string {
	var parts []string
	if len(a.Authors) > 0 {
		parts = append(parts, p.List(a.Authors))
	}
	if !a.Published.IsZero() {
		parts = append(parts, p.ShortDate(a.Published))
	}
	return strings.Join(parts, p.separator(a.Direction))
}

// separator is a dot between two parts. After names in a script of the other
// direction a mark keeps the date from being drawn into their line (UAX 9).
func (p Page) separator(direction string) string {
	switch {
	case direction == p.Direction || direction == "":
		return " · "
	case p.Direction == "rtl":
		return "\u200F · \u200F"
	}
	return "\u200E · \u200E"
}
