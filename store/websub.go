package store

import (
	"context"
	"database/sql"
	"time"
)

// Callback is a verified WebSub subscription at our hub (WebSub, section 5).
type Callback struct {
	Topic   string
	URL     string
	Secret  string // for X-Hub-Signature; empty when the subscriber gave none
	Expires time.Time
}

// PutCallback keeps a verified subscription, or renews it.
func (s *Store) PutCallback(ctx context.Context, c Callback) error {
	return s.write(ctx, func(tx *runner) error {
		_, err := tx.exec(ctx, "websub.put", c.Topic, c.URL, c.Secret, millis(c.Expires), millis(s.Now()))
		return err
	})
}

// Callbacks are the subscriptions of a topic whose lease has not run out.
func (s *Store) Callbacks(ctx context.Context, topic string) ([]Callback, error) {
	var out []Callback
	err := s.readers.each(ctx, "websub.of", []any{topic, millis(s.Now())}, func(rows *sql.Rows) error {
		var c Callback
		var expires int64
		err := rows.Scan(&c.Topic, &c.URL, &c.Secret, &expires)
		c.Expires = timeOf(expires)
		out = append(out, c)
		return err
	})
	return out, err
}

// CountCallbacks says how many subscriptions a topic has, those that ran out
// included, for a bound on them.
func (s *Store) CountCallbacks(ctx context.Context, topic string) (int64, error) {
	var n int64
	_, err := s.readers.one(ctx, "websub.count", []any{topic}, &n)
	return n, err
}

// DropCallback ends a subscription.
func (s *Store) DropCallback(ctx context.Context, topic, callback string) error {
	return s.write(ctx, func(tx *runner) error {
		_, err := tx.exec(ctx, "websub.drop", topic, callback)
		return err
	})
}

// PruneCallbacks forgets subscriptions whose lease has run out.
func (s *Store) PruneCallbacks(ctx context.Context) error {
	return s.write(ctx, func(tx *runner) error {
		_, err := tx.exec(ctx, "websub.prune", millis(s.Now()))
		return err
	})
}
