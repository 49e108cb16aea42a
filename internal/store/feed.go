package store

import (
	"cmp"
	"context"
	"database/sql"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/tidings-press/tidings/internal/store/sqldb"
)

// Callback is a verified WebSub subscription at our hub (WebSub, section 5).
type Callback struct {
	Topic   string
	URL     string
	Secret  string // for X-Hub-Signature; empty when the subscriber gave none
	Expires time.Time
	Version string // of the content that was sent last
	Network string // from which it was verified; set by PutCallback, not read back
}

// PutCallback keeps a verified subscription, or renews it. What it was sent stays.
func (s *Store) PutCallback(ctx context.Context, c Callback) error {
	return s.write(ctx, func(tx *conn) error {
		_, err := tx.Exec(ctx, "websub.put", c.Topic, c.URL, c.Secret, millis(c.Expires), millis(s.Now()), hostOf(c.URL), c.Network)
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
type CallbackCounts struct{ Topic, Host, Network, All int64 }

// CountCallbacks returns how many subscriptions a topic has, the server of a callback,
// a network, and the hub, expired ones included. A network "" has none.
func (s *Store) CountCallbacks(ctx context.Context, topic, callback, network string) (CallbackCounts, error) {
	var n CallbackCounts
	_, err := s.readers.One(ctx, "websub.count", []any{topic, hostOf(callback), network}, &n.Topic, &n.Host, &n.Network, &n.All)
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

// Poll is what one node counted of the polls of one feed on one day. What the data
// says is the feed server's affair.
type Poll struct {
	Feed string
	Day  string // UTC, such as 2026-03-29
	Node string
	Data []byte
}

// AddPolls adds counts to those that are there for the same feed, day and node. add
// gives the sum of what is kept and what comes in; it may be called again.
func (s *Store) AddPolls(ctx context.Context, polls []Poll, add func(old, more []byte) ([]byte, error)) error {
	polls = slices.Clone(polls)
	slices.SortStableFunc(polls, func(a, b Poll) int { // all nodes take their rows in one order
		return cmp.Or(cmp.Compare(a.Feed, b.Feed), cmp.Compare(a.Day, b.Day))
	})
	return s.write(ctx, func(tx *conn) error {
		for _, p := range polls {
			if err := tx.addPoll(ctx, p, add); err != nil {
				return sqldb.Wrap("polls of "+p.Feed, err)
			}
		}
		return nil
	})
}

// addPoll adds one count. Its row is there and locked before it is read.
func (c *conn) addPoll(ctx context.Context, p Poll, add func(old, more []byte) ([]byte, error)) error {
	made, err := c.Exec(ctx, "poll.begin", p.Feed, p.Day, p.Node, p.Data)
	if made > 0 || err != nil {
		return err
	}
	var old []byte
	if _, err := c.One(ctx, "poll.lock", []any{p.Feed, p.Day, p.Node}, &old); err != nil {
		return err
	}
	sum, err := add(old, p.Data)
	if err != nil {
		return err
	}
	_, err = c.Exec(ctx, "poll.set", p.Feed, p.Day, p.Node, sum)
	return err
}

// Polls returns what all nodes counted on the days from first to last.
func (s *Store) Polls(ctx context.Context, first, last string) ([]Poll, error) {
	return s.readers.polls(ctx, "poll.days", first, last)
}

// PrunePolls forgets the days before one.
func (s *Store) PrunePolls(ctx context.Context, before string) error {
	return s.write(ctx, func(tx *conn) error {
		_, err := tx.Exec(ctx, "poll.prune", before)
		return err
	})
}

func (c *conn) polls(ctx context.Context, query string, args ...any) ([]Poll, error) {
	var out []Poll
	err := c.Each(ctx, query, args, func(rows *sql.Rows) error {
		var p Poll
		err := rows.Scan(&p.Feed, &p.Day, &p.Node, &p.Data)
		out = append(out, p)
		return err
	})
	return out, err
}
