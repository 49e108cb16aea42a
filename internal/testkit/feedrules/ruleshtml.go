package feedrules

import (
	"slices"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// markup checks HTML: nothing that runs, no relative addresses, and nothing that a
// parser mends.
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
			c.report("%s has a link that is no URI: %q", what, a.Val)
		}
	case "src", "poster", "cite":
		if !webAddress.MatchString(a.Val) {
			c.report("%s has a %s that is no web address: %q", what, a.Key, a.Val)
		}
	case "srcset":
		c.srcset(what, a.Val)
	}
}

// srcset checks the URLs of a srcset: each ends at a space, or at commas before one
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

// nesting checks that a parser of HTML finds the elements that are written, where
// they are written.
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
			c.report("%s is read otherwise than it is written: %.80q for %.80q", what, b, a)
		}
		if a != b || a == "" {
			return
		}
	}
}

// next is the next tag or text, "" at the end. The order of attributes says nothing,
// and of void elements the short and the long form are the same.
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

// textOnly is what stands between tags, as it is written: validators look at it
// before its references are read.
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
