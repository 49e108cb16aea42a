package admin

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
)

// hashCost are the parameters of Argon2id (RFC 9106).
type hashCost struct {
	memory  uint32 // KiB
	passes  uint32
	threads uint8
}

// productionCost is the first recommendation of OWASP's Password Storage Cheat Sheet. At most
// two hashes are computed at once, so that many sign-ins cannot exhaust the memory.
var productionCost = hashCost{memory: 19 * 1024, passes: 2, threads: 1}

// newHashCost are the parameters of new hashes. Only tests of this package change them.
var newHashCost = productionCost

const hashBytes = 32

var errHashForm = errors.New("the stored password hash has an unknown format; reset the password with tidings editor reset")

// hash returns a password's hash for storage, in PHC string format.
func (h *Handler) hash(ctx context.Context, password string) (string, error) {
	salt := make([]byte, 16)
	_, _ = rand.Read(salt) // never fails (crypto/rand)
	key, err := h.derive(ctx, password, salt, newHashCost)
	return formatHash(newHashCost, salt, key), err
}

func formatHash(cost hashCost, salt, key []byte) string {
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, cost.memory, cost.passes, cost.threads, b64.EncodeToString(salt), b64.EncodeToString(key))
}

// derive computes a hash, once fewer than two others are being computed.
func (h *Handler) derive(ctx context.Context, password string, salt []byte, cost hashCost) ([]byte, error) {
	select {
	case h.hashing <- struct{}{}:
		defer func() { <-h.hashing }()
		return argon2.IDKey([]byte(password), salt, cost.passes, cost.memory, cost.threads, hashBytes), nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// matches reports whether a password matches a hash.
func (h *Handler) matches(ctx context.Context, hash, password string) (bool, error) {
	cost, salt, want, err := parseHash(hash)
	if err != nil {
		return false, err
	}
	got, err := h.derive(ctx, password, salt, cost)
	return subtle.ConstantTimeCompare(got, want) == 1, err
}

func parseHash(hash string) (cost hashCost, salt, key []byte, err error) {
	parts := strings.Split(hash, "$")
	if len(parts) != 6 || parts[1] != "argon2id" {
		return cost, nil, nil, errHashForm
	}
	var version int
	if _, err := fmt.Sscanf(parts[2]+" "+parts[3], "v=%d m=%d,t=%d,p=%d", &version, &cost.memory, &cost.passes, &cost.threads); err != nil || version != argon2.Version {
		return cost, nil, nil, errHashForm
	}
	if cost.memory > 1<<20 || cost.passes == 0 || cost.passes > 100 || cost.threads == 0 {
		return cost, nil, nil, errors.New("the stored password hash costs more than the server allows; reset the password with tidings editor reset")
	}
	salt, err1 := base64.RawStdEncoding.DecodeString(parts[4])
	key, err2 := base64.RawStdEncoding.DecodeString(parts[5])
	return cost, salt, key, errors.Join(err1, err2)
}

// decoyHash returns a hash that no password matches. Passwords for unknown addresses are
// compared with it, so that the response takes as long as for known ones.
func decoyHash() string {
	return formatHash(newHashCost, []byte("no account here!"), make([]byte, hashBytes))
}
