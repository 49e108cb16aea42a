package feedrules

import (
	"slices"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// markup checks that HTML contains no active content, no relative addresses, and no errors
// that a parser would repair.
func (c *checker) markup(what, markup string) {
	c.nesting(what, markup)
	for z := html.NewTokenizer(strings.NewReader(markup)); z.Next() != html.ErrorToken; {
		token := z.Token()
		if token.Type != html.StartTagToken && token.Type != html.SelfClosingTagToken {
			continue
		}
		switch token.Data {
		case "script", "iframe", "object", "embed", "style", "form", "base", "link", "meta", "svg", "math":
			c.report("%s has a %s element", what, token.Data)
		}
		for _, a := range token.Attr {
			c.markupAttribute(what, a)
		}
	}
}

func (c *checker) markupAttribute(what string, a html.Attribute) {
	if strings.HasPrefix(a.Key, "on") || a.Key == "style" {
		c.report("%s has an attribute %s", what, a.Key)
	}
	switch a.Key {
	case "href":
		if !webAddress.MatchString(a.Val) && !otherLink.MatchString(a.Val) {
			c.report("%s has a link that is not a URI: %q", what, a.Val)
		}
	case "src", "poster", "cite":
		if !webAddress.MatchString(a.Val) {
			c.report("%s has a %s that is not a web address: %q", what, a.Key, a.Val)
		}
	case "srcset":
		c.srcset(what, a.Val)
	}
}

// srcset checks the URLs of a srcset. A URL ends at a space, or at commas before a space
// (HTML, section 4.8.4.2.1).
func (c *checker) srcset(what, srcset string) {
	for rest := strings.TrimLeft(srcset, " \t\n,"); rest != ""; rest = strings.TrimLeft(rest, " \t\n,") {
		end := strings.IndexAny(rest, " \t\n")
		if end < 0 {
			end = len(rest)
		}
		address := strings.TrimRight(rest[:end], ",")
		if !webAddress.MatchString(address) {
			c.report("%s has a srcset with %q", what, address)
		}
		if rest = rest[end:]; len(address) == end {
			_, rest, _ = strings.Cut(rest, ",")
		}
	}
}

// nesting checks that HTML, parsed and rendered again, has the same tags in the same
// places.
func (c *checker) nesting(what, markup string) {
	context := &html.Node{Type: html.ElementNode, Data: "div", DataAtom: atom.Div}
	nodes, err := html.ParseFragment(strings.NewReader(markup), context)
	if err != nil {
		c.report("%s is not HTML: %v", what, err)
		return
	}
	var out strings.Builder
	for _, n := range nodes {
		if err := html.Render(&out, n); err != nil {
			c.report("%s is not HTML: %v", what, err)
		}
	}
	written, read := html.NewTokenizer(strings.NewReader(markup)), html.NewTokenizer(strings.NewReader(out.String()))
	for {
		a, b := next(written), next(read)
		if a != b {
			c.report("%s changes when it is parsed: %.80q becomes %.80q", what, a, b)
		}
		if a != b || a == "" {
			return
		}
	}
}

// next returns the next tag or text, "" at the end. It sorts attributes and writes <br/> as
// <br>, since these differences have no meaning.
func next(z *html.Tokenizer) string {
	if z.Next() == html.ErrorToken {
		return ""
	}
	token := z.Token()
	if token.Type == html.SelfClosingTagToken {
		token.Type = html.StartTagToken
	}
	slices.SortFunc(token.Attr, func(a, b html.Attribute) int { return strings.Compare(a.Key, b.Key) })
	return token.String()
}

// textOnly returns the text between tags, with its character references unresolved.
func textOnly(markup string) string {
	var out strings.Builder
	for z := html.NewTokenizer(strings.NewReader(markup)); ; {
		switch z.Next() {
		case html.ErrorToken:
			return out.String()
		case html.TextToken:
			out.Write(z.Raw())
		}
	}
}
