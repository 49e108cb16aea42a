package room

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/tidings-press/tidings/store"
	"github.com/tidings-press/tidings/subscriber"
)

// Purposes of one-time links.
const (
	ownerLink  = "owner"  // makes the first editor, as long as there is none
	inviteLink = "invite" // makes one more
	resetLink  = "reset"  // gives one a new password; its data is the editor's number
)

// Roles of editors. An owner lets others in.
const (
	roleOwner  = "owner"
	roleEditor = "editor"
)

// Links are good for a week; those that let the first one in for a day, since every
// start prints a new one.
const (
	ownerFor  = 24 * time.Hour
	inviteFor = 7 * 24 * time.Hour
)

// FirstLink returns the one-time link that makes the first editor of a site, the
// owner; empty when there is one already.
func FirstLink(ctx context.Context, s *store.Store, site string) (string, error) {
	n, err := s.CountEditors(ctx)
	if err != nil || n > 0 {
		return "", err
	}
	token, err := s.CreateLink(ctx, ownerLink, roleOwner, ownerFor)
	return site + "/room/welcome/" + token, err
}

// InviteLink returns a one-time link that lets one more editor in, or owner.
func InviteLink(ctx context.Context, s *store.Store, site string, owner bool) (string, error) {
	role := roleEditor
	if owner {
		role = roleOwner
	}
	token, err := s.CreateLink(ctx, inviteLink, role, inviteFor)
	return site + "/room/welcome/" + token, err
}

// welcomeForm is the page behind a one-time link.
type welcomeForm struct {
	Name, Email string
	Owner       bool
	Reset       bool // only a new password
	Wrong       string
	Min         int
}

// invitation is what a one-time link lets its holder do.
type invitation struct {
	purpose string
	role    string
	editor  store.Editor // whose password it is, with a resetLink
}

func (room *Room) welcomePage(w http.ResponseWriter, r *http.Request) error {
	in, err := room.invited(r)
	if err != nil {
		return err
	}
	return room.showWelcome(w, http.StatusOK, in, welcomeForm{Email: in.editor.Email})
}

func (room *Room) showWelcome(w http.ResponseWriter, status int, in invitation, form welcomeForm) error {
	form.Min, form.Owner, form.Reset = minPassword, in.role == roleOwner, in.purpose == resetLink
	return room.show(w, status, "welcome", page{Title: "Welcome", Body: form})
}

// invited looks at the link of a request without using it up.
func (room *Room) invited(r *http.Request) (in invitation, err error) {
	data := ""
	for _, in.purpose = range []string{ownerLink, inviteLink, resetLink} {
		if data, err = room.store.Link(r.Context(), in.purpose, r.PathValue("token")); !errors.Is(err, store.ErrNotFound) {
			break
		}
	}
	in.role = data
	switch {
	case err != nil:
	case in.purpose == ownerLink:
		var n int64
		if n, err = room.store.CountEditors(r.Context()); err == nil && n > 0 {
			err = store.ErrNotFound
		}
	case in.purpose == resetLink:
		in.editor, err = room.editorNumbered(r.Context(), data)
		in.role = in.editor.Role
	}
	if errors.Is(err, store.ErrNotFound) {
		err = &refusal{http.StatusGone, "This link is used up", "One-time links work once and not for long. An owner can make a new one in the room.", "/room/sign-in", "Sign in"}
	}
	return in, err
}

func (room *Room) welcome(w http.ResponseWriter, r *http.Request) error {
	in, err := room.invited(r)
	if err != nil {
		return err
	}
	form := welcomeForm{Name: subscriber.TidyName(r.PostFormValue("name")), Email: strings.TrimSpace(r.PostFormValue("email"))}
	if in.purpose == resetLink {
		form = welcomeForm{Name: in.editor.Name, Email: in.editor.Email}
	}
	address, err := subscriber.ParseAddress(form.Email)
	if err == nil {
		err = checkPassword(r.PostFormValue("password"))
	}
	if err == nil && in.purpose != resetLink {
		err = room.free(r.Context(), address)
	}
	if err != nil {
		form.Wrong = err.Error()
		return room.showWelcome(w, http.StatusUnprocessableEntity, in, form)
	}
	if in.purpose == resetLink {
		return room.reset(w, r, in.editor)
	}
	return room.admit(w, r, store.Editor{Email: address.String(), Name: form.Name, Role: in.role}, in.purpose)
}

// free says whether no editor has an address yet.
func (room *Room) free(ctx context.Context, address subscriber.Address) error {
	_, err := room.store.EditorByEmail(ctx, address.String())
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err == nil {
		err = errors.New("there is an editor with this address already; an owner can make a link for a new password")
	}
	return err
}

// admit uses the link up, makes the editor and signs them in.
func (room *Room) admit(w http.ResponseWriter, r *http.Request, editor store.Editor, purpose string) (err error) {
	ctx := r.Context()
	if editor.Password, err = room.hash(ctx, r.PostFormValue("password")); err != nil {
		return err
	}
	if _, err = room.store.UseLink(ctx, purpose, r.PathValue("token")); err != nil {
		return err
	}
	if editor, err = room.store.CreateEditor(ctx, editor); err != nil {
		return err
	}
	room.log.Info("editor made", "editor", editor.ID, "role", editor.Role)
	return room.begin(w, r, editor, "/room/")
}
