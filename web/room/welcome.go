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
	Wrong       string
	Min         int
}

func (room *Room) welcomePage(w http.ResponseWriter, r *http.Request) error {
	role, _, err := room.invited(r)
	if err != nil {
		return err
	}
	return room.showWelcome(w, http.StatusOK, welcomeForm{Owner: role == roleOwner})
}

func (room *Room) showWelcome(w http.ResponseWriter, status int, form welcomeForm) error {
	form.Min = minPassword
	return room.show(w, status, "welcome", page{Title: "Welcome", Body: form})
}

// invited looks at the link of a request without using it up, and returns the role
// that it gives and its purpose.
func (room *Room) invited(r *http.Request) (role, purpose string, err error) {
	for _, purpose = range []string{ownerLink, inviteLink} {
		if role, err = room.store.Link(r.Context(), purpose, r.PathValue("token")); !errors.Is(err, store.ErrNotFound) {
			break
		}
	}
	if err == nil && purpose == ownerLink {
		var n int64
		if n, err = room.store.CountEditors(r.Context()); err == nil && n > 0 {
			err = store.ErrNotFound
		}
	}
	if errors.Is(err, store.ErrNotFound) {
		err = &refusal{http.StatusGone, "This link is used up", "One-time links work once and not for long. An owner can make a new one in the room.", "/room/sign-in", "Sign in"}
	}
	return role, purpose, err
}

func (room *Room) welcome(w http.ResponseWriter, r *http.Request) error {
	role, purpose, err := room.invited(r)
	if err != nil {
		return err
	}
	form := welcomeForm{Name: subscriber.TidyName(r.PostFormValue("name")), Email: strings.TrimSpace(r.PostFormValue("email")), Owner: role == roleOwner}
	address, err := subscriber.ParseAddress(form.Email)
	if err == nil {
		err = checkPassword(r.PostFormValue("password"))
	}
	if err == nil {
		_, err = room.store.EditorByEmail(r.Context(), address.String())
		if err == nil {
			err = errors.New("there is an editor with this address already")
		} else if errors.Is(err, store.ErrNotFound) {
			err = nil
		}
	}
	if err != nil {
		form.Wrong = err.Error()
		return room.showWelcome(w, http.StatusUnprocessableEntity, form)
	}
	editor := store.Editor{Email: address.String(), Name: form.Name, Role: role}
	return room.admit(w, r, editor, purpose)
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
