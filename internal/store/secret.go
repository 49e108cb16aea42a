package store

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"slices"
	"sync"

	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/token"
)

// secretCache caches secrets, which never change once they are created.
type secretCache struct {
	mu     sync.Mutex
	values map[string][]byte
}

// Secret returns the secret with a name, 32 random bytes. It is created on first use and is
// the same on every node.
func (s *Store) Secret(ctx context.Context, name string) ([]byte, error) {
	s.secrets.mu.Lock()
	defer s.secrets.mu.Unlock()
	if value, found := s.secrets.values[name]; found {
		return value, nil
	}
	value, err := s.makeSecret(ctx, name)
	if err != nil {
		return nil, err
	}
	if s.secrets.values == nil {
		s.secrets.values = map[string][]byte{}
	}
	s.secrets.values[name] = value
	return value, nil
}

// makeSecret reads a secret, or stores a new one if there is none.
func (s *Store) makeSecret(ctx context.Context, name string) ([]byte, error) {
	var value []byte
	found, err := s.readers.One(ctx, "secret.get", []any{name}, &value)
	if found || err != nil {
		return value, err
	}
	fresh := make([]byte, 32)
	rand.Read(fresh)
	err = s.write(WithoutAudit(ctx), func(tx *conn) error {
		if _, err := tx.Exec(ctx, "secret.put", name, fresh, millis(s.Now())); err != nil {
			return err
		}
		_, err := tx.One(ctx, "secret.get", []any{name}, &value)
		return err
	})
	return value, err
}

// Keys returns the keys of this store's links, derived from its secret.
func (s *Store) Keys(ctx context.Context) (subscriber.Keys, error) {
	secret, err := s.Secret(ctx, "links")
	if err != nil {
		return subscriber.Keys{}, err
	}
	return subscriber.NewKeys(secret), nil
}

// Generation returns the 16 random bytes that identify the store's current history. A
// quarantine, for example after a restore, replaces them, so that row numbers and links from
// the lost history are recognized.
func (s *Store) Generation(ctx context.Context) ([]byte, error) {
	secret, err := s.Secret(ctx, generationSecret)
	if err != nil {
		return nil, err
	}
	return secret[:generationSize], nil
}

// ShortLivedKeys returns the keys of links that are valid for hours. They change with the
// generation, so that no such link survives a restore.
func (s *Store) ShortLivedKeys(ctx context.Context) (token.Keys, error) {
	secret, err1 := s.Secret(ctx, "links")
	generation, err2 := s.Generation(ctx)
	if err := errors.Join(err1, err2); err != nil {
		return token.Keys{}, err
	}
	return token.NewKeys(slices.Concat(secret, generation)), nil
}

// BrowserSecret is the name of the secret that signs the cookies of editors' known browsers. A
// quarantine replaces it, since a backup of the store contains it.
const BrowserSecret = "editors' browsers"

// PasskeySecret is the name of the secret from which the numbers that devices keep with passkeys are
// derived.
const PasskeySecret = "passkeys"

const (
	generationSecret = "generation"
	generationSize   = 16
)

// newToken returns a random token that is safe in a URL, and the hash of it that is stored.
// With 256 random bits, a hash without a salt is enough.
func newToken() (token string, hash []byte) {
	var secret [32]byte
	rand.Read(secret[:])
	token = base64.RawURLEncoding.EncodeToString(secret[:])
	return token, hashToken(token)
}

func hashToken(token string) []byte {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}
