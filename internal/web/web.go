// Package web serves HTTP: the public pages, the admin and the feeds behind one handler. New
// returns the handler, NewServer a server for it.
//
// GET requests change nothing, since mail scanners and link previews open every link that they
// see. Only POST requests change something.
package web

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/tidings-press/tidings/feed"
	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/internal/cpulimit"
	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/feedserver"
	"github.com/tidings-press/tidings/internal/settings"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/web/admin"
	"github.com/tidings-press/tidings/internal/web/assets"
	"github.com/tidings-press/tidings/internal/web/middleware"
	"github.com/tidings-press/tidings/internal/web/public"
	"github.com/tidings-press/tidings/templates"
)

// HubPath is the path of the built-in WebSub hub.
const HubPath = "/hub"

// Deps are the dependencies of New.
type Deps struct {
	Store     *store.Store
	Engine    *delivery.Engine
	Feeds     *feedserver.Server
	Config    *config.Config
	Templates *templates.Set
	// Readers returns the estimated readers of each feed, by the feed's base path; nil if
	// polls are not counted.
	Readers  func(context.Context) (map[string]feed.Readers, error)
	Webhooks map[string]http.Handler // bounce webhooks of mail services, by name
	Hub      http.Handler            // the WebSub hub; nil if there is none
	Ready    http.Handler            // answers /readyz; if nil, it checks that the store is writable
	Metrics  http.Handler            // answers /metrics, and asks for a token itself; nil if it is not there
	// Share limits the processor time of requests while mail is sent; nil sets no limits.
	CPULimiter *cpulimit.Limiter
	// Problem returns what is wrong with the templates, for all pages of the admin; an empty string if
	// nothing is. It may be nil.
	Problem func() string
	// Imports returns the problems of files in watched folders, for the dashboard. It may be nil.
	Imports func() []string
	// Diagnose runs all checks of doctor for the admin and records the result. It may be nil.
	Diagnose func(context.Context) error
	// Settings changes the settings of the admin.
	Settings *settings.Manager
	Log      *slog.Logger // slog.Default when nil
}

// Site answers all requests. Run processes the jobs that requests queue.
type Site struct {
	http.Handler
	pages   *public.Pages
	editors *admin.Handler
}

// Run processes queued jobs until the context ends.
func (s *Site) Run(ctx context.Context) {
	var work sync.WaitGroup
	defer work.Wait()
	work.Go(func() { s.editors.Run(ctx) })
	s.pages.Run(ctx)
}

// CacheSize returns the memory that rendered pages take, in bytes.
func (s *Site) CacheSize() int64 { return s.pages.CacheSize() }

// New returns the handler for all paths.
func New(d Deps) (*Site, error) {
	if d.Log == nil {
		d.Log = slog.Default()
	}
	pages, err := public.New(public.Deps{Store: d.Store, Config: d.Config, Templates: d.Templates, Sender: d.Engine, Feeds: d.Feeds, Readers: d.Readers, CPULimiter: d.CPULimiter, Log: d.Log})
	if err != nil {
		return nil, err
	}
	if d.Feeds != nil {
		d.Feeds.SetBrowser(pages.FeedPage)
	}
	editors, err := admin.New(admin.Deps{
		Store: d.Store, Engine: d.Engine, Config: d.Config, Log: middleware.WithRequestID(d.Log), RequestConfirmation: pages.RequestConfirmation,
		PreviewArticle: pages.PreviewArticle, Readers: d.Readers, Imports: d.Imports, Problem: d.Problem, Diagnose: d.Diagnose, Settings: d.Settings,
	})
	if err != nil {
		return nil, err
	}
	guarded, err := middleware.Wrap(withFeeds(d.Feeds, routes(d, pages, editors)), middleware.Options{
		FromMemory: fromMemory(d, pages), CPULimiter: d.CPULimiter,
		Site: d.Config.Site.URL, Former: d.Config.Site.FormerURLs, Proxies: d.Config.Server.TrustedProxies, HSTS: d.Config.Server.HSTS, AccessLog: d.Config.Server.AccessLog, Log: d.Log, Failed: pages.Failed, LargestBody: largestBody(d),
	})
	if err != nil {
		return nil, err
	}
	return &Site{guarded, pages, editors}, nil
}

// largestBody returns the function that says how large the body of a request may be: forms of the admin,
// and the batches of some mail services.
func largestBody(d Deps) func(*http.Request) int64 {
	return func(r *http.Request) int64 {
		name, found := strings.CutPrefix(r.URL.Path, "/webhooks/")
		if hook, ok := d.Webhooks[name].(interface{ MaxBody() int64 }); found && ok {
			return hook.MaxBody()
		}
		return admin.LargestBody(r)
	}
}

// fromMemory answers requests for feeds and pages from the caches of rendered documents.
func fromMemory(d Deps, pages *public.Pages) func(http.ResponseWriter, *http.Request) bool {
	if d.Feeds == nil {
		return nil
	}
	secure := strings.HasPrefix(d.Config.Site.URL, "https:")
	return func(w http.ResponseWriter, r *http.Request) bool {
		return d.Feeds.FromMemory(w, r) || pages.FromMemory(w, r, secure)
	}
}

// withFeeds serves feeds before the routes: their paths may contain encoded slashes and dots,
// which a ServeMux would clean.
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
	mux.HandleFunc("GET /healthz", Alive)
	mux.Handle("GET /readyz", ready(d))
	if d.Metrics != nil {
		mux.Handle("GET /metrics", d.Metrics)
	}
	mux.Handle("GET /assets/", assets.Handler())
	mux.Handle("GET /favicon.ico", assets.Fixed("favicon.ico"))
	mux.Handle("GET /apple-touch-icon.png", assets.Fixed("touch-icon.png"))
	mux.Handle("/admin/", editors)
	mux.Handle("GET /admin", http.RedirectHandler("/admin/", http.StatusMovedPermanently))
	mux.HandleFunc("/room/", admin.RedirectFormerPath)
	mux.HandleFunc("/room", admin.RedirectFormerPath)
	webhook := func(w http.ResponseWriter, r *http.Request) {
		hook := d.Webhooks[r.PathValue("name")]
		if hook == nil {
			http.NotFound(w, r)
			return
		}
		hook.ServeHTTP(w, r)
	}
	mux.HandleFunc("POST /webhooks/{name}", webhook)
	mux.HandleFunc("HEAD /webhooks/{name}", webhook) // Mandrill checks an address by it
	if d.Hub != nil {
		mux.Handle(HubPath, d.Hub)
	}
	pages.Routes(mux)
	return mux
}

// NewServer returns an HTTP server that closes slow and idle connections. Handlers of long
// responses, such as the progress of an edition, extend the write deadline themselves.
func NewServer(handler http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler: handler,
		// With different values the server would set a second deadline after each header. The
		// middleware limits bodies and responses.
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       10 * time.Second,
		ConnContext:       middleware.ConnContext,
		IdleTimeout:       75 * time.Second,
		MaxHeaderBytes:    64 << 10,
		// A connection of HTTP/2 has no deadline of its own while a stream is open. Pings close it when
		// the client is gone, and WriteByteTimeout when the client takes nothing.
		HTTP2:    &http.HTTP2Config{MaxConcurrentStreams: 100, SendPingTimeout: 30 * time.Second, PingTimeout: 15 * time.Second, WriteByteTimeout: time.Minute},
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}

// Alive answers 200 while the process handles requests. A supervisor restarts it otherwise.
func Alive(w http.ResponseWriter, _ *http.Request) {
	writePlain(w, http.StatusOK, "ok")
}

// ready returns the handler that reports whether this node can serve requests. Load balancers
// send requests only to nodes that can.
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
