package bounce

import (
	"context"
	"crypto/subtle"
	"fmt"
	"net/http"
	"strings"
)

// password authenticates the requests of services that do not sign them. They send it by HTTP basic
// authentication, with any user name, or as a bearer token.
type password struct{ secret string }

func newPassword(secret, name string) (password, error) {
	if len(secret) < 16 {
		return password{}, fmt.Errorf("use a password of at least 16 octets, and put it into the webhook's URL at %s too", name)
	}
	return password{secret}, nil
}

func (p password) verify(_ context.Context, header http.Header, _ []byte) error {
	_, got, basic := (&http.Request{Header: header}).BasicAuth()
	if !basic {
		got, _ = strings.CutPrefix(header.Get("Authorization"), "Bearer ")
	}
	if subtle.ConstantTimeCompare([]byte(got), []byte(p.secret)) != 1 {
		return errSignature
	}
	return nil
}
