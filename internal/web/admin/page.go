package admin

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/web/middleware"
)

// page is what the layout of every page is given.
type page struct {
	Title string
	Nav   string // the entry of the menu that it belongs to
	Who   *store.Editor
	Site  string
	Done  string // what the last request did
	Live  bool   // loads the scripts
	Wait  bool   // without scripts, it loads itself again and again
	Body  any
}

// open is a page that needs no session, closed one that does.
type open func(w http.ResponseWriter, r *http.Request) error
type closed func(w http.ResponseWriter, r *http.Request, who store.Session) error

func (room *Room) open(h open) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := h(w, r); err != nil {
			room.fail(w, r, nil, err)
		}
	})
}

// closed asks for a session first. Who has none is sent to sign in, and from there
// back to where they were going.
func (room *Room) closed(h closed) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who, err := room.session(r)
		switch {
		case errors.Is(err, store.ErrNotFound):
			http.Redirect(w, r, signInPath(r), http.StatusSeeOther)
			return
		case err != nil:
			room.fail(w, r, nil, err)
			return
		}
		room.prolong(w, r, who)
		if err := h(w, r, who); err != nil {
			room.fail(w, r, &who.Editor, err)
		}
	})
}

// show fills a page and sends it.
func (room *Room) show(w http.ResponseWriter, status int, name string, p page) error {
	p.Site = room.config.Site.Title
	return room.pages.Show(w, status, name, p)
}

// done are the words for what a request did, by the address it leads to.
var done = map[string]string{
	"test":     "The test mail is on its way.",
	"paused":   "Paused. Mails that were under way arrive; no other is sent.",
	"resumed":  "Sending goes on.",
	"approved": "Approved. Sending begins.",
	"canceled": "Cancelled. Nobody else gets this edition.",
	"resent":   "The mails in doubt are sent again.",
	"dropped":  "The mails in doubt are left as they are.",
	"seen":     "Marked as seen: these articles are in no edition of this digest. Below you can put them back.",
	"unseen":   "Back in the queue.",
	"begins":   "The beginning is moved.",
	"held":     "The article is taken down, but this edition still holds it.",
	"removed":  "The article is taken down. Feeds drop it at their next request.",
	"restored": "The article is back.",
	"subject":  "The subject is changed.",
	"lifted":   "This reader gets mail again.",
	"left":     "This reader is off all digests.",
	"erased":   "This reader is forgotten.",
	"out":      "This editor is shut out.",
	"in":       "This editor may come in again.",
	"password": "Your password is changed. Other browsers are signed out.",
	"address":  "Your address is changed. Other browsers are signed out.",
	"others":   "Other browsers are signed out.",
	"revoked":  "The link opens nothing any more.",
}

func told(r *http.Request) string { return done[r.URL.Query().Get("done")] }

// patient is for work that grows with the number of readers: it goes on when the
// editor's browser goes away, and its answer may take longer than the server allows
// otherwise.
func patient(w http.ResponseWriter, r *http.Request) context.Context {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(15 * time.Minute)) // not supported only in tests without a connection
	return context.WithoutCancel(r.Context())
}

// back leads to a page that says what was done.
func back(w http.ResponseWriter, r *http.Request, path, what string) error {
	http.Redirect(w, r, path+"?done="+what, http.StatusSeeOther)
	return nil
}

// refusal is an answer that says no, in words for the editor.
type refusal struct {
	status int
	title  string
	Text   string
	Link   string
	Label  string
}

func (e *refusal) Error() string { return e.title + ": " + e.Text }

// refuse says that something cannot be done and why, and leads back.
func refuse(title string, err error, link string) error {
	return &refusal{http.StatusConflict, title, err.Error(), link, "Go back"}
}

func (room *Room) missing(http.ResponseWriter, *http.Request, store.Session) error {
	return store.ErrNotFound
}

func (room *Room) fail(w http.ResponseWriter, r *http.Request, who *store.Editor, err error) {
	var no *refusal
	var state *store.StateError
	var person *store.SubscriberStateError
	switch {
	case errors.Is(err, context.Canceled):
		return // the editor went away
	case errors.As(err, &no):
	case errors.As(err, &state):
		no = &refusal{http.StatusConflict, "That is not possible now", state.Error() + ".", "/room/editions/" + state.Edition, "Look at the edition"}
	case errors.As(err, &person):
		no = &refusal{http.StatusConflict, "That is not possible now", person.Error() + ".", "/room/readers", "Go to the readers"}
	case errors.Is(err, store.ErrNotFound):
		no = &refusal{http.StatusNotFound, "There is no such page", "The address may be mistyped, or what it named is gone.", "/room/", "Go to the desk"}
	default:
		room.log.Error("page failed", "path", middleware.Shown(r), "request", middleware.ID(r.Context()), "error", err)
		no = &refusal{http.StatusInternalServerError, "That did not work", "Something went wrong on our side; the log has it under number " + middleware.ID(r.Context()) + ".", "/room/", "Go to the desk"}
	}
	if err := room.show(w, no.status, "message", page{Title: no.title, Who: who, Body: no}); err != nil {
		http.Error(w, no.title, no.status)
	}
}
