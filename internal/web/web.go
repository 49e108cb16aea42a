// Package web is the HTTP side: the public pages, the admin and the feeds
// behind one handler. New is its door, NewServer the server to put it in.
//
// A GET changes nothing: mail scanners and link previews open every address they
// see. What changes something is a POST.
package web

import (
	"context"
	"log/slog"
	"net/http"
	"strings"

	"github.com/tidings-press/tidings/feed"
	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/feedserver"
	"github.com/tidings-press/tidings/internal/loadshare"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/web/admin"
	"github.com/tidings-press/tidings/internal/web/assets"
	"github.com/tidings-press/tidings/internal/web/middleware"
	"github.com/tidings-press/tidings/internal/web/public"
	"github.com/tidings-press/tidings/templates"
)

// HubPath is where our own WebSub hub is.
const HubPath = "/hub"

// Deps is what the pages are made of.
type Deps struct {
	Store     *store.Store
	Engine    *delivery.Engine
	Feeds     *feedserver.Server
	Config    *config.Config
	Templates *templates.Set
	// Readers tells how many read a feed, by the feed's base path; nil when nobody counts.
	Readers  func(context.Context) (map[string]feed.Readers, error)
	Webhooks map[string]http.Handler // reports of bounces by mail services, by name
	Hub      http.Handler            // the WebSub hub at HubPath; nil when there is none
	Ready    http.Handler            // answers /readyz; nil says whether the store can be written to
	// Share is the part of the machine that requests may use beside the mails; nil sets no limits.
	Share *loadshare.Share
	Log   *slog.Logger // slog.Default when nil
}

// Site answers all requests. Run does what requests leave to be done afterwards.
type Site struct {
	http.Handler
	readers *public.Pages
}

// Run works until the context ends.
func (s *Site) Run(ctx context.Context) { s.readers.Run(ctx) }

// New returns the handler of everything that is served.
func New(d Deps) (*Site, error) {
	if d.Log == nil {
		d.Log = slog.Default()
	}
	readers, err := public.New(public.Deps{Store: d.Store, Config: d.Config, Templates: d.Templates, Sender: d.Engine, Feeds: d.Feeds, Readers: d.Readers, Share: d.Share, Log: d.Log})
	if err != nil {
		return nil, err
	}
	if d.Feeds != nil {
		d.Feeds.SetBrowser(readers.Browse)
	}
	editors, err := admin.New(admin.Deps{Store: d.Store, Engine: d.Engine, Config: d.Config, Log: d.Log, RequestConfirmation: readers.RequestConfirmation})
	if err != nil {
		return nil, err
	}
	guarded, err := middleware.Wrap(withFeeds(d.Feeds, routes(d, readers, editors)), middleware.Options{
		FromMemory: fromMemory(d, readers), Share: d.Share,
		Site: d.Config.Site.URL, Former: d.Config.Site.FormerURLs, Proxies: d.Config.Server.TrustedProxies, Log: d.Log, Failed: readers.Failed,
	})
	if err != nil {
		return nil, err
	}
	return &Site{guarded, readers}, nil
}

// fromMemory answers with feeds and pages that are ready in memory.
func fromMemory(d Deps, readers *public.Pages) func(http.ResponseWriter, *http.Request) bool {
	if d.Feeds == nil {
		return nil
	}
	secure := strings.HasPrefix(d.Config.Site.URL, "https:")
	return func(w http.ResponseWriter, r *http.Request) bool {
		return d.Feeds.FromMemory(w, r) || readers.FromMemory(w, r, secure)
	}
}

// withFeeds answers for feeds before the routes: a ServeMux would clean their paths, in
// which names may hold encoded slashes and dots.
func withFeeds(feeds *feedserver.Server, routes http.Handler) http.Handler {
	if feeds == nil {
		return routes
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if feeds.Handles(r.URL.EscapedPath()) {
			feeds.ServeHTTP(w, r)
			return
		}
		routes.ServeHTTP(w, r)
	})
}

func routes(d Deps, readers *public.Pages, editors *admin.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", alive)
	mux.Handle("GET /readyz", ready(d))
	mux.Handle("GET /assets/", assets.Handler())
	mux.Handle("GET /favicon.ico", assets.Fixed("favicon.ico"))
	mux.Handle("GET /apple-touch-icon.png", assets.Fixed("touch-icon.png"))
	mux.Handle("/admin/", editors)
	mux.Handle("GET /admin", http.RedirectHandler("/admin/", http.StatusMovedPermanently))
	mux.HandleFunc("/room/", admin.RedirectFormerPath)
	mux.HandleFunc("/room", admin.RedirectFormerPath)
	mux.HandleFunc("POST /webhooks/{name}", func(w http.ResponseWriter, r *http.Request) {
		hook := d.Webhooks[r.PathValue("name")]
		if hook == nil {
			http.NotFound(w, r)
			return
		}
		hook.ServeHTTP(w, r)
	})
	if d.Hub != nil {
		mux.Handle(HubPath, d.Hub)
	}
	readers.Routes(mux)
	return mux
}
