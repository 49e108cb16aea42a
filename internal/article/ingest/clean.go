package ingest

import (
	"errors"
	"net/url"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/tidings-press/tidings/internal/article"
)

// passes are how often HTML is read and cleaned until nothing changes any more.
// Real pages take two; what takes more than this was made to confuse.
const passes = 5

// Clean makes HTML harmless and well formed: elements and attributes that the
// policy does not list are dropped, scripts and styles with their text, and so are
// pictures too small to be seen. Each link goes through resolve, which returns the
// link to put in its place, or nothing to drop it; nil keeps links as they are
// unless their scheme is dangerous. Cleaning what is clean changes nothing. HTML
// that cannot be read in bounded time and space leaves its text only.
func Clean(source string, resolve func(link string) string) string {
	if resolve == nil {
		resolve = harmless
	}
	source = policy.Sanitize(linkFrames(article.CleanText(source)))
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

// harmless returns the link itself, or nothing when its scheme is not one of the
// few that only lead somewhere.
func harmless(link string) string {
	u, err := url.Parse(strings.TrimSpace(link))
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
	tidy(body, resolve)
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
	over error // what is said of more
}

func (b *bounded) room(n int) error {
	if b.text.Len()+n > b.most {
		return b.over
	}
	return nil
}

func (b *bounded) Write(p []byte) (int, error) {
	if err := b.room(len(p)); err != nil {
		return 0, err
	}
	return b.text.Write(p)
}

// WriteString and WriteByte spare the renderer a buffer for every element.
func (b *bounded) WriteString(s string) (int, error) {
	if err := b.room(len(s)); err != nil {
		return 0, err
	}
	return b.text.WriteString(s)
}

func (b *bounded) WriteByte(c byte) error {
	if err := b.room(1); err != nil {
		return err
	}
	return b.text.WriteByte(c)
}
