package guard

import (
	"context"
	"crypto/rand"
	"net/http"
	"net/netip"
	"strings"
)

type known struct {
	id     string
	client netip.Addr
}

type knownKey struct{}

// withKnown gives a request its number and keeps who it is from.
func withKnown(r *http.Request, client netip.Addr) (*http.Request, string) {
	k := known{id: rand.Text()[:12], client: client}
	return r.WithContext(context.WithValue(r.Context(), knownKey{}, k)), k.id
}

// ID is the number of a request, which error pages show and logs carry.
func ID(ctx context.Context) string {
	k, _ := ctx.Value(knownKey{}).(known)
	return k.id
}

// Client is the address that a request comes from; the zero value if unknown.
func Client(ctx context.Context) netip.Addr {
	k, _ := ctx.Value(knownKey{}).(known)
	return k.client
}

// private are the addresses with a token that opens something: after so many
// elements of the path.
var private = map[string]int{"confirm": 1, "unsubscribe": 1, "preferences": 1, "private": 1, "editions": 2, "webhooks": 2}

// Shown is a request's path as logs may show it: tokens are left out, and so are
// queries.
func Shown(r *http.Request) string {
	parts := strings.FieldsFunc(r.URL.Path, func(c rune) bool { return c == '/' })
	if len(parts) == 0 {
		return r.URL.Path
	}
	keep, secret := private[parts[0]]
	if parts[0] == "room" && len(parts) > 1 && parts[1] == "welcome" {
		keep, secret = 2, true
	}
	if !secret || len(parts) <= keep {
		return r.URL.Path
	}
	return "/" + strings.Join(parts[:keep], "/") + "/…"
}
