package admin

import (
	"errors"
	"net/http"
	"strings"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
)

// youPage is an editor's own page.
type youPage struct {
	Editors []store.Editor // for owners
	Links   []openLink     // that let somebody in, for owners
	Invite  string         // a fresh one-time link
	Reset   string         // one for the new password of
	For     string         // this editor
	Wrong   string
	Email   string // as it was typed
	Min     int
}

// openLink is a one-time link that still opens something.
type openLink struct {
	store.Link
	For string // an address, or whoever holds it
	By  string // who made it
}

func (room *Room) you(w http.ResponseWriter, r *http.Request, who store.Session) error {
	return room.showYou(w, r, who, http.StatusOK, youPage{})
}

func (room *Room) showYou(w http.ResponseWriter, r *http.Request, who store.Session, status int, body youPage) (err error) {
	body.Min = minPassword
	if who.Editor.Role == roleOwner {
		if body.Editors, err = room.store.Editors(r.Context()); err != nil {
			return err
		}
		if body.Links, err = room.openLinks(r, body.Editors); err != nil {
			return err
		}
	}
	return room.show(w, status, "you", page{Title: "You", Nav: "you", Who: &who.Editor, Done: told(r), Body: body})
}

func (room *Room) openLinks(r *http.Request, editors []store.Editor) ([]openLink, error) {
	links, err := room.store.Links(r.Context())
	address := map[int64]string{0: "the command line"}
	for _, e := range editors {
		address[e.ID] = e.Email
	}
	var out []openLink
	for _, l := range links {
		l.Expires = l.Expires.In(room.zone)
		one := openLink{Link: l, For: l.Email, By: address[l.Maker]}
		if l.Purpose == store.ResetLink {
			one.For = address[l.Editor]
		}
		out = append(out, one)
	}
	return out, err
}

// present reports whether a request has the editor's present password. The tries are
// counted, as those of signing in are: a browser left alone must not help a guesser.
// Otherwise it has answered the request, or err is set.
func (room *Room) present(w http.ResponseWriter, r *http.Request, who store.Session) (ok bool, err error) {
	throttle := store.Throttle{Key: "present password " + who.Editor.Email, Burst: pairTries, Every: tryAgain}
	wait, err := room.store.TakeAttempt(r.Context(), throttle)
	if err != nil {
		return false, err
	}
	if wait > 0 {
		return false, room.showYou(w, r, who, http.StatusTooManyRequests, youPage{Wrong: tooMany(w, wait)})
	}
	if ok, err = room.matches(r.Context(), who.Editor.Password, short(r.PostFormValue("present"), 4*maxPassword)); err != nil {
		return false, err
	}
	if !ok {
		room.logRefused(r, who.Editor.Email, "wrong present password")
		return false, room.showYou(w, r, who, http.StatusUnprocessableEntity, youPage{Wrong: "That is not your present password.", Email: short(r.PostFormValue("email"), 254)})
	}
	return true, room.store.ReturnAttempt(r.Context(), throttle)
}

// changePassword asks for the present one, and signs out everywhere else.
func (room *Room) changePassword(w http.ResponseWriter, r *http.Request, who store.Session) error {
	if ok, err := room.present(w, r, who); !ok || err != nil {
		return err
	}
	editor := who.Editor
	err := room.checkPassword(r.PostFormValue("password"), editor.Name, editor.Email)
	if err != nil {
		return room.showYou(w, r, who, http.StatusUnprocessableEntity, youPage{Wrong: err.Error()})
	}
	if editor.Password, err = room.hash(r.Context(), r.PostFormValue("password")); err != nil {
		return err
	}
	if err := room.store.UpdateEditor(r.Context(), editor, room.token(r)); err != nil {
		return err
	}
	room.log.Info("editor changed their password", "editor", editor.ID, "client", client(r))
	room.tellOfPassword(r, editor)
	if err := room.markBrowser(w, r, editor); err != nil {
		return err
	}
	return back(w, r, "/room/you", "password")
}

// changeAddress asks for the password, signs out everywhere else, and tells the old
// address.
func (room *Room) changeAddress(w http.ResponseWriter, r *http.Request, who store.Session) error {
	if ok, err := room.present(w, r, who); !ok || err != nil {
		return err
	}
	typed := short(strings.TrimSpace(r.PostFormValue("email")), 254)
	address, err := subscriber.ParseAddress(typed)
	if err == nil && !strings.EqualFold(address.String(), who.Editor.Email) {
		err = free(r.Context(), room.store, address)
	}
	editor := who.Editor
	editor.Email = address.String()
	if err == nil {
		err = room.store.UpdateEditor(r.Context(), editor, room.token(r))
	}
	if errors.Is(err, store.ErrExists) {
		err = errors.New("there is an editor with this address already")
	}
	if err != nil {
		return room.showYou(w, r, who, http.StatusUnprocessableEntity, youPage{Wrong: err.Error(), Email: typed})
	}
	room.log.Info("editor changed their address", "editor", editor.ID, "client", client(r))
	room.tellOfAddress(r, who.Editor, editor)
	return back(w, r, "/room/you", "address")
}

// signOutOthers ends an editor's sessions in all other browsers.
func (room *Room) signOutOthers(w http.ResponseWriter, r *http.Request, who store.Session) error {
	if err := room.store.EndOtherSessions(r.Context(), who.Editor.ID, room.token(r)); err != nil {
		return err
	}
	return back(w, r, "/room/you", "others")
}

// Lasts is how long a link still opens something, for people.
func (l openLink) Lasts() string { return l.Expires.Format("2 Jan 2006, 15:04 MST") }

// Kind is what a link is, in words.
func (l openLink) Kind() string {
	switch {
	case l.Purpose == store.ResetLink:
		return "new password"
	case l.Role == roleOwner:
		return "invitation of an owner"
	}
	return "invitation"
}
