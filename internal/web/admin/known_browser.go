package admin

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/web/middleware"
)

// A browser in which an editor has signed in gets a signed cookie. Sign-in attempts with the
// cookie have a limit of their own, so that wrong passwords from others, which count against
// the account and the network, do not lock the editor out. The cookie alone gives no access.

// browserCookieAge is the maximum age of cookies in browsers (RFC 6265bis,
// section 5.5).
const browserCookieAge = 400 * 24 * time.Hour

func (h *Handler) browserCookie() string { return h.cookieName() + "-browser" }

// rememberBrowser sets the cookie for an editor who signs in.
func (h *Handler) rememberBrowser(w http.ResponseWriter, r *http.Request, editor store.Editor) error {
	id := rand.Text()
	if old, known := h.knownBrowser(r, editor); known {
		id = old
	}
	at := strconv.FormatInt(h.store.Now().Unix(), 10)
	signature, err := h.signBrowser(r, editor, id, at)
	if err != nil {
		return err
	}
	http.SetCookie(w, &http.Cookie{
		Name: h.browserCookie(), Value: id + "." + at + "." + signature, Path: h.cookiePath(), MaxAge: int(browserCookieAge.Seconds()),
		HttpOnly: true, Secure: h.secure, SameSite: http.SameSiteStrictMode,
	})
	return nil
}

// knownBrowser returns the id of the request's browser if the editor has signed in with it
// since the last change of their password.
func (h *Handler) knownBrowser(r *http.Request, editor store.Editor) (id string, known bool) {
	cookie, err := r.Cookie(h.browserCookie())
	if err != nil || len(cookie.Value) > 200 {
		return "", false
	}
	id, rest, _ := strings.Cut(cookie.Value, ".")
	at, signature, _ := strings.Cut(rest, ".")
	since, err := strconv.ParseInt(at, 10, 64)
	if err != nil || h.store.Now().Sub(time.Unix(since, 0)) > browserCookieAge {
		return "", false
	}
	want, err := h.signBrowser(r, editor, id, at)
	return id, err == nil && hmac.Equal([]byte(signature), []byte(want)) && editor.ID != 0
}

// signBrowser returns the signature of a browser's id for an account. It covers the password
// hash, so a change of the password makes all cookies invalid.
func (h *Handler) signBrowser(r *http.Request, editor store.Editor, id, at string) (string, error) {
	key, err := h.store.Secret(r.Context(), store.BrowserSecret)
	if err != nil {
		return "", err
	}
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%d\x00%s\x00%s\x00%s", editor.ID, id, at, editor.Password)
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)), nil
}

// Limits of sign-in attempts. Each attempt is counted before the password is checked, and
// returned if the password is right, so that parallel attempts are all counted.
const (
	attemptsPerBrowser = 10  // with a known browser
	attemptsPerPair    = 10  // for one account from one network
	attemptsPerNetwork = 30  // for all accounts from one network
	attemptsPerAccount = 100 // for one account from all networks
	retryInterval      = 30 * time.Second
)

// signInThrottles returns the throttles that an attempt counts against. They are the same for
// an unknown account (the zero Editor).
func (h *Handler) signInThrottles(r *http.Request, account string, editor store.Editor) []store.Throttle {
	if id, known := h.knownBrowser(r, editor); known {
		return []store.Throttle{{Key: "sign-in browser " + id, Burst: attemptsPerBrowser, Every: retryInterval}}
	}
	network := clientNetwork(r)
	return []store.Throttle{
		{Key: "sign-in account " + account + " network " + network, Burst: attemptsPerPair, Every: retryInterval},
		{Key: "sign-in network " + network, Burst: attemptsPerNetwork, Every: retryInterval / 3},
		{Key: "sign-in account " + account, Burst: attemptsPerAccount, Every: retryInterval / 3},
	}
}

// clientNetwork returns the network by which attempts are counted: an IPv4 address, or
// the /64 of an IPv6 address.
func clientNetwork(r *http.Request) string {
	return middleware.NarrowNetwork(middleware.Client(r.Context())).String()
}

// clientAddress returns the address of the client, for logs and mails.
func clientAddress(r *http.Request) string {
	if address := middleware.Client(r.Context()); address != (netip.Addr{}) {
		return address.String()
	}
	return "an unknown address"
}
