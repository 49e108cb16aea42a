package public

import (
	"cmp"
	"context"
	"net/http"
	"strings"

	"golang.org/x/text/language"
	"golang.org/x/text/language/display"

	"github.com/tidings-press/tidings/feed"
	"github.com/tidings-press/tidings/internal/config"
)

// page is what the layout of every page is given.
type page struct {
	Title       string
	Description string
	Canonical   string // absolute
	Language    string // of the content; the site's when empty
	Direction   string
	NoIndex     bool
	Narrow      bool // a form or message, without the columns of a front page
	Feeds       []feedLink
	Share       *share
	Site        config.Site
	Body        any
}

// feedLink is a feed that browsers and readers find by themselves.
type feedLink struct {
	Title, Type, URL string
	Format           string // for people: RSS, Atom or JSON
}

// links are the feeds of a definition.
func (p *Pages) links(title string, d feed.Definition) []feedLink {
	site := p.config.Site.URL
	return []feedLink{
		{title + " (Atom)", "application/atom+xml", site + d.Path(feed.FormatAtom, ""), "Atom"},
		{title + " (RSS)", "application/rss+xml", site + d.Path(feed.FormatRSS, ""), "RSS"},
		{title + " (JSON)", "application/feed+json", site + d.Path(feed.FormatJSON, ""), "JSON"},
	}
}

// show fills a page and sends it. A page whose language depends on the reader says so to caches.
func (p *Pages) show(w http.ResponseWriter, r *http.Request, status int, name string, v page) error {
	body, err := p.fill(r.Context(), name, v)
	if err != nil {
		return err
	}
	if p.varies(r.Context()) {
		varyByLanguage(w.Header())
	}
	pageHeaders(w.Header(), cmp.Or(v.Language, p.in(r.Context()).language), v.NoIndex)
	if status == http.StatusOK && !v.NoIndex {
		w.Header().Set("Cache-Control", "public, max-age=60")
	}
	w.WriteHeader(status)
	_, _ = w.Write(body) // a reader who went away needs no answer
	return nil
}

// varyByLanguage adds Accept-Language to the header fields that an answer depends on.
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

// fill fills a page.
func (p *Pages) fill(ctx context.Context, name string, v page) ([]byte, error) {
	v.Site = p.config.Site
	if v.Title == "" {
		v.Title = p.config.Site.Title
	}
	if v.Feeds == nil {
		v.Feeds = p.links(p.config.Site.Title, feed.Definition{Kind: feed.Everything})
	}
	if v.Description == "" && !v.NoIndex {
		v.Description = p.config.Site.Description
	}
	if v.Share == nil && !v.NoIndex {
		v.Share = p.shareOf(&v, p.in(ctx).language)
	}
	return p.in(ctx).pages.Fill(name, v)
}

// languageName is what the speakers of a language call it.
func languageName(tag string) string {
	t, err := language.Parse(tag)
	if err != nil {
		return tag
	}
	if name := display.Self.Name(t); name != "" {
		return name
	}
	return tag
}
