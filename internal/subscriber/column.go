package subscriber

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Meaning is what a column of a list holds.
type Meaning string

// The meanings of columns. The names are those of the --column flag and of the summary.
const (
	MeansAddress     Meaning = "email"
	MeansName        Meaning = "name"
	MeansGivenName   Meaning = "first name"
	MeansFamilyName  Meaning = "last name"
	MeansLanguage    Meaning = "language"
	MeansTimezone    Meaning = "timezone"
	MeansTopics      Meaning = "topics"
	MeansDigests     Meaning = "digests"
	MeansLabels      Meaning = "labels"
	MeansConsent     Meaning = "consent"      // how the person agreed; "no" means they did not
	MeansConsentedAt Meaning = "consented at" // a date
	MeansState       Meaning = "state"        // a word such as active, unsubscribed, cleaned
	MeansStays       Meaning = "stays"        // no means that the person left
	MeansLeft        Meaning = "left"         // yes or a date means that the person left
	MeansLeftBecause Meaning = "left because" // any text means that the person left
	MeansBounced     Meaning = "bounced"      // yes or a date means that the address is dead
	MeansBounceType  Meaning = "bounce type"  // hard or soft
	MeansComplained  Meaning = "complained"   // yes or a date means a spam complaint
	MeansConfirmed   Meaning = "confirmed"    // no means that the person never confirmed
	MeansNothing     Meaning = "ignored"
)

// Meanings are those that a column can be given by hand.
var Meanings = []Meaning{
	MeansAddress, MeansName, MeansGivenName, MeansFamilyName, MeansLanguage, MeansTimezone, MeansTopics, MeansDigests, MeansLabels,
	MeansConsent, MeansConsentedAt, MeansState, MeansStays, MeansLeft, MeansLeftBecause, MeansBounced, MeansBounceType,
	MeansComplained, MeansConfirmed, MeansNothing,
}

// aboutState reports whether a column of this meaning says if the person may be mailed.
func (m Meaning) aboutState() bool {
	switch m {
	case MeansState, MeansStays, MeansLeft, MeansLeftBecause, MeansBounced, MeansBounceType, MeansComplained, MeansConfirmed:
		return true
	}
	return false
}

// several reports whether a list may have several columns of this meaning: all that
// speak of the state count, and labels are collected.
func (m Meaning) several() bool { return m.aboutState() || m == MeansLabels || m == MeansNothing }

// Column is one column of a list and how it is read.
type Column struct {
	Heading string  `json:"heading"`
	Meaning Meaning `json:"used_as"`
	ByHand  bool    `json:"mapped,omitempty"` // the caller said so, not the heading
	Why     string  `json:"why,omitempty"`    // why a column with a known heading is ignored

	index  int
	postal bool // a column State among columns of a postal address
	weak   bool // the address where no other column is it
}

// ColumnsError says that columns of a list may tell who left or who agreed, and are
// not understood. Nothing of the list was read.
type ColumnsError struct{ Headings []string }

func (e *ColumnsError) Error() string {
	quoted := make([]string, 0, len(e.Headings))
	for _, heading := range e.Headings[:min(len(e.Headings), 20)] {
		quoted = append(quoted, quoteShort(heading))
	}
	return "line 1: the heading " + strings.Join(quoted, ", ") + " may tell who left or who agreed, and its meaning is not known"
}

// readHeadings finds out what the columns of a list mean. Errors are *ColumnsError, or
// say that there is no column for the address.
func readHeadings(header []string, opts ListOptions) ([]Column, error) {
	byHand, err := opts.chosen(header)
	if err != nil {
		return nil, err
	}
	postal := isPostal(header)
	columns := make([]Column, len(header))
	var unknown []string
	for i, heading := range header {
		c := Column{Heading: tidyCell(heading), index: i}
		if m, ok := byHand[i]; ok {
			c.Meaning, c.ByHand = m, true
		} else if weakAddresses[headingKey(heading)] {
			c.Meaning, c.weak = MeansNothing, true
		} else if c.Meaning, c.Why = meaningOf(c.Heading); c.Meaning == "" {
			unknown = append(unknown, c.Heading)
		}
		if postal && c.Meaning == MeansState && !c.ByHand && headingKey(c.Heading) == "state" {
			c.Meaning, c.Why, c.postal = MeansNothing, "part of a postal address", true
		}
		columns[i] = c
	}
	if len(unknown) > 0 {
		return nil, &ColumnsError{Headings: unknown}
	}
	adjustForSystem(columns)
	return onlyOneEach(columns), nil
}

// onlyOneEach keeps the first column of meanings that a row has once: the first one
// chosen by hand, or else the first.
func onlyOneEach(columns []Column) []Column {
	for _, m := range Meanings {
		if m.several() {
			continue
		}
		first := slices.IndexFunc(columns, func(c Column) bool { return c.Meaning == m && c.ByHand })
		if first < 0 {
			first = slices.IndexFunc(columns, func(c Column) bool { return c.Meaning == m })
		}
		for i := range columns {
			if columns[i].Meaning == m && i != first {
				columns[i].Meaning, columns[i].Why = MeansNothing, "another column is read as "+string(m)
			}
		}
	}
	return columns
}

// chosen returns the meanings that the caller gave to columns, by their place.
func (o ListOptions) chosen(header []string) (map[int]Meaning, error) {
	out := map[int]Meaning{}
	choose := func(name string, m Meaning) error {
		found := false
		for i, heading := range header {
			if strings.EqualFold(tidyCell(heading), tidyCell(name)) {
				out[i], found = m, true
			}
		}
		if !found {
			return fmt.Errorf("the list has no column %s; its columns: %s", quoteShort(name), listHeadings(header))
		}
		return nil
	}
	for _, name := range o.Ignore {
		if err := choose(name, MeansNothing); err != nil {
			return nil, err
		}
	}
	for name, m := range o.Columns {
		if !slices.Contains(Meanings, m) {
			return nil, fmt.Errorf("column %s cannot be read as %s; known are: %s", quoteShort(name), quoteShort(string(m)), joinMeanings())
		}
		if err := choose(name, m); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func joinMeanings() string {
	names := make([]string, len(Meanings))
	for i, m := range Meanings {
		names[i] = string(m)
	}
	return strings.Join(names, ", ")
}

func listHeadings(header []string) string {
	names := make([]string, 0, len(header))
	for _, heading := range header[:min(len(header), 50)] {
		names = append(names, quoteShort(tidyCell(heading)))
	}
	return strings.Join(names, ", ")
}

var errNoAddressColumn = errors.New("line 1: no column for the address; name it email, or say which one it is")

// isPostal reports whether a list has the columns of a postal address.
func isPostal(header []string) bool {
	return slices.ContainsFunc(header, func(heading string) bool { return postalHeadings[headingKey(heading)] })
}

// headingWords splits a heading into lower-case words without accents: emailBlacklisted,
// EMAIL_BLACKLISTED and "E-mail blacklisted" have the same.
func headingWords(heading string) []string {
	var out strings.Builder
	last := ' '
	for _, r := range norm.NFKD.String(tidyCell(heading)) {
		switch {
		case unicode.Is(unicode.Mn, r):
			continue
		case !unicode.IsLetter(r) && !unicode.IsDigit(r):
			r = ' '
		case unicode.IsUpper(r) && unicode.IsLower(last):
			out.WriteByte(' ')
		}
		out.WriteRune(unicode.ToLower(r))
		last = r
	}
	words := strings.Fields(strings.ReplaceAll(out.String(), "ß", "ss"))
	for i := 0; i+1 < len(words); i++ {
		if words[i] == "e" && (words[i+1] == "mail" || words[i+1] == "mails") {
			words = slices.Replace(words, i, i+2, "e"+words[i+1])
		}
	}
	return words
}

// headingKey is a heading as the table of headings has it.
func headingKey(heading string) string { return strings.Join(headingWords(heading), "") }

// meaningOf looks a heading up. The meaning is empty when the heading speaks of leaving or
// of consent and is in no table.
func meaningOf(heading string) (m Meaning, why string) {
	words := headingWords(heading)
	key := strings.Join(words, "")
	if m, ok := headings[key]; ok {
		return m, ignoredBecause[key]
	}
	if slices.ContainsFunc(words, func(w string) bool { return otherChannels[w] }) {
		return MeansNothing, "about another channel than mail"
	}
	if len(words) > 1 && words[len(words)-1] == "state" && slices.ContainsFunc(words, func(w string) bool { return addressKinds[w] }) {
		return MeansNothing, "part of a postal address"
	}
	// "Contact status" and "is subscribed" are columns of state like "status" and "subscribed".
	plain := slices.DeleteFunc(slices.Clone(words), func(w string) bool { return fillWords[w] })
	if m := headings[strings.Join(plain, "")]; len(plain) < len(words) && (m.aboutState() || m == MeansConsentedAt) {
		return m, ""
	}
	if slices.ContainsFunc(words, speaksOfConsent) || strings.Contains(key, "donot") || strings.Contains(key, "dont") {
		return "", ""
	}
	return MeansNothing, ""
}

// speaksOfConsent reports whether a word of a heading may be about leaving or consent.
func speaksOfConsent(word string) bool {
	if harmlessWords[word] {
		return false
	}
	return consentWords[word] || slices.ContainsFunc(consentStems, func(stem string) bool { return strings.Contains(word, stem) })
}

// adjustForSystem knows columns that mean something else in one system's export.
func adjustForSystem(columns []Column) {
	has := func(key string) bool {
		return slices.ContainsFunc(columns, func(c Column) bool { return headingKey(c.Heading) == key })
	}
	for i := range columns {
		c := &columns[i]
		// phpList's optedin says only how a person confirmed; its column confirmed counts.
		if headingKey(c.Heading) == "optedin" && has("confirmed") && has("blacklisted") && !c.ByHand {
			c.Meaning, c.Why = MeansNothing, "phpList keeps consent in the column confirmed"
		}
	}
}
