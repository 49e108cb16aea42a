package article

import (
	"strings"

	"golang.org/x/text/unicode/bidi"
)

// rightToLeft are the languages that are mostly written from right to left.
var rightToLeft = map[string]bool{
	"ar": true, "arc": true, "ckb": true, "dv": true, "fa": true, "he": true, "ks": true, "nqo": true,
	"ps": true, "sd": true, "syr": true, "ug": true, "ur": true, "yi": true,
}

// Direction returns "rtl" or "ltr": by the language, else by the first letter of
// the title that has a direction.
func (a *Article) Direction() string {
	if a.Language != "" {
		primary, _, _ := strings.Cut(strings.ToLower(a.Language), "-")
		if rightToLeft[primary] {
			return "rtl"
		}
		return "ltr"
	}
	for _, r := range a.Title {
		p, _ := bidi.LookupRune(r)
		switch p.Class() {
		case bidi.L:
			return "ltr"
		case bidi.R, bidi.AL:
			return "rtl"
		}
	}
	return "ltr"
}
