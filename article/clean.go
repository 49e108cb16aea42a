package article

import (
	"net/url"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// Clean makes HTML harmless and well formed: elements and attributes that the
// policy does not list are dropped, scripts and styles with their text. Each link
// goes through resolve, which returns the link to put in its place, or nothing to
// drop it; nil leaves links as they are. Cleaning what is clean changes nothing.
func Clean(source string, resolve func(link string) string) string {
	source = policy.Sanitize(CleanText(source))
	// A parser in the way of browsers closes what is open; what it changes on the
	// way may need a second look.
	for range 3 {
		next, ok := reparse(source, resolve)
		if !ok {
			return "<p>" + html.EscapeString(plainText(source)) + "</p>"
		}
		resolve = nil
		if next == source {
			break
		}
		source = policy.Sanitize(next)
	}
	return source
}

// reparse reads HTML as a browser would and writes it out again. It returns false
// for HTML that is nested too deeply to be read.
func reparse(source string, resolve func(link string) string) (string, bool) {
	body := &html.Node{Type: html.ElementNode, Data: "body", DataAtom: atom.Body}
	nodes, err := html.ParseFragment(strings.NewReader(source), body)
	if err != nil {
		return "", false
	}
	var out strings.Builder
	out.Grow(len(source))
	for _, n := range nodes {
		tidy(n, resolve)
		if err := html.Render(&out, n); err != nil {
			return "", false
		}
	}
	return strings.TrimSpace(out.String()), true
}

// tidy resolves the links below a node and drops comments.
func tidy(n *html.Node, resolve func(link string) string) {
	if n.Type == html.CommentNode {
		n.Type, n.Data = html.TextNode, ""
		return
	}
	if n.Type == html.ElementNode && resolve != nil {
		mapLinks(&n.Attr, resolve)
	}
	for child := n.FirstChild; child != nil; child = child.NextSibling {
		tidy(child, resolve)
	}
}

// links turns the links of one article into absolute ones, or root-relative ones
// for this site.
type links struct {
	base *url.URL // the article's own URL
	site *url.URL
}

// resolve returns a link's stored form (RFC 3986, section 5), and nothing for one
// that leads nowhere safe.
func (l links) resolve(link string) string {
	u, err := url.Parse(strings.TrimSpace(link))
	if err != nil {
		return ""
	}
	if u = l.base.ResolveReference(u); u.Scheme == "mailto" || u.Scheme == "tel" {
		return u.String()
	}
	if (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return ""
	}
	if l.site != nil && u.Scheme == l.site.Scheme && u.Host == l.site.Host && strings.HasPrefix(u.Path, l.site.Path+"/") {
		own := *u
		own.Scheme, own.Host, own.User = "", "", nil
		own.Path, own.RawPath = strings.TrimPrefix(own.Path, l.site.Path), ""
		if out := own.String(); strings.HasPrefix(out, "/") && !strings.HasPrefix(out, "//") {
			return out
		}
	}
	return u.String()
}
