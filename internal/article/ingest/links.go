package ingest

import (
	"net/url"
	"strings"
)

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
	if !isWeb(u) {
		return ""
	}
	if own := l.own(u); own != "" {
		return own
	}
	return u.String()
}

// isWeb says whether a URL is one that a browser opens as a page.
func isWeb(u *url.URL) bool {
	return (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}

// own returns the path of a URL on this site, and nothing for every other one.
func (l links) own(u *url.URL) string {
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
