package admin

import (
	"net/http"
	"time"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/words"
)

// accountPage is the data of an editor's own page.
type accountPage struct {
	Problem    any
	Role       words.Text
	Email      string       // the new address as typed
	Pending    []store.Link // the new address that waits for its confirmation, at most one
	MinLength  int          // of passwords
	Sessions   []store.ListedSession
	TwoSteps   bool             // the editor uses a second factor
	Recovery   int              // unused recovery codes
	Accounts   []store.Identity // at providers
	Passkeys   []listedPasskey
	NoPasskeys bool // browsers allow no passkeys at the site's address
}

func (h *Handler) account(w http.ResponseWriter, r *http.Request, session store.Session) error {
	return h.showAccount(w, r, session, http.StatusOK, accountPage{})
}

func (h *Handler) showAccount(w http.ResponseWriter, r *http.Request, session store.Session, status int, body accountPage) (err error) {
	body.MinLength = minPassword
	for _, role := range describedRoles {
		if role.Role == session.Editor.Role {
			body.Role = role.Label
		}
	}
	if body.Sessions, err = h.store.Sessions(r.Context(), session.Editor.ID, h.sessionToken(r)); err != nil {
		return err
	}
	if body.TwoSteps, err = h.secondFactorOf(r, session.Editor); err != nil {
		return err
	}
	if body.Recovery, err = h.store.CountRecoveryCodes(r.Context(), session.Editor.ID); err != nil {
		return err
	}
	if body.Accounts, err = h.store.Identities(r.Context(), session.Editor.ID); err != nil {
		return err
	}
	if body.Pending, err = h.pendingAddress(r, session.Editor); err != nil {
		return err
	}
	body.NoPasskeys = h.passkeys == nil
	if body.Passkeys, err = h.listPasskeys(r, session.Editor); err != nil {
		return err
	}
	return h.show(w, status, "account_show", page{Title: "Account", Nav: "account", Editor: &session.Editor, Flash: flash(r), Body: body})
}

// matchesCurrent reports whether a password is the editor's current one. Attempts are limited as for
// signing in, so that the password cannot be guessed in an unattended browser; wait is the time until
// the next one.
func (h *Handler) matchesCurrent(r *http.Request, session store.Session, password string) (ok bool, wait time.Duration, err error) {
	if session.Editor.Password == "" {
		return false, 0, nil
	}
	limit := store.AttemptLimit{Key: "present password " + session.Editor.Email, Burst: attemptsPerPair, Every: retryInterval}
	if wait, err = h.store.TakeAttempt(r.Context(), limit); wait > 0 || err != nil {
		return false, wait, err
	}
	if ok, err = h.matches(r.Context(), session.Editor.Password, typedPassword(password)); err != nil {
		return false, 0, err
	}
	if !ok {
		h.logRefused(r, session.Editor, "wrong current password")
		return false, 0, nil
	}
	return true, 0, h.store.ReturnAttempt(r.Context(), limit)
}

// checkCurrentPassword reports whether a form has the editor's current password. If it returns false
// without an error, it has answered the request.
func (h *Handler) checkCurrentPassword(w http.ResponseWriter, r *http.Request, session store.Session) (bool, error) {
	ok, wait, err := h.matchesCurrent(r, session, r.PostFormValue("current"))
	if err != nil {
		return false, err
	}
	if wait > 0 {
		return false, h.showAccount(w, r, session, http.StatusTooManyRequests, accountPage{Problem: tooManyAttempts(w, wait)})
	}
	if !ok {
		return false, h.showAccount(w, r, session, http.StatusUnprocessableEntity, accountPage{Problem: words.T("The current password is wrong."), Email: truncate(r.PostFormValue("email"), 254)})
	}
	return true, nil
}

// unchangedSince returns an error if an editor was disabled, or got another password, since the request
// began: hashing a password takes time.
func unchangedSince(session store.Session, e *store.Editor) error {
	if !e.Disabled.IsZero() || e.Password != session.Editor.Password {
		return store.ErrNotFound
	}
	return nil
}

// changePassword changes the editor's password and signs out all other browsers.
func (h *Handler) changePassword(w http.ResponseWriter, r *http.Request, session store.Session) error {
	if ok, err := h.checkCurrentPassword(w, r, session); !ok || err != nil {
		return err
	}
	err := h.checkPassword(r.PostFormValue("password"), session.Editor.Name, session.Editor.Email)
	if err != nil {
		return h.showAccount(w, r, session, http.StatusUnprocessableEntity, accountPage{Problem: err})
	}
	password, err := h.hash(r.Context(), r.PostFormValue("password"))
	if err != nil {
		return err
	}
	ctx := h.auditing(r.Context(), session.Editor, "account.password", "editor", editorID(session.Editor), "")
	editor, err := h.store.ChangeEditor(ctx, session.Editor.ID, h.sessionToken(r), func(e *store.Editor) error {
		if err := unchangedSince(session, e); err != nil {
			return err
		}
		e.Password = password
		return nil
	})
	if err != nil {
		return err
	}
	h.log.InfoContext(r.Context(), "editor changed their password", "editor", editor.ID, "client", clientAddress(r))
	h.mailPasswordChanged(r, editor)
	if err := h.rememberBrowser(w, r, editor); err != nil {
		return err
	}
	return redirectWithFlash(w, r, "/admin/account", "password")
}

// signOutOthers ends the editor's sessions in all other browsers.
func (h *Handler) signOutOthers(w http.ResponseWriter, r *http.Request, session store.Session) error {
	ctx := h.auditing(r.Context(), session.Editor, "session.end", "editor", editorID(session.Editor), "all other browsers")
	if err := h.store.EndOtherSessions(ctx, session.Editor.ID, h.sessionToken(r)); err != nil {
		return err
	}
	return redirectWithFlash(w, r, "/admin/account", "others")
}

// endSession ends one of the editor's sessions.
func (h *Handler) endSession(w http.ResponseWriter, r *http.Request, session store.Session) error {
	ctx := h.auditing(r.Context(), session.Editor, "session.end", "editor", editorID(session.Editor), "another browser")
	if err := h.store.EndSessionOf(ctx, session.Editor.ID, r.PathValue("id")); err != nil {
		return err
	}
	return redirectWithFlash(w, r, "/admin/account", "session")
}
