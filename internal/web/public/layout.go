package public

import (
	"cmp"
	"context"
	"html/template"
	"io/fs"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tidings-press/tidings/feed"
	"github.com/tidings-press/tidings/internal/web/view"
	"github.com/tidings-press/tidings/internal/words"
	"github.com/tidings-press/tidings/templates"
)

// layout is the part of pages around their content, in one language: the phrases, the format of
// dates, and the page templates.
type layout struct {
	*words.Language
	language string // BCP 47
	frame    templates.Page
	pages    *view.Set
}

// layouts are the layouts by language.
type layouts struct {
	mu   sync.Mutex
	made map[string]*layout // by language

	offered atomic.Pointer[offeredLanguages]
}

// offeredLanguages are the languages in which the pages of one version of the content may appear.
type offeredLanguages struct {
	*words.Chooser
	contentVersion int64
	tags           []string // the site's own first
}

// match returns the offered language of an article's language, whatever its region; empty when it
// is not offered.
func (o *offeredLanguages) match(tag string) string {
	for _, own := range o.tags {
		if words.Primary(own) == words.Primary(tag) {
			return own
		}
	}
	return ""
}

// languagesFor returns the languages that pages may appear in now: the configured ones, or the
// site's own and those of its articles that have phrases.
func (p *Pages) languagesFor(ctx context.Context) *offeredLanguages {
	version := int64(-1)
	if p.feeds != nil {
		version = p.feeds.ContentVersion()
		if o := p.layouts.offered.Load(); o != nil && o.contentVersion == version {
			return o
		}
	}
	tags := []string{cmp.Or(p.config.Site.Language, "en")}
	candidates := p.config.Site.Languages
	if len(candidates) == 0 {
		spoken, err := p.store.Languages(ctx)
		if err != nil { // the page itself may still be in memory
			p.log.Warn("languages of the articles cannot be read", "error", err)
		}
		for _, l := range spoken {
			candidates = append(candidates, l.Name)
		}
	}
	for _, tag := range candidates {
		if !slices.ContainsFunc(tags, func(t string) bool { return words.Primary(t) == words.Primary(tag) }) && catalogue().Has(tag) {
			tags = append(tags, tag)
		}
	}
	o := &offeredLanguages{words.NewChooser(tags), version, tags}
	if p.feeds != nil {
		p.layouts.offered.Store(o)
	}
	return o
}

type (
	layoutKey   struct{}
	fixedLayout struct{}
)

// withLayout returns a request whose context has the layout in the preferred language.
func (p *Pages) withLayout(r *http.Request) *http.Request {
	c := p.layoutIn(p.languagesFor(r.Context()).Choose(r.Header.Get("Accept-Language")))
	return r.WithContext(context.WithValue(r.Context(), layoutKey{}, c))
}

// withLanguage returns a request whose page is in the language of its content, whatever the request
// prefers. It returns the request itself if the site does not offer that language.
func (p *Pages) withLanguage(r *http.Request, tag string) *http.Request {
	if tag = p.languagesFor(r.Context()).match(tag); tag == "" {
		return r
	}
	ctx := context.WithValue(r.Context(), layoutKey{}, p.layoutIn(tag))
	return r.WithContext(context.WithValue(ctx, fixedLayout{}, true))
}

// varies reports whether a page depends on the language that the request prefers.
func (p *Pages) varies(ctx context.Context) bool {
	return ctx.Value(fixedLayout{}) == nil && len(p.languagesFor(ctx).tags) > 1
}

// layout returns the layout in a request's context, or that of the site's language.
func (p *Pages) layout(ctx context.Context) *layout {
	if c, ok := ctx.Value(layoutKey{}).(*layout); ok {
		return c
	}
	return p.layoutIn(p.config.Site.Language)
}

// layoutIn returns the layout of a language.
func (p *Pages) layoutIn(tag string) *layout {
	p.layouts.mu.Lock()
	defer p.layouts.mu.Unlock()
	c := p.layouts.made[tag]
	if c == nil {
		var err error
		if c, err = p.newLayout(tag); err != nil {
			panic(err) // cannot fail: New has created one, and others differ only in their phrases
		}
		p.layouts.made[tag] = c
	}
	return c
}

func (p *Pages) newLayout(tag string) (*layout, error) {
	site := templates.Site{Title: p.config.Site.Title.In(tag), URL: p.config.Site.URL}
	c := &layout{Language: catalogue().In(tag), language: tag, frame: p.templates.Page(site, tag)}
	folder, err := fs.Sub(files, "pages")
	if err != nil {
		return nil, err
	}
	c.pages, err = view.Load(folder, c.functions(p.zone))
	return c, err
}

// functions returns the functions of the page templates.
func (l *layout) functions(zone *time.Location) template.FuncMap {
	return template.FuncMap{
		"say":           l.Say,
		"pageLanguage":  func() string { return l.language },
		"date":          func(t time.Time) string { return l.frame.ShortDate(t.In(zone)) },
		"machine":       func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"list":          l.frame.List,
		"tagPath":       feed.TagPath,
		"authorPath":    feed.AuthorPath,
		"languagePath":  feed.LanguagePath,
		"languageName":  words.NameOf,
		"direction":     func() string { return l.frame.Direction },
		"trusted":       func(clean string) template.HTML { return template.HTML(clean) }, // only for Article.HTML, cleaned at import
		"otherLanguage": func(tag string) bool { return tag != "" && words.Primary(tag) != words.Primary(l.language) },
		"sound":         func(kind string) bool { return strings.HasPrefix(kind, "audio/") },
	}
}
