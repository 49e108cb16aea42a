package article

import (
	"bytes"
	"regexp"
	"strings"

	"golang.org/x/net/html"
)

// linkAttributes hold one URL each.
var linkAttributes = map[string]bool{"href": true, "src": true, "poster": true, "cite": true}

// MapLinks puts every URL among an element's attributes through f. An attribute
// for which f returns nothing is dropped.
// f also gets the name of the attribute. MapLinks reports whether it changed
// anything.
func MapLinks(attributes *[]html.Attribute, f func(attribute, link string) string) (changed bool) {
	kept := (*attributes)[:0]
	for _, at := range *attributes {
		before := at.Val
		switch {
		case linkAttributes[at.Key]:
			at.Val = f(at.Key, at.Val)
		case at.Key == "srcset":
			at.Val = MapSrcset(at.Val, func(link string) string { return f(at.Key, link) })
		default:
			kept = append(kept, at)
			continue
		}
		changed = changed || at.Val != before || before == ""
		if at.Val != "" {
			kept = append(kept, at)
		}
	}
	*attributes = kept
	return changed
}

// RewriteLinks is MapLinks for all elements of HTML. All other bytes stay as they are.
func RewriteLinks(source string, f func(attribute, link string) string) string {
	var out strings.Builder
	out.Grow(len(source) + len(source)/16)
	for z := html.NewTokenizer(strings.NewReader(source)); ; {
		kind := z.Next()
		if kind == html.ErrorToken {
			return out.String()
		}
		raw := z.Raw()
		if kind != html.StartTagToken && kind != html.SelfClosingTagToken || bytes.IndexByte(raw, '=') < 0 {
			out.Write(raw)
			continue
		}
		before := string(raw) // reading the token changes it
		t := z.Token()
		if MapLinks(&t.Attr, f) {
			out.WriteString(t.String())
		} else {
			out.WriteString(before)
		}
	}
}

// space is what separates the parts of attributes (HTML, section 2.3.2).
const space = " \t\n\r\f"

// descriptorPattern says for which screens a candidate of a srcset is: "2x", "640w".
var descriptorPattern = regexp.MustCompile(`^[0-9.]+([eE][+-]?[0-9]+)?[wxh]$`)

// MapSrcset puts the URL of each candidate of a srcset through f and writes the
// candidates again. Those for which f returns an empty string are dropped, and those that
// browsers skip. It reads them as browsers do (HTML, section 4.8.4.2.1, "parse
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
		if validDescriptors(descriptors) {
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

// validDescriptors reports whether browsers understand the descriptors of a URL.
func validDescriptors(descriptors string) bool {
	for _, d := range strings.Fields(descriptors) {
		if !descriptorPattern.MatchString(d) {
			return false
		}
	}
	return true
}

// PlainText returns the text of HTML, with a line feed where a block ends.
func PlainText(source string) string {
	var out strings.Builder
	z := html.NewTokenizer(strings.NewReader(source))
	for {
		switch z.Next() {
		case html.ErrorToken:
			return out.String()
		case html.TextToken:
			out.Write(z.Text())
		case html.StartTagToken, html.EndTagToken, html.SelfClosingTagToken:
			name, _ := z.TagName()
			if !Inline[string(name)] {
				out.WriteByte('\n')
			}
		}
	}
}

// Inline are the elements that do not end a line of text.
var Inline = map[string]bool{
	"a": true, "abbr": true, "b": true, "bdi": true, "bdo": true, "cite": true, "code": true, "del": true, "em": true, "i": true,
	"ins": true, "kbd": true, "mark": true, "q": true, "s": true, "samp": true, "small": true, "span": true, "strong": true,
	"sub": true, "sup": true, "time": true, "u": true, "var": true, "wbr": true,
}

// reopened are the elements that a parser opens again in every block that begins
// before they are closed (HTML, section 13.2.4.3).
var reopened = map[string]bool{
	"a": true, "b": true, "big": true, "code": true, "em": true, "font": true, "i": true, "nobr": true, "s": true, "small": true,
	"strike": true, "strong": true, "tt": true, "u": true,
}

// Tangled reports whether so many elements are opened again so often that a parser
// would run out of memory: a hundred open ones and a million paragraphs are a
// hundred million elements.
func Tangled(source string) bool {
	open := map[string]int{}
	opened, tags, cost := 0, 0, 0
	z := html.NewTokenizer(strings.NewReader(source))
	for {
		switch z.Next() {
		case html.ErrorToken:
			return cost > 100_000+4*tags
		case html.StartTagToken:
			tags++
			raw, _ := z.TagName()
			if name := string(raw); !reopened[name] {
				cost += opened
			} else if name != "a" || open[name] == 0 {
				open[name]++
				opened++
			}
		case html.EndTagToken:
			raw, _ := z.TagName()
			if name := string(raw); open[name] > 0 {
				open[name]--
				opened--
			}
		}
	}
}
