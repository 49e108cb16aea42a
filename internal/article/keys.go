package article

import (
	"strings"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// TagKey returns the form in which tags are compared: "Été " in any
// normalisation and case is one tag. It is empty for a tag of spaces.
func TagKey(tag string) string { return key(tag) }

// AuthorKey returns the form in which authors' names are compared.
func AuthorKey(name string) string { return key(name) }

func key(s string) string {
	s = strings.Join(strings.Fields(CleanText(s)), " ")
	// Folding can undo a normalisation, so it stands between two.
	return norm.NFC.String(cases.Fold().String(norm.NFC.String(s)))
}
