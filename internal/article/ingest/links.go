package ingest

import (
	"net/url"
	"strings"

	"github.com/tidings-press/tidings/internal/article/markup"
)

// links resolves the links of one article. Links to this site become root-relative, all others
// absolute.
type links struct {
	base *url.URL // the article's own URL
	site *url.URL
}

// resolve returns the stored form of a link (RFC 3986, section 5), or an empty string if its
// scheme is not allowed.
func (l links) resolve(link string) string {
	u, err := url.Parse(markup.EncodeLink(link))
	if err != nil {
		return ""
	}
	if u = l.base.ResolveReference(u); u.Scheme == "mailto" || u.Scheme == "tel" {
		return u.String()
	}
	if !markup.IsWeb(u) {
		return ""
	}
	if own := l.sitePath(u); own != "" {
		return own
	}
	return u.String()
}

// sitePath returns the root-relative form of a URL on this site, or an empty string for other
// URLs.
func (l links) sitePath(u *url.URL) string {
	if l.site == nil || u.Scheme != l.site.Scheme || !strings.EqualFold(u.Host, l.site.Host) {
		return ""
	}
	path, below := strings.CutPrefix(u.EscapedPath(), l.site.EscapedPath())
	if !below || !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") {
		return ""
	}
	if u.RawQuery != "" {
		path += "?" + u.RawQuery
	}
	if u.Fragment != "" {
		path += "#" + u.EscapedFragment()
	}
	return path
}
