package feed

import (
	"bytes"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/tidings-press/tidings/internal/article"
)

// MaxBody is the longest article that stands in a feed in full, in bytes of HTML;
// readers get the summary of a longer one and the link.
const MaxBody = 8 << 20

// body makes an article's HTML fit for every reader and validator: well nested,
// harmless, with absolute addresses. Its words, links and pictures stay, whatever
// it is made of.
func body(raw string, p place) string {
	if len(raw) > MaxBody {
		return ""
	}
	raw = strings.TrimSpace(clean(raw))
	// Written anew, HTML is tidy. A parser that reads its own writing otherwise may
	// have another try.
	for range 3 {
		if tidy(raw) {
			return raw
		}
		raw = rebuild(raw, p)
	}
	return html.EscapeString(textOf(raw))
}

// rebuild parses HTML and writes what may stay of it.
func rebuild(raw string, p place) string {
	root := &html.Node{Type: html.ElementNode, Data: "div", DataAtom: atom.Div}
	for _, node := range parse(raw) {
		root.AppendChild(node)
	}
	(&pruner{place: p}).prune(root)
	var out bytes.Buffer
	for node := root.FirstChild; node != nil; node = node.NextSibling {
		if err := html.Render(&out, node); err != nil {
			return html.EscapeString(textOf(raw))
		}
	}
	return strings.TrimSpace(out.String())
}

// parse reads HTML as a browser does that runs no scripts. What is nested more
// deeply than a parser takes, or grows beyond measure in it, is made flat first.
func parse(raw string) []*html.Node {
	for _, depth := range []int{-1, deepest, 0} {
		text := raw
		if depth >= 0 {
			text = flatten(raw, depth)
		}
		if depth != 0 && article.Tangled(text) {
			continue
		}
		context := &html.Node{Type: html.ElementNode, Data: "div", DataAtom: atom.Div}
		nodes, err := html.ParseFragmentWithOptions(strings.NewReader(text), context, html.ParseOptionEnableScripting(false))
		if err == nil {
			return nodes
		}
	}
	return []*html.Node{{Type: html.TextNode, Data: textOf(raw)}}
}

// removed are the elements that go with all that is in them: what they hold is no
// text.
var removed = set(`script style template iframe embed noembed noframes head frameset`)

// pruner drops from a tree what may not stay in a feed: harmful elements with all
// that is in them, others but for what is in them.
type pruner struct {
	place
	open nesting
}

func (p *pruner) prune(parent *html.Node) {
	for node := parent.FirstChild; node != nil; {
		next := node.NextSibling
		switch {
		case node.Type == html.TextNode:
			node.Data = clean(node.Data)
		case node.Type != html.ElementNode, removed[node.Data], foreign(node):
			parent.RemoveChild(node)
		case p.stays(node):
			p.open = append(p.open, node.Data)
			p.prune(node)
			p.open = p.open[:len(p.open)-1]
		default:
			next = unwrap(parent, node)
		}
		node = next
	}
}

// foreign reports whether an element is a drawing, or repeats a formula in another
// notation.
func foreign(node *html.Node) bool {
	return node.Namespace == "svg" || node.Namespace == "math" && strings.HasPrefix(node.Data, "annotation")
}

// stays reports whether an element may stay where it is, and settles its
// attributes.
func (p *pruner) stays(node *html.Node) bool {
	if node.Data == "bdo" {
		node.Data, node.DataAtom = "span", atom.Span
	}
	if !kept[node.Data] || node.Namespace != "" || !p.open.fits(node.Data) {
		return false
	}
	p.settle(node)
	return !needsSource[node.Data] || attribute(node, "src") != "" || attribute(node, "srcset") != ""
}

// unwrap puts a node's children in its place, or what a lost picture showed, and
// returns the first of them, or what followed the node.
func unwrap(parent, node *html.Node) *html.Node {
	if alt := attribute(node, "alt"); node.Data == "img" && alt != "" {
		node.AppendChild(&html.Node{Type: html.TextNode, Data: alt})
	}
	next := node.NextSibling
	if node.FirstChild != nil {
		next = node.FirstChild
	}
	for child := node.FirstChild; child != nil; child = node.FirstChild {
		node.RemoveChild(child)
		parent.InsertBefore(child, node)
	}
	parent.RemoveChild(node)
	return next
}

func attribute(node *html.Node, key string) string {
	for _, a := range node.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

// settle leaves of an element's attributes those that may stay, with absolute
// addresses. The src of a picture comes last: see mimics.
func (p *pruner) settle(node *html.Node) {
	seen := map[string]bool{}
	attributes, last := node.Attr[:0], []html.Attribute(nil)
	for _, a := range node.Attr {
		if seen[a.Key] || !attributeKept(a.Key) || a.Namespace != "" {
			continue
		}
		located := addresses[a.Key] || a.Key == "srcset"
		if a.Val = clean(a.Val); located {
			a.Val = p.attribute(a.Key, a.Val)
		}
		if located && a.Val == "" {
			continue
		}
		seen[a.Key] = true
		if node.Data == "img" && a.Key == "src" {
			last = append(last, a)
			continue
		}
		attributes = append(attributes, a)
	}
	node.Attr = append(attributes, last...)
}

// attribute settles the addresses in an attribute. Only links may lead elsewhere
// than to the web.
func (p place) attribute(key, value string) string {
	switch key {
	case "srcset":
		return article.MapSrcset(value, p.web)
	case "href":
		return p.link(value)
	}
	return p.web(value)
}

// textOf is what HTML says, without its tags.
func textOf(raw string) string { return textUpTo(raw, len(raw)) }

// textUpTo is at least so many bytes of what HTML says, if it says as much.
func textUpTo(raw string, enough int) string {
	var out strings.Builder
	skip := 0
	for z := html.NewTokenizer(strings.NewReader(raw)); out.Len() < enough; {
		kind := z.Next()
		if kind == html.ErrorToken {
			break
		}
		name, _ := z.TagName()
		switch {
		case kind == html.TextToken && skip == 0:
			out.Write(z.Text())
		case kind == html.StartTagToken && removed[string(name)]:
			skip++
		case kind == html.EndTagToken && removed[string(name)] && skip > 0:
			skip--
		default:
			out.WriteByte(' ')
		}
	}
	return line(out.String())
}
