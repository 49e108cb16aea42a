package admin

import (
	"errors"
	"net/http"
	"strings"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
)

// accountPage is an editor's own page.
type accountPage struct {
	Editors []store.Editor // for owners
	Links   []openLink     // that let somebody in, for owners
	Invite  string         // a fresh one-time link
	Reset   string         // one for the new password of
	For     string         // this editor
	Wrong   string
	Email   string // as it was typed
	Min     int
}

// openLink is a one-time link that still opens something.
type openLink struct {
	store.Link
	For string // an address, or whoever holds it
	By  string // who made it
}

func (h *Handler) account(w http.ResponseWriter, r *http.Request, session store.Session) error {
	return h.showAccount(w, r, session, http.StatusOK, accountPage{})
}

func (h *Handler) showAccount(w http.ResponseWriter, r *http.Request, session store.Session, status int, body accountPage) (err error) {
	body.Min = minPassword
	if session.Editor.Role == roleOwner {
		if body.Editors, err = h.store.Editors(r.Context()); err != nil {
			return err
		}
		if body.Links, err = h.openLinks(r, body.Editors); err != nil {
			return err
		}
	}
	return h.show(w, status, "account_show", page{Title: "Account", Nav: "account", Editor: &session.Editor, Notice: notice(r), Body: body})
}

func (h *Handler) openLinks(r *http.Request, editors []store.Editor) ([]openLink, error) {
	links, err := h.store.Links(r.Context())
	address := map[int64]string{0: "the command line"}
	for _, e := range editors {
		address[e.ID] = e.Email
	}
	var out []openLink
	for _, l := range links {
		l.Expires = l.Expires.In(h.zone)
		one := openLink{Link: l, For: l.Email, By: address[l.Maker]}
		if l.Purpose == store.ResetLink {
			one.For = address[l.Editor]
		}
		out = append(out, one)
	}
	return out, err
}

// present reports whether a request has the editor's present password. The tries are
// counted, as those of signing in are: a browser left alone must not help a guesser.
// Otherwise it has answered the request, or err is set.
func (h *Handler) present(w http.ResponseWriter, r *http.Request, session store.Session) (ok bool, err error) {
	throttle := store.Throttle{Key: "present password " + session.Editor.Email, Burst: pairTries, Every: tryAgain}
	wait, err := h.store.TakeAttempt(r.Context(), throttle)
	if err != nil {
		return false, err
	}
	if wait > 0 {
		return false, h.showAccount(w, r, session, http.StatusTooManyRequests, accountPage{Wrong: tooMany(w, wait)})
	}
	if ok, err = h.matches(r.Context(), session.Editor.Password, truncate(r.PostFormValue("present"), 4*maxPassword)); err != nil {
		return false, err
	}
	if !ok {
		h.logRefused(r, session.Editor.Email, "wrong present password")
		return false, h.showAccount(w, r, session, http.StatusUnprocessableEntity, accountPage{Wrong: "That is not your present password.", Email: truncate(r.PostFormValue("email"), 254)})
	}
	return true, h.store.ReturnAttempt(r.Context(), throttle)
}

// changePassword asks for the present one, and signs out everywhere else.
func (h *Handler) changePassword(w http.ResponseWriter, r *http.Request, session store.Session) error {
	if ok, err := h.present(w, r, session); !ok || err != nil {
		return err
	}
	editor := session.Editor
	err := h.checkPassword(r.PostFormValue("password"), editor.Name, editor.Email)
	if err != nil {
		return h.showAccount(w, r, session, http.StatusUnprocessableEntity, accountPage{Wrong: err.Error()})
	}
	if editor.Password, err = h.hash(r.Context(), r.PostFormValue("password")); err != nil {
		return err
	}
	if err := h.store.UpdateEditor(r.Context(), editor, h.token(r)); err != nil {
		return err
	}
	h.log.Info("editor changed their password", "editor", editor.ID, "client", client(r))
	h.tellOfPassword(r, editor)
	if err := h.markBrowser(w, r, editor); err != nil {
		return err
	}
	return redirectWithNotice(w, r, "/admin/account", "password")
}

// changeAddress asks for the password, signs out everywhere else, and tells the old
// address.
func (h *Handler) changeAddress(w http.ResponseWriter, r *http.Request, session store.Session) error {
	if ok, err := h.present(w, r, session); !ok || err != nil {
		return err
	}
	typed := truncate(strings.TrimSpace(r.PostFormValue("email")), 254)
	address, err := subscriber.ParseAddress(typed)
	if err == nil && !strings.EqualFold(address.String(), session.Editor.Email) {
		err = free(r.Context(), h.store, address)
	}
	editor := session.Editor
	editor.Email = address.String()
	if err == nil {
		err = h.store.UpdateEditor(r.Context(), editor, h.token(r))
	}
	if errors.Is(err, store.ErrExists) {
		err = errors.New("there is an editor with this address already")
	}
	if err != nil {
		return h.showAccount(w, r, session, http.StatusUnprocessableEntity, accountPage{Wrong: err.Error(), Email: typed})
	}
	h.log.Info("editor changed their address", "editor", editor.ID, "client", client(r))
	h.tellOfAddress(r, session.Editor, editor)
	return redirectWithNotice(w, r, "/admin/account", "address")
}

// signOutOthers ends an editor's sessions in all other browsers.
func (h *Handler) signOutOthers(w http.ResponseWriter, r *http.Request, session store.Session) error {
	if err := h.store.EndOtherSessions(r.Context(), session.Editor.ID, h.token(r)); err != nil {
		return err
	}
	return redirectWithNotice(w, r, "/admin/account", "others")
}

// Lasts is how long a link still opens something, for people.
func (l openLink) Lasts() string { return l.Expires.Format("2 Jan 2006, 15:04 MST") }

// Kind is what a link is, in words.
func (l openLink) Kind() string {
	switch {
	case l.Purpose == store.ResetLink:
		return "new password"
	case l.Role == roleOwner:
		return "invitation of an owner"
	}
	return "invitation"
}
