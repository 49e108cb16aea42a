package ingest

import (
	"fmt"
	"net/url"
	"strings"
)

// links turns the links of one article into absolute ones, or root-relative ones
// for this site.
type links struct {
	base *url.URL // the article's own URL
	site *url.URL
}

// resolve returns a link's stored form (RFC 3986, section 5), and an empty string for one
// that leads nowhere safe.
func (l links) resolve(link string) string {
	u, err := url.Parse(encodeLink(link))
	if err != nil {
		return ""
	}
	if u = l.base.ResolveReference(u); u.Scheme == "mailto" || u.Scheme == "tel" {
		return u.String()
	}
	if !isWeb(u) {
		return ""
	}
	if own := l.sitePath(u); own != "" {
		return own
	}
	return u.String()
}

// isWeb reports whether a URL is one that a browser opens as a page.
func isWeb(u *url.URL) bool {
	return (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}

// sitePath returns the path of a URL on this site, and an empty string for every other one.
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

// encodeLink returns a link in the form that url.Parse reads, as browsers make it (WHATWG
// URL): outer spaces, tabs and line feeds are dropped, backslashes of web addresses are
// slashes, and what may not stand in a URL is percent-encoded, a lone % too.
func encodeLink(link string) string {
	link = strings.TrimFunc(link, func(r rune) bool { return r <= ' ' })
	if !strings.ContainsAny(link, " \t\r\n\\%\"<>^`{|}") {
		return link
	}
	scheme, _, _ := strings.Cut(link, ":")
	web := strings.EqualFold(scheme, "http") || strings.EqualFold(scheme, "https") || scheme == link
	host := 0 // where the path begins: a space in a host is no address
	if at := strings.Index(link, "//"); at >= 0 && (at == 0 || link[at-1] == ':') {
		host = len(link)
		if path := strings.IndexAny(link[at+2:], "/\\?#"); path >= 0 {
			host = at + 2 + path
		}
	}
	var out strings.Builder
	query := false
	for i := 0; i < len(link); i++ {
		c := link[i]
		query = query || c == '?' || c == '#'
		switch {
		case c == '\t' || c == '\r' || c == '\n':
		case i < host:
			out.WriteByte(c)
		case c == '\\' && web && !query:
			out.WriteByte('/')
		case c == '%' && (i+2 >= len(link) || !isHex(link[i+1]) || !isHex(link[i+2])):
			out.WriteString("%25")
		case strings.IndexByte(" \"<>^`{|}\\", c) >= 0:
			fmt.Fprintf(&out, "%%%02X", c)
		default:
			out.WriteByte(c)
		}
	}
	return out.String()
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}
