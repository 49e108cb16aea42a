package room

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/tidings-press/tidings/store"
)

// ResetLink returns a one-time link that gives an editor a new password.
func ResetLink(ctx context.Context, s *store.Store, site string, editor store.Editor) (string, error) {
	token, err := s.CreateLink(ctx, resetLink, strconv.FormatInt(editor.ID, 10), ownerFor)
	return site + "/room/welcome/" + token, err
}

// reset uses the link up, changes the password and signs out everywhere else.
func (room *Room) reset(w http.ResponseWriter, r *http.Request, editor store.Editor) (err error) {
	ctx := r.Context()
	if editor.Password, err = room.hash(ctx, r.PostFormValue("password")); err != nil {
		return err
	}
	if _, err = room.store.UseLink(ctx, resetLink, r.PathValue("token")); err != nil {
		return err
	}
	if err = room.store.UpdateEditor(ctx, editor); err != nil {
		return err
	}
	if err = room.store.EndOtherSessions(ctx, editor.ID, ""); err != nil {
		return err
	}
	room.log.Info("editor has a new password", "editor", editor.ID)
	return room.begin(w, r, editor, "/room/")
}

// editorNumbered is the editor with a number, who may sign in.
func (room *Room) editorNumbered(ctx context.Context, number string) (store.Editor, error) {
	id, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		return store.Editor{}, store.ErrNotFound
	}
	editor, err := room.store.EditorByID(ctx, id)
	if err == nil && !editor.Disabled.IsZero() {
		err = fmt.Errorf("editor %d is shut out: %w", id, store.ErrNotFound)
	}
	return editor, err
}

// resetOf makes a link for another editor's new password. It is shown once.
func (room *Room) resetOf(w http.ResponseWriter, r *http.Request, who store.Session) error {
	if err := ownersOnly(who); err != nil {
		return err
	}
	editor, err := room.editorNumbered(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	link, err := ResetLink(r.Context(), room.store, room.config.Site.URL, editor)
	if err != nil {
		return err
	}
	room.log.Info("link for a new password made", "for", editor.ID, "editor", who.Editor.ID)
	return room.showYou(w, r, who, http.StatusOK, youPage{Reset: link, For: editor.Email})
}

// shutOut ends an editor's access, or gives it back. Nobody shuts themselves out.
func (room *Room) shutOut(w http.ResponseWriter, r *http.Request, who store.Session) error {
	if err := ownersOnly(who); err != nil {
		return err
	}
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil || id == who.Editor.ID {
		return store.ErrNotFound
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
	if err := room.store.UpdateEditor(r.Context(), editor); err != nil {
		return err
	}
	if err := room.store.EndOtherSessions(r.Context(), editor.ID, ""); err != nil {
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
