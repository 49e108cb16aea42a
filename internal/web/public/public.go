// Package public serves the public pages: front page, articles, tags, authors, languages, feeds,
// search and editions, and the pages for subscribers: subscribe, confirm, unsubscribe and
// preferences. New returns the pages, Routes adds them to a mux.
//
// The pages need no scripts and set no cookies.
package public

import (
	"context"
	"embed"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"github.com/google/uuid"

	"github.com/tidings-press/tidings/feed"
	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/internal/cpulimit"
	"github.com/tidings-press/tidings/internal/feedserver"
	"github.com/tidings-press/tidings/internal/rendercache"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/token"
	"github.com/tidings-press/tidings/internal/web/middleware"
	"github.com/tidings-press/tidings/templates"
)

//go:embed pages/*.html
var files embed.FS

// Deps are the dependencies of New.
type Deps struct {
	Store     *store.Store
	Config    *config.Config
	Templates *templates.Set
	Sender    Sender
	Feeds     *feedserver.Server
	// Readers returns the estimated readers of each feed, by the feed's base path; nil if polls
	// are not counted.
	Readers func(context.Context) (map[string]feed.Readers, error)
	// Share limits the processor time for rendering while mail is sent; nil sets no limits.
	CPULimiter *cpulimit.Limiter
	Log        *slog.Logger
}

// Pages are the handlers of the public pages.
type Pages struct {
	store          *store.Store
	config         *config.Config
	feeds          *feedserver.Server
	readers        func(context.Context) (map[string]feed.Readers, error)
	log            *slog.Logger
	keys           subscriber.Keys
	shortLivedKeys token.Keys // for links that work for hours
	zone           *time.Location
	layouts        layouts
	templates      *templates.Set
	sender         Sender
	cpuLimiter     *cpulimit.Limiter
	cache          pageCache
	downloads      downloads
	fixed          fixedPages

	sitemapPart int64 // article numbers in one sitemap

	ownData        *middleware.Limiter[uuid.UUID]    // mails with a link for erasure or export, per person
	subscribeLimit *middleware.Limiter[netip.Prefix] // subscription forms per network
	searchLimit    *middleware.Limiter[netip.Prefix] // searches per network
	feedbackLimit  *middleware.Limiter[netip.Prefix] // answers about editions per network
}

// New returns the pages, or an error of the site's settings or the store.
func New(d Deps) (*Pages, error) {
	zone, err := time.LoadLocation(d.Config.Site.Timezone)
	if err != nil {
		return nil, err
	}
	keys, err := d.Store.Keys(context.Background())
	if err != nil {
		return nil, err
	}
	briefKeys, err := d.Store.ShortLivedKeys(context.Background())
	if err != nil {
		return nil, err
	}
	p := &Pages{
		store: d.Store, config: d.Config, readers: d.Readers, templates: d.Templates, sender: d.Sender, feeds: d.Feeds, log: d.Log, keys: keys, shortLivedKeys: briefKeys, zone: zone,
		cpuLimiter: d.CPULimiter, sitemapPart: sitemapPart,
		ownData:        middleware.NewLimiter[uuid.UUID](3, time.Hour, nil),
		subscribeLimit: middleware.NewLimiter[netip.Prefix](10, time.Minute, nil),
		searchLimit:    middleware.NewLimiter[netip.Prefix](30, time.Second, nil),
		feedbackLimit:  middleware.NewLimiter[netip.Prefix](10, time.Minute, nil),
	}
	p.cache.plain = rendercache.NewCache[*cachedPage](int64(d.Config.FeedSet.Memory) * 3 / 4)
	p.cache.queried = rendercache.NewCache[*cachedPage](int64(d.Config.FeedSet.Memory) / 4)
	own, err := p.newLayout(d.Config.Site.Language)
	if err != nil {
		return nil, err
	}
	p.layouts.made = map[string]*layout{own.language: own}
	return p, nil
}

// Routes adds the pages to a mux.
func (p *Pages) Routes(mux *http.ServeMux) {
	before := []string{"before"}
	for pattern, h := range map[string]handler{
		"GET /{$}":                  p.home,
		"GET /articles/{slug}":      p.article,
		"GET /tags/{name}/{$}":      p.tag,
		"GET /authors/{name}/{$}":   p.author,
		"GET /languages/{name}/{$}": p.language,
		"GET /tags/{name}":          p.tag, // redirects to the path with a slash
		"GET /authors/{name}":       p.author,
		"GET /languages/{name}":     p.language,
		"GET /feeds":                p.feedList,

		"GET /digests/{digest}/{edition}":            p.edition,
		"GET /digests/{digest}/{edition}/{$}":        p.edition,
		"GET /digests/{digest}/{edition}/{part}":     p.editionPart,
		"GET /digests/{digest}/{edition}/{part}/{$}": p.editionPart,
		"GET /editions/{edition}":                    p.formerEdition,
		"GET /editions/{edition}/{part}":             p.formerEditionPart,
	} {
		mux.Handle(pattern, p.cached(cpulimit.Cacheable, before, nil, h))
	}
	for _, pattern := range []string{"GET /digests/{digest}", "GET /digests/{digest}/{$}"} {
		mux.Handle(pattern, p.cached(cpulimit.Search, []string{"before", "q"}, p.limitQuestions, p.editionList))
	}
	mux.Handle("GET /tags/{$}", p.cached(cpulimit.Cacheable, []string{"find"}, nil, p.tags))
	mux.Handle("GET /sitemap.xml", p.cached(cpulimit.Search, []string{"part"}, nil, p.sitemap))
	mux.Handle("GET /robots.txt", p.cached(cpulimit.Cacheable, nil, nil, p.robots))
	mux.Handle("GET /subscribe", p.cached(cpulimit.Cacheable, []string{"digest"}, nil, p.subscribeForm))
	for pattern, kind := range map[string]feed.Kind{"GET /search": feed.BySearch, "GET /filter": feed.ByMatch} {
		mux.Handle(pattern, p.cached(cpulimit.Search, []string{"before", "page", feedserver.QueryParameter(kind)}, p.limitSearches, p.searchHandler(kind)))
	}
	mux.Handle("GET /media/{name}", p.handle(p.mediaFile))
	mux.Handle("/", p.uncached(cpulimit.Cacheable, p.redirectFormer))
	for pattern, h := range map[string]handler{
		"POST /subscribe":           p.subscribe,
		"GET /confirm/{token}":      p.confirmPage,
		"POST /confirm/{token}":     p.confirm,
		"GET /unsubscribe/{token}":  p.unsubscribePage,
		"POST /unsubscribe/{token}": p.unsubscribe,
		"GET /preferences/{token}":  p.preferencesPage,
		"POST /preferences/{token}": p.preferences,
		"GET /erase/{token}":        p.erasePage,
		"POST /erase/{token}":       p.erase,
		"GET /export/{token}":       p.exportPage,
		"POST /export/{token}":      p.export,

		"GET /editions/{edition}/feedback/{answer}":  p.feedbackPage,
		"POST /editions/{edition}/feedback/{answer}": p.feedback,
	} {
		mux.Handle(pattern, p.handle(h))
	}
}

// handler answers a request or returns an error, such as a refusal.
type handler func(w http.ResponseWriter, r *http.Request) error

func (p *Pages) handle(h handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Content-Security-Policy", policy)
		header.Set("Cache-Control", "no-store")
		r = p.withLayout(r)
		if err := h(w, r); err != nil {
			p.fail(w, r, err)
		}
	})
}

// policy is the content security policy of pages: this site's style sheets, and images, audio and
// video from anywhere, since articles may embed them from other sites.
const policy = "default-src 'none'; style-src 'self'; img-src 'self' https: http: data:; media-src 'self' https: http:; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

func (p *Pages) fail(w http.ResponseWriter, r *http.Request, err error) {
	var refused *refusal
	switch {
	case errors.Is(err, store.ErrNotFound):
		err = p.missing(w, r)
	case errors.As(err, &refused):
		err = p.refuse(w, r, refused)
	case errors.Is(err, cpulimit.ErrBusy) || errors.Is(err, context.DeadlineExceeded):
		w.Header().Set("Retry-After", "10")
		err = p.refuse(w, r, &refusal{
			status: http.StatusServiceUnavailable, title: p.layout(r.Context()).Say("One moment, please"),
			Text: p.layout(r.Context()).Say("There are too many requests right now. Please try again in a few seconds."),
		})
	case errors.Is(err, context.Canceled):
		return // the client disconnected
	default:
		p.log.Error("page failed", "path", middleware.LogPath(r), "request", middleware.ID(r.Context()), "error", err)
		p.Failed(w, r)
		return
	}
	if err != nil {
		p.Failed(w, r)
	}
}

// refusal is an error that is shown to the visitor as a page.
type refusal struct {
	status int
	title  string
	Text   string
	Link   string // where to go instead; may be empty
	Label  string
}

func (r *refusal) Error() string { return r.title }

func (p *Pages) missing(w http.ResponseWriter, r *http.Request) error {
	return p.refuse(w, r, &refusal{
		status: http.StatusNotFound, title: p.layout(r.Context()).Say("Page not found"),
		Text: p.layout(r.Context()).Say("The address may be mistyped, or the page never existed. The front page has the latest articles."),
		Link: "/", Label: p.layout(r.Context()).Say("Go to the front page"),
	})
}

// Failed answers with the page of an internal error.
func (p *Pages) Failed(w http.ResponseWriter, r *http.Request) {
	body := &refusal{
		Text: p.layout(r.Context()).Say("Please try again in a minute. If you write to us about it, include this number:") + " " + middleware.ID(r.Context()),
		Link: "/", Label: p.layout(r.Context()).Say("Go to the front page"),
	}
	w.Header().Set("Cache-Control", "no-store")
	if err := p.show(w, r, http.StatusInternalServerError, "message", page{Title: p.layout(r.Context()).Say("Something went wrong on our side"), NoIndex: true, Body: body}); err != nil {
		http.Error(w, "Something went wrong on our side. Please try again in a minute.", http.StatusInternalServerError)
	}
}
