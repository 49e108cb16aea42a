package store

import (
	"context"

	"github.com/tidings-press/tidings/internal/subscriber"
)

// CreateFeedToken makes the token of a person's private feed of a digest and returns
// it; an earlier one stops working. The store keeps a hash of it only, so nobody
// can read it back.
func (s *Store) CreateFeedToken(ctx context.Context, id int64, digest string) (string, error) {
	token, hash := newToken()
	err := s.write(ctx, func(tx *conn) error {
		if _, err := tx.Exec(ctx, "feedtoken.revoke", id, digest, millis(s.Now())); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, "feedtoken.insert", hash, id, digest, millis(s.Now()))
		return err
	})
	return token, err
}

// FeedToken tells whose private feed a token opens, and what they chose; ErrNotFound
// when it was revoked, never was one, or its reader left the digest.
func (s *Store) FeedToken(ctx context.Context, token string) (subscriber.Subscription, error) {
	var p subscriber.Subscription
	var created int64
	found, err := s.readers.One(ctx, "feedtoken.get", []any{hashToken(token)}, &p.Subscriber, &p.Digest, &created)
	if err == nil && !found {
		err = notFound("private feed", "of this token")
	}
	if err != nil {
		return subscriber.Subscription{}, err
	}
	// Not knowing what they chose is no reason to show them everything.
	p, err = s.Subscription(ctx, p.Subscriber, p.Digest)
	p.Since = timeOf(created)
	return p, err
}

// RevokeFeedToken closes a person's private feed of a digest.
func (s *Store) RevokeFeedToken(ctx context.Context, id int64, digest string) error {
	return s.write(ctx, func(tx *conn) error {
		_, err := tx.Exec(ctx, "feedtoken.revoke", id, digest, millis(s.Now()))
		return err
	})
}
