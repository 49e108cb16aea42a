package markup

import (
	"fmt"
	"net/url"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/tidings-press/tidings/internal/article"
)

// prepare rewrites HTML before the sanitizer, which would otherwise drop some content: it
// encodes links as browsers do, restores lazily loaded pictures, and adds links for frames.
// Everything else stays unchanged.
func prepare(source string) string {
	p := preparer{z: html.NewTokenizer(strings.NewReader(source)), seen: map[string]bool{}}
	for {
		kind := p.z.Next()
		if kind == html.ErrorToken {
			return p.out.String()
		}
		raw := string(p.z.Raw())
		if kind == html.StartTagToken || kind == html.SelfClosingTagToken {
			raw = p.startTag(raw)
		} else if kind == html.EndTagToken {
			if name, _ := p.z.TagName(); atom.Lookup(name) == atom.Noscript {
				p.inNoscript, raw = false, ""
			}
		}
		p.out.WriteString(raw)
	}
}

// preparer holds the state of prepare.
type preparer struct {
	z          *html.Tokenizer
	out        strings.Builder
	seen       map[string]bool // URLs of the pictures so far
	inNoscript bool            // the current position is in noscript
}

// startTag returns the replacement for a start tag.
func (p *preparer) startTag(raw string) string {
	name, more := p.z.TagName()
	element := atom.Lookup(name)
	switch element {
	case atom.Noscript:
		p.z.NextIsNotRawText() // parse its content, which holds the pictures for browsers without scripts
		p.inNoscript = true
		return ""
	case atom.A, atom.Area, atom.Img, atom.Source, atom.Iframe, atom.Video, atom.Audio, atom.Track, atom.Blockquote, atom.Q, atom.Del, atom.Ins:
	default:
		return raw
	}
	t := html.Token{Type: html.StartTagToken, DataAtom: element, Data: string(name)}
	for more {
		var key, value []byte
		key, value, more = p.z.TagAttr()
		t.Attr = append(t.Attr, html.Attribute{Key: string(key), Val: string(value)})
	}
	if element == atom.Img || element == atom.Source {
		loadLazy(&t)
	}
	for i := range t.Attr {
		switch t.Attr[i].Key {
		case "href", "src", "poster", "cite":
			if !strings.HasPrefix(strings.ToLower(strings.TrimSpace(t.Attr[i].Val)), "data:") {
				t.Attr[i].Val = EncodeLink(t.Attr[i].Val)
			}
		}
	}
	switch element {
	case atom.Img:
		return p.picture(t)
	case atom.Iframe:
		return frameLink(t) + raw
	}
	return t.String()
}

// picture returns the tag of an image, or an empty string if it is in noscript and the same
// image has occurred before.
func (p *preparer) picture(t html.Token) string {
	source := article.TokenAttribute(&t, "src")
	if p.inNoscript && p.seen[source] {
		return ""
	}
	p.seen[source] = true
	return t.String()
}

// The attributes in which scripts for lazy loading store the URL of the picture.
var (
	lazySources = []string{"data-src", "data-original", "data-lazy-src", "data-lazy", "data-original-src", "data-full-src", "data-actualsrc", "data-echo"}
	lazySets    = []string{"data-srcset", "data-lazy-srcset", "data-original-set"}
)

// loadLazy replaces the placeholder of a lazily loaded picture by the picture.
func loadLazy(t *html.Token) {
	source, set := "", ""
	for _, key := range lazySources {
		if source == "" {
			source = strings.TrimSpace(article.TokenAttribute(t, key))
		}
	}
	for _, key := range lazySets {
		if set == "" {
			set = strings.TrimSpace(article.TokenAttribute(t, key))
		}
	}
	if source != "" && !strings.HasPrefix(source, "{") { // JSON data for a script, not a URL
		article.SetTokenAttribute(t, "src", source)
	}
	if set != "" {
		article.SetTokenAttribute(t, "srcset", set)
	} else if strings.HasPrefix(strings.TrimSpace(article.TokenAttribute(t, "srcset")), "data:") {
		article.SetTokenAttribute(t, "srcset", "")
	}
}

// frameLink returns a link to the page of a frame, such as a video, since the sanitizer drops
// the frame itself. It returns an empty string for invisible frames.
func frameLink(t html.Token) string {
	link := article.TokenAttribute(&t, "src")
	if strings.HasPrefix(link, "//") {
		link = "https:" + link
	}
	u, err := url.Parse(link)
	if err != nil || !IsWeb(u) || tiny(strings.TrimSuffix(article.TokenAttribute(&t, "width"), "px")) || tiny(strings.TrimSuffix(article.TokenAttribute(&t, "height"), "px")) {
		return ""
	}
	return fmt.Sprintf(`<p><a href="%s">%s</a></p>`, html.EscapeString(link), html.EscapeString(u.Host+u.Path))
}
