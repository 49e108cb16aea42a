package middleware

import (
	"context"
	"crypto/rand"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync/atomic"
)

// requestInfo is the data of a request in its context.
type requestInfo struct {
	id     string
	client netip.Addr
}

type requestInfoKey struct{}

// A request id is a random prefix of the process and a counter. So ids are unique over nodes and
// restarts, without random bytes for each request.
var (
	process = strings.ToLower(rand.Text()[:8])
	count   atomic.Uint64
)

// withInfo stores an id and the client's address in the context of a request.
func withInfo(r *http.Request, proxies Proxies) *http.Request {
	k := &requestInfo{id: process + strconv.FormatUint(count.Add(1), 36), client: proxies.Client(r)}
	return r.WithContext(context.WithValue(r.Context(), requestInfoKey{}, k))
}

// ID returns the id of a request, which error pages and logs contain.
func ID(ctx context.Context) string {
	if k, ok := ctx.Value(requestInfoKey{}).(*requestInfo); ok {
		return k.id
	}
	return ""
}

// Client returns the address of a request's client, or the zero value if it is unknown.
func Client(ctx context.Context) netip.Addr {
	if k, ok := ctx.Value(requestInfoKey{}).(*requestInfo); ok {
		return k.client
	}
	return netip.Addr{}
}

// tokenPaths are the first elements of paths that contain a token, with the number of
// elements before the token.
var tokenPaths = map[string]int{"confirm": 1, "unsubscribe": 1, "preferences": 1, "private": 1, "editions": 2, "webhooks": 2, "erase": 1, "export": 1}

// LogPath returns a request's path for logs, without tokens and query.
func LogPath(r *http.Request) string {
	parts := strings.FieldsFunc(r.URL.Path, func(c rune) bool { return c == '/' })
	if len(parts) == 0 {
		return r.URL.Path
	}
	keep, hasToken := tokenPaths[parts[0]]
	if (parts[0] == "admin" || parts[0] == "room") && len(parts) > 1 && (parts[1] == "welcome" || parts[1] == "address" || parts[1] == "proofs") {
		keep, hasToken = 2, true
	}
	if !hasToken || len(parts) <= keep {
		return r.URL.Path
	}
	return "/" + strings.Join(parts[:keep], "/") + "/…"
}
