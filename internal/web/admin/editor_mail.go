package admin

import (
	"context"
	"net/http"

	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/store"
)

// The mails of this file notify editors of changes to their accounts. They are always sent, so
// that an intruder cannot suppress them.

func (h *Handler) mailNewBrowser(r *http.Request, editor store.Editor) {
	h.mailEditor(r, editor.Email, "New sign-in to your account",
		"Someone signed in as "+editor.Email+" in a new browser, from "+clientAddress(r)+h.onDate()+".")
}

func (h *Handler) mailPasswordChanged(r *http.Request, editor store.Editor) {
	h.mailEditor(r, editor.Email, "Your password was changed",
		"The password of "+editor.Email+" was changed from "+clientAddress(r)+h.onDate()+". All other browsers are signed out.")
}

// mailAddressChanged notifies the new address and the old one, which may be the only address
// that the owner of the account can read.
func (h *Handler) mailAddressChanged(r *http.Request, old, editor store.Editor) {
	text := "The email address of the account " + old.Email + " was changed to " + editor.Email + " from " + clientAddress(r) + h.onDate() + ". All other browsers are signed out."
	h.mailEditor(r, old.Email, "Your email address was changed", text)
	h.mailEditor(r, editor.Email, "Your email address was changed", text)
}

// mailSignInMethod notifies an editor of a new or removed way to sign in; text ends before the address.
func (h *Handler) mailSignInMethod(r *http.Request, editor store.Editor, heading, text string) {
	h.mailEditor(r, editor.Email, heading, text+editor.Email+" from "+clientAddress(r)+h.onDate()+".")
}

func (h *Handler) onDate() string {
	return " on " + h.store.Now().In(h.zone).Format("2 January 2006 at 15:04 MST")
}

// mailEditor queues a mail to an editor. An error is only logged, since the change has already
// been made.
func (h *Handler) mailEditor(r *http.Request, to, heading, text string) {
	mail := delivery.EditorMail{
		Heading: heading + " · " + h.config.Site.Title.String(),
		Lines:   []string{text, `If this was not you, ask an owner for a new password link, or run "tidings editor reset --sign-in-methods ` + to + `" on the server.`},
		Link:    h.config.Site.URL + "/admin/account", Button: "Go to your account",
	}
	if err := h.engine.MailEditors(context.WithoutCancel(r.Context()), []string{to}, mail); err != nil {
		h.log.Error("mail to an editor not queued", "subject", heading, "error", err)
	}
}
