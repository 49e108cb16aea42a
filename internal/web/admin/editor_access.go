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
func (h *Handler) invite(w http.ResponseWriter, r *http.Request, session store.Session) error {
	if err := ownersOnly(session); err != nil {
		return err
	}
	in := Invitation{Email: truncate(r.PostFormValue("email"), 254), Owner: r.PostFormValue("role") == roleOwner, Maker: session.Editor.ID}
	link, err := InviteLink(r.Context(), h.store, h.config.Site.URL, in)
	if err != nil {
		return h.showAccount(w, r, session, http.StatusUnprocessableEntity, accountPage{Wrong: err.Error()})
	}
	h.log.Info("invitation made", "for", in.Email, "owner", in.Owner, "editor", session.Editor.ID)
	return h.showAccount(w, r, session, http.StatusOK, accountPage{Invite: link, For: in.Email})
}

// resetOf makes a link for another editor's new password. It is shown once.
func (h *Handler) resetPasswordOf(w http.ResponseWriter, r *http.Request, session store.Session) error {
	if err := ownersOnly(session); err != nil {
		return err
	}
	id, err := numbered(r)
	if err != nil {
		return err
	}
	editor, err := h.store.EditorByID(r.Context(), id)
	if err == nil && !editor.Disabled.IsZero() {
		err = store.ErrNotFound
	}
	if err != nil {
		return err
	}
	link, err := ResetLink(r.Context(), h.store, h.config.Site.URL, editor, session.Editor.ID)
	if err != nil {
		return err
	}
	h.log.Info("link for a new password made", "for", editor.ID, "editor", session.Editor.ID)
	return h.showAccount(w, r, session, http.StatusOK, accountPage{Reset: link, For: editor.Email})
}

// revoke makes a one-time link void.
func (h *Handler) revokeLink(w http.ResponseWriter, r *http.Request, session store.Session) error {
	if err := ownersOnly(session); err != nil {
		return err
	}
	id, err := numbered(r)
	if err == nil {
		err = h.store.RevokeLink(r.Context(), id)
	}
	if err != nil {
		return err
	}
	h.log.Info("link revoked", "link", id, "editor", session.Editor.ID)
	return redirectWithNotice(w, r, "/admin/account", "revoked")
}

// shutOut ends an editor's access, or gives it back. Nobody shuts themselves out. The
// links that they made are void from then on.
func (h *Handler) toggleAccess(w http.ResponseWriter, r *http.Request, session store.Session) error {
	if err := ownersOnly(session); err != nil {
		return err
	}
	id, err := numbered(r)
	if err == nil && id == session.Editor.ID {
		err = store.ErrNotFound
	}
	if err != nil {
		return err
	}
	editor, err := h.store.EditorByID(r.Context(), id)
	if err != nil {
		return err
	}
	said := "out"
	if editor.Disabled.IsZero() {
		editor.Disabled = h.store.Now()
	} else {
		editor.Disabled, said = time.Time{}, "in"
	}
	if err := h.store.UpdateEditor(r.Context(), editor, ""); err != nil {
		return err
	}
	h.log.Info("editor let "+said, "for", editor.ID, "editor", session.Editor.ID)
	return redirectWithNotice(w, r, "/admin/account", said)
}

func ownersOnly(session store.Session) error {
	if session.Editor.Role == roleOwner {
		return nil
	}
	return &userError{http.StatusForbidden, "That is for owners", "An owner of this site can let editors in and out.", "/admin/account", "Go back"}
}
