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

// A browser in which an editor has signed in keeps a signed cookie that says so. With
// it, wrong tries by strangers do not keep the editor out: they are counted by account
// and network, this browser's by itself. The cookie opens nothing.

// browserFor is how long the cookie lasts: as long as browsers keep one (RFC 6265bis,
// section 5.5).
const browserFor = 400 * 24 * time.Hour

// browserCookie is the name of the cookie, with the prefix that ties it to this host.
func (h *Handler) browserCookie() string { return h.cookieName() + "-browser" }

// markBrowser notes that an editor signs in with this browser.
func (h *Handler) markBrowser(w http.ResponseWriter, r *http.Request, editor store.Editor) error {
	id := rand.Text()
	if old, known := h.knownBrowser(r, editor); known {
		id = old
	}
	at := strconv.FormatInt(h.store.Now().Unix(), 10)
	sum, err := h.browserSum(r, editor, id, at)
	if err != nil {
		return err
	}
	http.SetCookie(w, &http.Cookie{
		Name: h.browserCookie(), Value: id + "." + at + "." + sum, Path: h.cookiePath(), MaxAge: int(browserFor.Seconds()),
		HttpOnly: true, Secure: h.secure, SameSite: http.SameSiteStrictMode,
	})
	return nil
}

// knownBrowser returns the id of the browser when the editor has signed in with it
// before, and since their last change of password.
func (h *Handler) knownBrowser(r *http.Request, editor store.Editor) (id string, known bool) {
	cookie, err := r.Cookie(h.browserCookie())
	if err != nil || len(cookie.Value) > 200 {
		return "", false
	}
	id, rest, _ := strings.Cut(cookie.Value, ".")
	at, sum, _ := strings.Cut(rest, ".")
	since, err := strconv.ParseInt(at, 10, 64)
	if err != nil || h.store.Now().Sub(time.Unix(since, 0)) > browserFor {
		return "", false
	}
	want, err := h.browserSum(r, editor, id, at)
	return id, err == nil && hmac.Equal([]byte(sum), []byte(want)) && editor.ID != 0
}

// browserSum signs a browser's id for an account. The password's hash is part of it:
// whoever signed in with the old password is a stranger after a change.
func (h *Handler) browserSum(r *http.Request, editor store.Editor, id, at string) (string, error) {
	key, err := h.store.Secret(r.Context(), "editors' browsers")
	if err != nil {
		return "", err
	}
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%d\x00%s\x00%s\x00%s", editor.ID, id, at, editor.Password)
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)), nil
}

// The throttles of tries to sign in. A right password gives its tries back, so that
// they count wrong ones; all at once are counted before any is looked at.
const (
	browserTries = 10  // with a browser that the account knows
	pairTries    = 10  // for one account from one network
	networkTries = 30  // for any accounts from one network
	accountTries = 100 // for one account from all networks together
	tryAgain     = 30 * time.Second
)

// throttles are those that a try to sign in counts for. An unknown account, which is
// the zero Editor, has them like any other.
func (h *Handler) throttles(r *http.Request, account string, editor store.Editor) []store.Throttle {
	if id, known := h.knownBrowser(r, editor); known {
		return []store.Throttle{{Key: "sign-in browser " + id, Burst: browserTries, Every: tryAgain}}
	}
	network := network(r)
	return []store.Throttle{
		{Key: "sign-in account " + account + " network " + network, Burst: pairTries, Every: tryAgain},
		{Key: "sign-in network " + network, Burst: networkTries, Every: tryAgain / 3},
		{Key: "sign-in account " + account, Burst: accountTries, Every: tryAgain / 3},
	}
}

// network is what tries are counted by: an address of IPv4, a /64 of IPv6.
func network(r *http.Request) string {
	return middleware.Neighbour(middleware.Client(r.Context())).String()
}

// client is where a request comes from, for logs and mails.
func client(r *http.Request) string {
	if address := middleware.Client(r.Context()); address != (netip.Addr{}) {
		return address.String()
	}
	return "an unknown address"
}
