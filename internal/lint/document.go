package lint

import (
	"strings"
	"unicode"

	"github.com/PuerkitoBio/goquery"
	"github.com/aymerick/douceur/css"
	"github.com/aymerick/douceur/parser"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// document is the HTML part of a variant, parsed once for all checks.
type document struct {
	root   *goquery.Document
	base   []*css.Rule // rules of style elements for every scheme, which inlining left in place
	dark   []*css.Rule // rules for dark mode only
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
		for _, rule := range readSheet(s.Text()) {
			media := strings.ToLower(rule.Prelude)
			switch {
			case rule.Kind == css.QualifiedRule:
				d.base = append(d.base, rule)
			case strings.EqualFold(rule.Name, "@media") && strings.Contains(media, "prefers-color-scheme") && strings.Contains(media, "dark"):
				d.dark = append(d.dark, rule.Rules...)
			}
		}
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

// readSheet returns the rules of a style element. Mail programs drop what they cannot read, and so
// does it. A template may contain CSS that makes the third-party parser panic; that must not end the
// process.
func readSheet(source string) (rules []*css.Rule) {
	defer func() {
		if recover() != nil {
			rules = nil
		}
	}()
	sheet, err := parser.Parse(source)
	if err != nil {
		return nil
	}
	return sheet.Rules
}

// readDeclarations returns the declarations of a style attribute, as far as they can be read.
func readDeclarations(source string) (list []*css.Declaration) {
	defer func() {
		if recover() != nil {
			list = nil
		}
	}()
	// Without the last semicolon, the parser drops the last declaration.
	list, _ = parser.ParseDeclarations(strings.TrimRight(source, "; \n\t") + ";")
	return list
}

// set adds declarations as the cascade does: later ones win, important ones over others.
func (s declarations) set(list []*css.Declaration) {
	for _, one := range list {
		name := strings.ToLower(one.Property)
		if before, found := s[name]; !found || one.Important || !before.important {
			s[name] = declaration{strings.ToLower(strings.TrimSpace(one.Value)), one.Important}
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
