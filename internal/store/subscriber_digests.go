package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"github.com/tidings-press/tidings/internal/subscriber"
)

// Subscribe puts a person on a digest, or changes their topics; who left is back.
// Their state does not change.
func (s *Store) Subscribe(ctx context.Context, id int64, digest string, topics []string) error {
	return s.write(ctx, func(tx *conn) error {
		found, err := tx.subscribers(ctx, "subscriber.byID", id)
		if err != nil {
			return err
		}
		if len(found) == 0 || found[0].State == subscriber.Erased {
			return notFound("subscriber", id)
		}
		_, err = tx.Exec(ctx, "subscription.put", digest, id, topicsText(topics), millis(s.Now()))
		return err
	})
}

// Unsubscribe takes a person off a digest. Leaving the last one makes them
// Unsubscribed. Doing it again changes nothing: the link in an old mail works for
// ever.
func (s *Store) Unsubscribe(ctx context.Context, id int64, digest string) error {
	return s.leave(ctx, id, func(tx *conn) error {
		_, err := tx.Exec(ctx, "subscription.leave", digest, id, millis(s.Now()))
		return err
	})
}

// UnsubscribeAll takes a person off every digest.
func (s *Store) UnsubscribeAll(ctx context.Context, id int64) error {
	return s.leave(ctx, id, func(tx *conn) error {
		_, err := tx.Exec(ctx, "subscription.leaveAll", id, millis(s.Now()))
		return err
	})
}

func (s *Store) leave(ctx context.Context, id int64, fn func(tx *conn) error) error {
	keys, err := s.Keys(ctx)
	if err != nil {
		return err
	}
	return s.write(ctx, func(tx *conn) error {
		found, err := tx.subscribers(ctx, "subscriber.byID", id)
		if err != nil {
			return err
		}
		if len(found) == 0 {
			return notFound("subscriber", id)
		}
		return s.leaveIn(ctx, tx, keys, found[0], func() error { return fn(tx) })
	})
}

// leaveIn takes a person off digests, and makes who is on none Unsubscribed.
func (s *Store) leaveIn(ctx context.Context, tx *conn, keys subscriber.Keys, sub subscriber.Subscriber, leave func() error) error {
	if err := leave(); err != nil {
		return err
	}
	var left int64
	if _, err := tx.One(ctx, "subscription.count", []any{sub.ID}, &left); err != nil || left > 0 {
		return err
	}
	if !sub.State.CanBecome(subscriber.Unsubscribed) || sub.State == subscriber.Bounced {
		return nil // they get no mail as it is, and for a better reason
	}
	return s.setState(ctx, tx, keys, sub.ID, subscriber.Unsubscribed, "")
}

// Subscriptions are the digests that a person is on.
func (s *Store) Subscriptions(ctx context.Context, id int64) ([]subscriber.Subscription, error) {
	return s.readers.subscriptions(ctx, "subscription.of", jsonList([]int64{id}))
}

// Subscription is a person's place on a digest; ErrNotFound says that they are not on it.
func (s *Store) Subscription(ctx context.Context, id int64, digest string) (subscriber.Subscription, error) {
	found, err := s.readers.subscriptions(ctx, "subscription.get", digest, id)
	if err == nil && len(found) == 0 {
		err = notFound("subscription to", digest)
	}
	if err != nil {
		return subscriber.Subscription{}, err
	}
	return found[0], nil
}

// CountSubscriptions says how many active people each digest has.
func (s *Store) CountSubscriptions(ctx context.Context) (map[string]int64, error) {
	out := map[string]int64{}
	err := s.readers.Each(ctx, "subscription.counts", nil, func(rows *sql.Rows) error {
		var digest string
		var n int64
		err := rows.Scan(&digest, &n)
		out[digest] = n
		return err
	})
	return out, err
}

// CountActive says how many active people a digest has.
func (s *Store) CountActive(ctx context.Context, digest string) (int64, error) {
	var n int64
	_, err := s.readers.One(ctx, "subscription.countActive", []any{digest}, &n)
	return n, err
}

func (c *conn) subscriptions(ctx context.Context, query string, args ...any) ([]subscriber.Subscription, error) {
	var out []subscriber.Subscription
	err := c.Each(ctx, query, args, func(rows *sql.Rows) error {
		var p subscriber.Subscription
		var topics string
		var since int64
		if err := rows.Scan(&p.Subscriber, &p.Digest, &topics, &since); err != nil {
			return err
		}
		p.Since = timeOf(since)
		out = append(out, p)
		return readTopics(topics, &out[len(out)-1].Topics)
	})
	return out, err
}

// topicsText keeps topics as JSON, and everything as an empty text.
func topicsText(topics []string) string { return jsonText(topics, len(topics) == 0) }

func readTopics(text string, into *[]string) error {
	if text == "" {
		return nil
	}
	if err := json.Unmarshal([]byte(text), into); err != nil {
		return fmt.Errorf("topics of a subscription: %w", err)
	}
	return nil
}

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
