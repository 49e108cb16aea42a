package ingest

import (
	"errors"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/tidings-press/tidings/internal/article"
)

// passes bounds how often HTML is read and sanitized until nothing changes any more. Real
// pages take two; HTML that takes more was made to confuse.
const passes = 5

// Sanitize makes HTML harmless and well formed: elements and attributes that the policy
// does not list are dropped, scripts and styles with their text, and pictures too small to
// be seen. Each link goes through resolve, which returns the link to put in its place, or
// an empty string to drop it; nil keeps links as they are unless their scheme is
// dangerous. Sanitizing twice changes nothing more. HTML that cannot be read in bounded
// time and space leaves its text only.
func Sanitize(source string, resolve func(link string) string) string {
	if resolve == nil {
		resolve = harmless
	}
	source = policy.Sanitize(prepare(article.CleanText(source)))
	for range passes {
		// A parser in the way of browsers closes what is open; what it moves on the
		// way needs a second look.
		next, err := reparse(source, resolve)
		if err != nil {
			break
		}
		if next == source {
			return source
		}
		resolve = harmless
		source = policy.Sanitize(next)
	}
	return textOnly(source)
}

// harmless returns the link itself, or an empty string unless its scheme is one of the few
// that only lead somewhere.
func harmless(link string) string {
	u, err := url.Parse(encodeLink(link))
	if err != nil {
		return ""
	}
	switch u.Scheme {
	case "", "http", "https", "mailto", "tel":
		return link
	}
	return ""
}

// textOnly returns the text of HTML as one paragraph.
func textOnly(source string) string {
	text := strings.ReplaceAll(article.CleanText(article.PlainText(source)), "\r", "\n")
	if text = strings.TrimSpace(text); text == "" {
		return ""
	}
	return "<p>" + html.EscapeString(text) + "</p>"
}

var errTangled = errors.New("the HTML is too tangled to be read")

// reparse reads HTML as a browser would and writes it out again. It fails for HTML
// that is nested too deeply to be read, or that would grow beyond measure.
func reparse(source string, resolve func(link string) string) (string, error) {
	if article.Tangled(source) {
		return "", errTangled
	}
	body := &html.Node{Type: html.ElementNode, Data: "body", DataAtom: atom.Body}
	nodes, err := html.ParseFragment(strings.NewReader(source), body)
	if err != nil {
		return "", err
	}
	out := bounded{most: 4*len(source) + 1<<16, over: errTangled}
	out.text.Grow(len(source))
	for _, n := range nodes {
		body.AppendChild(n)
	}
	normalizeNodes(body, resolve)
	for n := body.FirstChild; n != nil; n = n.NextSibling {
		if err := html.Render(&out, n); err != nil {
			return "", err
		}
	}
	return strings.TrimSpace(out.text.String()), nil
}

// bounded keeps what is written, up to a size.
type bounded struct {
	text strings.Builder
	most int
	over error // returned for more
}

func (b *bounded) fits(n int) error {
	if b.text.Len()+n > b.most {
		return b.over
	}
	return nil
}

func (b *bounded) Write(p []byte) (int, error) {
	if err := b.fits(len(p)); err != nil {
		return 0, err
	}
	return b.text.Write(p)
}

// WriteString and WriteByte spare the renderer a buffer for every element.
func (b *bounded) WriteString(s string) (int, error) {
	if err := b.fits(len(s)); err != nil {
		return 0, err
	}
	return b.text.WriteString(s)
}

func (b *bounded) WriteByte(c byte) error {
	if err := b.fits(1); err != nil {
		return err
	}
	return b.text.WriteByte(c)
}

// normalizeNodes resolves the links below a node, drops comments and tracking pixels, and
// removes from texts what XML forbids, which a character reference can bring in.
func normalizeNodes(parent *html.Node, resolve func(link string) string) {
	for n := parent.FirstChild; n != nil; {
		next := n.NextSibling
		switch {
		case n.Type == html.CommentNode, isTracker(n):
			parent.RemoveChild(n)
		case n.Type == html.TextNode:
			n.Data = cleanRead(n.Data)
		case n.Type == html.ElementNode:
			normalizeElement(n, resolve)
			normalizeNodes(n, resolve)
		}
		n = next
	}
}

// lineFeeds makes line feeds of the line ends of other systems.
var lineFeeds = strings.NewReplacer("\r\n", "\n", "\r", "\n")

// cleanRead cleans a text that a parser has read. A carriage return can only have stood there
// as a reference, and would be written as one again, which XML and some readers do not
// take for the end of a line.
func cleanRead(s string) string { return lineFeeds.Replace(article.CleanText(s)) }

func normalizeElement(n *html.Node, resolve func(link string) string) {
	for i := range n.Attr {
		n.Attr[i].Val = cleanRead(n.Attr[i].Val)
	}
	article.MapLinks(&n.Attr, func(_, link string) string { return resolve(link) })
	if n.DataAtom == atom.A {
		nameToID(n)
	}
	if n.DataAtom == atom.Img && attribute(n, "src") == "" && attribute(n, "srcset") == "" {
		// The picture is left out; the text that stands for it is kept.
		*n = html.Node{Type: html.TextNode, Data: attribute(n, "alt"), Parent: n.Parent, PrevSibling: n.PrevSibling, NextSibling: n.NextSibling}
	}
}

// nameToID turns the anchors of old pages into those of today, so that links to
// them go on working.
func nameToID(n *html.Node) {
	at := slices.IndexFunc(n.Attr, func(a html.Attribute) bool { return a.Key == "name" })
	if at < 0 {
		return
	}
	if attribute(n, "id") == "" {
		n.Attr[at].Key = "id"
		return
	}
	n.Attr = slices.Delete(n.Attr, at, at+1)
}

// isTracker reports whether a picture is too small to be seen. Such pictures only count
// readers.
func isTracker(n *html.Node) bool {
	if n.Type != html.ElementNode || n.DataAtom != atom.Img {
		return false
	}
	return tiny(attribute(n, "width")) && tiny(attribute(n, "height"))
}

func tiny(length string) bool { return length == "0" || length == "1" }
