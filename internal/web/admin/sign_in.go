package admin

import (
	"errors"
	"log/slog"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/words"
)

// signInForm is the data of the sign-in page.
type signInForm struct {
	Email    string
	Next     string // path to go to afterwards
	Problem  any
	Passkey  bool   // passkeys are possible
	Provider string // label of the configured provider
	Password bool   // passwords sign in
}

func (h *Handler) signInPage(w http.ResponseWriter, r *http.Request) error {
	if _, err := h.session(r); err == nil {
		http.Redirect(w, r, "/admin/", http.StatusSeeOther)
		return nil
	}
	n, err := h.store.CountEditors(r.Context())
	if err != nil {
		return err
	}
	if n == 0 {
		return &userError{http.StatusNotFound, "No editor yet",
			"The first editor signs up with a one-time link, which the server printed when it started. Restart it to get a new one.", "/", "Go to the front page"}
	}
	return h.showSignIn(w, r, http.StatusOK, signInForm{Next: adminPath(r.URL.Query().Get("next"))})
}

func (h *Handler) showSignIn(w http.ResponseWriter, r *http.Request, status int, form signInForm) error {
	off, err := h.passwordsOff(r.Context())
	if err != nil {
		return err
	}
	form.Passkey, form.Password = h.passkeys != nil, !off
	if h.provider != nil {
		form.Provider = h.provider.config.Label
	}
	return h.show(w, status, "sign_in", page{Title: "Sign in", Script: "passkey.js", Body: form})
}

// signIn signs an editor in. For an address without an account, the response and its time are
// the same as for a wrong password.
func (h *Handler) signIn(w http.ResponseWriter, r *http.Request) error {
	form := signInForm{Email: truncate(strings.TrimSpace(r.PostFormValue("email")), 254), Next: adminPath(r.PostFormValue("next"))}
	switch off, err := h.passwordsOff(r.Context()); {
	case err != nil:
		return err
	case off:
		return errPasswordsOff
	}
	account := strings.ToLower(form.Email)
	editor, err := h.store.EditorByEmail(r.Context(), account)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	limits := h.signInLimits(r, account, editor)
	wait, err := h.store.TakeAttempt(r.Context(), limits...)
	if err != nil {
		return err
	}
	if wait > 0 {
		h.logRefused(r, editor, "too many attempts")
		form.Problem = tooManyAttempts(w, wait)
		return h.showSignIn(w, r, http.StatusTooManyRequests, form)
	}
	ok, err := h.verify(r, editor, r.PostFormValue("password"))
	if err != nil {
		return err
	}
	if !ok {
		h.logRefused(r, editor, "wrong address or password")
		form.Problem = words.T("Wrong email address or password.")
		return h.showSignIn(w, r, http.StatusUnauthorized, form)
	}
	if err := h.store.ReturnAttempt(r.Context(), limits...); err != nil {
		return err
	}
	return h.finishSignIn(w, r, editor, store.NoFactor, form.Next)
}

// verify reports whether the editor may sign in with the password. It takes as long for an
// account that does not exist.
func (h *Handler) verify(r *http.Request, editor store.Editor, password string) (bool, error) {
	hash, exists := editor.Password, editor.Password != "" && editor.Disabled.IsZero()
	if !exists {
		hash = decoyHash()
	}
	ok, err := h.matches(r.Context(), hash, typedPassword(password))
	return ok && exists, err
}

// typedPassword returns a password as it is compared, or an empty one, which matches none, for one that is
// too long to be right. It is not truncated: a password with more behind it is another one.
func typedPassword(password string) string {
	if len(password) > maxTypedPassword {
		return ""
	}
	return password
}

// tooManyAttempts sets Retry-After and returns the message with the time to wait.
func tooManyAttempts(w http.ResponseWriter, wait time.Duration) words.Text {
	seconds := int(math.Ceil(wait.Seconds()))
	w.Header().Set("Retry-After", strconv.Itoa(seconds))
	return words.N(seconds, "Too many attempts. Try again in {0} second.", "Too many attempts. Try again in {0} seconds.")
}

// logRefused logs a refused sign-in with client and editor, or with an unknown account. What was entered
// is not logged: it is a person's address, or a password in the wrong field.
func (h *Handler) logRefused(r *http.Request, editor store.Editor, reason string) {
	account := slog.String("account", "unknown")
	if editor.ID != 0 {
		account = slog.Int64("editor", editor.ID)
	}
	h.log.WarnContext(r.Context(), "sign-in refused", account, "client", clientAddress(r), "network", clientNetwork(r), "reason", reason)
}

func (h *Handler) signOut(w http.ResponseWriter, r *http.Request, session store.Session) error {
	ctx := h.auditing(r.Context(), session.Editor, "session.end", "editor", editorID(session.Editor), "")
	if err := h.store.EndSession(ctx, h.sessionToken(r)); err != nil {
		return err
	}
	h.setSessionCookie(w, "", -time.Second)
	w.Header().Set("Clear-Site-Data", `"cache", "storage"`) // browsers heed it over https
	http.Redirect(w, r, "/admin/sign-in", http.StatusSeeOther)
	return nil
}
