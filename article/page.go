package article

import (
	"net/url"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// fromPage takes an HTML page apart: what its head says goes into the front matter
// where that is silent, and its article, main or body element is the text.
func (im *importer) fromPage(m *meta, source string) string {
	root, err := html.Parse(strings.NewReader(source))
	if err != nil {
		return source // Clean keeps its text
	}
	if m.values == nil {
		m.values = map[string]any{}
	}
	readHead(root, m.values)
	body := firstElement(root, atom.Article)
	if body == nil {
		body = firstElement(root, atom.Main)
	}
	if body == nil {
		body = firstElement(root, atom.Body)
	}
	if body == nil {
		body = root // a page of frames has none
	}
	if h1 := firstElement(body, atom.H1); h1 != nil {
		setDefault(m.values, "title", textOf(h1))
		// The title stands above the text on every page of ours.
		if cleanLine(textOf(h1)) == cleanLine(stringOf(m.values["title"])) {
			h1.Parent.RemoveChild(h1)
		}
	}
	if title := firstElement(root, atom.Title); title != nil {
		setDefault(m.values, "title", textOf(title))
	}
	if h1 := firstElement(root, atom.H1); h1 != nil { // it can stand above the article
		setDefault(m.values, "title", textOf(h1))
	}
	var out strings.Builder
	for child := body.FirstChild; child != nil; child = child.NextSibling {
		if err := html.Render(&out, child); err != nil {
			return source
		}
	}
	return out.String()
}

// headNames are the meta elements that say something of the article.
var headNames = map[string]string{
	"description": "summary", "og:description": "summary", "author": "authors", "article:author": "authors",
	"article:published_time": "date", "date": "date", "dc.date": "date", "dcterms.created": "date",
	"article:modified_time": "updated", "og:image": "image", "og:title": "title", "keywords": "tags",
}

// readHead collects what the elements of a page's head say.
func readHead(n *html.Node, values map[string]any) {
	if n.Type == html.ElementNode {
		switch n.DataAtom {
		case atom.Html:
			setDefault(values, "lang", attribute(n, "lang"))
		case atom.Meta:
			name := attribute(n, "name") + attribute(n, "property")
			if key := headNames[strings.ToLower(name)]; key != "" {
				setDefault(values, key, attribute(n, "content"))
			}
		case atom.Link:
			if strings.EqualFold(attribute(n, "rel"), "canonical") {
				if u, err := url.Parse(attribute(n, "href")); err == nil && isWeb(u) {
					setDefault(values, "url", u.String())
				}
			}
		case atom.Time:
			setDefault(values, "date", attribute(n, "datetime"))
		}
	}
	for child := n.FirstChild; child != nil; child = child.NextSibling {
		readHead(child, values)
	}
}

func setDefault(values map[string]any, key, value string) {
	if _, there := values[key]; !there && strings.TrimSpace(value) != "" {
		values[key] = value
	}
}

func stringOf(value any) string {
	s, _ := value.(string)
	return s
}

func attribute(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func firstElement(n *html.Node, want atom.Atom) *html.Node {
	if n.Type == html.ElementNode && n.DataAtom == want {
		return n
	}
	for child := n.FirstChild; child != nil; child = child.NextSibling {
		if found := firstElement(child, want); found != nil {
			return found
		}
	}
	return nil
}

func textOf(n *html.Node) string {
	if n.Type == html.TextNode {
		return n.Data
	}
	var out strings.Builder
	for child := n.FirstChild; child != nil; child = child.NextSibling {
		out.WriteString(textOf(child))
	}
	return out.String()
}
