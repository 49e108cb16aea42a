package admin

import (
	"cmp"
	"errors"
	"net/http"
	"time"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/words"
)

// peoplePage is the data of the page on which owners manage the accounts of editors.
type peoplePage struct {
	Editors    []store.Editor
	Links      []openLink // one-time links that still work
	Roles      []describedRole
	InviteLink string // the new invitation link, shown once
	ResetLink  string // the new password link, shown once
	For        string // the address that the new link is for
	Problem    any    // a text, or nil
}

// describedRole is a role with its name and what it permits.
type describedRole struct {
	Role        store.Role
	Label, Text words.Text
}

// describedRoles are all roles, as in store.Roles.
var describedRoles = []describedRole{
	{store.ViewerRole, words.T("Viewer"), words.T("Reads the admin: articles, editions, counts and charts. Sees no addresses of subscribers and changes nothing.")},
	{store.WriterRole, words.T("Writer"), words.T("Writes and publishes articles, and composes drafts of editions and messages. Sees no addresses of subscribers, and approves and sends nothing.")},
	{store.EditorRole, words.T("Editor"), words.T("Does all editorial work: approves and sends editions and messages, and manages subscribers.")},
	{store.OwnerRole, words.T("Owner"), words.T("May do everything, also manage people and settings, erase subscribers, read the audit log and end a quarantine.")},
}

func (h *Handler) people(w http.ResponseWriter, r *http.Request, session store.Session) error {
	return h.showPeople(w, r, session, http.StatusOK, peoplePage{})
}

func (h *Handler) showPeople(w http.ResponseWriter, r *http.Request, session store.Session, status int, body peoplePage) (err error) {
	body.Roles = describedRoles
	if body.Editors, err = h.store.Editors(r.Context()); err != nil {
		return err
	}
	if body.Links, err = h.openLinks(r, body.Editors); err != nil {
		return err
	}
	return h.show(w, status, "people_list", page{Title: "People", Nav: "people", Editor: &session.Editor, Flash: flash(r), Body: body})
}

// openLink is a one-time link that still works, as shown to owners.
type openLink struct {
	store.Link
	For   string // an address; empty for anyone who has the link
	New   string // the new address of an editor, if it is for one
	Maker string // an address; empty for the command line
	Kind  words.Text
}

// invitationKinds describe invitations by the role that they give.
var invitationKinds = map[store.Role]words.Text{
	store.ViewerRole: words.T("viewer invitation"), store.WriterRole: words.T("writer invitation"), store.EditorRole: words.T("editor invitation"), store.OwnerRole: words.T("owner invitation"),
}

// openLinks returns the one-time links that still work.
func (h *Handler) openLinks(r *http.Request, editors []store.Editor) ([]openLink, error) {
	links, err := h.store.Links(r.Context())
	address := map[int64]string{}
	for _, e := range editors {
		address[e.ID] = e.Email
	}
	var out []openLink
	for _, l := range links {
		one := openLink{Link: l, For: l.Email, Maker: address[l.Maker], Kind: invitationKinds[l.Role]}
		if l.Purpose == store.ResetLink {
			one.For, one.Kind = address[l.Editor], words.T("new password")
		}
		if l.Purpose == store.AddressLink {
			one.For, one.New, one.Maker, one.Kind = address[l.Editor], l.Email, address[l.Editor], words.T("new address")
		}
		out = append(out, one)
	}
	return out, err
}

// invite creates an invitation link and shows it once.
func (h *Handler) invite(w http.ResponseWriter, r *http.Request, session store.Session) error {
	in := Invitation{Email: truncate(r.PostFormValue("email"), 254), Maker: session.Editor.ID}
	var err error
	if name := r.PostFormValue("role"); name != "" {
		in.Role, err = store.ParseRole(truncate(name, 50))
	}
	var link string
	if err == nil {
		ctx := h.auditing(r.Context(), session.Editor, "people.invite", "role", string(cmp.Or(in.Role, store.EditorRole)), in.Email)
		link, err = InviteLink(ctx, h.store, h.config.Site.URL, in)
	}
	if store.OfEngine(err) {
		return err
	}
	if err != nil {
		return h.showPeople(w, r, session, http.StatusUnprocessableEntity, peoplePage{Problem: err})
	}
	h.log.InfoContext(r.Context(), "invitation created", "role", in.Role, "editor", session.Editor.ID)
	return h.showPeople(w, r, session, http.StatusOK, peoplePage{InviteLink: link, For: in.Email})
}

// resetPasswordOf creates a link for another editor's new password and shows it once.
func (h *Handler) resetPasswordOf(w http.ResponseWriter, r *http.Request, session store.Session) error {
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
	ctx := h.auditing(r.Context(), session.Editor, "people.reset", "editor", editorID(editor), editor.Email)
	link, err := ResetLink(ctx, h.store, h.config.Site.URL, editor, session.Editor.ID)
	if err != nil {
		return err
	}
	h.log.InfoContext(r.Context(), "password link created", "for", editor.ID, "editor", session.Editor.ID)
	return h.showPeople(w, r, session, http.StatusOK, peoplePage{ResetLink: link, For: editor.Email})
}

// resetSignInOf removes another editor's two-step sign-in, passkeys and accounts at a provider, ends their
// sessions, and shows a link for a new password once. The editor gets a mail.
func (h *Handler) resetSignInOf(w http.ResponseWriter, r *http.Request, session store.Session) error {
	id, err := requestedID(r)
	if err == nil && id == session.Editor.ID {
		err = store.ErrNotFound // they use the page of their own account
	}
	if err != nil {
		return err
	}
	editor, err := h.store.EditorByID(r.Context(), id)
	if err == nil && !editor.Disabled.IsZero() {
		err = store.ErrNotFound
	}
	if err == nil {
		err = h.store.RemoveSignInMethods(r.Context(), id)
	}
	if err != nil {
		return err
	}
	h.log.Info("sign-in methods removed", "for", editor.ID, "editor", session.Editor.ID)
	h.audit(r, session.Editor, "people.sign-in-methods", "editor", editorID(editor), editor.Email)
	h.mailSignInMethod(r, editor, words.T("Your sign-in methods were removed"),
		words.T("{3} removed two-step sign-in, passkeys and provider accounts from the account {0}, from {1} on {2}. All browsers are signed out. You get a link for a new password from an owner."), session.Editor.Email)
	link, err := ResetLink(r.Context(), h.store, h.config.Site.URL, editor, session.Editor.ID)
	if err != nil {
		return err
	}
	return h.showPeople(w, r, session, http.StatusOK, peoplePage{ResetLink: link, For: editor.Email})
}

// revokeLink revokes a one-time link.
func (h *Handler) revokeLink(w http.ResponseWriter, r *http.Request, session store.Session) error {
	id, err := requestedID(r)
	if err == nil {
		err = h.store.RevokeLink(h.auditing(r.Context(), session.Editor, "people.revoke", "link", r.PathValue("id"), ""), id)
	}
	if err != nil {
		return err
	}
	h.log.InfoContext(r.Context(), "link revoked", "link", id, "editor", session.Editor.ID)
	return redirectWithFlash(w, r, "/admin/people", "revoked")
}

// lastOwner refuses to take the only owner's access or role.
var lastOwner = words.Errorf("This is the only owner who can sign in. Make another editor an owner first.")

// toggleAccess disables or enables another editor. Links that a disabled editor created stop
// working.
func (h *Handler) toggleAccess(w http.ResponseWriter, r *http.Request, session store.Session) error {
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
	change, action, disabled := "disabled", "people.disable", h.store.Now()
	if !editor.Disabled.IsZero() {
		change, action, disabled = "enabled", "people.enable", time.Time{}
	}
	ctx := h.auditing(r.Context(), session.Editor, action, "editor", editorID(editor), editor.Email)
	_, err = h.store.ChangeEditor(ctx, id, "", func(e *store.Editor) error {
		e.Disabled = disabled
		return nil
	})
	if errors.Is(err, store.ErrLastOwner) {
		return conflict("Nothing was changed", lastOwner, "/admin/people")
	}
	if err != nil {
		return err
	}
	h.log.InfoContext(r.Context(), "editor "+change, "for", editor.ID, "editor", session.Editor.ID)
	return redirectWithFlash(w, r, "/admin/people", change)
}

// changeRole gives an editor another role and signs them out. Owners may change their own, unless
// no other owner could sign in.
func (h *Handler) changeRole(w http.ResponseWriter, r *http.Request, session store.Session) error {
	id, err := requestedID(r)
	if err != nil {
		return err
	}
	role, err := store.ParseRole(truncate(r.PostFormValue("role"), 50))
	if err != nil {
		return invalid("The role was not changed", sentence(err), "/admin/people")
	}
	editor, err := h.store.EditorByID(r.Context(), id)
	if err != nil {
		return err
	}
	ctx := h.auditing(r.Context(), session.Editor, "people.role", "editor", editorID(editor), editor.Email+": "+string(role))
	editor, err = h.store.SetRole(ctx, id, role)
	if errors.Is(err, store.ErrLastOwner) {
		return conflict("The role was not changed", lastOwner, "/admin/people")
	}
	if err != nil {
		return err
	}
	h.log.InfoContext(r.Context(), "role changed", "for", editor.ID, "role", editor.Role, "editor", session.Editor.ID)
	return redirectWithFlash(w, r, "/admin/people", "role")
}
