package templates

import (
	"strings"
	"time"

	"golang.org/x/text/language"
)

// Page returns the Page of a mail in the given language, with English phrases if the language has none.
func (s *Set) Page(site Site, lang string) Page {
	phrases := s.phrases(lang)
	return Page{Site: site, Language: phrases.tag.String(), Direction: phrases.Direction, phrases: phrases}
}

// phrases returns the phrases of a language: those of the language tag, of its parents, of another
// region, or English.
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

// Moment formats a date and time, such as "27 November 2026, 18:30 CET".
func (p Page) Moment(t time.Time) string {
	return p.ShortDate(t) + p.usedPhrases().List.Comma + t.Format("15:04 MST")
}

// List joins names, such as "Anna, Ben and Carla".
func (p Page) List(names []string) string { return p.usedPhrases().join(names) }

// Align returns the side where lines begin, "left" or "right", for the align attribute that Outlook
// needs.
func (p Page) Align() string { return align(p.Direction) }

// ByLine returns the authors and the date of an article, such as "Anna and Ben · 3 May 2026". Its
// direction is that of the mail, not that of the article.
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

// separator returns a dot between two parts. If the article has the other direction, direction marks
// around the dot keep the date from being reordered with the names (UAX 9).
func (p Page) separator(direction string) string {
	switch {
	case direction == p.Direction || direction == "":
		return " · "
	case p.Direction == "rtl":
		return "\u200F · \u200F"
	}
	return "\u200E · \u200E"
}
