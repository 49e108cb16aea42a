package store

import (
	"context"
	"database/sql"
	"net/url"
	"strings"
	"time"
)

// Callback is a verified WebSub subscription at our hub (WebSub, section 5).
type Callback struct {
	Topic   string
	URL     string
	Secret  string // for X-Hub-Signature; empty when the subscriber gave none
	Expires time.Time
	Version string // version of the content that it was sent last
}

// PutCallback keeps a verified subscription, or renews it. What it was sent stays.
func (s *Store) PutCallback(ctx context.Context, c Callback) error {
	return s.write(ctx, func(tx *conn) error {
		_, err := tx.Exec(ctx, "websub.put", c.Topic, c.URL, c.Secret, millis(c.Expires), millis(s.Now()), hostOf(c.URL))
		return err
	})
}

// hostOf is the server of an address, in lower case; empty when it names none.
func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Hostname())
}

// Callbacks are the subscriptions of a topic whose lease has not run out.
func (s *Store) Callbacks(ctx context.Context, topic string) ([]Callback, error) {
	return s.callbacks(ctx, "websub.of", topic, millis(s.Now()))
}

// Callback is the subscription of a topic with a callback; ErrNotFound says that
// there is none, or that its lease has run out.
func (s *Store) Callback(ctx context.Context, topic, callback string) (Callback, error) {
	all, err := s.callbacks(ctx, "websub.one", topic, callback, millis(s.Now()))
	if err != nil {
		return Callback{}, err
	}
	if len(all) == 0 {
		return Callback{}, notFound("callback", callback)
	}
	return all[0], nil
}

func (s *Store) callbacks(ctx context.Context, query string, args ...any) ([]Callback, error) {
	var out []Callback
	err := s.readers.Each(ctx, query, args, func(rows *sql.Rows) error {
		var c Callback
		var expires int64
		err := rows.Scan(&c.Topic, &c.URL, &c.Secret, &expires, &c.Version)
		c.Expires = timeOf(expires)
		out = append(out, c)
		return err
	})
	return out, err
}

// SetCallbackVersion remembers what a subscriber was sent.
func (s *Store) SetCallbackVersion(ctx context.Context, topic, callback, version string) error {
	return s.write(ctx, func(tx *conn) error {
		_, err := tx.Exec(ctx, "websub.sent", topic, callback, version)
		return err
	})
}

// CallbackCounts is how many subscriptions there are.
type CallbackCounts struct{ Topic, Host, All int64 }

// CountCallbacks says how many subscriptions a topic has, the server of a callback,
// and all together, those that ran out included, for a bound on them.
func (s *Store) CountCallbacks(ctx context.Context, topic, callback string) (CallbackCounts, error) {
	var n CallbackCounts
	_, err := s.readers.One(ctx, "websub.count", []any{topic, hostOf(callback)}, &n.Topic, &n.Host, &n.All)
	return n, err
}

// DropCallback ends a subscription.
func (s *Store) DropCallback(ctx context.Context, topic, callback string) error {
	return s.write(ctx, func(tx *conn) error {
		_, err := tx.Exec(ctx, "websub.drop", topic, callback)
		return err
	})
}

// PruneCallbacks forgets subscriptions whose lease has run out.
func (s *Store) PruneCallbacks(ctx context.Context) error {
	return s.write(ctx, func(tx *conn) error {
		_, err := tx.Exec(ctx, "websub.prune", millis(s.Now()))
		return err
	})
}
