package admin

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
)

// Roles of editors. An owner lets others in.
const (
	roleOwner  = "owner"
	roleEditor = "editor"
)

// Links are good for a week; those that let the first one in, or change a password,
// for a day.
const (
	ownerFor  = 24 * time.Hour
	inviteFor = 7 * 24 * time.Hour
)

// SetupLink returns the one-time link that makes the first editor of a site, the
// owner; empty when there is one already. It voids those that were made before.
func SetupLink(ctx context.Context, s *store.Store, site string) (string, error) {
	n, err := s.CountEditors(ctx)
	if err != nil || n > 0 {
		return "", err
	}
	token, err := s.CreateLink(ctx, store.Link{Purpose: store.SetupLink, Role: roleOwner}, ownerFor)
	return site + "/admin/welcome/" + token, err
}

// Invitation is whom a link lets in. Without an address anyone who holds the link
// comes in by it.
type Invitation struct {
	Email string
	Owner bool
	Maker int64 // the editor who makes it; 0 for the command line
}

// InviteLink returns a one-time link that lets one more editor in. It voids an earlier
// one for the same address, and is void once its maker may no longer sign in.
func InviteLink(ctx context.Context, s *store.Store, site string, in Invitation) (string, error) {
	link := store.Link{Purpose: store.InviteLink, Role: roleEditor, Maker: in.Maker}
	if in.Owner {
		link.Role = roleOwner
	}
	if in.Email != "" {
		address, err := subscriber.ParseAddress(in.Email)
		if err == nil {
			err = free(ctx, s, address)
		}
		if err != nil {
			return "", err
		}
		link.Email = address.String()
	}
	token, err := s.CreateLink(ctx, link, inviteFor)
	return site + "/admin/welcome/" + token, err
}

// ResetLink returns a one-time link that gives an editor a new password. It voids an
// earlier one, and is void once its maker, 0 for the command line, may no longer sign
// in.
func ResetLink(ctx context.Context, s *store.Store, site string, editor store.Editor, maker int64) (string, error) {
	token, err := s.CreateLink(ctx, store.Link{Purpose: store.ResetLink, Editor: editor.ID, Maker: maker}, ownerFor)
	return site + "/admin/welcome/" + token, err
}

// welcomeForm is the page behind a one-time link.
type welcomeForm struct {
	Name, Email string
	Fixed       bool // the address is the invitation's
	Owner       bool
	Reset       bool // only a new password
	Wrong       string
	Min         int
}

// invitation is what a one-time link lets its holder do.
type invitation struct {
	store.Link
	editor store.Editor // whose password it is, with a reset
}

func (h *Handler) welcomePage(w http.ResponseWriter, r *http.Request) error {
	in, err := h.invited(r)
	if err != nil {
		return err
	}
	return h.showWelcome(w, http.StatusOK, in, welcomeForm{Email: in.editor.Email})
}

func (h *Handler) showWelcome(w http.ResponseWriter, status int, in invitation, form welcomeForm) error {
	form.Min, form.Owner, form.Reset = minPassword, in.Role == roleOwner, in.Purpose == store.ResetLink
	if in.Email != "" {
		form.Email, form.Fixed = in.Email, true
	}
	return h.show(w, status, "onetime_link", page{Title: "Welcome", Body: form})
}

// invited looks at the link of a request without using it up.
func (h *Handler) invited(r *http.Request) (in invitation, err error) {
	if in.Link, err = h.store.Link(r.Context(), r.PathValue("token")); err == nil && in.Purpose == store.ResetLink {
		in.editor, err = h.store.EditorByID(r.Context(), in.Editor)
		in.Role = in.editor.Role
	}
	return in, usedUp(err)
}

// usedUp explains a link that opens nothing.
func usedUp(err error) error {
	if !errors.Is(err, store.ErrNotFound) {
		return err
	}
	return &userError{http.StatusGone, "This link opens nothing", "One-time links work once and not for long, and a newer one for the same person takes the place of an older one. An owner can make a new one.", "/admin/sign-in", "Sign in"}
}

func (h *Handler) welcome(w http.ResponseWriter, r *http.Request) error {
	in, err := h.invited(r)
	if err != nil {
		return err
	}
	form := welcomeForm{Name: subscriber.TidyName(r.PostFormValue("name")), Email: strings.TrimSpace(r.PostFormValue("email"))}
	switch {
	case in.Purpose == store.ResetLink:
		form = welcomeForm{Name: in.editor.Name, Email: in.editor.Email}
	case in.Email != "":
		form.Email = in.Email
	}
	address, err := subscriber.ParseAddress(form.Email)
	if err == nil {
		err = h.checkPassword(r.PostFormValue("password"), form.Name, form.Email)
	}
	if err == nil && in.Purpose != store.ResetLink {
		err = free(r.Context(), h.store, address)
	}
	if err != nil {
		form.Wrong = err.Error()
		return h.showWelcome(w, http.StatusUnprocessableEntity, in, form)
	}
	if in.Purpose == store.ResetLink {
		return h.reset(w, r)
	}
	return h.admit(w, r, store.Editor{Email: address.String(), Name: form.Name})
}

// checkPassword refuses a new password that is easy to guess for somebody who knows
// the site and its editor.
func (h *Handler) checkPassword(password, name, email string) error {
	return checkPassword(password, h.config.Site.Title, h.config.Site.URL, name, email)
}

// free returns an error when an editor has an address already.
func free(ctx context.Context, s *store.Store, address subscriber.Address) error {
	_, err := s.EditorByEmail(ctx, address.String())
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err == nil {
		err = errors.New("there is an editor with this address already; an owner can make a link for a new password")
	}
	return err
}

// admit uses the link up, makes the editor and signs them in.
func (h *Handler) admit(w http.ResponseWriter, r *http.Request, editor store.Editor) (err error) {
	ctx := r.Context()
	if editor.Password, err = h.hash(ctx, r.PostFormValue("password")); err != nil {
		return err
	}
	if editor, err = h.store.CreateEditorFromLink(ctx, r.PathValue("token"), editor); err != nil {
		return usedUp(err)
	}
	h.log.Info("editor made", "editor", editor.ID, "role", editor.Role, "client", client(r))
	return h.begin(w, r, editor, "/admin/")
}

// reset uses the link up, changes the password and signs out everywhere else.
func (h *Handler) reset(w http.ResponseWriter, r *http.Request) error {
	password, err := h.hash(r.Context(), r.PostFormValue("password"))
	if err != nil {
		return err
	}
	editor, err := h.store.ResetPassword(r.Context(), r.PathValue("token"), password)
	if err != nil {
		return usedUp(err)
	}
	h.log.Info("editor has a new password", "editor", editor.ID, "client", client(r))
	h.tellOfPassword(r, editor)
	return h.begin(w, r, editor, "/admin/")
}
