package feed

import (
	"strings"

	"github.com/microcosm-cc/bluemonday"

	"github.com/tidings-press/tidings/internal/article"
)

// MaxBody is the size up to which a feed contains an article in full, in bytes of HTML. Of
// longer ones it contains the summary and the link.
const MaxBody = 8 << 20

// Body returns an article's HTML for a feed: sanitized, with absolute addresses. site is
// the site's address, page the article's. The import has already sanitized the HTML and
// repaired its nesting.
func Body(source, site, page string) string {
	if len(source) > MaxBody {
		return ""
	}
	p := newBase(site, page)
	source = article.RewriteLinks(clean(source), p.attribute)
	return strings.TrimSpace(clean(policy.Sanitize(source)))
}

// attribute rewrites an address in an attribute. Only links may have schemes other than
// http and https.
func (p base) attribute(key, address string) string {
	if key == "href" {
		return p.linkURL(address)
	}
	return p.webURL(address)
}

// policy is the HTML policy of feeds. It allows less than that of imports: no styles and
// names, which mean nothing in a feed reader, and only elements that the public validators
// consider safe.
var policy = newPolicy()

func newPolicy() *bluemonday.Policy {
	elements := strings.Fields(`abbr address article aside b bdi blockquote br caption cite code col colgroup dd del details dfn div dl dt em
		figcaption figure footer h1 h2 h3 h4 h5 h6 header hr i ins kbd li main mark ol p picture pre q rp rt ruby s samp section small
		span strong sub summary sup table tbody td tfoot th thead time tr u ul var wbr`)
	p := bluemonday.NewPolicy()
	p.AllowElements(elements...)
	p.AllowNoAttrs().OnElements(append(elements, "a", "audio", "video")...)
	p.AllowAttrs("lang", "dir", "title", "id").Globally()
	p.AllowAttrs("class").OnElements("code", "pre")
	p.AllowAttrs("href").OnElements("a")
	p.AllowAttrs("cite").OnElements("blockquote", "q", "del", "ins")
	p.AllowAttrs("datetime").OnElements("time", "del", "ins")
	p.AllowAttrs("src", "srcset", "sizes", "alt", "width", "height", "loading").OnElements("img")
	p.AllowAttrs("src", "srcset", "sizes", "type", "media").OnElements("source")
	p.AllowAttrs("src", "controls", "loop", "muted", "preload").OnElements("audio", "video")
	p.AllowAttrs("poster", "width", "height").OnElements("video")
	p.AllowAttrs("src", "kind", "srclang", "label").OnElements("track")
	p.AllowAttrs("colspan", "rowspan", "span", "align", "scope").OnElements("td", "th", "col", "colgroup")
	p.AllowAttrs("start", "value", "type", "reversed").OnElements("ol", "li")
	p.AllowAttrs("open").OnElements("details")
	p.AllowURLSchemes(schemes...)
	p.RequireParseableURLs(true)
	return p
}
