package admin

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/web/middleware"
)

// signInForm is the sign-in page.
type signInForm struct {
	Email string
	Next  string
	Wrong string
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
		return &userError{http.StatusNotFound, "Nobody has a key yet",
			"The first editor comes in by a one-time link. The server printed it when it started; starting it again prints a new one.", "/", "Go to the front page"}
	}
	form := signInForm{Next: local(r.URL.Query().Get("next"))}
	return h.show(w, http.StatusOK, "sign_in", page{Title: "Sign in", Body: form})
}

// signIn signs an editor in. The answer and its time are the same whether the address
// is known or not.
func (h *Handler) signIn(w http.ResponseWriter, r *http.Request) error {
	form := signInForm{Email: truncate(strings.TrimSpace(r.PostFormValue("email")), 254), Next: local(r.PostFormValue("next"))}
	account := strings.ToLower(form.Email)
	editor, err := h.store.EditorByEmail(r.Context(), account)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	throttles := h.throttles(r, account, editor)
	wait, err := h.store.TakeAttempt(r.Context(), throttles...)
	if err != nil {
		return err
	}
	if wait > 0 {
		h.logRefused(r, account, "too many attempts")
		form.Wrong = tooMany(w, wait)
		return h.show(w, http.StatusTooManyRequests, "sign_in", page{Title: "Sign in", Body: form})
	}
	ok, err := h.verify(r, editor, r.PostFormValue("password"))
	if err != nil {
		return err
	}
	if !ok {
		h.logRefused(r, account, "wrong address or password")
		form.Wrong = "That is not the address and password of an editor. Please look at both again."
		return h.show(w, http.StatusUnauthorized, "sign_in", page{Title: "Sign in", Body: form})
	}
	if err := h.store.ReturnAttempt(r.Context(), throttles...); err != nil {
		return err
	}
	h.log.Info("editor signed in", "editor", editor.ID, "client", client(r))
	if _, known := h.knownBrowser(r, editor); !known {
		h.tellOfSignIn(r, editor)
	}
	return h.begin(w, r, editor, form.Next)
}

// tooMany says for how long to wait, in a header and in words.
func tooMany(w http.ResponseWriter, wait time.Duration) string {
	seconds := int(math.Ceil(wait.Seconds()))
	w.Header().Set("Retry-After", strconv.Itoa(seconds))
	return fmt.Sprintf("Too many attempts. Try again in %d seconds.", seconds)
}

// logRefused logs a sign-in that was refused, with the account and where it came from.
// What is no address may be a password in the wrong field, and is not logged.
func (h *Handler) logRefused(r *http.Request, account, reason string) {
	if _, err := subscriber.ParseAddress(account); err != nil {
		account = "(not an address)"
	}
	h.log.Warn("sign-in refused", "account", account, "client", client(r), "network", network(r), "reason", reason, "request", middleware.ID(r.Context()))
}

// verify reports whether the password is that of an editor who may sign in. For an
// account that does not exist it takes as long.
func (h *Handler) verify(r *http.Request, editor store.Editor, password string) (bool, error) {
	hash, exists := editor.Password, editor.Password != "" && editor.Disabled.IsZero()
	if !exists {
		hash = decoyHash()
	}
	ok, err := h.matches(r.Context(), hash, truncate(password, 4*maxPassword))
	return ok && exists, err
}

func (h *Handler) signOut(w http.ResponseWriter, r *http.Request, _ store.Session) error {
	if err := h.store.EndSession(r.Context(), h.token(r)); err != nil {
		return err
	}
	h.setCookie(w, "", -time.Second)
	http.Redirect(w, r, "/admin/sign-in", http.StatusSeeOther)
	return nil
}
