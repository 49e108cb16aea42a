// Package web serves HTTP: the public pages, the admin and the feeds behind one handler.
// New returns it, NewServer the server for it.
//
// A GET changes nothing, since mail scanners and link previews open every address that
// they see. Only a POST changes something.
package web

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"time"

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

// HubPath is the path of our own WebSub hub.
const HubPath = "/hub"

// Deps is what New needs.
type Deps struct {
	Store     *store.Store
	Engine    *delivery.Engine
	Feeds     *feedserver.Server
	Config    *config.Config
	Templates *templates.Set
	// Readers returns how many people read each feed, by the feed's base path; nil when
	// they are not counted.
	Readers  func(context.Context) (map[string]feed.Readers, error)
	Webhooks map[string]http.Handler // reports of bounces by mail services, by name
	Hub      http.Handler            // the WebSub hub at HubPath; nil when there is none
	Ready    http.Handler            // answers /readyz; nil for a check that the store can be written to
	// Share limits the part of the machine that requests may use beside sending; nil sets
	// no limits.
	Share *loadshare.Share
	Log   *slog.Logger // slog.Default when nil
}

// Site answers all requests. Run handles the work that requests queue.
type Site struct {
	http.Handler
	pages *public.Pages
}

// Run handles queued work until the context ends.
func (s *Site) Run(ctx context.Context) { s.pages.Run(ctx) }

// New returns the handler for all addresses.
func New(d Deps) (*Site, error) {
	if d.Log == nil {
		d.Log = slog.Default()
	}
	pages, err := public.New(public.Deps{Store: d.Store, Config: d.Config, Templates: d.Templates, Sender: d.Engine, Feeds: d.Feeds, Readers: d.Readers, Share: d.Share, Log: d.Log})
	if err != nil {
		return nil, err
	}
	if d.Feeds != nil {
		d.Feeds.SetBrowser(pages.Browse)
	}
	editors, err := admin.New(admin.Deps{Store: d.Store, Engine: d.Engine, Config: d.Config, Log: d.Log, RequestConfirmation: pages.RequestConfirmation})
	if err != nil {
		return nil, err
	}
	guarded, err := middleware.Wrap(withFeeds(d.Feeds, routes(d, pages, editors)), middleware.Options{
		FromMemory: fromMemory(d, pages), Share: d.Share,
		Site: d.Config.Site.URL, Former: d.Config.Site.FormerURLs, Proxies: d.Config.Server.TrustedProxies, Log: d.Log, Failed: pages.Failed,
	})
	if err != nil {
		return nil, err
	}
	return &Site{guarded, pages}, nil
}

// fromMemory answers requests for feeds and pages that are rendered already.
func fromMemory(d Deps, pages *public.Pages) func(http.ResponseWriter, *http.Request) bool {
	if d.Feeds == nil {
		return nil
	}
	secure := strings.HasPrefix(d.Config.Site.URL, "https:")
	return func(w http.ResponseWriter, r *http.Request) bool {
		return d.Feeds.FromMemory(w, r) || pages.FromMemory(w, r, secure)
	}
}

// withFeeds serves feeds before the routes, since a ServeMux would clean their paths, in
// which names may contain encoded slashes and dots.
func withFeeds(feeds *feedserver.Server, routes http.Handler) http.Handler {
	if feeds == nil {
		return routes
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if feeds.Handles(r.URL) {
			feeds.ServeHTTP(w, r)
			return
		}
		routes.ServeHTTP(w, r)
	})
}

func routes(d Deps, pages *public.Pages, editors *admin.Handler) http.Handler {
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
	pages.Routes(mux)
	return mux
}

// NewServer returns an HTTP server whose limits close slow and idle connections. Handlers
// of long answers, such as the progress of an edition, extend the limit on writing
// themselves.
func NewServer(handler http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler: handler,
		// With different values the server would set a second deadline after each head. The
		// middleware limits bodies and answers.
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       10 * time.Second,
		ConnContext:       middleware.ConnContext,
		IdleTimeout:       75 * time.Second,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}

// alive reports that the process answers requests. A supervisor restarts one that does
// not.
func alive(w http.ResponseWriter, _ *http.Request) {
	writePlain(w, http.StatusOK, "ok")
}

// ready reports whether this node can do its work. A load balancer sends requests only to
// nodes that can.
func ready(d Deps) http.Handler {
	if d.Ready != nil {
		return d.Ready
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), 5*time.Second)
		defer cancel()
		if err := d.Store.Probe(ctx, "pages"); err != nil {
			writePlain(w, http.StatusServiceUnavailable, string(store.FaultOf(err)))
			return
		}
		writePlain(w, http.StatusOK, "ok")
	})
}

func writePlain(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text + "\n"))
}
