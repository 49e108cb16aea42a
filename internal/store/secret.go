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
	mu   sync.Mutex
	kept map[string][]byte
}

// Secret returns the 32 random bytes of a name. They are created on first use and are the
// same on every node.
func (s *Store) Secret(ctx context.Context, name string) ([]byte, error) {
	s.secrets.mu.Lock()
	defer s.secrets.mu.Unlock()
	if value, found := s.secrets.kept[name]; found {
		return value, nil
	}
	value, err := s.makeSecret(ctx, name)
	if err != nil {
		return nil, err
	}
	if s.secrets.kept == nil {
		s.secrets.kept = map[string][]byte{}
	}
	s.secrets.kept[name] = value
	return value, nil
}

func (s *Store) makeSecret(ctx context.Context, name string) ([]byte, error) {
	var value []byte
	found, err := s.readers.One(ctx, "secret.get", []any{name}, &value)
	if found || err != nil {
		return value, err
	}
	fresh := make([]byte, 32)
	rand.Read(fresh)
	err = s.write(ctx, func(tx *conn) error {
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

// Generation returns the 16 random bytes that name the present run of history of the
// store. They stay the same until a backup is restored: the restored store gets new
// ones, so that what was given out in between (row ids, links) can be told apart.
func (s *Store) Generation(ctx context.Context) ([]byte, error) {
	secret, err := s.Secret(ctx, generationSecret)
	if err != nil {
		return nil, err
	}
	return secret[:generationSize], nil
}

// ShortLivedKeys are for links that work for hours. They change with the generation, so that no
// such link survives a restore.
func (s *Store) ShortLivedKeys(ctx context.Context) (token.Keys, error) {
	secret, err1 := s.Secret(ctx, "links")
	generation, err2 := s.Generation(ctx)
	if err := errors.Join(err1, err2); err != nil {
		return token.Keys{}, err
	}
	return token.NewKeys(slices.Concat(secret, generation)), nil
}

const (
	generationSecret = "generation"
	generationSize   = 16
)

// newToken makes an unguessable token, fit for a URL, and the hash that is kept of
// it. It has 256 random bits, so that a plain hash is enough.
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
