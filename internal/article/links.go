package article

import (
	"net/url"
	"strings"
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

// Absolute returns the absolute URL of a path on this site. It returns other URLs unchanged.
func Absolute(link, site string) string {
	if strings.HasPrefix(link, "/") && !strings.HasPrefix(link, "//") {
		return strings.TrimSuffix(site, "/") + link
	}
	return link
}

// BodyFor returns the HTML with absolute URLs.
func (a *Article) BodyFor(site string) string {
	// Sanitized HTML quotes every attribute and escapes quotes in text, so these bytes occur
	// only at the start of an attribute or in a srcset.
	if !strings.Contains(a.HTML, `="/`) && !strings.Contains(a.HTML, ", /") {
		return a.HTML
	}
	return RewriteLinks(a.HTML, func(_, link string) string { return Absolute(link, site) })
}
