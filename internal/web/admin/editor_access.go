package admin

import (
	"net/http"
	"time"

	"github.com/tidings-press/tidings/internal/store"
)

// openLink is a one-time link that still works, as shown to owners.
type openLink struct {
	store.Link
	For   string // an address; empty for anyone who has the link
	Maker string // an address, or "the command line"
	Kind  string
}

// openLinks returns the one-time links that still work.
func (h *Handler) openLinks(r *http.Request, editors []store.Editor) ([]openLink, error) {
	links, err := h.store.Links(r.Context())
	address := map[int64]string{0: "the command line"}
	for _, e := range editors {
		address[e.ID] = e.Email
	}
	var out []openLink
	for _, l := range links {
		one := openLink{Link: l, For: l.Email, Maker: address[l.Maker], Kind: "invitation"}
		switch {
		case l.Purpose == store.ResetLink:
			one.For, one.Kind = address[l.Editor], "new password"
		case l.Role == roleOwner:
			one.Kind = "owner invitation"
		}
		out = append(out, one)
	}
	return out, err
}

// invite creates an invitation link and shows it once.
func (h *Handler) invite(w http.ResponseWriter, r *http.Request, session store.Session) error {
	if err := ownersOnly(session); err != nil {
		return err
	}
	in := Invitation{Email: truncate(r.PostFormValue("email"), 254), Owner: r.PostFormValue("role") == roleOwner, Maker: session.Editor.ID}
	link, err := InviteLink(r.Context(), h.store, h.config.Site.URL, in)
	if err != nil {
		return h.showAccount(w, r, session, http.StatusUnprocessableEntity, accountPage{Problem: err.Error()})
	}
	h.log.Info("invitation created", "for", in.Email, "owner", in.Owner, "editor", session.Editor.ID)
	return h.showAccount(w, r, session, http.StatusOK, accountPage{InviteLink: link, For: in.Email})
}

// resetPasswordOf creates a link for another editor's new password and shows it once.
func (h *Handler) resetPasswordOf(w http.ResponseWriter, r *http.Request, session store.Session) error {
	if err := ownersOnly(session); err != nil {
		return err
	}
	id, err := requestedID(r)
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
	h.log.Info("password link created", "for", editor.ID, "editor", session.Editor.ID)
	return h.showAccount(w, r, session, http.StatusOK, accountPage{ResetLink: link, For: editor.Email})
}

// revokeLink revokes a one-time link.
func (h *Handler) revokeLink(w http.ResponseWriter, r *http.Request, session store.Session) error {
	if err := ownersOnly(session); err != nil {
		return err
	}
	id, err := requestedID(r)
	if err == nil {
		err = h.store.RevokeLink(r.Context(), id)
	}
	if err != nil {
		return err
	}
	h.log.Info("link revoked", "link", id, "editor", session.Editor.ID)
	return redirectWithFlash(w, r, "/admin/account", "revoked")
}

// toggleAccess disables or enables another editor. Links that a disabled editor created stop
// working.
func (h *Handler) toggleAccess(w http.ResponseWriter, r *http.Request, session store.Session) error {
	if err := ownersOnly(session); err != nil {
		return err
	}
	id, err := requestedID(r)
	if err == nil && id == session.Editor.ID {
		err = store.ErrNotFound // owners cannot disable themselves
	}
	if err != nil {
		return err
	}
	editor, err := h.store.EditorByID(r.Context(), id)
	if err != nil {
		return err
	}
	change := "disabled"
	if editor.Disabled.IsZero() {
		editor.Disabled = h.store.Now()
	} else {
		editor.Disabled, change = time.Time{}, "enabled"
	}
	if err := h.store.UpdateEditor(r.Context(), editor, ""); err != nil {
		return err
	}
	h.log.Info("editor "+change, "for", editor.ID, "editor", session.Editor.ID)
	return redirectWithFlash(w, r, "/admin/account", change)
}

func ownersOnly(session store.Session) error {
	if session.Editor.Role == roleOwner {
		return nil
	}
	return &userError{Status: http.StatusForbidden, Title: "Owners only", Text: "Only an owner of this site can do that.", Link: "/admin/account"}
}
