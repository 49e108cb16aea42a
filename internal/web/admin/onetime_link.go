package admin

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/words"
)

// Lifetimes of one-time links: shortLinkAge for setup, new passwords and new addresses, inviteAge for
// invitations.
const (
	shortLinkAge = 24 * time.Hour
	inviteAge    = 7 * 24 * time.Hour
)

// SetupLink returns the one-time link with which the first editor, an owner, signs up; "" if
// there are editors already. It revokes the links of earlier calls.
func SetupLink(ctx context.Context, s *store.Store, site string) (string, error) {
	n, err := s.CountEditors(ctx)
	if err != nil || n > 0 {
		return "", err
	}
	return makeLink(ctx, s, site, store.Link{Purpose: store.SetupLink, Role: store.OwnerRole}, shortLinkAge)
}

// Invitation are the parameters of InviteLink.
type Invitation struct {
	Email string     // empty for anyone who has the link
	Role  store.Role // an editor's if empty
	Maker int64      // id of the editor who invites; 0 for the command line
}

// InviteLink returns a one-time link for a new editor. It revokes an earlier link for
// the same address, and stops working once its maker is disabled.
func InviteLink(ctx context.Context, s *store.Store, site string, in Invitation) (string, error) {
	link := store.Link{Purpose: store.InviteLink, Role: cmp.Or(in.Role, store.EditorRole), Maker: in.Maker}
	if in.Email != "" {
		address, err := subscriber.ParseAddress(in.Email)
		if err == nil {
			err = checkAddressFree(ctx, s, address)
		}
		if err != nil {
			return "", err
		}
		link.Email = address.String()
	}
	return makeLink(ctx, s, site, link, inviteAge)
}

// ResetLink returns a one-time link for an editor's new password. It revokes an earlier
// one, and stops working once its maker, 0 for the command line, is disabled.
func ResetLink(ctx context.Context, s *store.Store, site string, editor store.Editor, maker int64) (string, error) {
	return makeLink(ctx, s, site, store.Link{Purpose: store.ResetLink, Editor: editor.ID, Maker: maker}, shortLinkAge)
}

func makeLink(ctx context.Context, s *store.Store, site string, link store.Link, age time.Duration) (string, error) {
	token, err := s.CreateLink(ctx, link, age)
	return site + "/admin/welcome/" + token, err
}

// welcomeForm is the data of the page of a one-time link.
type welcomeForm struct {
	Name, Email  string
	FixedAddress bool       // the invitation is for this address
	Role         store.Role // of the new editor
	Reset        bool       // the link is for a new password only
	Problem      any
	Provider     string // label of the provider, for an invitation to an address
	MinLength    int    // of passwords
	Strength     string // path that judges a password
}

// invitation is a one-time link with the editor whose password it resets, if any.
type invitation struct {
	store.Link
	editor store.Editor
}

func (h *Handler) welcomePage(w http.ResponseWriter, r *http.Request) error {
	in, err := h.requestedLink(r)
	if err != nil {
		return err
	}
	return h.showWelcome(w, r, http.StatusOK, in, welcomeForm{Email: in.editor.Email})
}

func (h *Handler) showWelcome(w http.ResponseWriter, r *http.Request, status int, in invitation, form welcomeForm) error {
	form.Strength = "/admin/welcome/" + r.PathValue("token") + "/strength"
	form.MinLength, form.Role, form.Reset = minPassword, in.Role, in.Purpose == store.ResetLink
	if in.Email != "" {
		form.Email, form.FixedAddress = in.Email, true
		if h.provider != nil {
			form.Provider = h.provider.config.Label
		}
	}
	return h.show(w, status, "onetime_link", page{Title: "Welcome", Body: form})
}

// requestedLink returns the link in a request's path, without using it up.
func (h *Handler) requestedLink(r *http.Request) (in invitation, err error) {
	if in.Link, err = h.store.Link(r.Context(), r.PathValue("token")); err == nil && in.Purpose == store.ResetLink {
		in.editor, err = h.store.EditorByID(r.Context(), in.Editor)
		in.Role = in.editor.Role
	}
	if err == nil && (in.Purpose == store.CodeLink || in.Purpose == store.AddressLink) {
		err = store.ErrNotFound // it only stands for a password, or is for another page
	}
	return in, linkError(err)
}

// linkError returns the error page for a link that no longer works.
func linkError(err error) error {
	if !errors.Is(err, store.ErrNotFound) {
		return err
	}
	return &userError{http.StatusGone, "This link no longer works",
		"Links work once and for a limited time, and a newer link for the same person replaces an older one. Ask an owner for a new link.", "/admin/sign-in", "Sign in"}
}

// typedWelcome returns the name and the address of a request with a link, which may fix them.
func typedWelcome(r *http.Request, in invitation) welcomeForm {
	form := welcomeForm{Name: subscriber.NormalizeName(r.PostFormValue("name")), Email: strings.TrimSpace(r.PostFormValue("email"))}
	switch {
	case in.Purpose == store.ResetLink:
		form = welcomeForm{Name: in.editor.Name, Email: in.editor.Email}
	case in.Email != "":
		form.Email = in.Email
	}
	return form
}

// welcome creates the invited editor, or sets an editor's new password.
func (h *Handler) welcome(w http.ResponseWriter, r *http.Request) error {
	in, err := h.requestedLink(r)
	if err != nil {
		return err
	}
	form := typedWelcome(r, in)
	address, err := subscriber.ParseAddress(form.Email)
	if err == nil {
		err = h.checkPassword(r.PostFormValue("password"), form.Name, form.Email)
	}
	if err == nil && in.Purpose != store.ResetLink {
		err = checkAddressFree(r.Context(), h.store, address)
	}
	if store.OfEngine(err) {
		return err
	}
	if err != nil {
		form.Problem = err
		return h.showWelcome(w, r, http.StatusUnprocessableEntity, in, form)
	}
	if in.Purpose == store.ResetLink {
		return h.resetPassword(w, r, in.editor)
	}
	return h.createEditor(w, r, store.Editor{Email: address.String(), Name: form.Name})
}

var errAddressTaken = words.Errorf("an editor with this address already exists; an owner can create a link for a new password")

// checkAddressFree returns errAddressTaken if an editor already has the address.
func checkAddressFree(ctx context.Context, s *store.Store, address subscriber.Address) error {
	_, err := s.EditorByEmail(ctx, address.String())
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err == nil {
		err = errAddressTaken
	}
	return err
}

// createEditor uses the link up, creates the editor and signs them in.
func (h *Handler) createEditor(w http.ResponseWriter, r *http.Request, editor store.Editor) (err error) {
	ctx := r.Context()
	if editor.Password, err = h.hash(ctx, r.PostFormValue("password")); err != nil {
		return err
	}
	if editor, err = h.store.CreateEditorFromLink(h.auditing(ctx, editor, "people.join", "editor", "", ""), r.PathValue("token"), editor); err != nil {
		return linkError(err)
	}
	h.log.InfoContext(r.Context(), "editor created", "editor", editor.ID, "role", editor.Role, "client", clientAddress(r))
	return h.startSession(w, r, editor, store.NoFactor, "/admin/")
}

// resetPassword uses the link up, changes the password and signs out all other browsers.
func (h *Handler) resetPassword(w http.ResponseWriter, r *http.Request, editor store.Editor) error {
	password, err := h.hash(r.Context(), r.PostFormValue("password"))
	if err != nil {
		return err
	}
	ctx := h.auditing(r.Context(), editor, "account.password", "editor", editorID(editor), "by a one-time link")
	editor, err = h.store.ResetPassword(ctx, r.PathValue("token"), password)
	if err != nil {
		return linkError(err)
	}
	h.log.InfoContext(r.Context(), "editor has a new password", "editor", editor.ID, "client", clientAddress(r))
	h.mailPasswordChanged(r, editor)
	if on, err := h.secondFactorOf(r, editor); on || err != nil {
		return errors.Join(err, h.finishSignIn(w, r, editor, store.NoFactor, "/admin/"))
	}
	return h.startSession(w, r, editor, store.NoFactor, "/admin/")
}
