package ingest

import (
	"regexp"

	"github.com/microcosm-cc/bluemonday"
)

// policy lists all that an article's HTML may hold: what is not here is dropped.
var policy = newPolicy()

var (
	languageValue  = regexp.MustCompile(`^[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*$`)
	directionValue = regexp.MustCompile(`(?i)^(ltr|rtl|auto)$`)
	mediaValue     = regexp.MustCompile(`^[a-zA-Z0-9!#$&^_.+-]+/[a-zA-Z0-9!#$&^_.+-]+( *; *[a-zA-Z0-9-]+=("[^"<>]*"|[a-zA-Z0-9._, -]+))*$`)
	srcsetValue    = regexp.MustCompile(`^[^<>"]*$`)
	conditionValue = regexp.MustCompile(`^[a-zA-Z0-9 ()<>=:.,%-]*$`)
	codeClass      = regexp.MustCompile(`^(language-[a-zA-Z0-9_+#.-]{1,40}|footnotes|footnote-ref|footnote-backref)$`)
	preloadValue   = regexp.MustCompile(`(?i)^(none|metadata)$`)
	listKind       = regexp.MustCompile(`^[1AaIi]$`)
	idValue        = regexp.MustCompile(`^[\p{L}\p{N}][\p{L}\p{N}:_.-]{0,200}$`)
)

func newPolicy() *bluemonday.Policy {
	p := bluemonday.NewPolicy()
	p.AllowElements("p", "br", "hr", "h1", "h2", "h3", "h4", "h5", "h6", "div", "span", "section", "article", "aside", "header", "footer", "main",
		"b", "strong", "i", "em", "u", "s", "del", "ins", "mark", "small", "sub", "sup", "abbr", "cite", "dfn", "code", "kbd", "samp", "var",
		"pre", "blockquote", "q", "bdi", "bdo", "wbr", "ruby", "rb", "rt", "rp", "rtc", "address",
		"ul", "ol", "li", "dl", "dt", "dd", "figure", "figcaption", "picture", "details", "summary", "time",
		"table", "caption", "colgroup", "col", "thead", "tbody", "tfoot", "tr", "th", "td")
	p.AllowAttrs("lang").Matching(languageValue).Globally()
	p.AllowAttrs("dir").Matching(directionValue).Globally()
	p.AllowAttrs("id").Matching(idValue).Globally()
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
	p.AllowAttrs("name").Matching(idValue).OnElements("a") // becomes its id
	p.AllowAttrs("cite").OnElements("blockquote", "q", "del", "ins")
	p.AllowAttrs("datetime").OnElements("time", "del", "ins")
	// Links open as the reader wishes, but none of them vouches for its target.
	p.RequireNoFollowOnLinks(false)
}

func allowMedia(p *bluemonday.Policy) {
	p.AllowAttrs("src", "alt").OnElements("img")
	p.AllowDataURIImages() // an import makes files of them, else they are dropped
	p.AllowAttrs("srcset", "sizes").Matching(srcsetValue).OnElements("img", "source")
	p.AllowAttrs("width", "height").Matching(bluemonday.Integer).OnElements("img", "video")
	p.AllowAttrs("loading").Matching(regexp.MustCompile(`(?i)^(lazy|eager)$`)).OnElements("img")
	p.AllowAttrs("src").OnElements("source", "audio", "video", "track")
	p.AllowAttrs("type").Matching(mediaValue).OnElements("source")
	p.AllowAttrs("media").Matching(conditionValue).OnElements("source")
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
	p.AllowAttrs("type").Matching(listKind).OnElements("ol")
	p.AllowAttrs("reversed", "open").OnElements("ol", "details")
}
