package store

import (
	"context"
	"time"
)

// CreateLink makes the token of a one-time link, such as the one that makes the
// first owner. The data comes back when it is used.
func (s *Store) CreateLink(ctx context.Context, purpose, data string, ttl time.Duration) (string, error) {
	token, hash := newToken()
	now := s.Now()
	err := s.write(ctx, func(tx *runner) error {
		if _, err := tx.exec(ctx, "link.prune", millis(now)); err != nil {
			return err
		}
		_, err := tx.exec(ctx, "link.insert", hash, purpose, data, millis(now), millis(now.Add(ttl)))
		return err
	})
	return token, err
}

// Link looks at a one-time link without using it up: what a GET does. ErrNotFound
// says that it was used, has expired or never was.
func (s *Store) Link(ctx context.Context, purpose, token string) (data string, err error) {
	found, err := s.readers.one(ctx, "link.get", []any{hashToken(token), purpose, millis(s.Now())}, &data)
	if err == nil && !found {
		err = notFound("link", purpose)
	}
	return data, err
}

// UseLink uses a one-time link up and returns its data. Of two at once one gets
// ErrNotFound.
func (s *Store) UseLink(ctx context.Context, purpose, token string) (data string, err error) {
	var found bool
	err = s.write(ctx, func(tx *runner) (err error) {
		found, err = tx.one(ctx, "link.use", []any{hashToken(token), purpose, millis(s.Now())}, &data)
		return err
	})
	if err == nil && !found {
		err = notFound("link", purpose)
	}
	return data, err
}
