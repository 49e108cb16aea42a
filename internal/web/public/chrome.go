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

	"golang.org/x/text/language"

	"github.com/tidings-press/tidings/feed"
	"github.com/tidings-press/tidings/internal/lru"
	"github.com/tidings-press/tidings/internal/web/view"
	"github.com/tidings-press/tidings/templates"
)

// chrome is the part of pages around their content, in one language: the phrases, the format of
// dates, and the page templates.
type chrome struct {
	words
	language string // BCP 47
	frame    templates.Page
	pages    *view.Set
}

// chromes are the chromes by language.
type chromes struct {
	mu   sync.Mutex
	made map[string]*chrome // by language

	offered atomic.Pointer[offeredLanguages]
}

// offeredLanguages are the languages in which the pages of one generation of articles may appear.
type offeredLanguages struct {
	generation int64
	tags       []string // the site's own first
	matcher    language.Matcher
	chosen     *lru.Cache[string, string] // language by Accept-Language header
}

// The maximum number of cached Accept-Language headers, and the maximum length of one in bytes.
const (
	maxCachedHeaders = 512
	maxHeader        = 300
)

func newOffered(generation int64, tags []string) *offeredLanguages {
	parsed := make([]language.Tag, len(tags))
	for i, tag := range tags {
		parsed[i] = language.Make(tag)
	}
	chosen := lru.New[string](maxCachedHeaders, func(string) int64 { return 1 }, nil)
	return &offeredLanguages{generation, tags, language.NewMatcher(parsed), chosen}
}

// choose returns the offered language that an Accept-Language header prefers (RFC 9110,
// section 12.5.4), or the site's own.
func (o *offeredLanguages) choose(accept string) string {
	if len(o.tags) == 1 || accept == "" {
		return o.tags[0]
	}
	if tag, ok := o.chosen.Get(accept); ok {
		return tag
	}
	if len(accept) > maxHeader {
		return o.tags[0]
	}
	tag := o.tags[0]
	if wanted, _, err := language.ParseAcceptLanguage(accept); err == nil {
		if _, i, confidence := o.matcher.Match(wanted...); confidence > language.No {
			tag = o.tags[i]
		}
	}
	o.chosen.Put(accept, tag)
	return tag
}

// like returns the offered language of an article's language, whatever its region; empty when it
// is not offered.
func (o *offeredLanguages) like(tag string) string {
	for _, own := range o.tags {
		if primary(own) == primary(tag) {
			return own
		}
	}
	return ""
}

// languagesFor returns the languages that pages may appear in now: the configured ones, or the
// site's own and those of its articles that have phrases.
func (p *Pages) languagesFor(ctx context.Context) *offeredLanguages {
	generation := int64(-1)
	if p.feeds != nil {
		generation = p.feeds.Generation()
		if o := p.chromes.offered.Load(); o != nil && o.generation == generation {
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
		if !slices.ContainsFunc(tags, func(t string) bool { return primary(t) == primary(tag) }) && hasWords(tag) {
			tags = append(tags, tag)
		}
	}
	o := newOffered(generation, tags)
	if p.feeds != nil {
		p.chromes.offered.Store(o)
	}
	return o
}

// primary returns a language without its region.
func primary(tag string) string {
	tag, _, _ = strings.Cut(strings.ToLower(tag), "-")
	return tag
}

type (
	chromeKey   struct{}
	fixedChrome struct{}
)

// withChrome returns a request whose context has the chrome in the preferred language.
func (p *Pages) withChrome(r *http.Request) *http.Request {
	c := p.chromeIn(p.languagesFor(r.Context()).choose(r.Header.Get("Accept-Language")))
	return r.WithContext(context.WithValue(r.Context(), chromeKey{}, c))
}

// withLanguage returns a request whose page is in the language of its content, whatever the request
// prefers. It returns the request itself if the site does not offer that language.
func (p *Pages) withLanguage(r *http.Request, tag string) *http.Request {
	if tag = p.languagesFor(r.Context()).like(tag); tag == "" {
		return r
	}
	ctx := context.WithValue(r.Context(), chromeKey{}, p.chromeIn(tag))
	return r.WithContext(context.WithValue(ctx, fixedChrome{}, true))
}

// varies reports whether a page depends on the language that the request prefers.
func (p *Pages) varies(ctx context.Context) bool {
	return ctx.Value(fixedChrome{}) == nil && len(p.languagesFor(ctx).tags) > 1
}

// in returns the chrome in a request's context, or that of the site's language.
func (p *Pages) in(ctx context.Context) *chrome {
	if c, ok := ctx.Value(chromeKey{}).(*chrome); ok {
		return c
	}
	return p.chromeIn(p.config.Site.Language)
}

// chromeIn returns the chrome of a language.
func (p *Pages) chromeIn(tag string) *chrome {
	p.chromes.mu.Lock()
	defer p.chromes.mu.Unlock()
	c := p.chromes.made[tag]
	if c == nil {
		var err error
		if c, err = p.newChrome(tag); err != nil {
			panic(err) // cannot fail: New has created one, and others differ only in their phrases
		}
		p.chromes.made[tag] = c
	}
	return c
}

func (p *Pages) newChrome(tag string) (*chrome, error) {
	phrases, err := wordsFor(tag)
	if err != nil {
		return nil, err
	}
	site := templates.Site{Title: p.config.Site.Title, URL: p.config.Site.URL}
	c := &chrome{words: phrases, language: tag, frame: p.templates.Page(site, tag)}
	folder, err := fs.Sub(files, "pages")
	if err != nil {
		return nil, err
	}
	c.pages, err = view.Load(folder, c.functions(p.zone))
	return c, err
}

// functions returns the functions of the page templates.
func (c *chrome) functions(zone *time.Location) template.FuncMap {
	return template.FuncMap{
		"say":           c.say,
		"chromeTag":     func() string { return c.language },
		"date":          func(t time.Time) string { return c.frame.ShortDate(t.In(zone)) },
		"machine":       func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"list":          c.frame.List,
		"tagPath":       feed.TagPath,
		"authorPath":    feed.AuthorPath,
		"languagePath":  feed.LanguagePath,
		"languageName":  languageName,
		"direction":     func() string { return c.frame.Direction },
		"trusted":       func(clean string) template.HTML { return template.HTML(clean) }, // only for Article.HTML, cleaned at import
		"otherLanguage": func(tag string) bool { return tag != "" && primary(tag) != primary(c.language) },
		"sound":         func(kind string) bool { return strings.HasPrefix(kind, "audio/") },
	}
}
