package digest

import (
	"html/template"
	"strconv"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/tidings-press/tidings/internal/article"
)

// mailBody returns the HTML of an article as mail programs show it. It adapts each article once.
func (v view) mailBody(a *article.Article) (template.HTML, error) {
	if body, done := v.bodies[a.ID]; done {
		return body, nil
	}
	key := bodyKey{id: a.ID, link: v.linkTo(a), language: v.page.Language}
	body, err := v.in.shared.body(key, func() (template.HTML, error) { return v.adaptBody(a) })
	v.bodies[a.ID] = body
	return body, err
}

// adaptBody adapts the HTML of an article for mail programs. Videos and recordings become links, the
// content of details is shown, and images fit the column. Images that mail programs do not show become
// their alternative texts.
func (v view) adaptBody(a *article.Article) (template.HTML, error) {
	root := &html.Node{Type: html.ElementNode, Data: "body", DataAtom: atom.Body}
	nodes, err := html.ParseFragment(strings.NewReader(a.BodyFor(v.in.Site.URL)), root)
	if err != nil {
		return "", err
	}
	for _, n := range nodes {
		root.AppendChild(n)
	}
	m := bodyAdapter{article: v.linkTo(a), image: v.mailImage}
	if m.video, err = v.page.Phrase("watch"); err != nil {
		return "", err
	}
	if m.audio, err = v.page.Phrase("listen"); err != nil {
		return "", err
	}
	m.adapt(root)
	var out strings.Builder
	for n := root.FirstChild; n != nil; n = n.NextSibling {
		if err := html.Render(&out, n); err != nil {
			return "", err
		}
	}
	return template.HTML(out.String()), nil //nolint:gosec // sanitized once, at import
}

// bodyAdapter adapts the HTML of an article for mail programs.
type bodyAdapter struct {
	article      string // URL of the article's page
	image        func(address string, width, height int) (mailImage, bool)
	video, audio string // labels of links
}

// adapt adapts all elements below a node.
func (m bodyAdapter) adapt(parent *html.Node) {
	for n := parent.FirstChild; n != nil; {
		next := n.NextSibling
		if n.Type == html.ElementNode {
			next = m.element(parent, n)
		}
		n = next
	}
}

// element adapts an element and returns the node to continue with.
func (m bodyAdapter) element(parent, n *html.Node) (next *html.Node) {
	next = n.NextSibling
	switch n.DataAtom {
	case atom.Video:
		replace(n, m.player(n, "▶ "+m.video, attributeOf(n, "poster")))
	case atom.Audio:
		replace(n, m.player(n, "♪ "+m.audio, ""))
	case atom.Source, atom.Track:
		parent.RemoveChild(n)
	case atom.Picture:
		return unwrap(n)
	case atom.Details:
		n.DataAtom, n.Data, n.Attr = atom.Div, "div", keepLanguage(n.Attr)
		m.adapt(n)
	case atom.Summary:
		n.DataAtom, n.Data, n.Attr = atom.P, "p", keepLanguage(n.Attr)
		bold := element(atom.Strong)
		for n.FirstChild != nil {
			child := n.FirstChild
			n.RemoveChild(child)
			bold.AppendChild(child)
		}
		n.AppendChild(bold)
		m.adapt(bold)
	case atom.Img:
		m.fitImage(n)
	case atom.Pre:
		style(n, "white-space:pre-wrap;overflow-wrap:anywhere")
		m.adapt(n)
	case atom.Table:
		style(n, "max-width:100%;overflow-wrap:anywhere;word-break:break-word")
		m.adapt(n)
	default:
		m.adapt(n)
	}
	return next
}

// player returns a link to a video or recording, or to the article if it names no file.
func (m bodyAdapter) player(n *html.Node, label, poster string) *html.Node {
	address := attributeOf(n, "src")
	for child := n.FirstChild; child != nil && address == ""; child = child.NextSibling {
		if child.DataAtom == atom.Source {
			address = attributeOf(child, "src")
		}
	}
	if address == "" {
		address = m.article
	}
	link := element(atom.A, html.Attribute{Key: "href", Val: address})
	if poster != "" {
		picture := element(atom.Img, html.Attribute{Key: "src", Val: poster}, html.Attribute{Key: "alt", Val: ""})
		link.AppendChild(picture)
		m.fitImage(picture)
		link.AppendChild(element(atom.Br))
	}
	link.AppendChild(&html.Node{Type: html.TextNode, Data: label})
	return link
}

// fitImage fits an image into the column, or replaces it by its alternative text if mail programs do
// not show it.
func (m bodyAdapter) fitImage(n *html.Node) {
	alt := attributeOf(n, "alt")
	image, shown := m.image(attributeOf(n, "src"), number(n, "width"), number(n, "height"))
	if !shown {
		text := element(atom.Em)
		if alt != "" {
			text.AppendChild(&html.Node{Type: html.TextNode, Data: "[" + alt + "]"})
		}
		replace(n, text)
		return
	}
	kept := []html.Attribute{{Key: "src", Val: image.url}, {Key: "alt", Val: alt}}
	if image.width > 0 {
		kept = append(kept, html.Attribute{Key: "width", Val: strconv.Itoa(image.width)})
	}
	if image.height > 0 {
		kept = append(kept, html.Attribute{Key: "height", Val: strconv.Itoa(image.height)})
	}
	if title := attributeOf(n, "title"); title != "" {
		kept = append(kept, html.Attribute{Key: "title", Val: title})
	}
	n.Attr = append(kept, keepLanguage(n.Attr)...)
	style(n, "max-width:100%;height:auto")
}

// mailImage is an image as a mail shows it: its URL and the size to show it at, 0 if unknown.
type mailImage struct {
	url           string
	width, height int
}

// mailImage returns the image at an absolute URL, fitted into the column. width and height are those
// that the article gives, or 0. It returns false for an image that mail programs do not show, or that
// is not there.
func (v view) mailImage(address string, width, height int) (mailImage, bool) {
	picture, stored := v.in.Pictures.At(address, v.in.Site.URL)
	if !stored {
		ours := v.in.Pictures != nil && article.IsMedia(address, v.in.Site.URL)
		width, height = fitColumn(width, height)
		return mailImage{address, width, height}, !ours && shownInMail(address)
	}
	best, shown := picture.ForMail(imageWidth)
	if !shown {
		return mailImage{}, false
	}
	width, height = fitColumn(picture.Size(width, height))
	return mailImage{v.in.Site.URL + best.Path(), width, height}, true
}

// fitColumn scales an image down to the width of the column. Smaller images are not enlarged. A length
// that is not known is 0, and a height without a width is of no use.
func fitColumn(width, height int) (int, int) {
	switch {
	case width <= 0:
		return 0, 0
	case width > imageWidth:
		height = height * imageWidth / width
		if height == 0 {
			return imageWidth, 0
		}
		return imageWidth, height
	}
	return width, max(height, 0)
}

// shownInMail reports whether mail programs show an image at this address: not one in SVG, nor one
// inside the address itself.
func shownInMail(address string) bool {
	path, _, _ := strings.Cut(address, "?")
	path, _, _ = strings.Cut(path, "#")
	return address != "" && !strings.HasPrefix(address, "data:") && !strings.HasSuffix(strings.ToLower(path), ".svg")
}

func element(name atom.Atom, attributes ...html.Attribute) *html.Node {
	return &html.Node{Type: html.ElementNode, DataAtom: name, Data: name.String(), Attr: attributes}
}

func replace(old, new *html.Node) {
	old.Parent.InsertBefore(new, old)
	old.Parent.RemoveChild(old)
}

// unwrap replaces an element by its content and returns the first node of that.
func unwrap(n *html.Node) *html.Node {
	next := n.NextSibling
	for child := n.LastChild; child != nil; child = n.LastChild {
		n.RemoveChild(child)
		n.Parent.InsertBefore(child, next)
		next = child
	}
	n.Parent.RemoveChild(n)
	return next
}

// keepLanguage returns the attributes for language and direction.
func keepLanguage(attributes []html.Attribute) []html.Attribute {
	var kept []html.Attribute
	for _, at := range attributes {
		if at.Key == "lang" || at.Key == "dir" {
			kept = append(kept, at)
		}
	}
	return kept
}

// style adds declarations. Articles have no style attributes of their own.
func style(n *html.Node, declarations string) {
	n.Attr = append(n.Attr, html.Attribute{Key: "style", Val: declarations})
}

func attributeOf(n *html.Node, name string) string {
	for _, at := range n.Attr {
		if at.Key == name {
			return at.Val
		}
	}
	return ""
}

func number(n *html.Node, name string) int {
	value, _ := strconv.Atoi(attributeOf(n, name))
	return value
}
