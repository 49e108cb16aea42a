package article

import (
	"path"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/language"
	"golang.org/x/text/unicode/norm"
)

const maxSlug = 120 // bytes

// Slugify makes the last element of a path of any text: letters and digits of
// every script, dots and underscores stay, the rest becomes single hyphens.
func Slugify(text string) string {
	text = norm.NFC.String(cases.Lower(language.Und).String(norm.NFC.String(CleanText(text))))
	var out strings.Builder
	for _, r := range text {
		keep := unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsMark(r) || r == '.' || r == '_'
		switch {
		case keep && out.Len()+utf8.RuneLen(r) > maxSlug:
			return strings.Trim(out.String(), "-.")
		case keep:
			out.WriteRune(r)
		case out.Len() > 0 && !strings.HasSuffix(out.String(), "-"):
			out.WriteByte('-')
		}
	}
	return strings.Trim(out.String(), "-.")
}

// slugOfFile makes a slug of a file's name; a page called index is named by its
// folder.
func slugOfFile(name string) string {
	base := path.Base(name)
	base = strings.TrimSuffix(base, path.Ext(base))
	if dir := path.Base(path.Dir(name)); base == "index" && dir != "." && dir != "/" {
		base = dir
	}
	return Slugify(base)
}
