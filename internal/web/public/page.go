package public

import (
	"cmp"
	"context"
	"net/http"
	"strings"

	"github.com/tidings-press/tidings/feed"
	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/config"
)

// page is the data of the layout of all pages.
type page struct {
	Title       string
	Description string
	Canonical   string // absolute
	Language    string // of the content; the site's when empty
	Direction   string
	NoIndex     bool
	Narrow      bool   // a form or message, without the columns of a front page
	Script      bool   // public.js makes it more convenient
	Question    string // of a search
	Feeds       []feedLink
	Metadata    *metadata
	// Translations are the addresses of the page in all its languages, absolute.
	Translations []article.Translation
	Site         config.Site
	Body         any
}

// feedLink is a link to a feed, for autodiscovery and for people.
type feedLink struct {
	Title, Type, URL string
	Format           string // for people: RSS, Atom or JSON
}

// links returns links to the documents of a feed.
func (p *Pages) links(title string, d feed.Definition) []feedLink {
	site := p.config.Site.URL
	return []feedLink{
		{title + " (RSS)", "application/rss+xml", site + d.Path(feed.FormatRSS, ""), "RSS"},
		{title + " (Atom)", "application/atom+xml", site + d.Path(feed.FormatAtom, ""), "Atom"},
		{title + " (JSON)", "application/feed+json", site + d.Path(feed.FormatJSON, ""), "JSON"},
	}
}

// show renders a page and sends it, with Vary if its language depends on the request.
func (p *Pages) show(w http.ResponseWriter, r *http.Request, status int, name string, v page) error {
	body, err := p.fill(r.Context(), name, v)
	if err != nil {
		return err
	}
	if v.Script {
		w.Header().Set("Content-Security-Policy", policy+"; script-src 'self'")
	}
	if p.varies(r.Context()) {
		varyByLanguage(w.Header())
	}
	pageHeaders(w.Header(), cmp.Or(v.Language, p.layout(r.Context()).language), v.NoIndex)
	if status == http.StatusOK && !v.NoIndex {
		w.Header().Set("Cache-Control", "public, max-age=60")
	}
	w.WriteHeader(status)
	_, _ = w.Write(body) // a client that disconnected needs no response
	return nil
}

// varyByLanguage adds Accept-Language to Vary.
func varyByLanguage(h http.Header) {
	h.Set("Vary", cmp.Or(h.Get("Vary"), "Accept-Encoding")+", Accept-Language")
}

// variesByLanguage reports whether varyByLanguage was called.
func variesByLanguage(h http.Header) bool { return strings.HasSuffix(h.Get("Vary"), "Accept-Language") }

func pageHeaders(h http.Header, language string, noIndex bool) {
	if noIndex {
		h.Set("X-Robots-Tag", "noindex")
	}
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", language)
}

// fill renders a page.
func (p *Pages) fill(ctx context.Context, name string, v page) ([]byte, error) {
	title, description := p.text(ctx, p.config.Site.Title), p.text(ctx, p.config.Site.Description)
	v.Site = p.config.Site
	v.Site.Title, v.Site.Description = config.Text(title), config.Text(description)
	v.Title = cmp.Or(v.Title, title)
	if v.Feeds == nil {
		v.Feeds = p.links(title, feed.Definition{Kind: feed.Everything})
	}
	if v.Description == "" && !v.NoIndex {
		v.Description = description
	}
	if v.Metadata == nil && !v.NoIndex {
		v.Metadata = p.metadataOf(&v, p.layout(ctx).language)
	}
	return p.layout(ctx).pages.Fill(name, v)
}
