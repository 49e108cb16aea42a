// Package admin is the editors' room in the browser: who may come in, what goes out
// next, previews, sending with its progress, and what became of it. New is its
// door, FirstLink lets the first editor in.
//
// Every page works without scripts; with them, progress is live.
package admin

import (
	"embed"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/web/middleware"
	"github.com/tidings-press/tidings/internal/web/view"
	"github.com/tidings-press/tidings/templates"
)

//go:embed pages/*.html
var files embed.FS

// Deps is what the room is made of.
type Deps struct {
	Store     *store.Store
	Engine    *delivery.Engine
	Config    *config.Config
	Templates *templates.Set
	Log       *slog.Logger
}

// Room answers editors.
type Room struct {
	store  *store.Store
	engine *delivery.Engine
	config *config.Config
	log    *slog.Logger
	zone   *time.Location
	pages  *view.Set
	secure bool // the site is reached by https
	routes http.Handler

	tests   *middleware.Limiter[int64] // test mails of one editor
	hashing chan struct{}              // bounds the memory that passwords take
}

// New makes the room. Errors are about the site's settings.
func New(d Deps) (*Room, error) {
	zone, err := time.LoadLocation(d.Config.Site.Timezone)
	if err != nil {
		return nil, err
	}
	folder, err := fs.Sub(files, "pages")
	if err != nil {
		return nil, err
	}
	room := &Room{
		store: d.Store, engine: d.Engine, config: d.Config, log: d.Log, zone: zone,
		secure:  strings.HasPrefix(d.Config.Site.URL, "https:"),
		tests:   middleware.NewLimiter[int64](10, 10*time.Second, nil),
		hashing: make(chan struct{}, 2),
	}
	if room.pages, err = view.Load(folder, room.functions()); err != nil {
		return nil, err
	}
	room.routes, err = room.protect(room.mux())
	return room, err
}

// ServeHTTP implements http.Handler.
func (room *Room) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("X-Frame-Options", "SAMEORIGIN")
	h.Set("X-Robots-Tag", "noindex")
	room.routes.ServeHTTP(w, r)
}

// policy lets the room's pages load its own style and script, and show the previews
// that it serves itself. Nothing inline runs.
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// protect refuses what other sites make an editor's browser send.
func (room *Room) protect(next http.Handler) (http.Handler, error) {
	cross := http.NewCrossOriginProtection()
	site, err := url.Parse(room.config.Site.URL)
	if err != nil {
		return nil, err
	}
	// A proxy may change the Host header, so the site's own address counts as well.
	if err := cross.AddTrustedOrigin(site.Scheme + "://" + site.Host); err != nil {
		return nil, fmt.Errorf("site address %q: %w", room.config.Site.URL, err)
	}
	cross.SetDenyHandler(room.open(func(http.ResponseWriter, *http.Request) error {
		return &refusal{http.StatusForbidden, "That came from elsewhere",
			"This request was sent by another site, so nothing was done. Right would be to press the button here in the room.", "/room/", "Go to the desk"}
	}))
	return cross.Handler(next), nil
}

func (room *Room) mux() *http.ServeMux {
	mux := http.NewServeMux()
	for pattern, h := range map[string]open{
		"GET /room/sign-in":          room.signInPage,
		"POST /room/sign-in":         room.signIn,
		"GET /room/welcome/{token}":  room.welcomePage,
		"POST /room/welcome/{token}": room.welcome,
	} {
		mux.Handle(pattern, room.open(h))
	}
	for pattern, h := range map[string]closed{
		"POST /room/sign-out":                 room.signOut,
		"GET /room/{$}":                       room.desk,
		"GET /room/digests/{name}":            room.digest,
		"GET /room/digests/{name}/mail":       room.mail,
		"GET /room/digests/{name}/text":       room.plain,
		"POST /room/digests/{name}/test":      room.test,
		"POST /room/digests/{name}/seen":      room.markSeen,
		"POST /room/digests/{name}/unseen":    room.markUnseen,
		"POST /room/digests/{name}/begin":     room.moveBeginning,
		"GET /room/digests/{name}/send":       room.sendPage,
		"POST /room/digests/{name}/send":      room.send,
		"GET /room/editions/{id}":             room.edition,
		"GET /room/editions/{id}/events":      room.events,
		"GET /room/editions/{id}/mail":        room.editionMail,
		"POST /room/editions/{id}/test":       room.testEdition,
		"POST /room/editions/{id}/subject":    room.changeSubject,
		"POST /room/editions/{id}/approve":    room.approve,
		"POST /room/editions/{id}/{action}":   room.act,
		"GET /room/articles":                  room.articles,
		"POST /room/articles/{id}/remove":     room.removeArticle,
		"POST /room/articles/{id}/restore":    room.restoreArticle,
		"GET /room/readers":                   room.readers,
		"GET /room/readers/{id}":              room.reader,
		"POST /room/readers/{id}/unsubscribe": room.unsubscribeReader,
		"POST /room/readers/{id}/lift":        room.liftReader,
		"POST /room/readers/{id}/erase":       room.eraseReader,
		"GET /room/you":                       room.you,
		"POST /room/you/password":             room.changePassword,
		"POST /room/you/address":              room.changeAddress,
		"POST /room/you/sessions":             room.signOutOthers,
		"POST /room/you/invite":               room.invite,
		"POST /room/links/{id}/revoke":        room.revoke,
		"POST /room/editors/{id}/reset":       room.resetOf,
		"POST /room/editors/{id}/access":      room.shutOut,
		"/room/":                              room.missing,
	} {
		mux.Handle(pattern, room.closed(h))
	}
	return mux
}
