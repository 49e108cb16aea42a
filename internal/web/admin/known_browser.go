package admin

import (
	"crypto/rand"
	"net/http"
	"net/netip"
	"time"

	"github.com/tidings-press/tidings/internal/connlimit"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/token"
	"github.com/tidings-press/tidings/internal/web/middleware"
)

// A browser in which an editor has signed in gets a signed cookie. Sign-in attempts with the
// cookie have a limit of their own, so that wrong passwords from others, which count against
// the account and the network, do not lock the editor out. The cookie alone gives no access.

func (h *Handler) browserCookie() string { return h.cookieName() + "-browser" }

// rememberBrowser sets the cookie for an editor who signs in.
func (h *Handler) rememberBrowser(w http.ResponseWriter, r *http.Request, editor store.Editor) error {
	browser := token.Browser{ID: rand.Text(), Since: h.store.Now()}
	if id, known := h.knownBrowser(r, editor); known {
		browser.ID = id
	}
	keys, err := h.browserKeys(r, editor)
	if err != nil {
		return err
	}
	http.SetCookie(w, &http.Cookie{
		Name: h.browserCookie(), Value: keys.Sign(browser), Path: h.cookiePath(), MaxAge: int(token.BrowserFor.Seconds()),
		HttpOnly: true, Secure: h.secure, SameSite: http.SameSiteLaxMode, // it counts when a provider leads back, too
	})
	return nil
}

// knownBrowser returns the id of the request's browser if the editor has signed in with it
// since the last change of their password.
func (h *Handler) knownBrowser(r *http.Request, editor store.Editor) (id string, known bool) {
	cookie, err := r.Cookie(h.browserCookie())
	if err != nil || editor.ID == 0 {
		return "", false
	}
	keys, err := h.browserKeys(r, editor)
	if err != nil {
		return "", false
	}
	browser, err := keys.Verify(cookie.Value, h.store.Now())
	return browser.ID, err == nil
}

func (h *Handler) browserKeys(r *http.Request, editor store.Editor) (token.BrowserKeys, error) {
	secret, err := h.store.Secret(r.Context(), store.BrowserSecret)
	return token.NewBrowserKeys(secret, editor.ID, editor.Password), err
}

// Limits of sign-in attempts. Each attempt is counted before the password is checked, and
// returned if the password is right, so that parallel attempts are all counted. With the intervals,
// they permit at most 100 wrong passwords for an account, and 100 wrong codes, in any hour.
const (
	attemptsPerBrowser = 10 // with a known browser
	attemptsPerPair    = 10 // for one account from one network
	attemptsPerNetwork = 30 // for all accounts from one network
	attemptsPerAccount = 40 // for one account from all networks
	retryInterval      = 40 * time.Second
	networkInterval    = 10 * time.Second
	accountInterval    = time.Minute
)

// signInLimits returns the limits that an attempt counts against. They are the same for
// an unknown account (the zero Editor).
func (h *Handler) signInLimits(r *http.Request, account string, editor store.Editor) []store.AttemptLimit {
	if id, known := h.knownBrowser(r, editor); known {
		return []store.AttemptLimit{{Key: "sign-in browser " + id, Burst: attemptsPerBrowser, Every: retryInterval}}
	}
	network := clientNetwork(r)
	return []store.AttemptLimit{
		{Key: "sign-in account " + account + " network " + network, Burst: attemptsPerPair, Every: retryInterval},
		{Key: "sign-in network " + network, Burst: attemptsPerNetwork, Every: networkInterval},
		{Key: "sign-in account " + account, Burst: attemptsPerAccount, Every: accountInterval},
	}
}

// clientNetwork returns the network by which attempts are counted: an IPv4 address, or
// the /64 of an IPv6 address.
func clientNetwork(r *http.Request) string {
	return connlimit.Network32or64(middleware.Client(r.Context())).String()
}

// clientAddress returns the address of the client, for logs and mails.
func clientAddress(r *http.Request) string {
	if address := middleware.Client(r.Context()); address != (netip.Addr{}) {
		return address.String()
	}
	return "an unknown address"
}
