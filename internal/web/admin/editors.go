package admin

import (
	"net/http"
	"strconv"
	"time"

	"github.com/tidings-press/tidings/internal/store"
)

// numbered is the number in a request's path; ErrNotFound when there is none.
func numbered(r *http.Request) (int64, error) {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		return 0, store.ErrNotFound
	}
	return id, nil
}

// invite makes a link that lets one more editor in. It is shown once.
func (room *Room) invite(w http.ResponseWriter, r *http.Request, who store.Session) error {
	if err := ownersOnly(who); err != nil {
		return err
	}
	in := Invitation{Email: short(r.PostFormValue("email"), 254), Owner: r.PostFormValue("role") == roleOwner, Maker: who.Editor.ID}
	link, err := InviteLink(r.Context(), room.store, room.config.Site.URL, in)
	if err != nil {
		return room.showYou(w, r, who, http.StatusUnprocessableEntity, youPage{Wrong: err.Error()})
	}
	room.log.Info("invitation made", "for", in.Email, "owner", in.Owner, "editor", who.Editor.ID)
	return room.showYou(w, r, who, http.StatusOK, youPage{Invite: link, For: in.Email})
}

// resetOf makes a link for another editor's new password. It is shown once.
func (room *Room) resetOf(w http.ResponseWriter, r *http.Request, who store.Session) error {
	if err := ownersOnly(who); err != nil {
		return err
	}
	id, err := numbered(r)
	if err != nil {
		return err
	}
	editor, err := room.store.EditorByID(r.Context(), id)
	if err == nil && !editor.Disabled.IsZero() {
		err = store.ErrNotFound
	}
	if err != nil {
		return err
	}
	link, err := ResetLink(r.Context(), room.store, room.config.Site.URL, editor, who.Editor.ID)
	if err != nil {
		return err
	}
	room.log.Info("link for a new password made", "for", editor.ID, "editor", who.Editor.ID)
	return room.showYou(w, r, who, http.StatusOK, youPage{Reset: link, For: editor.Email})
}

// revoke makes a one-time link void.
func (room *Room) revoke(w http.ResponseWriter, r *http.Request, who store.Session) error {
	if err := ownersOnly(who); err != nil {
		return err
	}
	id, err := numbered(r)
	if err == nil {
		err = room.store.RevokeLink(r.Context(), id)
	}
	if err != nil {
		return err
	}
	room.log.Info("link revoked", "link", id, "editor", who.Editor.ID)
	return back(w, r, "/room/you", "revoked")
}

// shutOut ends an editor's access, or gives it back. Nobody shuts themselves out. The
// links that they made are void from then on.
func (room *Room) shutOut(w http.ResponseWriter, r *http.Request, who store.Session) error {
	if err := ownersOnly(who); err != nil {
		return err
	}
	id, err := numbered(r)
	if err == nil && id == who.Editor.ID {
		err = store.ErrNotFound
	}
	if err != nil {
		return err
	}
	editor, err := room.store.EditorByID(r.Context(), id)
	if err != nil {
		return err
	}
	said := "out"
	if editor.Disabled.IsZero() {
		editor.Disabled = room.store.Now()
	} else {
		editor.Disabled, said = time.Time{}, "in"
	}
	if err := room.store.UpdateEditor(r.Context(), editor, ""); err != nil {
		return err
	}
	room.log.Info("editor let "+said, "for", editor.ID, "editor", who.Editor.ID)
	return back(w, r, "/room/you", said)
}

func ownersOnly(who store.Session) error {
	if who.Editor.Role == roleOwner {
		return nil
	}
	return &refusal{http.StatusForbidden, "That is for owners", "An owner of this site can let editors in and out.", "/room/you", "Go back"}
}
