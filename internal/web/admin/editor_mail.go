package admin

import (
	"context"
	"net/http"
	"time"

	"github.com/tidings-press/tidings/internal/config"
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

// MailSignInMethodsRemoved notifies an editor that a command removed ways to sign in at the given time: two-step sign-in
// alone, or all of them. The mail is queued; a node that runs sends it.
func MailSignInMethodsRemoved(ctx context.Context, engine *delivery.Engine, site config.Site, editor store.Editor, at time.Time, all bool) error {
	heading, text := words.T("Two-step sign-in was turned off"), words.T("Two-step sign-in of the account {0} was turned off by a command on the server, on {1}. All browsers are signed out. You get a link for a new password from the person who ran it.", editor.Email, at)
	if all {
		heading, text = words.T("Your sign-in methods were removed"), words.T("Two-step sign-in, passkeys and provider accounts were removed from the account {0} by a command on the server, on {1}. All browsers are signed out. You get a link for a new password from the person who ran it.", editor.Email, at)
	}
	return mailAccount(ctx, engine, site, editor, heading, text)
}

// mailAccount queues a mail to an editor about a change of their account, in their language.
func mailAccount(ctx context.Context, engine *delivery.Engine, site config.Site, to store.Editor, heading, text words.Text) error {
	return engine.MailEditors(ctx, []string{to.Email}, delivery.EditorMail{
		Heading:  words.T("{0} · {1}", heading, site.Title.String()),
		Lines:    []words.Text{text, words.T(`If this was not you, ask an owner for a new password link, or run "tidings editor reset --sign-in-methods {0}" on the server.`, to.Email)},
		Link:     site.URL + "/admin/account",
		Button:   words.T("Go to your account"),
		Language: to.Language,
	})
}

// mailEditor queues a mail to an editor, in the editor's language. An error is only logged, since the
// change has already been made.
func (h *Handler) mailEditor(r *http.Request, to store.Editor, heading, text words.Text) {
	if err := mailAccount(context.WithoutCancel(r.Context()), h.engine, h.config.Site, to, heading, text); err != nil {
		h.log.ErrorContext(r.Context(), "mail to an editor not queued", "subject", heading, "error", err)
	}
}
