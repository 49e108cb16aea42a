package public

import (
	"html/template"
	"net/http"
	"strings"
	"time"

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

// show fills a page and sends it.
func (p *Pages) show(w http.ResponseWriter, status int, name string, v page) error {
	body, err := p.fill(name, v)
	if err != nil {
		return err
	}
	p.pageHeaders(w.Header(), v.NoIndex)
	if status == http.StatusOK && !v.NoIndex {
		w.Header().Set("Cache-Control", "public, max-age=60")
	}
	w.WriteHeader(status)
	_, _ = w.Write(body) // a reader who went away needs no answer
	return nil
}

func (p *Pages) pageHeaders(h http.Header, noIndex bool) {
	if noIndex {
		h.Set("X-Robots-Tag", "noindex")
	}
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", p.config.Site.Language)
}

// fill fills a page.
func (p *Pages) fill(name string, v page) ([]byte, error) {
	v.Site = p.config.Site
	if v.Title == "" {
		v.Title = p.config.Site.Title
	}
	if v.Feeds == nil {
		v.Feeds = p.links(p.config.Site.Title, feed.Definition{Kind: feed.Everything})
	}
	return p.pages.Fill(name, v)
}

func (p *Pages) functions() template.FuncMap {
	return template.FuncMap{
		"say":          p.words.say,
		"date":         func(t time.Time) string { return p.frame.ShortDate(t.In(p.zone)) },
		"machine":      func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"list":         p.frame.List,
		"tagPath":      feed.TagPath,
		"authorPath":   feed.AuthorPath,
		"languagePath": feed.LanguagePath,
		"languageName": languageName,
		"direction":    func() string { return p.frame.Direction },
		"trusted":      func(clean string) template.HTML { return template.HTML(clean) }, // only for Article.HTML, cleaned at import
		"otherLanguage": func(tag string) bool {
			return tag != "" && !strings.EqualFold(tag, p.config.Site.Language)
		},
		"sound": func(kind string) bool { return strings.HasPrefix(kind, "audio/") },
	}
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
