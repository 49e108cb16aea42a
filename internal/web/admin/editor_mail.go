package admin

import (
	"context"
	"net/http"

	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/store"
)

// The mails of this file tell an editor about changes of their account. An intruder who
// made the change cannot keep them from being sent.

func (h *Handler) mailNewBrowser(r *http.Request, editor store.Editor) {
	h.mailEditor(r, editor.Email, "A new browser signed in",
		"Someone signed in as "+editor.Email+" with a browser that had not been used before, from "+clientAddress(r)+h.onDate()+".")
}

func (h *Handler) mailPasswordChanged(r *http.Request, editor store.Editor) {
	h.mailEditor(r, editor.Email, "Your password was changed",
		"The password of "+editor.Email+" was changed from "+clientAddress(r)+h.onDate()+". All other browsers are signed out.")
}

// mailAddressChanged writes to the new address and to the old one, which may be the only
// one that the account's owner still reads.
func (h *Handler) mailAddressChanged(r *http.Request, old, editor store.Editor) {
	text := "The address of the account " + old.Email + " was changed to " + editor.Email + " from " + clientAddress(r) + h.onDate() + ". All other browsers are signed out."
	h.mailEditor(r, old.Email, "Your address was changed", text)
	h.mailEditor(r, editor.Email, "Your address was changed", text)
}

func (h *Handler) onDate() string {
	return " on " + h.store.Now().In(h.zone).Format("2 January 2006 at 15:04 MST")
}

// mailEditor queues a mail to an editor. The change that it is about is already made, so
// an error is only logged.
func (h *Handler) mailEditor(r *http.Request, to, heading, text string) {
	mail := delivery.EditorMail{
		Heading: heading + " · " + h.config.Site.Title,
		Lines:   []string{text, `If this was not you, ask an owner for a link to a new password, or have "tidings editor reset ` + to + `" run on the server.`},
		Link:    h.config.Site.URL + "/admin/account", Button: "Go to your account",
	}
	if err := h.engine.MailEditors(context.WithoutCancel(r.Context()), []string{to}, mail); err != nil {
		h.log.Error("a mail to an editor could not be queued", "subject", heading, "error", err)
	}
}
