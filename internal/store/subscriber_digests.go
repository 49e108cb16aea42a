package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/tidings-press/tidings/internal/store/sqldb"
	"github.com/tidings-press/tidings/internal/subscriber"
)

// Subscribe adds a subscriber to a digest, or changes their topics. It also brings back a
// subscription that had ended. The subscriber's state does not change.
func (s *Store) Subscribe(ctx context.Context, id int64, digest string, topics []string) error {
	return s.write(ctx, func(tx *conn) error {
		found, err := tx.subscribers(ctx, "subscriber.byID", id)
		if err != nil {
			return err
		}
		if len(found) == 0 || found[0].State == subscriber.Erased {
			return notFound("subscriber", id)
		}
		return s.subscribe(ctx, tx, id, digest, topics)
	})
}

// subscribe is Subscribe within a transaction. It records nothing if nothing changes.
func (s *Store) subscribe(ctx context.Context, tx *conn, id int64, digest string, topics []string) error {
	have, err := tx.subscriptions(ctx, "subscription.get", digest, id)
	if err != nil || len(have) > 0 && slices.Equal(have[0].Topics, topics) {
		return err
	}
	if _, err := tx.Exec(ctx, "subscription.put", digest, id, topicsText(topics), millis(s.Now())); err != nil {
		return err
	}
	detail := digest
	if len(topics) > 0 {
		detail += ": " + strings.Join(topics, ", ")
	}
	return s.recordChange(ctx, tx, id, ChangedDigest, detail)
}

// Unsubscribe ends a subscription to a digest. Ending the last one makes the subscriber
// Unsubscribed. Doing it again changes nothing, so the link in an old mail always works.
func (s *Store) Unsubscribe(ctx context.Context, id int64, digest string) error {
	return s.leave(ctx, id, func(tx *conn) error { return s.leaveDigest(ctx, tx, id, digest) })
}

// UnsubscribeAll ends all subscriptions of a subscriber.
func (s *Store) UnsubscribeAll(ctx context.Context, id int64) error {
	return s.leave(ctx, id, func(tx *conn) error {
		n, err := tx.Exec(ctx, "subscription.leaveAll", id, millis(s.Now()))
		if err != nil || n == 0 {
			return err
		}
		return s.recordChange(ctx, tx, id, ChangedLeft, "")
	})
}

// leaveDigest ends a subscription in a transaction.
func (s *Store) leaveDigest(ctx context.Context, tx *conn, id int64, digest string) error {
	n, err := tx.Exec(ctx, "subscription.leave", digest, id, millis(s.Now()))
	if err != nil || n == 0 {
		return err
	}
	return s.recordChange(ctx, tx, id, ChangedLeft, digest)
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
		return s.unsubscribeInTx(ctx, tx, keys, found[0], func() error { return fn(tx) })
	})
}

// unsubscribeInTx ends subscriptions in a transaction, and makes a subscriber without any
// Unsubscribed.
func (s *Store) unsubscribeInTx(ctx context.Context, tx *conn, keys subscriber.Keys, sub subscriber.Subscriber, leave func() error) error {
	if err := leave(); err != nil {
		return err
	}
	var left int64
	if _, err := tx.One(ctx, "subscription.count", []any{sub.ID}, &left); err != nil || left > 0 {
		return err
	}
	if !sub.State.CanBecome(subscriber.Unsubscribed) || sub.State == subscriber.Bounced {
		return nil // they already get no mail, for a stronger reason
	}
	return s.setState(ctx, tx, keys, sub.ID, subscriber.Unsubscribed, "")
}

// Subscriptions returns the subscriptions of a subscriber.
func (s *Store) Subscriptions(ctx context.Context, id int64) ([]subscriber.Subscription, error) {
	return s.readers.subscriptions(ctx, "subscription.of", jsonList([]int64{id}))
}

// Subscription returns the subscription of a subscriber to a digest, or ErrNotFound.
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

// LeftDigests returns the names of the digests that a subscriber had and left, in order.
func (s *Store) LeftDigests(ctx context.Context, id int64) ([]string, error) {
	return sqldb.Column[string](ctx, s.readers.Conn, "subscription.leftBy", id)
}

// CountSubscriptions returns the number of active subscribers of each digest.
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

// CountActive returns the number of active subscribers of a digest.
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

// topicsText returns topics as JSON, and an empty text for everything.
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

// CreateFeedToken creates the token of a subscriber's private feed of a digest; an earlier
// one stops working. The store keeps only its hash, so that it cannot be read back.
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

// FeedToken returns the subscription whose private feed a token opens, or ErrNotFound when
// the token was revoked or is unknown, or the subscription has ended.
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
	// An error here must not show them everything.
	p, err = s.Subscription(ctx, p.Subscriber, p.Digest)
	p.Since = timeOf(created)
	return p, err
}

// RevokeFeedToken closes a subscriber's private feed of a digest.
func (s *Store) RevokeFeedToken(ctx context.Context, id int64, digest string) error {
	return s.write(ctx, func(tx *conn) error {
		_, err := tx.Exec(ctx, "feedtoken.revoke", id, digest, millis(s.Now()))
		return err
	})
}
