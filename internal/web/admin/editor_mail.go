package admin

import (
	"context"
	"net/http"
	"time"

	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/words"
)

// The mails of this file notify editors of changes to their accounts. They are always sent, so
// that an intruder cannot suppress them.

func (h *Handler) mailNewBrowser(r *http.Request, editor store.Editor) {
	h.mailEditor(r, editor, words.T("New sign-in to your account"),
		words.T("Someone signed in as {0} in a new browser, from {1} on {2}.", editor.Email, clientAddress(r), h.today()))
}

func (h *Handler) mailPasswordChanged(r *http.Request, editor store.Editor) {
	h.mailEditor(r, editor, words.T("Your password was changed"),
		words.T("The password of {0} was changed from {1} on {2}. All other browsers are signed out.", editor.Email, clientAddress(r), h.today()))
}

// mailAddressChanged notifies the new address and the old one, which may be the only address
// that the owner of the account can read.
func (h *Handler) mailAddressChanged(r *http.Request, old, editor store.Editor) {
	text := words.T("The email address of the account {0} was changed to {1} from {2} on {3}. All other browsers are signed out.", old.Email, editor.Email, clientAddress(r), h.today())
	h.mailEditor(r, old, words.T("Your email address was changed"), text)
	h.mailEditor(r, editor, words.T("Your email address was changed"), text)
}

// mailSignInMethod notifies an editor of a new or removed way to sign in. In place of {0}, {1} and {2},
// text has the address of the account, that of the client, and the time; args follow.
func (h *Handler) mailSignInMethod(r *http.Request, editor store.Editor, heading, text words.Text, args ...any) {
	text.Args = append([]any{editor.Email, clientAddress(r), h.today()}, args...)
	h.mailEditor(r, editor, heading, text)
}

// today returns the time in the site's timezone.
func (h *Handler) today() time.Time { return h.store.Now().In(h.zone) }

// mailEditor queues a mail to an editor, in the editor's language. An error is only logged, since the
// change has already been made.
func (h *Handler) mailEditor(r *http.Request, to store.Editor, heading, text words.Text) {
	mail := delivery.EditorMail{
		Heading:  words.T("{0} · {1}", heading, h.config.Site.Title.String()),
		Lines:    []words.Text{text, words.T(`If this was not you, ask an owner for a new password link, or run "tidings editor reset --sign-in-methods {0}" on the server.`, to.Email)},
		Link:     h.config.Site.URL + "/admin/account",
		Button:   words.T("Go to your account"),
		Language: to.Language,
	}
	if err := h.engine.MailEditors(context.WithoutCancel(r.Context()), []string{to.Email}, mail); err != nil {
		h.log.ErrorContext(r.Context(), "mail to an editor not queued", "subject", heading, "error", err)
	}
}
