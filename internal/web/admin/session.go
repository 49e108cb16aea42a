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
func (h *Handler) cookieName() string {
	if h.secure {
		return "__Host-tidings"
	}
	return "tidings"
}

// cookiePath is the narrowest path that the cookie's name allows: browsers keep a cookie
// with the __Host- prefix only if its path is / (RFC 6265bis, section 4.1.3.2).
func (h *Handler) cookiePath() string {
	if h.secure {
		return "/"
	}
	return "/admin/"
}

func (h *Handler) setCookie(w http.ResponseWriter, token string, age time.Duration) {
	http.SetCookie(w, &http.Cookie{
		Name: h.cookieName(), Value: token, Path: h.cookiePath(), MaxAge: int(age.Seconds()),
		HttpOnly: true, Secure: h.secure, SameSite: http.SameSiteLaxMode,
	})
}

func (h *Handler) token(r *http.Request) string {
	c, err := r.Cookie(h.cookieName())
	if err != nil || len(c.Value) > 200 {
		return ""
	}
	return c.Value
}

// session is the session of a request; store.ErrNotFound when there is none.
func (h *Handler) session(r *http.Request) (store.Session, error) {
	token := h.token(r)
	if token == "" {
		return store.Session{}, store.ErrNotFound
	}
	return h.store.Session(r.Context(), token)
}

func (h *Handler) prolong(w http.ResponseWriter, r *http.Request, session store.Session) {
	if h.store.Now().Sub(session.Seen) < prolongAfter {
		return
	}
	token := h.token(r)
	if err := h.store.TouchSession(r.Context(), token, sessionFor); err != nil {
		h.log.Warn("session not prolonged", "editor", session.Editor.ID, "error", err)
		return
	}
	h.setCookie(w, token, sessionFor)
}

// begin signs an editor in with a new session, ends the one that the browser had, and
// leads to a page of the h.
func (h *Handler) begin(w http.ResponseWriter, r *http.Request, editor store.Editor, next string) error {
	token, err := h.store.CreateSession(r.Context(), editor, truncate(r.UserAgent(), 200), sessionFor)
	if err != nil {
		return err
	}
	if old := h.token(r); old != "" {
		if err := h.store.EndSession(r.Context(), old); err != nil {
			return err
		}
	}
	if err := h.markBrowser(w, r, editor); err != nil {
		return err
	}
	h.setCookie(w, token, sessionFor)
	http.Redirect(w, r, next, http.StatusSeeOther)
	return nil
}

// signInPath leads to the sign-in page, and from there back to a page that was asked
// for.
func signInPath(r *http.Request) string {
	if r.Method != http.MethodGet || r.URL.Path == "/admin/" {
		return "/admin/sign-in"
	}
	return "/admin/sign-in?next=" + url.QueryEscape(r.URL.Path)
}

// local is a path of the room, and nothing that leads away from this site.
func local(path string) string {
	if !strings.HasPrefix(path, "/admin/") || strings.ContainsAny(path, "\\\r\n") || strings.Contains(path, "//") || strings.Contains(path, "/..") {
		return "/admin/"
	}
	return path
}

// truncate cuts a text to so many bytes at a character's border.
func truncate(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "")
}
