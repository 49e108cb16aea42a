package article

import (
	"regexp"
	"strings"
)

// space is what separates the parts of attributes (HTML, section 2.3.2).
const space = " \t\n\r\f"

// descriptor says for which screens a candidate of a srcset is: "2x", "640w".
var descriptor = regexp.MustCompile(`^[0-9.]+([eE][+-]?[0-9]+)?[wxh]$`)

// MapSrcset puts the URL of each candidate of a srcset through f and writes the
// candidates anew; those for which f returns nothing are dropped, and those that
// browsers pass over. It reads them as browsers do (HTML, section 4.8.4.2.1, "parse
// a srcset attribute"): a URL may hold commas, and one at its end ends the
// candidate.
func MapSrcset(srcset string, f func(link string) string) string {
	var out []string
	for rest := srcset; ; {
		rest = strings.TrimLeft(rest, space+",")
		if rest == "" {
			return strings.Join(out, ", ")
		}
		end := strings.IndexAny(rest, space)
		if end < 0 {
			end = len(rest)
		}
		link, descriptors := strings.TrimRight(rest[:end], ","), ""
		if rest = rest[end:]; len(link) == end {
			descriptors, rest = cutDescriptors(rest)
		}
		if described(descriptors) {
			if link = f(link); link != "" {
				out = append(out, strings.Join(append([]string{link}, strings.Fields(descriptors)...), " "))
			}
		}
	}
}

// cutDescriptors cuts at the comma that ends a candidate: the first one outside of
// parentheses.
func cutDescriptors(text string) (descriptors, rest string) {
	deep := false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '(':
			deep = true
		case c == ')':
			deep = false
		case c == ',' && !deep:
			return text[:i], text[i+1:]
		}
	}
	return text, ""
}

// described says whether browsers understand what stands behind a URL.
func described(descriptors string) bool {
	for _, d := range strings.Fields(descriptors) {
		if !descriptor.MatchString(d) {
			return false
		}
	}
	return true
}
