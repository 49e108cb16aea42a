package ingest

import (
	"net/url"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/article/markup"
)

// fromPage reads an HTML page. Metadata from its head are added to the front matter, which takes
// precedence. The content of its article, main or body element is returned as the text.
func (im *importer) fromPage(m *meta, source string) (string, *Problem) {
	// With scripting off, the content of noscript is parsed: it holds what the page shows
	// without scripts.
	root, err := html.ParseWithOptions(strings.NewReader(source), html.ParseOptionEnableScripting(false))
	if err != nil { // its metadata, which may withhold it, cannot be read either
		return "", &Problem{Line: 1, What: "the page cannot be read: " + strings.TrimPrefix(err.Error(), "html: "), Fix: "nest its elements less deeply"}
	}
	readHead(root, m)
	if base := firstElement(root, atom.Base); base != nil {
		if u, err := url.Parse(markup.EncodeLink(attribute(base, "href"))); err == nil && markup.IsWeb(u) {
			im.base = u
		}
	}
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
		m.setDefault("title", textOf(h1))
		// Pages show the title above the text, so it is removed from the text.
		if article.CleanLine(textOf(h1)) == article.CleanLine(stringOf(m.values["title"])) {
			h1.Parent.RemoveChild(h1)
		}
	}
	if title := firstElement(root, atom.Title); title != nil {
		m.setDefault("title", textOf(title))
	}
	if h1 := firstElement(root, atom.H1); h1 != nil { // it may be outside the article element
		m.setDefault("title", textOf(h1))
	}
	var out strings.Builder
	for child := body.FirstChild; child != nil; child = child.NextSibling {
		if err := html.Render(&out, child); err != nil {
			return source, nil
		}
	}
	return out.String(), nil
}

// metaNames maps the names of meta elements to keys of front matter.
var metaNames = map[string]string{
	"description": "summary", "og:description": "summary", "author": "authors", "article:author": "authors",
	"article:published_time": "date", "date": "date", "dc.date": "date", "dcterms.created": "date",
	"article:modified_time": "updated", "article:expiration_time": "expires", "og:image": "image", "og:title": "title", "keywords": "tags",
}

// readMeta reads a meta element. A visibility key in it counts even if the front matter has the
// key. Names with a colon or dot, such as article:publisher, belong to other vocabularies, so
// only known ones are visibility keys.
func readMeta(n *html.Node, m *meta) {
	name := strings.ToLower(strings.TrimSpace(attribute(n, "name") + attribute(n, "property")))
	if key := metaNames[name]; key != "" {
		m.setDefault(key, attribute(n, "content"))
		return
	}
	_, known := visibilityKeys[normalKey(name)]
	if known || !strings.ContainsAny(name, ":.") && looksLikeVisibility.MatchString(normalKey(name)) {
		m.add(name, attribute(n, "content"), 0)
	}
}

// readVisibilityAttributes reads attributes of a page's main elements that may withhold it:
// hidden, and visibility keys such as data-draft or data-status.
func readVisibilityAttributes(n *html.Node, m *meta) {
	for _, a := range n.Attr {
		if a.Key == "hidden" {
			m.add("hidden", true, 0)
		}
		if name, ours := strings.CutPrefix(a.Key, "data-"); ours && (looksLikeVisibility.MatchString(normalKey(name)) || name == "status") {
			m.add(name, a.Val, 0)
		}
	}
}

// readHead reads the metadata of a page from n and the elements below it.
func readHead(n *html.Node, m *meta) {
	if n.Type == html.ElementNode {
		switch n.DataAtom {
		case atom.Html, atom.Body, atom.Main, atom.Article:
			readVisibilityAttributes(n, m)
		}
		switch n.DataAtom {
		case atom.Html:
			m.setDefault("lang", attribute(n, "lang"))
		case atom.Meta:
			readMeta(n, m)
		case atom.Link:
			if strings.EqualFold(attribute(n, "rel"), "canonical") {
				if u, err := url.Parse(attribute(n, "href")); err == nil && markup.IsWeb(u) {
					m.setDefault("url", u.String())
				}
			}
		case atom.Time:
			m.setDefault("date", attribute(n, "datetime"))
		}
	}
	for child := n.FirstChild; child != nil; child = child.NextSibling {
		readHead(child, m)
	}
}

// setDefault adds a key unless the file has it.
func (m *meta) setDefault(key, value string) {
	if !m.has(key) && strings.TrimSpace(value) != "" {
		m.add(key, value, 0)
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
