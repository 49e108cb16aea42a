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

// known is what the middleware knows of a request.
type known struct {
	id     string
	client netip.Addr
}

type knownKey struct{}

// Numbers of requests are a random word for the process and a count: unique over nodes
// and restarts, and made without asking the system for randomness each time.
var (
	process = strings.ToLower(rand.Text()[:8])
	count   atomic.Uint64
)

// withKnown gives a request its number and keeps the client's address.
func withKnown(r *http.Request, proxies Proxies) *http.Request {
	k := &known{id: process + strconv.FormatUint(count.Add(1), 36), client: proxies.Client(r)}
	return r.WithContext(context.WithValue(r.Context(), knownKey{}, k))
}

// ID is the number of a request, which error pages show and logs carry.
func ID(ctx context.Context) string {
	if k, ok := ctx.Value(knownKey{}).(*known); ok {
		return k.id
	}
	return ""
}

// Client is the address that a request comes from; the zero value if unknown.
func Client(ctx context.Context) netip.Addr {
	if k, ok := ctx.Value(knownKey{}).(*known); ok {
		return k.client
	}
	return netip.Addr{}
}

// private are the addresses with a token that opens something: after so many
// elements of the path.
var private = map[string]int{"confirm": 1, "unsubscribe": 1, "preferences": 1, "private": 1, "editions": 2, "webhooks": 2, "erase": 1, "export": 1}

// LogPath is a request's path as logs may show it: tokens are left out, and so are
// queries.
func LogPath(r *http.Request) string {
	parts := strings.FieldsFunc(r.URL.Path, func(c rune) bool { return c == '/' })
	if len(parts) == 0 {
		return r.URL.Path
	}
	keep, secret := private[parts[0]]
	if (parts[0] == "admin" || parts[0] == "room") && len(parts) > 1 && parts[1] == "welcome" {
		keep, secret = 2, true
	}
	if !secret || len(parts) <= keep {
		return r.URL.Path
	}
	return "/" + strings.Join(parts[:keep], "/") + "/…"
}
