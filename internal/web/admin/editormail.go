package admin

import (
	"context"
	"net/http"

	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/store"
)

// Mails that tell an editor of what happened to their account. Whoever did it without
// right cannot keep them from being sent.

func (room *Room) tellOfSignIn(r *http.Request, editor store.Editor) {
	room.tell(r, editor.Email, "A new browser signed in",
		"Somebody signed in as "+editor.Email+" with a browser that had not done so before, from "+client(r)+room.when()+".")
}

func (room *Room) tellOfPassword(r *http.Request, editor store.Editor) {
	room.tell(r, editor.Email, "Your password was changed",
		"The password of "+editor.Email+" was changed from "+client(r)+room.when()+". All other browsers are signed out.")
}

// tellOfAddress tells the old address, which may be all that its owner still reads, and
// the new one.
func (room *Room) tellOfAddress(r *http.Request, old, editor store.Editor) {
	text := "The address of the account " + old.Email + " was changed to " + editor.Email + " from " + client(r) + room.when() + ". All other browsers are signed out."
	room.tell(r, old.Email, "Your address was changed", text)
	room.tell(r, editor.Email, "Your address was changed", text)
}

func (room *Room) when() string {
	return " on " + room.store.Now().In(room.zone).Format("2 January 2006 at 15:04 MST")
}

// tell keeps a mail to an editor. That it cannot be kept is logged: what it is about
// has happened.
func (room *Room) tell(r *http.Request, to, heading, text string) {
	mail := delivery.EditorMail{
		Heading: heading + " · " + room.config.Site.Title,
		Lines:   []string{text, `If that was not you, ask an owner for a link to a new password at once, or have "tidings editor reset ` + to + `" run on the server.`},
		Link:    room.config.Site.URL + "/room/you", Button: "Look at your account",
	}
	if err := room.engine.TellEditors(context.WithoutCancel(r.Context()), []string{to}, mail); err != nil {
		room.log.Error("an editor could not be told", "what", heading, "error", err)
	}
}
