package room

import (
	"net/http"

	"github.com/tidings-press/tidings/store"
)

// youPage is an editor's own page.
type youPage struct {
	Editors []store.Editor // for owners
	Invite  string         // a fresh one-time link
	Reset   string         // one for the new password of
	For     string         // this editor
	Wrong   string
	Min     int
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
	}
	return room.show(w, status, "you", page{Title: "You", Nav: "you", Who: &who.Editor, Done: told(r), Body: body})
}

// changePassword asks for the present one, and signs out everywhere else.
func (room *Room) changePassword(w http.ResponseWriter, r *http.Request, who store.Session) error {
	if !room.accounts.Allow(who.Editor.Email) {
		return &refusal{http.StatusTooManyRequests, "Please wait a minute", "That were many tries in a short time.", "/room/you", "Go back"}
	}
	ok, err := room.matches(r.Context(), who.Editor.Password, short(r.PostFormValue("present"), 4*maxPassword))
	if err != nil {
		return err
	}
	if !ok {
		return room.showYou(w, r, who, http.StatusUnprocessableEntity, youPage{Wrong: "That is not your present password."})
	}
	if err := checkPassword(r.PostFormValue("password")); err != nil {
		return room.showYou(w, r, who, http.StatusUnprocessableEntity, youPage{Wrong: err.Error()})
	}
	editor := who.Editor
	if editor.Password, err = room.hash(r.Context(), r.PostFormValue("password")); err != nil {
		return err
	}
	if err := room.store.UpdateEditor(r.Context(), editor); err != nil {
		return err
	}
	if err := room.store.EndOtherSessions(r.Context(), editor.ID, room.token(r)); err != nil {
		return err
	}
	return back(w, r, "/room/you", "password")
}

// invite makes a link that lets one more editor in. It is shown once.
func (room *Room) invite(w http.ResponseWriter, r *http.Request, who store.Session) error {
	if err := ownersOnly(who); err != nil {
		return err
	}
	link, err := InviteLink(r.Context(), room.store, room.config.Site.URL, r.PostFormValue("role") == roleOwner)
	if err != nil {
		return err
	}
	return room.showYou(w, r, who, http.StatusOK, youPage{Invite: link})
}
