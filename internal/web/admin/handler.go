// Package admin is the web interface for editors at /admin/: dashboard, previews,
// sending with live progress, articles, subscribers and editors' accounts. New returns its
// handler. SetupLink, InviteLink and ResetLink create the one-time links that give editors
// access.
//
// Each page has a template in pages/, a handler in the file of the same name or of the page that it belongs
// to, and a line in the authorisation table, routes. All pages work without scripts, which only add live
// progress.
package admin

import (
	"context"
	"embed"
	"fmt"
	"log/slog"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/tidings-press/tidings/feed"
	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/article/writing"
	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/settings"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/web/middleware"
	"github.com/tidings-press/tidings/internal/words"
)

//go:embed pages/*.html
var files embed.FS

// Deps are the dependencies of New.
type Deps struct {
	Store  *store.Store
	Engine *delivery.Engine
	Config *config.Config
	Log    *slog.Logger
	// RequestConfirmation queues a mail that asks an address to confirm a subscription to
	// digests.
	RequestConfirmation func(ctx context.Context, address subscriber.Address, digests []string) error
	// PreviewArticle returns the public page of an article that may not be stored yet.
	PreviewArticle func(r *http.Request, a article.Article) ([]byte, error)
	// Imports returns the problems of files in watched folders. It may be nil.
	Imports func() []string
	// Readers counts the readers of each feed, by its base path. It may be nil.
	Readers func(ctx context.Context) (map[string]feed.Readers, error)
	// Problem returns what is wrong with the templates; an empty string if nothing is. It may be nil.
	Problem func() string
	// Diagnose runs all checks of doctor and records the result. If it is nil, no run begins.
	Diagnose func(ctx context.Context) error
	// Settings changes the settings of the admin. If it is nil, changes are only stored.
	Settings *settings.Manager
}

// Handler serves the admin. New returns one.
type Handler struct {
	store  *store.Store
	engine *delivery.Engine
	config *config.Config
	log    *slog.Logger
	zone   *time.Location        // of the site
	roles  map[string]store.Role // least roles by the patterns of routes
	secure bool                  // the site is served over https
	mux    http.Handler

	settings *settings.Manager

	languages map[string]*pageLanguage
	tags      []string // of languages, English first
	chooser   *words.Chooser
	passkeys  *webauthn.WebAuthn // nil if the site's address allows none
	writing   *writing.Articles
	provider  *provider // nil if none is configured

	requestConfirmation func(ctx context.Context, address subscriber.Address, digests []string) error
	articlePreview      func(r *http.Request, a article.Article) ([]byte, error)
	readers             func(ctx context.Context) (map[string]feed.Readers, error) // may be nil
	imports             func() []string                                            // may be nil
	problem             func() string                                              // of the templates; may be nil
	diagnose            func(ctx context.Context) error                            // may be nil

	testMails *middleware.Limiter[int64]  // by editor
	strengths *middleware.Limiter[string] // of judgements of new passwords, by network
	hashing   chan struct{}               // limits the number of password hashes computed at once
}

// New returns the handler for all paths below /admin/, or an error for invalid site settings.
func New(d Deps) (*Handler, error) {
	zone, err := time.LoadLocation(d.Config.Site.Timezone)
	if err != nil {
		return nil, err
	}
	if d.Settings == nil {
		d.Settings = &settings.Manager{Store: d.Store, File: d.Config.File()}
	}
	h := &Handler{
		store: d.Store, engine: d.Engine, config: d.Config, log: d.Log, zone: zone,
		settings: d.Settings, secure: strings.HasPrefix(d.Config.Site.URL, "https:"),
		testMails:           middleware.NewLimiter[int64](10, 10*time.Second, nil),
		strengths:           middleware.NewLimiter[string](strengthBurst, strengthInterval, d.Store.Now),
		hashing:             make(chan struct{}, 2),
		writing:             writing.New(d.Store, d.Config),
		requestConfirmation: d.RequestConfirmation, articlePreview: d.PreviewArticle, readers: d.Readers, imports: d.Imports, problem: d.Problem, diagnose: d.Diagnose, roles: map[string]store.Role{},
	}
	for _, one := range h.routes() {
		h.roles[one.pattern] = one.role
	}
	h.provider = newProvider(d.Config, d.Store.Now)
	if h.passkeys, err = newPasskeys(d.Config); err != nil {
		return nil, err
	}
	if err := h.loadLanguages(); err != nil {
		return nil, err
	}
	h.mux, err = h.refuseCrossOrigin(h.serveMux())
	return h, err
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.setLanguage(w, r)
	header := w.Header()
	header.Set("Content-Security-Policy", contentPolicy)
	header.Set("Cache-Control", "no-store")
	header.Set("Referrer-Policy", "same-origin")
	header.Set("X-Frame-Options", "SAMEORIGIN")
	header.Set("X-Robots-Tag", "noindex")
	if !isForm(r) {
		header.Set("Accept-Post", "application/x-www-form-urlencoded, multipart/form-data")
		http.Error(w, "Send the body as application/x-www-form-urlencoded or multipart/form-data.", http.StatusUnsupportedMediaType)
		return
	}
	h.mux.ServeHTTP(w, r)
}

// isForm reports whether the body of a request, if it has one, is a form.
func isForm(r *http.Request) bool {
	if r.ContentLength == 0 {
		return true
	}
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && (kind == "application/x-www-form-urlencoded" || kind == "multipart/form-data")
}

// contentPolicy allows this site's own style sheet and script, and frames with previews. It
// allows nothing inline.
const contentPolicy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// refuseCrossOrigin refuses requests that other sites cause in an editor's browser.
func (h *Handler) refuseCrossOrigin(next http.Handler) (http.Handler, error) {
	protection := http.NewCrossOriginProtection()
	site, err := url.Parse(h.config.Site.URL)
	if err != nil {
		return nil, err
	}
	// A proxy may change the Host header, so the site's own address is trusted too.
	if err := protection.AddTrustedOrigin(site.Scheme + "://" + site.Host); err != nil {
		return nil, fmt.Errorf("site address %q: %w", h.config.Site.URL, err)
	}
	protection.SetDenyHandler(h.anonymous(func(http.ResponseWriter, *http.Request) error {
		return &userError{
			Status: http.StatusForbidden, Title: "Request from another site",
			Text: "The request came from another site, so nothing was changed. Use the buttons in the admin.",
			Link: "/admin/", Label: dashboardLabel,
		}
	}))
	return protection.Handler(next), nil
}

// RedirectFormerPath redirects paths below /room/, the former path of the admin, to the same
// page below /admin/. A form that was open during an upgrade is posted to the new path.
func RedirectFormerPath(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(r.URL.EscapedPath(), "/room")
	for _, renamed := range [][2]string{{"/readers", "/subscribers"}, {"/you", "/account"}} {
		if rest, ok := strings.CutPrefix(path, renamed[0]); ok && (rest == "" || rest[0] == '/') {
			path = renamed[1] + rest
		}
	}
	target := "/admin/" + strings.TrimLeft(path, "/")
	if r.URL.RawQuery != "" {
		target += "?" + r.URL.RawQuery
	}
	status := http.StatusPermanentRedirect
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		status = http.StatusMovedPermanently
	}
	http.Redirect(w, r, target, status)
}
