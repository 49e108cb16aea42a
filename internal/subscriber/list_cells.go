package subscriber

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode"
)

// trimCell removes spaces and invisible characters around the text of a cell, and the
// characters that keep a spreadsheet from running it as a formula ("=\"text\"", an apostrophe).
func trimCell(s string) string {
	s = strings.TrimFunc(s, invisible)
	if rest, ok := strings.CutPrefix(s, `="`); ok && strings.HasSuffix(rest, `"`) {
		s = strings.ReplaceAll(strings.TrimSuffix(rest, `"`), `""`, `"`)
		s = strings.TrimFunc(s, invisible)
	}
	return unguard(s)
}

// invisible reports whether a character is a space, a control character or has no glyph.
func invisible(r rune) bool {
	if r < 0x7F {
		return r <= ' '
	}
	return unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) || unicode.IsControl(r) || r == '\u2800' || r == '\u3164' || r == '\u115F' || r == '\u1160'
}

// isAddress reports whether a cell holds exactly one mail address.
func isAddress(cell string) bool {
	if !strings.Contains(cell, "@") {
		return false
	}
	_, _, fault := readAddress(trimCell(cell))
	return fault == nil
}

// readAddress reads a cell with one address, which may have a display name. It accepts a mailto:
// link, angle brackets, a dot after the domain and invisible characters. It refuses a cell with
// several addresses.
func readAddress(value string) (Address, string, *LineError) {
	value = strings.Map(dropInvisible, value)
	if len(value) > 7 && strings.EqualFold(value[:7], "mailto:") {
		value, _, _ = strings.Cut(value[7:], "?")
		if plain, err := url.PathUnescape(value); err == nil {
			value = plain
		}
	}
	name, parsed, err := ParseMailbox(strings.TrimSuffix(value, "."))
	if strings.HasPrefix(parsed.Local(), "'") {
		return Address{}, "", badAddress(value, "there is an apostrophe before it", "the address without it")
	}
	switch {
	case err == nil && strings.ContainsAny(name, "@<") && !strings.EqualFold(name, parsed.String()):
		return Address{}, "", badAddress(value, severalAddresses, "one address on each line")
	case err == nil:
		return parsed, NormalizeName(name), nil
	}
	var wrong *AddressError
	if !errors.As(err, &wrong) {
		return Address{}, "", badAddress(value, err.Error(), "something like ada@example.org")
	}
	if parts := splitAddresses(value); len(parts) > 1 {
		return Address{}, "", badAddress(value, severalAddresses, "one address on each line")
	}
	if alone := strings.TrimFunc(value, isAddressSeparator); alone != value && alone != "" {
		return readAddress(alone)
	}
	return Address{}, "", badAddress(wrong.Input, wrong.What, wrong.Expected)
}

func badAddress(value, what, expected string) *LineError {
	return &LineError{Reason: "address not valid", What: "address " + quoteShort(value) + ": " + what, Expected: expected}
}

const severalAddresses = "there are several addresses in one field"

// isAddressSeparator reports whether a character may separate two addresses.
func isAddressSeparator(r rune) bool { return strings.ContainsRune(",;|/ \t\n", r) }

// splitAddresses splits a cell into addresses. Parts without exactly one @ are dropped.
func splitAddresses(value string) []string {
	parts := strings.FieldsFunc(value, isAddressSeparator)
	return slices.DeleteFunc(parts, func(part string) bool { return strings.Count(part, "@") != 1 || len(part) < 3 })
}

// dropInvisible is a function for strings.Map. It drops invisible characters that come with
// pasted text, but keeps the joiners U+200C and U+200D, which local parts may have.
func dropInvisible(r rune) rune {
	if r == '\u200C' || r == '\u200D' || r >= 0x7F && !unicode.Is(unicode.Cf, r) || r < 0x7F {
		return r
	}
	return -1
}

// nameParts holds the parts of a name from the columns of one line.
type nameParts struct{ full, given, family string }

func (n *nameParts) add(m Meaning, value string) {
	switch m {
	case MeansGivenName:
		n.given = value
	case MeansFamilyName:
		n.family = value
	default:
		n.full = value
	}
}

// join returns the full name. If there is a first name but no last name, the column "name" is
// taken for the last name (as in the German headings "Name, Vorname"), unless it contains the
// first name.
func (n *nameParts) join() string {
	switch {
	case n.full == "" || n.given != "" && n.family != "":
		return NormalizeName(n.given + " " + n.family)
	case n.given != "" && n.family == "" && !strings.Contains(strings.ToLower(n.full), strings.ToLower(n.given)):
		return NormalizeName(n.given + " " + n.full)
	}
	return NormalizeName(n.full)
}

// checkName returns an error if a value is not a name. In a list without a header the second
// column could be anything, for example a state, so its values must look like names.
func (l *List) checkName(c *Column, value string) *LineError {
	if l.hasHeader {
		return c.checkDeparture(value)
	}
	if strings.Contains(value, "@") {
		return badAddress(value, "there is a second address beside the first", "one address on each line")
	}
	_, isAnswer := answers[strings.ToLower(value)]
	if isAnswer || value[0] >= '0' && value[0] <= '9' || stateOf(value) != "" || !strings.ContainsFunc(value, unicode.IsLetter) {
		return &LineError{Reason: "second column is no name", What: fmt.Sprintf("%s beside the address is not a name, and the list has no header that says what it is", quoteShort(value)), Expected: "a first line that names the columns, such as email,status"}
	}
	return nil
}

// Limits for the topics, digests and labels of one line.
const (
	maxValues      = 200
	maxValueLength = 200
)

// splitCell splits a cell with several values. They are separated by commas, semicolons or
// bars, with quotes around values that contain a separator, or they are a JSON array.
func splitCell(s string) ([]string, *LineError) {
	parts, exact, err := splitValues(s)
	if err != nil {
		return nil, &LineError{Reason: "several values not understood", What: quoteShort(s) + " cannot be parted: " + err.Error(), Expected: "values with commas between them"}
	}
	var out []string
	for _, part := range parts {
		if part = strings.TrimSpace(part); !exact {
			part = trimCell(part)
		}
		if part == "" || slices.Contains(out, part) {
			continue
		}
		if out = append(out, part); len(part) > maxValueLength || len(out) > maxValues {
			return nil, &LineError{Reason: "several values not understood", What: "a field has too many or too long values", Expected: fmt.Sprintf("at most %d of at most %d bytes", maxValues, maxValueLength)}
		}
	}
	return out, nil
}

// splitValues returns the values of a cell, unchecked. Those of a JSON array are exact: no
// spreadsheet guarded them.
func splitValues(s string) (values []string, exact bool, err error) {
	if strings.HasPrefix(s, "[") {
		var list []string
		if json.Unmarshal([]byte(s), &list) == nil {
			return list, true, nil
		}
	}
	if strings.Contains(s, `"`) {
		r := csv.NewReader(strings.NewReader(s))
		r.TrimLeadingSpace = true
		if strings.Contains(s, `"|"`) || strings.Contains(s, `"|`) || strings.Contains(s, `|"`) {
			r.Comma = '|'
		}
		values, err = r.Read()
		return values, false, err
	}
	s = strings.ReplaceAll(s, " ::: ", "|")
	return strings.FieldsFunc(s, func(r rune) bool { return r == '|' || r == ',' || r == ';' }), false, nil
}

// setConsented sets the date of consent. Only a date with one meaning is accepted.
func (r *Row) setConsented(c *Column, value string) *LineError {
	if answerOf(value) == empty {
		return nil
	}
	at, ok := dateOf(value)
	if !ok || at.Year() < 1970 { // mail itself is not much older: the date is a mistake
		return &LineError{
			Reason: "date not understood", What: fmt.Sprintf("column %s: date %s is not understood", quoteShort(c.Heading), quoteShort(value)),
			Expected: "a date such as 2026-05-31 or 2026-05-31T08:00:00Z, or leave the column out by its name",
		}
	}
	r.Consent.At = at
	return nil
}
