package admin

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/web/middleware"
)

// page is the data of the layout, which every page stands in.
type page struct {
	Title   string
	Nav     string // the entry of the menu that the page belongs to
	Editor  *store.Editor
	Site    string
	Notice  string // what the last request did
	Live    bool   // the page loads the script
	Refresh bool   // without scripts, the page reloads every few seconds
	Body    any
}

// anonymousFunc is a handler that needs no session, editorFunc one that does.
type (
	anonymousFunc func(w http.ResponseWriter, r *http.Request) error
	editorFunc    func(w http.ResponseWriter, r *http.Request, session store.Session) error
)

func (h *Handler) anonymous(f anonymousFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := f(w, r); err != nil {
			h.showError(w, r, nil, err)
		}
	})
}

// authenticated runs a handler for signed-in editors. Others are redirected to the
// sign-in page, which leads back to the page that they asked for.
func (h *Handler) authenticated(f editorFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		session, err := h.session(r)
		switch {
		case errors.Is(err, store.ErrNotFound):
			http.Redirect(w, r, signInPath(r), http.StatusSeeOther)
			return
		case err != nil:
			h.showError(w, r, nil, err)
			return
		}
		h.prolong(w, r, session)
		if err := f(w, r, session); err != nil {
			h.showError(w, r, &session.Editor, err)
		}
	})
}

// show renders a page and sends it.
func (h *Handler) show(w http.ResponseWriter, status int, name string, p page) error {
	p.Site = h.config.Site.Title
	return h.pages.Show(w, status, name, p)
}

// notices are the texts that a page shows after a request, by the value of ?done= in
// the address that the request redirects to.
var notices = map[string]string{
	"test":         "The test mail is queued.",
	"paused":       "Paused. Mails that were already handed over still arrive; no other mail is sent.",
	"resumed":      "Sending continues.",
	"approved":     "Approved. Sending begins.",
	"canceled":     "Cancelled. No further subscriber gets this edition.",
	"resent":       "The uncertain mails are sent again.",
	"dropped":      "The uncertain mails are not sent again.",
	"seen":         "Marked as seen: no edition of this digest takes these articles. You can put them back below.",
	"unseen":       "The articles are back in the queue.",
	"begins":       "The first day is changed.",
	"held":         "The article is taken down, but this edition still holds it.",
	"removed":      "The article is taken down. Feeds drop it at their next request.",
	"restored":     "The article is restored.",
	"subject":      "The subject is changed.",
	"lifted":       "This subscriber gets mail again.",
	"unsubscribed": "This subscriber is unsubscribed from all digests.",
	"erased":       "This subscriber is erased.",
	"invited":      "A confirmation mail is queued. The subscriber gets mail again once they open its link.",
	"disabled":     "This editor is disabled and cannot sign in.",
	"enabled":      "This editor can sign in again.",
	"password":     "Your password is changed. All other browsers are signed out.",
	"address":      "Your address is changed. All other browsers are signed out.",
	"others":       "All other browsers are signed out.",
	"revoked":      "The link is revoked.",
	"decided":      "The decision is saved. It takes effect when the quarantine ends.",
	"released":     "The quarantine is over. Schedules fire and mail is sent again.",
}

// notice returns what the request that led here did; empty when none did.
func notice(r *http.Request) string { return notices[r.URL.Query().Get("done")] }

// redirectWithNotice leads to a page that shows a notice.
func redirectWithNotice(w http.ResponseWriter, r *http.Request, path, key string) error {
	http.Redirect(w, r, path+"?done="+key, http.StatusSeeOther)
	return nil
}

// longRequest returns the context for work that grows with the number of subscribers:
// it continues when the editor's browser disconnects, and its answer may take longer
// than the server's limit for other answers.
func longRequest(w http.ResponseWriter, r *http.Request) context.Context {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(15 * time.Minute)) // not supported only in tests without a connection
	return context.WithoutCancel(r.Context())
}

// userError is an error that the editor sees as a page: what happened, and a link to
// where to go from there.
type userError struct {
	Status int
	Title  string
	Text   string
	Link   string
	Label  string // of the link; "Go back" when empty
}

// Error implements error.
func (e *userError) Error() string { return e.Title + ": " + e.Text }

// conflict returns the page that says that something cannot be done, and why.
func conflict(title string, err error, link string) error {
	return &userError{Status: http.StatusConflict, Title: title, Text: err.Error(), Link: link}
}

// invalid returns the page that says what is wrong with a form.
func invalid(title, text, link string) error {
	return &userError{Status: http.StatusUnprocessableEntity, Title: title, Text: text, Link: link}
}

const dashboardLabel = "Go to the dashboard"

func (h *Handler) notFound(http.ResponseWriter, *http.Request, store.Session) error {
	return store.ErrNotFound
}

// showError answers with the page of an error. Errors that are not meant for editors are
// logged, and the page shows the number of the request.
func (h *Handler) showError(w http.ResponseWriter, r *http.Request, editor *store.Editor, err error) {
	var shown *userError
	var edition *store.StateError
	var person *store.SubscriberStateError
	switch {
	case errors.Is(err, context.Canceled):
		return // the browser disconnected
	case errors.As(err, &shown):
	case errors.As(err, &edition):
		shown = &userError{http.StatusConflict, "Not possible now", edition.Error() + ".", "/admin/editions/" + edition.Edition, "Go to the edition"}
	case errors.As(err, &person):
		shown = &userError{http.StatusConflict, "Not possible now", person.Error() + ".", "/admin/subscribers", "Go to the subscribers"}
	case errors.Is(err, store.ErrNotFound):
		shown = &userError{http.StatusNotFound, "Page not found", "The address may be mistyped, or what it led to no longer exists.", "/admin/", dashboardLabel}
	default:
		id := middleware.ID(r.Context())
		h.log.Error("page failed", "path", middleware.LogPath(r), "request", id, "error", err)
		shown = &userError{http.StatusInternalServerError, "Something went wrong", "The server could not answer this request. Its log has the reason under request " + id + ".", "/admin/", dashboardLabel}
	}
	if shown.Label == "" {
		shown.Label = "Go back"
	}
	if err := h.show(w, shown.Status, "message", page{Title: shown.Title, Editor: editor, Body: shown}); err != nil {
		http.Error(w, shown.Title, shown.Status)
	}
}
