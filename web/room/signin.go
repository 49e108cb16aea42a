package room

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/tidings-press/tidings/store"
	"github.com/tidings-press/tidings/web/guard"
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

// signIn lets an editor in. The answer and its time are the same whether the address
// is known or not.
func (room *Room) signIn(w http.ResponseWriter, r *http.Request) error {
	form := signInForm{Email: short(strings.TrimSpace(r.PostFormValue("email")), 254), Next: local(r.PostFormValue("next"))}
	network := guard.Neighbour(guard.Client(r.Context()))
	account := strings.ToLower(form.Email)
	if !room.networks.Allow(network) || !room.accounts.Allow(account) {
		w.Header().Set("Retry-After", "60")
		form.Wrong = "That were many tries in a short time. Please wait a minute."
		return room.show(w, http.StatusTooManyRequests, "signin", page{Title: "Sign in", Body: form})
	}
	editor, err := room.verify(r, form.Email, r.PostFormValue("password"))
	if errors.Is(err, store.ErrNotFound) {
		room.log.Warn("sign-in refused", "client", guard.Client(r.Context()), "request", guard.ID(r.Context()))
		form.Wrong = "That is not the address and password of an editor. Please look at both again."
		return room.show(w, http.StatusUnauthorized, "signin", page{Title: "Sign in", Body: form})
	}
	if err != nil {
		return err
	}
	room.networks.Forget(network)
	room.accounts.Forget(account)
	room.log.Info("editor signed in", "editor", editor.ID, "client", guard.Client(r.Context()))
	return room.begin(w, r, editor, form.Next)
}

// nobody is the hash that is worked on for addresses without an editor.
const nobody = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5bm9ib2R5bm9ib2$bm9ib2R5IGhhcyB0aGlzIHBhc3N3b3JkLCBldmVyISE"

func (room *Room) verify(r *http.Request, email, password string) (store.Editor, error) {
	editor, err := room.store.EditorByEmail(r.Context(), email)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return editor, err
	}
	hash := nobody
	if err == nil && editor.Password != "" && editor.Disabled.IsZero() {
		hash = editor.Password
	}
	ok, err := room.matches(r.Context(), hash, short(password, 4*maxPassword))
	if err == nil && (!ok || hash == nobody) {
		err = store.ErrNotFound
	}
	return editor, err
}

func (room *Room) signOut(w http.ResponseWriter, r *http.Request, _ store.Session) error {
	if err := room.store.EndSession(r.Context(), room.token(r)); err != nil {
		return err
	}
	room.setCookie(w, "", -time.Second)
	http.Redirect(w, r, "/room/sign-in", http.StatusSeeOther)
	return nil
}
