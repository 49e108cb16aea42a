package markup

import (
	"errors"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/microcosm-cc/bluemonday"

	"github.com/tidings-press/tidings/internal/article"
)

// maxPasses is how often HTML is parsed and sanitized at most until it no longer changes. Real
// pages need two passes; HTML that needs more is an attack.
const maxPasses = 5

// Sanitize returns safe and well-formed HTML. It drops elements and attributes that the policy
// does not list, scripts and styles with their text, and tracking pixels. Each link is replaced
// by the result of resolve, or dropped if that is empty; with a nil resolve, links stay as they
// are unless their scheme is dangerous. Sanitizing the result again does not change it. HTML
// that cannot be parsed in bounded time and space is reduced to its text.
func Sanitize(source string, resolve func(link string) string) string {
	if resolve == nil {
		resolve = keepSafeLink
	}
	source = policy().Sanitize(prepare(article.CleanText(source)))
	for range maxPasses {
		// The parser closes open elements and moves misplaced ones as browsers do, so its
		// output must be sanitized again.
		next, err := reparse(source, resolve)
		if err != nil {
			break
		}
		if next == source {
			return source
		}
		resolve = keepSafeLink
		source = policy().Sanitize(next)
	}
	return textOnly(source)
}

// keepSafeLink returns a link unchanged if its scheme is safe, and an empty string otherwise.
func keepSafeLink(link string) string {
	u, err := url.Parse(EncodeLink(link))
	if err != nil {
		return ""
	}
	switch u.Scheme {
	case "", "http", "https", "mailto", "tel":
		return link
	}
	return ""
}

// textOnly returns a paragraph with the text of HTML.
func textOnly(source string) string {
	text := strings.ReplaceAll(article.CleanText(article.PlainText(source)), "\r", "\n")
	if text = strings.TrimSpace(text); text == "" {
		return ""
	}
	return "<p>" + html.EscapeString(text) + "</p>"
}

var errCostly = errors.New("the HTML is too deeply nested")

// reparse parses HTML as browsers do, normalizes it and renders it again. It fails for HTML that
// is nested too deeply or would become too large.
func reparse(source string, resolve func(link string) string) (string, error) {
	if article.CostlyToParse(source) {
		return "", errCostly
	}
	body := &html.Node{Type: html.ElementNode, Data: "body", DataAtom: atom.Body}
	nodes, err := html.ParseFragment(strings.NewReader(source), body)
	if err != nil {
		return "", err
	}
	out := boundedBuilder{limit: 4*len(source) + 1<<16, limitError: errCostly}
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

// boundedBuilder is a strings.Builder with a maximum size.
type boundedBuilder struct {
	text       strings.Builder
	limit      int
	limitError error // returned for writes beyond the limit
}

func (b *boundedBuilder) fits(n int) error {
	if b.text.Len()+n > b.limit {
		return b.limitError
	}
	return nil
}

func (b *boundedBuilder) Write(p []byte) (int, error) {
	if err := b.fits(len(p)); err != nil {
		return 0, err
	}
	return b.text.Write(p)
}

// WriteString and WriteByte save html.Render a buffer, since it needs a writer with them.
func (b *boundedBuilder) WriteString(s string) (int, error) {
	if err := b.fits(len(s)); err != nil {
		return 0, err
	}
	return b.text.WriteString(s)
}

func (b *boundedBuilder) WriteByte(c byte) error {
	if err := b.fits(1); err != nil {
		return err
	}
	return b.text.WriteByte(c)
}

// normalizeNodes resolves the links below a node, removes comments and tracking pixels, and
// removes characters that XML forbids, which the input may hold as character references.
func normalizeNodes(parent *html.Node, resolve func(link string) string) {
	for n := parent.FirstChild; n != nil; {
		next := n.NextSibling
		switch {
		case n.Type == html.CommentNode, isTracker(n):
			parent.RemoveChild(n)
		case n.Type == html.TextNode:
			n.Data = cleanParsed(n.Data)
		case n.Type == html.ElementNode:
			normalizeElement(n, resolve)
			normalizeNodes(n, resolve)
		}
		n = next
	}
}

// lineFeeds replaces CRLF and CR by LF.
var lineFeeds = strings.NewReplacer("\r\n", "\n", "\r", "\n")

// cleanParsed cleans a text from the HTML parser. A carriage return in it was a character
// reference and would be rendered as one, which XML parsers and some feed readers do not treat
// as a line end, so it becomes a line feed.
func cleanParsed(s string) string { return lineFeeds.Replace(article.CleanText(s)) }

func normalizeElement(n *html.Node, resolve func(link string) string) {
	for i := range n.Attr {
		n.Attr[i].Val = cleanParsed(n.Attr[i].Val)
	}
	article.MapLinks(&n.Attr, func(_, link string) string { return resolve(link) })
	if n.DataAtom == atom.A {
		nameToID(n)
	}
	if n.DataAtom == atom.Img && attribute(n, "src") == "" && attribute(n, "srcset") == "" {
		// The picture has no source any more, so it is replaced by its alternative text.
		*n = html.Node{Type: html.TextNode, Data: attribute(n, "alt"), Parent: n.Parent, PrevSibling: n.PrevSibling, NextSibling: n.NextSibling}
	}
}

// nameToID replaces the name attribute of anchors by id, so that links to the anchors of old
// pages still work.
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

// isTracker reports whether a node is a picture too small to be seen, which only counts readers.
func isTracker(n *html.Node) bool {
	if n.Type != html.ElementNode || n.DataAtom != atom.Img {
		return false
	}
	return tiny(attribute(n, "width")) && tiny(attribute(n, "height"))
}

func attribute(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func tiny(length string) bool { return length == "0" || length == "1" }

// policy lists everything that an article's HTML may contain. It is made when it is first used, since
// that takes 10 ms, which each command of the program would need.
var policy = sync.OnceValue(newPolicy)

var (
	languageValue   = regexp.MustCompile(`^[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*$`)
	directionValue  = regexp.MustCompile(`(?i)^(ltr|rtl|auto)$`)
	mediaTypeValue  = regexp.MustCompile(`^[a-zA-Z0-9!#$&^_.+-]+/[a-zA-Z0-9!#$&^_.+-]+( *; *[a-zA-Z0-9-]+=("[^"<>]*"|[a-zA-Z0-9._, -]+))*$`)
	srcsetValue     = regexp.MustCompile(`^[^<>"]*$`)
	mediaQueryValue = regexp.MustCompile(`^[a-zA-Z0-9 ()<>=:.,%-]*$`)
	codeClass       = regexp.MustCompile(`^(language-[a-zA-Z0-9_+#.-]{1,40}|footnotes|footnote-ref|footnote-backref)$`)
	preloadValue    = regexp.MustCompile(`(?i)^(none|metadata)$`)
	listTypeValue   = regexp.MustCompile(`^[1AaIi]$`)
)

// idValue takes 8 MB.
var idValue = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^[\p{L}\p{N}][\p{L}\p{N}:_.-]{0,200}$`)
})

func newPolicy() *bluemonday.Policy {
	p := bluemonday.NewPolicy()
	p.AllowElements("p", "br", "hr", "h1", "h2", "h3", "h4", "h5", "h6", "div", "span", "section", "article", "aside", "header", "footer", "main",
		"b", "strong", "i", "em", "u", "s", "del", "ins", "mark", "small", "sub", "sup", "abbr", "cite", "dfn", "code", "kbd", "samp", "var",
		"pre", "blockquote", "q", "bdi", "bdo", "wbr", "ruby", "rb", "rt", "rp", "rtc", "address",
		"ul", "ol", "li", "dl", "dt", "dd", "figure", "figcaption", "picture", "details", "summary", "time",
		"table", "caption", "colgroup", "col", "thead", "tbody", "tfoot", "tr", "th", "td")
	p.AllowAttrs("lang").Matching(languageValue).Globally()
	p.AllowAttrs("dir").Matching(directionValue).Globally()
	p.AllowAttrs("id").Matching(idValue()).Globally()
	p.AllowAttrs("title").Globally()
	p.AllowAttrs("class").Matching(codeClass).OnElements("code", "pre", "div", "section", "a", "sup")
	allowLinks(p)
	allowMedia(p)
	allowTables(p)
	return p
}

func allowLinks(p *bluemonday.Policy) {
	p.AllowURLSchemes("http", "https", "mailto", "tel")
	p.AllowRelativeURLs(true)
	p.RequireParseableURLs(true)
	p.AllowAttrs("href").OnElements("a")
	p.AllowAttrs("name").Matching(idValue()).OnElements("a") // see nameToID
	p.AllowAttrs("cite").OnElements("blockquote", "q", "del", "ins")
	p.AllowAttrs("datetime").OnElements("time", "del", "ins")
	p.RequireNoFollowOnLinks(false) // no rel=nofollow is added
}

func allowMedia(p *bluemonday.Policy) {
	p.AllowAttrs("src", "alt").OnElements("img")
	p.AllowDataURIImages() // an import converts them to files
	p.AllowAttrs("srcset", "sizes").Matching(srcsetValue).OnElements("img", "source")
	p.AllowAttrs("width", "height").Matching(bluemonday.Integer).OnElements("img", "video")
	p.AllowAttrs("loading").Matching(regexp.MustCompile(`(?i)^(lazy|eager)$`)).OnElements("img")
	p.AllowAttrs("src").OnElements("source", "audio", "video", "track")
	p.AllowAttrs("type").Matching(mediaTypeValue).OnElements("source")
	p.AllowAttrs("media").Matching(mediaQueryValue).OnElements("source")
	p.AllowAttrs("poster").OnElements("video")
	p.AllowAttrs("controls", "loop", "muted").OnElements("audio", "video")
	p.AllowAttrs("preload").Matching(preloadValue).OnElements("audio", "video")
	p.AllowAttrs("kind", "srclang", "label").Matching(bluemonday.SpaceSeparatedTokens).OnElements("track")
}

func allowTables(p *bluemonday.Policy) {
	p.AllowAttrs("colspan", "rowspan", "span").Matching(bluemonday.Integer).OnElements("td", "th", "col", "colgroup")
	p.AllowAttrs("align").Matching(bluemonday.CellAlign).OnElements("td", "th")
	p.AllowAttrs("scope").Matching(regexp.MustCompile(`(?i)^(row|col|rowgroup|colgroup)$`)).OnElements("th")
	p.AllowAttrs("start", "value").Matching(bluemonday.Integer).OnElements("ol", "li")
	p.AllowAttrs("type").Matching(listTypeValue).OnElements("ol")
	p.AllowAttrs("reversed", "open").OnElements("ol", "details")
}
