package article

import (
	"bytes"
	"regexp"
	"strings"

	"golang.org/x/net/html"
)

// linkAttributes are the attributes that hold one URL.
var linkAttributes = map[string]bool{"href": true, "src": true, "poster": true, "cite": true}

// MapLinks replaces every URL in an element's attributes by the result of f, which gets the name
// of the attribute and the URL. An attribute for which f returns an empty string is dropped.
// MapLinks reports whether it changed anything.
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

// RewriteLinks applies MapLinks to all elements of HTML. All other bytes stay as they are.
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

// space holds the characters that separate the parts of attributes (HTML, section 2.3.2).
const space = " \t\n\r\f"

// descriptorPattern matches the descriptor of a candidate in a srcset, such as "2x" or "640w".
var descriptorPattern = regexp.MustCompile(`^[0-9.]+([eE][+-]?[0-9]+)?[wxh]$`)

// MapSrcset replaces the URL of each candidate in a srcset by the result of f. Candidates for
// which f returns an empty string are dropped, and so are those that browsers skip. It parses
// the srcset as browsers do (HTML, section 4.8.4.2.1, "parse a srcset attribute"): a URL may
// hold commas, and a comma at its end ends the candidate.
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

// cutDescriptors splits text at the comma that ends a candidate: the first comma outside
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

// PlainText returns the text of HTML, with line feeds between blocks.
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

// Inline holds the elements that do not end a line of text.
var Inline = map[string]bool{
	"a": true, "abbr": true, "b": true, "bdi": true, "bdo": true, "cite": true, "code": true, "del": true, "em": true, "i": true,
	"ins": true, "kbd": true, "mark": true, "q": true, "s": true, "samp": true, "small": true, "span": true, "strong": true,
	"sub": true, "sup": true, "time": true, "u": true, "var": true, "wbr": true,
}

// reopened holds the elements that, while they are not closed, a parser opens again in every new
// block (HTML, section 13.2.4.3).
var reopened = map[string]bool{
	"a": true, "b": true, "big": true, "code": true, "em": true, "font": true, "i": true, "nobr": true, "s": true, "small": true,
	"strike": true, "strong": true, "tt": true, "u": true,
}

// CostlyToParse reports whether a parser would run out of memory because it opens unclosed elements
// again in every block: 100 of them and a million paragraphs give 100 million elements.
func CostlyToParse(source string) bool {
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
