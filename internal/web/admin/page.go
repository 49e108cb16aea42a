package admin

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/web/middleware"
	"github.com/tidings-press/tidings/internal/words"
)

// page is the data of the layout of all pages.
type page struct {
	Title   any    // an English text, words.T or words.Verbatim
	Nav     string // key of the current area
	Areas   []area // of the navigation; show fills them
	Editor  *store.Editor
	Site    string
	Zone    string // timezone of the site
	Flash   string // result of the last request
	Problem string // of the templates, because of which previews show older ones
	Live    bool   // the page follows a stream of events
	Script  string // of this page alone, such as "passkey.js"
	Refresh bool   // reload every few seconds without scripts
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

// show renders a page and sends it.
func (h *Handler) show(w http.ResponseWriter, status int, name string, p page) error {
	p.Site, p.Zone, p.Areas = h.config.Site.Title.String(), h.zone.String(), h.areasOf(p.Editor)
	if h.problem != nil && p.Editor != nil {
		p.Problem = h.problem()
	}
	l := h.words(w)
	p.Title, p.Flash = l.Translate(p.Title), l.Translate(p.Flash)
	pages, err := l.pages()
	if err != nil {
		return err
	}
	return pages.Show(w, status, name, p)
}

// flashMessages are the results of requests as shown on the next page, by the value of ?done= in its
// URL.
var flashMessages = map[string]string{
	"dismissed":      "The checklist is hidden.",
	"test":           "The test email is queued.",
	"paused":         "Paused. Emails that were already sent still arrive; no others are sent.",
	"resumed":        "Resumed.",
	"relay-stopped":  "The mail server is stopped for an hour. Emails go over the others, or wait.",
	"relay-resumed":  "The mail server is used again within a few seconds.",
	"first-send":     "The first mail to many subscribers may be sent.",
	"settings":       "The settings were saved. They apply now.",
	"digest-added":   "The digest was added. It is paused: make it active below when it is ready.",
	"message":        "The message is stored as a draft. Nothing was sent yet.",
	"approved":       "Approved. Sending starts now.",
	"approved-first": "Your approval is recorded. Another editor must approve this edition too.",
	"approved-undo":  "Approved. You can still undo it: the first email is not sent yet.",
	"undone":         "Undone. The edition is a draft again, and no email was sent.",
	"approved-ahead": "Approved. It is sent at its time.",
	"draft-held":     "Held. It is not sent until it is approved.",
	"draft-released": "The hold has ended.",
	"taken":          "The article was added to this edition.",
	"canceled":       "Cancelled. No other subscriber will get this edition.",
	"resent":         "The uncertain emails are sent again.",
	"retried":        "The refused emails are sent again, except to addresses that are suppressed.",
	"unchanged":      "Nothing was changed: no email is in a state for this.",
	"dropped":        "The uncertain emails are not sent again.",
	"seen":           "Marked as seen. No edition of this digest will contain these articles. You can put them back below.",
	"unseen":         "The articles are back in the queue.",
	"begins":         "The start date was changed.",
	"draft-saved":    "Saved. Readers do not see the changes before you publish them.",
	"published":      "Published.",
	"scheduled":      "Scheduled. It appears by itself at its time.",
	"unpublished":    "The article is a draft again. It is no longer on the site or in feeds.",
	"older-version":  "The older version is the newest one again. Readers do not see it before you publish it.",
	"held":           "The article was removed, but this edition still contains it.",
	"removed":        "The article was removed from the site and its feeds.",
	"restored":       "The article was restored.",
	"subject":        "The subject was changed.",
	"composed":       "The draft was changed.",
	"checked":        "The links and images were checked.",
	"waived":         "Waived. The edition may be sent despite these findings.",
	"unwaived":       "The waiver was removed.",
	"lifted":         "This subscriber is active again.",
	"list-removed":   "The list was removed. No subscriber was changed.",
	"person-added":   "The subscriber was added. The consent is recorded.",
	"person-asked":   "The subscriber was added and gets an email to confirm. No other mail is sent before that.",
	"person-edited":  "The changes were saved.",
	"reinstated":     "This subscriber is active again. The consent is recorded.",
	"suppressed":     "This address is suppressed. No mail is sent to it, whatever a list says.",
	"unsuppressed":   "The suppression was lifted.",
	"unsubscribed":   "This subscriber was unsubscribed from all digests.",
	"erased":         "This subscriber was erased.",
	"invited":        "The invitation is queued. The subscriber is subscribed again once they confirm.",
	"disabled":       "This editor was disabled and can no longer sign in.",
	"enabled":        "This editor can sign in again.",
	"role":           "The role was changed. The editor was signed out and signs in again with the new role.",
	"password":       "Your password was changed. All other browsers were signed out.",
	"address-asked":  "An email with a link is on its way to the new address. Until you confirm there, your present address stays.",
	"address":        "Your email address was changed. All other browsers were signed out.",
	"language":       "The language was changed.",
	"others":         "All other browsers were signed out.",
	"revoked":        "The link was revoked.",
	"decided":        "The decision was saved. It takes effect when the store is released.",
	"released":       "The store was released. Editions are scheduled and emails are sent again.",
	"session":        "This browser was signed out.",
	"passkey-added":  "The passkey was added. Next time, it signs you in.",
	"passkey-name":   "The passkey was renamed.",
	"passkey-off":    "The passkey was removed. All other browsers were signed out.",
	"provider-off":   "The sign-in provider was removed from your account. All other browsers were signed out.",
	"proved":         "Your identity is confirmed. Use the button again.",
	"factor-off":     "Two-step sign-in is off. Your password alone signs you in. All other browsers were signed out.",
}

// flash returns the result of the previous request; "" if there is none.
func flash(r *http.Request) string { return flashMessages[r.URL.Query().Get("done")] }

// redirectWithFlash redirects to a page that shows a flash message.
func redirectWithFlash(w http.ResponseWriter, r *http.Request, path, key string) error {
	http.Redirect(w, r, path+"?done="+key, http.StatusSeeOther)
	return nil
}

// longRequest returns the context for work whose time depends on the number of subscribers. The
// work continues when the browser disconnects, and the response may take longer than others.
func longRequest(w http.ResponseWriter, r *http.Request) context.Context {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(15 * time.Minute)) // not supported only in tests without a connection
	return context.WithoutCancel(r.Context())
}

// userError is an error that is shown to the editor as a page, with a link to continue. Title, Text
// and Label are translated when they are shown: English texts, words.T or errors.
type userError struct {
	Status int
	Title  any
	Text   any
	Link   string
	Label  any // of the link; "Go back" when nil
}

// Error implements error.
func (e *userError) Error() string { return fmt.Sprintf("%v: %v", e.Title, e.Text) }

// conflict returns the error page for an action that is not possible.
func conflict(title string, err error, link string) error {
	return &userError{Status: http.StatusConflict, Title: title, Text: err, Link: link}
}

// invalid returns the error page for an invalid form.
func invalid(title string, text any, link string) error {
	return &userError{Status: http.StatusUnprocessableEntity, Title: title, Text: text, Link: link}
}

// sentence returns the text of an error as a sentence.
func sentence(err error) words.Text { return words.T("{0}.", err) }

const dashboardLabel = "Go to the dashboard"

func (h *Handler) notFound(http.ResponseWriter, *http.Request, store.Session) error {
	return store.ErrNotFound
}

// showError answers with the page of an error. Internal errors are logged, and the page shows
// the id of the request.
func (h *Handler) showError(w http.ResponseWriter, r *http.Request, editor *store.Editor, err error) {
	var shown *userError
	var role *roleError
	var approver *delivery.ApproverError
	var edition *store.StateError
	var hold *delivery.HoldError
	var undo *store.UndoError
	var person *store.SubscriberStateError
	if errors.As(err, &shown) {
		if cause, ok := shown.Text.(error); ok && store.OfEngine(cause) { // its text is not for pages
			err, shown = cause, nil
		}
	}
	switch {
	case errors.Is(err, context.Canceled):
		return // the browser disconnected
	case errors.As(err, &shown):
	case errors.As(err, &role):
		h.log.InfoContext(r.Context(), "request refused by role", "path", middleware.LogPath(r), "role", role.have, "needed", role.need)
		shown = role.Page()
	case errors.As(err, &approver):
		shown = &userError{http.StatusForbidden, refusedByRole, sentence(approver), "/admin/", dashboardLabel}
	case errors.As(err, &edition):
		shown = &userError{http.StatusConflict, "Not possible now", sentence(edition), "/admin/editions/" + edition.Edition, "Go to the edition"}
	case errors.As(err, &undo):
		shown = &userError{http.StatusConflict, "Not undone", whyNotUndone(undo.Have), "/admin/editions/" + undo.Edition, "Go to the edition"}
	case errors.As(err, &hold):
		shown = &userError{http.StatusConflict, "Not possible now", sentence(hold), "/admin/editions/" + hold.Edition, "Go to the edition"}
	case errors.As(err, &person):
		shown = &userError{http.StatusConflict, "Not possible now", sentence(person), "/admin/subscribers", "Go to the subscribers"}
	case errors.Is(err, store.ErrNotFound):
		shown = &userError{http.StatusNotFound, "Page not found", "The address may be mistyped, or the page no longer exists.", "/admin/", dashboardLabel}
	default:
		id := middleware.ID(r.Context())
		h.log.ErrorContext(r.Context(), "page failed", "path", middleware.LogPath(r), "error", err)
		shown = &userError{http.StatusInternalServerError, "Something went wrong", words.T("The server could not answer this request. The cause is in its log, under request {0}.", id), "/admin/", dashboardLabel}
	}
	if shown.Label == nil {
		shown.Label = words.T("Go back")
	}
	if err := h.show(w, shown.Status, "message", page{Title: shown.Title, Editor: editor, Body: shown}); err != nil {
		http.Error(w, h.words(w).Translate(shown.Title), shown.Status)
	}
}
