package admin

import (
	"context"
	"net/http"

	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/store"
)

// Mails that tell an editor of what happened to their account. Whoever did it without
// right cannot keep them from being sent.

func (h *Handler) tellOfSignIn(r *http.Request, editor store.Editor) {
	h.tell(r, editor.Email, "A new browser signed in",
		"Somebody signed in as "+editor.Email+" with a browser that had not done so before, from "+client(r)+h.when()+".")
}

func (h *Handler) tellOfPassword(r *http.Request, editor store.Editor) {
	h.tell(r, editor.Email, "Your password was changed",
		"The password of "+editor.Email+" was changed from "+client(r)+h.when()+". All other browsers are signed out.")
}

// tellOfAddress tells the old address, which may be all that its owner still reads, and
// the new one.
func (h *Handler) tellOfAddress(r *http.Request, old, editor store.Editor) {
	text := "The address of the account " + old.Email + " was changed to " + editor.Email + " from " + client(r) + h.when() + ". All other browsers are signed out."
	h.tell(r, old.Email, "Your address was changed", text)
	h.tell(r, editor.Email, "Your address was changed", text)
}

func (h *Handler) when() string {
	return " on " + h.store.Now().In(h.zone).Format("2 January 2006 at 15:04 MST")
}

// tell keeps a mail to an editor. That it cannot be kept is logged: what it is about
// has happened.
func (h *Handler) tell(r *http.Request, to, heading, text string) {
	mail := delivery.EditorMail{
		Heading: heading + " · " + h.config.Site.Title,
		Lines:   []string{text, `If that was not you, ask an owner for a link to a new password at once, or have "tidings editor reset ` + to + `" run on the server.`},
		Link:    h.config.Site.URL + "/admin/account", Button: "Look at your account",
	}
	if err := h.engine.MailEditors(context.WithoutCancel(r.Context()), []string{to}, mail); err != nil {
		h.log.Error("an editor could not be told", "what", heading, "error", err)
	}
}
