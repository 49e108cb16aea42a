package lint

import (
	"strings"
	"unicode"

	"github.com/PuerkitoBio/goquery"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// document is the HTML part of a variant, parsed once for all checks.
type document struct {
	root   *goquery.Document
	base   []cssRule // rules of style elements for every scheme, which inlining left in place
	dark   []cssRule // rules for dark mode only
	inline map[string]declarations
}

// declarations are CSS properties by name.
type declarations map[string]declaration

type declaration struct {
	value     string
	important bool
}

// parse parses the HTML part. Every text is HTML to the parser, so it does not fail.
func parse(source string) *document {
	root, err := goquery.NewDocumentFromReader(strings.NewReader(source))
	if err != nil { // a strings.Reader does not fail
		root = goquery.NewDocumentFromNode(&html.Node{Type: html.DocumentNode})
	}
	d := &document{root: root, inline: map[string]declarations{}}
	root.Find("style").Each(func(_ int, s *goquery.Selection) {
		base, dark := readSheet(s.Text())
		d.base, d.dark = append(d.base, base...), append(d.dark, dark...)
	})
	return d
}

// style returns the declarations of an element's style attribute.
func (d *document) style(n *html.Node) declarations {
	source := attribute(n, "style")
	if source == "" {
		return nil
	}
	found, known := d.inline[source]
	if !known {
		found = declarations{}
		found.set(readDeclarations(source))
		d.inline[source] = found
	}
	return found
}

// set adds declarations as the cascade does: later ones win, important ones over others.
func (s declarations) set(list []cssDeclaration) {
	for _, one := range list {
		if before, found := s[one.name]; !found || one.important || !before.important {
			s[one.name] = declaration{one.value, one.important}
		}
	}
}

// text returns the text below an element, with each run of white space as one space.
func text(n *html.Node) string {
	var out strings.Builder
	for below := range n.Descendants() {
		if below.Type == html.TextNode && !unseen(below.Parent) {
			out.WriteString(below.Data)
		}
	}
	return squeeze(out.String())
}

// unseen reports whether the text of an element is not shown.
func unseen(n *html.Node) bool {
	return n != nil && (n.DataAtom == atom.Style || n.DataAtom == atom.Script || n.DataAtom == atom.Title)
}

// squeeze makes one space of each run of white space and of characters that are not shown, such as
// those that fill the preview text.
func squeeze(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) || r == '\u034f'
	}), " ")
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return strings.TrimSpace(a.Val)
		}
	}
	return ""
}

func hasAttribute(n *html.Node, name string) bool {
	for _, a := range n.Attr {
		if a.Key == name {
			return true
		}
	}
	return false
}

// excerpt shortens a text for a message.
func excerpt(s string) string {
	const most = 60
	runes := []rune(s)
	if len(runes) <= most {
		return s
	}
	return string(runes[:most]) + "…"
}
