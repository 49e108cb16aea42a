package feed

import (
	"strings"

	"github.com/microcosm-cc/bluemonday"

	"github.com/tidings-press/tidings/internal/article"
)

// MaxBody is the longest article that stands in a feed in full, in bytes of HTML.
// Feed readers get the summary and the link of a longer one.
const MaxBody = 8 << 20

// Body returns an article's HTML as a feed shows it: harmless, and with absolute
// addresses. site is the site's address, page the article's. The HTML was sanitized
// at import, which also closed and nested its elements.
func Body(source, site, page string) string {
	if len(source) > MaxBody {
		return ""
	}
	p := newPlace(site, page)
	source = article.RewriteLinks(clean(source), p.attribute)
	return strings.TrimSpace(clean(policy.Sanitize(source)))
}

// attribute returns the value of an attribute that holds an address, or an address
// within one. Only links may lead elsewhere than to the web.
func (p place) attribute(key, address string) string {
	if key == "href" {
		return p.link(address)
	}
	return p.web(address)
}

// policy is what feeds may show. It allows less than the policy of imports: no
// styles and names, which mean nothing in a feed reader, and only elements that the
// public validators take for harmless.
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
