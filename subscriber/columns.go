package subscriber

import (
	"slices"
	"strings"
	"unicode"
)

// meaning is what a column of a list holds.
type meaning int

const (
	none meaning = iota
	address
	name
	language
	timezone
	topics
	digests
	state
	consent
	consentedAt
)

// headings are the names of columns that lists from elsewhere use, letters only.
var headings = map[string]meaning{
	"email": address, "emailaddress": address, "mail": address, "address": address, "adresse": address,
	"courriel": address, "adresseemail": address, "adressemail": address, "emailadresse": address, "subscriberemail": address,
	"name": name, "fullname": name, "firstname": name, "lastname": name, "nom": name, "prénom": name, "prenom": name,
	"vorname": name, "nachname": name, "givenname": name, "familyname": name, "surname": name,
	"language": language, "lang": language, "langue": language, "sprache": language, "locale": language,
	"timezone": timezone, "tz": timezone, "fuseau": timezone, "zeitzone": timezone,
	"topics": topics, "tags": topics, "interests": topics, "sujets": topics, "themen": topics,
	"digests": digests, "digest": digests, "lists": digests, "list": digests,
	"state": state, "status": state, "statut": state,
	"consent": consent, "consenttext": consent,
	"consentedat": consentedAt, "consentdate": consentedAt, "optintime": consentedAt, "confirmtime": consentedAt,
}

// column is a place in a record and what stands there.
type column struct {
	meaning meaning
	index   int
}

type columns []column

func (c columns) has(m meaning) bool {
	return slices.ContainsFunc(c, func(column column) bool { return column.meaning == m })
}

// namedColumns understands a header. Columns that it does not know are passed over.
func namedColumns(header []string) columns {
	var out columns
	for i, heading := range header {
		letters := strings.Map(func(r rune) rune {
			if unicode.IsLetter(r) {
				return unicode.ToLower(r)
			}
			return -1
		}, heading)
		m := headings[letters]
		if m == none || m != name && out.has(m) {
			continue
		}
		out = append(out, column{m, i})
	}
	return out
}

// maxName bounds a name in bytes; longer ones are not names.
const maxName = 200

// tidyName makes a name of what a list or form says: one line, no controls.
func tidyName(s string) string {
	plain := true
	for i := range len(s) {
		plain = plain && s[i] > ' ' && s[i] < 0x7F
	}
	if !plain {
		s = strings.Join(strings.Fields(strings.Map(visible, strings.ToValidUTF8(s, ""))), " ")
	}
	for len(s) > maxName {
		runes := []rune(s)
		s = string(runes[:len(runes)*maxName/len(s)])
	}
	return s
}

func visible(r rune) rune {
	if unicode.IsSpace(r) || unicode.IsControl(r) {
		return ' '
	}
	if graphic(r) {
		return r
	}
	return -1
}
