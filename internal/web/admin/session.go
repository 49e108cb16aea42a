package admin

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/tidings-press/tidings/internal/store"
)

// Sessions end when nobody used them for a while. They are prolonged at most once an
// hour, so that reading pages writes next to nothing.
const (
	sessionFor   = 14 * 24 * time.Hour
	prolongAfter = time.Hour
)

// cookieName tells browsers by its prefix to send the cookie to this host alone and
// over TLS alone (RFC 6265bis, section 4.1.3.2).
func (room *Room) cookieName() string {
	if room.secure {
		return "__Host-tidings"
	}
	return "tidings"
}

func (room *Room) setCookie(w http.ResponseWriter, token string, age time.Duration) {
	http.SetCookie(w, &http.Cookie{
		Name: room.cookieName(), Value: token, Path: "/", MaxAge: int(age.Seconds()),
		HttpOnly: true, Secure: room.secure, SameSite: http.SameSiteLaxMode,
	})
}

func (room *Room) token(r *http.Request) string {
	c, err := r.Cookie(room.cookieName())
	if err != nil || len(c.Value) > 200 {
		return ""
	}
	return c.Value
}

// session is the session of a request; store.ErrNotFound when there is none.
func (room *Room) session(r *http.Request) (store.Session, error) {
	token := room.token(r)
	if token == "" {
		return store.Session{}, store.ErrNotFound
	}
	return room.store.Session(r.Context(), token)
}

func (room *Room) prolong(w http.ResponseWriter, r *http.Request, who store.Session) {
	if room.store.Now().Sub(who.Seen) < prolongAfter {
		return
	}
	token := room.token(r)
	if err := room.store.TouchSession(r.Context(), token, sessionFor); err != nil {
		room.log.Warn("session not prolonged", "editor", who.Editor.ID, "error", err)
		return
	}
	room.setCookie(w, token, sessionFor)
}

// begin signs an editor in with a new session, ends the one that the browser had, and
// leads to a page of the room.
func (room *Room) begin(w http.ResponseWriter, r *http.Request, editor store.Editor, next string) error {
	token, err := room.store.CreateSession(r.Context(), editor, short(r.UserAgent(), 200), sessionFor)
	if err != nil {
		return err
	}
	if old := room.token(r); old != "" {
		if err := room.store.EndSession(r.Context(), old); err != nil {
			return err
		}
	}
	if err := room.markBrowser(w, r, editor); err != nil {
		return err
	}
	room.setCookie(w, token, sessionFor)
	http.Redirect(w, r, next, http.StatusSeeOther)
	return nil
}

// signInPath leads to the sign-in page, and from there back to a page that was asked
// for.
func signInPath(r *http.Request) string {
	if r.Method != http.MethodGet || r.URL.Path == "/room/" {
		return "/room/sign-in"
	}
	return "/room/sign-in?next=" + url.QueryEscape(r.URL.Path)
}

// local is a path of the room, and nothing that leads away from this site.
func local(path string) string {
	if !strings.HasPrefix(path, "/room/") || strings.ContainsAny(path, "\\\r\n") || strings.Contains(path, "//") || strings.Contains(path, "/..") {
		return "/room/"
	}
	return path
}

// short cuts a text to so many bytes at a character's border.
func short(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "")
}
