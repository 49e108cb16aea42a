package admin

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/words"
)

// An editor's new address counts once someone who reads its mail has confirmed it. A mistyped address,
// or one that belongs to another person, so never gets an account. No one can change the address of a
// colleague.

// Limits of requests for a new address, each of which sends two mails.
const (
	newAddressBurst    = 5
	newAddressInterval = 10 * time.Minute
)

// newAddressForm is the data of the page that confirms a new address.
type newAddressForm struct {
	Old, New string
	Done     bool
	Problem  any
}

// changeAddress asks for the current password, or for a recent proof of identity from an editor who has
// none, and goes on with askForAddress.
func (h *Handler) changeAddress(w http.ResponseWriter, r *http.Request, session store.Session) error {
	if session.Editor.Password == "" {
		return h.proven(h.askForAddress)(w, r, session)
	}
	if ok, err := h.checkCurrentPassword(w, r, session); !ok || err != nil {
		return err
	}
	return h.askForAddress(w, r, session)
}

// askForAddress mails a link to the new address of an editor, and notifies the old one. The link changes
// the address.
func (h *Handler) askForAddress(w http.ResponseWriter, r *http.Request, session store.Session) error {
	typed := truncate(strings.TrimSpace(r.PostFormValue("email")), 254)
	address, err := subscriber.ParseAddress(typed)
	switch {
	case err == nil && address.String() == session.Editor.Email:
		err = words.Errorf("this is your address already")
	case err == nil && !strings.EqualFold(address.String(), session.Editor.Email):
		err = checkAddressFree(r.Context(), h.store, address)
	}
	if store.OfEngine(err) {
		return err
	}
	if err != nil {
		return h.showAccount(w, r, session, http.StatusUnprocessableEntity, accountPage{Problem: err, Email: typed})
	}
	wait, err := h.store.TakeAttempt(r.Context(), store.AttemptLimit{Key: fmt.Sprint("new address of editor ", session.Editor.ID), Burst: newAddressBurst, Every: newAddressInterval})
	if err != nil {
		return err
	}
	if wait > 0 {
		return h.showAccount(w, r, session, http.StatusTooManyRequests, accountPage{Problem: tooManyAttempts(w, wait), Email: typed})
	}
	ctx := h.auditing(r.Context(), session.Editor, "account.address", "editor", editorID(session.Editor), "asked for "+address.String())
	token, err := h.store.CreateLink(ctx, store.Link{Purpose: store.AddressLink, Editor: session.Editor.ID, Email: address.String()}, shortLinkAge)
	if err != nil {
		return err
	}
	h.log.InfoContext(r.Context(), "editor asked for a new address", "editor", session.Editor.ID, "client", clientAddress(r))
	if err := h.mailAddressLink(r, session.Editor, address.String(), h.config.Site.URL+"/admin/address/"+token); err != nil {
		return err
	}
	h.mailEditor(r, session.Editor, words.T("A new email address was asked for"),
		words.T("The email address of the account {0} is to be changed to {1}. This was asked for from {2} on {3}. It is changed once the link in the email to the new address is used.", session.Editor.Email, address.String(), clientAddress(r), h.today()))
	return redirectWithFlash(w, r, "/admin/account", "address-asked")
}

// mailAddressLink mails the link that confirms a new address.
func (h *Handler) mailAddressLink(r *http.Request, editor store.Editor, address, link string) error {
	return h.engine.MailEditors(context.WithoutCancel(r.Context()), []string{address}, delivery.EditorMail{
		Heading: words.T("{0} · {1}", words.T("Confirm your new email address"), h.config.Site.Title.String()),
		Lines: []words.Text{
			words.T("Someone asked to change the email address of the account {0} to {1}, from {2} on {3}.", editor.Email, address, clientAddress(r), h.today()),
			words.T("The link works once, for one day. Until then the present address stays. If this was not you, ignore this email."),
		},
		Link: link, Button: words.T("Confirm the address"), Language: editor.Language,
	})
}

// pendingAddress returns the link for the new address of an editor, if one waits for its confirmation.
func (h *Handler) pendingAddress(r *http.Request, editor store.Editor) (out []store.Link, err error) {
	links, err := h.store.Links(r.Context())
	for _, l := range links {
		if l.Purpose == store.AddressLink && l.Editor == editor.ID {
			out = append(out, l)
		}
	}
	return out, err
}

// newAddressPage asks to confirm a new address. A mail scanner may open it, so it changes nothing.
func (h *Handler) newAddressPage(w http.ResponseWriter, r *http.Request) error {
	_, form, err := h.requestedAddress(r)
	if err != nil {
		return err
	}
	return h.showNewAddress(w, http.StatusOK, form)
}

func (h *Handler) showNewAddress(w http.ResponseWriter, status int, form newAddressForm) error {
	return h.show(w, status, "new_address", page{Title: "New email address", Body: form})
}

// requestedAddress returns the editor of the link in a request's path, and what it changes.
func (h *Handler) requestedAddress(r *http.Request) (editor store.Editor, form newAddressForm, err error) {
	link, err := h.store.Link(r.Context(), r.PathValue("token"))
	if err == nil && link.Purpose != store.AddressLink {
		err = store.ErrNotFound
	}
	if err != nil {
		return editor, form, addressLinkError(err)
	}
	editor, err = h.store.EditorByID(r.Context(), link.Editor)
	return editor, newAddressForm{Old: editor.Email, New: link.Email}, err
}

// addressLinkError returns the error page for a link that no longer changes an address.
func addressLinkError(err error) error {
	if !errors.Is(err, store.ErrNotFound) {
		return err
	}
	return &userError{http.StatusGone, "This link no longer works",
		"Links work once and for one day. A newer one replaces an older one, and a change of the password or role ends it. Ask for the change again under “Account”.", "/admin/account", "Go to your account"}
}

// confirmAddress uses the link up: it changes the address, signs out all other browsers, and notifies
// both addresses.
func (h *Handler) confirmAddress(w http.ResponseWriter, r *http.Request) error {
	editor, form, err := h.requestedAddress(r)
	if err != nil {
		return err
	}
	ctx := h.auditing(r.Context(), editor, "account.address", "editor", editorID(editor), "now "+form.New)
	old, editor, err := h.store.ChangeAddress(ctx, r.PathValue("token"), h.sessionToken(r))
	if errors.Is(err, store.ErrExists) {
		form.Problem = errAddressTaken
		return h.showNewAddress(w, http.StatusConflict, form)
	}
	if err != nil {
		return addressLinkError(err)
	}
	h.log.InfoContext(r.Context(), "editor changed their address", "editor", editor.ID, "client", clientAddress(r))
	h.mailAddressChanged(r, old, editor)
	if session, err := h.session(r); err == nil && session.Editor.ID == editor.ID {
		return redirectWithFlash(w, r, "/admin/account", "address")
	}
	form.Done = true
	return h.showNewAddress(w, http.StatusOK, form)
}
