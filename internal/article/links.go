package article

import (
	"net/url"
	"strings"

	"golang.org/x/net/html"
)

// Path returns the path of the article's page on this site.
func (a *Article) Path() string { return PathFor(a.Slug) }

// PathFor returns the path of the page of an article with this slug.
func PathFor(slug string) string { return "/articles/" + url.PathEscape(slug) }

// URLFor returns the article's canonical absolute URL on a site such as
// "https://example.org".
func (a *Article) URLFor(site string) string {
	if a.URL == "" {
		return strings.TrimSuffix(site, "/") + a.Path()
	}
	return Absolute(a.URL, site)
}

// Absolute puts the site's address before a path on this site and leaves every
// other URL as it is.
func Absolute(link, site string) string {
	if strings.HasPrefix(link, "/") && !strings.HasPrefix(link, "//") {
		return strings.TrimSuffix(site, "/") + link
	}
	return link
}

// BodyFor returns the HTML with absolute URLs throughout.
func (a *Article) BodyFor(site string) string {
	// Cleaned HTML quotes every attribute and escapes quotes in texts, so these
	// bytes can only stand at the start of an attribute or within a srcset.
	if !strings.Contains(a.HTML, `="/`) && !strings.Contains(a.HTML, ", /") {
		return a.HTML
	}
	var out strings.Builder
	out.Grow(len(a.HTML) + len(a.HTML)/16)
	z := html.NewTokenizer(strings.NewReader(a.HTML))
	for {
		kind := z.Next()
		if kind == html.ErrorToken {
			return out.String()
		}
		raw := z.Raw()
		if kind != html.StartTagToken && kind != html.SelfClosingTagToken {
			out.Write(raw)
			continue
		}
		if !strings.Contains(string(raw), `="/`) && !strings.Contains(string(raw), ", /") {
			out.Write(raw)
			continue
		}
		t := z.Token()
		mapLinks(&t.Attr, func(link string) string { return Absolute(link, site) })
		out.WriteString(t.String())
	}
}

// linkAttributes hold one URL each.
var linkAttributes = map[string]bool{"href": true, "src": true, "poster": true, "cite": true}

// mapLinks puts every URL among an element's attributes through f. An attribute
// for which f returns nothing is dropped.
func mapLinks(attributes *[]html.Attribute, f func(link string) string) {
	kept := (*attributes)[:0]
	for _, at := range *attributes {
		switch {
		case linkAttributes[at.Key]:
			at.Val = f(at.Val)
		case at.Key == "srcset":
			at.Val = MapSrcset(at.Val, f)
		default:
			kept = append(kept, at)
			continue
		}
		if at.Val != "" {
			kept = append(kept, at)
		}
	}
	*attributes = kept
}

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
