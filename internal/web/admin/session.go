package admin

import (
	"cmp"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/tidings-press/tidings/internal/store"
)

// sessionIdle returns after which time without a request a session ends.
func (h *Handler) sessionIdle() time.Duration {
	in := h.config.Admin.SignIn
	return min(cmp.Or(in.Idle, 14*24*time.Hour), h.sessionLongest())
}

// sessionLongest returns how long a session lasts at most.
func (h *Handler) sessionLongest() time.Duration {
	return cmp.Or(h.config.Admin.SignIn.Longest, 30*24*time.Hour)
}

// prolongInterval returns how often a session is prolonged, so that most requests write nothing.
func (h *Handler) prolongInterval() time.Duration { return min(time.Hour, h.sessionIdle()/8) }

// cookieName returns the name of the session cookie. With the prefix __Host-, browsers send it
// only to this host and over TLS (RFC 6265bis, section 4.1.3.2).
func (h *Handler) cookieName() string {
	if h.secure {
		return "__Host-tidings"
	}
	return "tidings"
}

// cookiePath returns the narrowest path that the cookie's name allows: browsers accept a cookie
// with the __Host- prefix only if its path is / (RFC 6265bis, section 4.1.3.2).
func (h *Handler) cookiePath() string {
	if h.secure {
		return "/"
	}
	return "/admin/"
}

func (h *Handler) setSessionCookie(w http.ResponseWriter, token string, age time.Duration) {
	http.SetCookie(w, &http.Cookie{
		Name: h.cookieName(), Value: token, Path: h.cookiePath(), MaxAge: int(age.Seconds()),
		HttpOnly: true, Secure: h.secure, SameSite: http.SameSiteLaxMode,
	})
}

// sessionToken returns the session token of a request; "" if it has none.
func (h *Handler) sessionToken(r *http.Request) string {
	c, err := r.Cookie(h.cookieName())
	if err != nil || len(c.Value) > 200 {
		return ""
	}
	return c.Value
}

// session returns the session of a request, or store.ErrNotFound.
func (h *Handler) session(r *http.Request) (store.Session, error) {
	token := h.sessionToken(r)
	if token == "" {
		return store.Session{}, store.ErrNotFound
	}
	return h.store.Session(r.Context(), token)
}

func (h *Handler) prolong(w http.ResponseWriter, r *http.Request, session store.Session) {
	if h.store.Now().Sub(session.Seen) < h.prolongInterval() {
		return
	}
	token := h.sessionToken(r)
	if err := h.store.TouchSession(r.Context(), token, h.sessionIdle(), h.sessionLongest()); err != nil {
		h.log.WarnContext(r.Context(), "session not prolonged", "editor", session.Editor.ID, "error", err)
		return
	}
	h.setSessionCookie(w, token, h.sessionIdle())
}

// startSession signs an editor in with a new session, ends the browser's old session, and
// redirects to a page of the admin. factor is the second factor that they used.
func (h *Handler) startSession(w http.ResponseWriter, r *http.Request, editor store.Editor, factor store.SessionFactor, next string) error {
	ctx := h.auditing(r.Context(), editor, "session.start", "editor", editorID(editor), "")
	token, err := h.store.CreateSession(ctx, editor, truncate(r.UserAgent(), 200), h.sessionIdle())
	if err != nil {
		return err
	}
	if factor != store.NoFactor {
		if err := h.store.SetSessionFactor(r.Context(), token, factor); err != nil {
			return err
		}
	}
	if old := h.sessionToken(r); old != "" {
		if err := h.store.EndSession(r.Context(), old); err != nil {
			return err
		}
	}
	if err := h.rememberBrowser(w, r, editor); err != nil {
		return err
	}
	h.setSessionCookie(w, token, h.sessionIdle())
	http.Redirect(w, r, next, http.StatusSeeOther)
	return nil
}

// signInPath returns the path of the sign-in page, with the path of the requested page as next.
func signInPath(r *http.Request) string {
	if r.Method != http.MethodGet || r.URL.Path == "/admin/" {
		return "/admin/sign-in"
	}
	return "/admin/sign-in?next=" + url.QueryEscape(r.URL.Path)
}

// adminPath returns path if it is a path of the admin, and the dashboard's path if it could
// lead to another site.
func adminPath(path string) string {
	if !strings.HasPrefix(path, "/admin/") || strings.ContainsAny(path, "\\\r\n") || strings.Contains(path, "//") || strings.Contains(path, "/..") {
		return "/admin/"
	}
	return path
}

// truncate shortens a text to at most n bytes, between characters.
func truncate(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "")
}
