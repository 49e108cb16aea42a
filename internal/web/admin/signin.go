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

func (room *Room) signInPage(w http.ResponseWriter, r *http.Request) error {
	if _, err := room.session(r); err == nil {
		http.Redirect(w, r, "/room/", http.StatusSeeOther)
		return nil
	}
	n, err := room.store.CountEditors(r.Context())
	if err != nil {
		return err
	}
	if n == 0 {
		return &refusal{http.StatusNotFound, "Nobody has a key yet",
			"The first editor comes in by a one-time link. The server printed it when it started; starting it again prints a new one.", "/", "Go to the front page"}
	}
	form := signInForm{Next: local(r.URL.Query().Get("next"))}
	return room.show(w, http.StatusOK, "signin", page{Title: "Sign in", Body: form})
}

// signIn signs an editor in. The answer and its time are the same whether the address
// is known or not.
func (room *Room) signIn(w http.ResponseWriter, r *http.Request) error {
	form := signInForm{Email: short(strings.TrimSpace(r.PostFormValue("email")), 254), Next: local(r.PostFormValue("next"))}
	account := strings.ToLower(form.Email)
	editor, err := room.store.EditorByEmail(r.Context(), account)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	throttles := room.throttles(r, account, editor)
	wait, err := room.store.TakeAttempt(r.Context(), throttles...)
	if err != nil {
		return err
	}
	if wait > 0 {
		room.logRefused(r, account, "too many attempts")
		form.Wrong = tooMany(w, wait)
		return room.show(w, http.StatusTooManyRequests, "signin", page{Title: "Sign in", Body: form})
	}
	ok, err := room.verify(r, editor, r.PostFormValue("password"))
	if err != nil {
		return err
	}
	if !ok {
		room.logRefused(r, account, "wrong address or password")
		form.Wrong = "That is not the address and password of an editor. Please look at both again."
		return room.show(w, http.StatusUnauthorized, "signin", page{Title: "Sign in", Body: form})
	}
	if err := room.store.ReturnAttempt(r.Context(), throttles...); err != nil {
		return err
	}
	room.log.Info("editor signed in", "editor", editor.ID, "client", client(r))
	if _, known := room.knownBrowser(r, editor); !known {
		room.tellOfSignIn(r, editor)
	}
	return room.begin(w, r, editor, form.Next)
}

// tooMany says for how long to wait, in a header and in words.
func tooMany(w http.ResponseWriter, wait time.Duration) string {
	seconds := int(math.Ceil(wait.Seconds()))
	w.Header().Set("Retry-After", strconv.Itoa(seconds))
	return fmt.Sprintf("Too many attempts. Try again in %d seconds.", seconds)
}

// logRefused logs a sign-in that was refused, with the account and where it came from.
// What is no address may be a password in the wrong field, and is not logged.
func (room *Room) logRefused(r *http.Request, account, reason string) {
	if _, err := subscriber.ParseAddress(account); err != nil {
		account = "(not an address)"
	}
	room.log.Warn("sign-in refused", "account", account, "client", client(r), "network", network(r), "reason", reason, "request", middleware.ID(r.Context()))
}

// nobody is the hash that is worked on for addresses without an editor.
const nobody = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5bm9ib2R5bm9ib2$bm9ib2R5IGhhcyB0aGlzIHBhc3N3b3JkLCBldmVyISE"

// verify reports whether a password is an editor's who may sign in. It works as long
// for one who does not exist.
func (room *Room) verify(r *http.Request, editor store.Editor, password string) (bool, error) {
	hash := nobody
	if editor.Password != "" && editor.Disabled.IsZero() {
		hash = editor.Password
	}
	ok, err := room.matches(r.Context(), hash, short(password, 4*maxPassword))
	return ok && hash != nobody, err
}

func (room *Room) signOut(w http.ResponseWriter, r *http.Request, _ store.Session) error {
	if err := room.store.EndSession(r.Context(), room.token(r)); err != nil {
		return err
	}
	room.setCookie(w, "", -time.Second)
	http.Redirect(w, r, "/room/sign-in", http.StatusSeeOther)
	return nil
}
