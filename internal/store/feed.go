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

// HubSubscription is a verified WebSub subscription at our hub (WebSub, section 5).
type HubSubscription struct {
	Topic   string
	URL     string
	Secret  string // for X-Hub-Signature; empty when the subscriber gave none
	Expires time.Time
	Version string // of the content that was sent last
	Network string // the network it was verified from; PutHubSubscription stores it, reads leave it empty
}

// PutHubSubscription stores or renews a verified subscription. A renewal keeps its Version.
func (s *Store) PutHubSubscription(ctx context.Context, c HubSubscription) error {
	return s.write(ctx, func(tx *conn) error {
		_, err := tx.Exec(ctx, "websub.put", c.Topic, c.URL, c.Secret, millis(c.Expires), millis(s.Now()), hostOf(c.URL), c.Network)
		return err
	})
}

// hostOf returns the host of a URL in lower case, empty if it has none.
func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Hostname())
}

// HubSubscriptions returns the subscriptions of a topic whose lease has not expired.
func (s *Store) HubSubscriptions(ctx context.Context, topic string) ([]HubSubscription, error) {
	return s.hubSubscriptions(ctx, "websub.of", topic, millis(s.Now()))
}

// HubSubscription returns the subscription of a callback URL to a topic. ErrNotFound reports that there
// is none, or that its lease has expired.
func (s *Store) HubSubscription(ctx context.Context, topic, callback string) (HubSubscription, error) {
	all, err := s.hubSubscriptions(ctx, "websub.one", topic, callback, millis(s.Now()))
	if err != nil {
		return HubSubscription{}, err
	}
	if len(all) == 0 {
		return HubSubscription{}, notFound("callback", callback)
	}
	return all[0], nil
}

func (s *Store) hubSubscriptions(ctx context.Context, query string, args ...any) ([]HubSubscription, error) {
	var out []HubSubscription
	err := s.readers.Each(ctx, query, args, func(rows *sql.Rows) error {
		var c HubSubscription
		var expires int64
		err := rows.Scan(&c.Topic, &c.URL, &c.Secret, &expires, &c.Version)
		c.Expires = timeOf(expires)
		out = append(out, c)
		return err
	})
	return out, err
}

// SetHubSubscriptionVersion stores the version of the content that was sent to a callback.
func (s *Store) SetHubSubscriptionVersion(ctx context.Context, topic, callback, version string) error {
	return s.write(ctx, func(tx *conn) error {
		_, err := tx.Exec(ctx, "websub.sent", topic, callback, version)
		return err
	})
}

// HubSubscriptionCounts counts the subscriptions of a topic, a host, a network and the whole hub.
type HubSubscriptionCounts struct{ Topic, Host, Network, All int64 }

// CountHubSubscriptions counts the subscriptions of a topic, of the host of a callback, of a
// network, and of the whole hub. Expired ones count too. The network "" has none.
func (s *Store) CountHubSubscriptions(ctx context.Context, topic, callback, network string) (HubSubscriptionCounts, error) {
	var n HubSubscriptionCounts
	_, err := s.readers.One(ctx, "websub.count", []any{topic, hostOf(callback), network}, &n.Topic, &n.Host, &n.Network, &n.All)
	return n, err
}

// DropHubSubscription ends a subscription.
func (s *Store) DropHubSubscription(ctx context.Context, topic, callback string) error {
	return s.write(ctx, func(tx *conn) error {
		_, err := tx.Exec(ctx, "websub.drop", topic, callback)
		return err
	})
}

// PruneHubSubscriptions removes the subscriptions whose lease has expired.
func (s *Store) PruneHubSubscriptions(ctx context.Context) error {
	return s.write(ctx, func(tx *conn) error {
		_, err := tx.Exec(ctx, "websub.prune", millis(s.Now()))
		return err
	})
}

// Poll holds the poll statistics of one feed on one day, as one node counted them. The feed
// server defines the format of the data.
type Poll struct {
	Feed string
	Day  string // UTC, such as 2026-03-29
	Node string
	Data []byte
}

// AddPolls adds statistics to those that are stored for the same feed, day and node. add
// returns the sum of the stored and the new data; it may be called more than once.
func (s *Store) AddPolls(ctx context.Context, polls []Poll, add func(old, more []byte) ([]byte, error)) error {
	polls = slices.Clone(polls)
	slices.SortStableFunc(polls, func(a, b Poll) int { // all nodes lock rows in the same order
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

// addPoll adds one Poll. If its row exists, it is locked before it is read.
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

// Polls returns the statistics of all nodes for the days from first to last.
func (s *Store) Polls(ctx context.Context, first, last string) ([]Poll, error) {
	return s.readers.polls(ctx, "poll.days", first, last)
}

// PrunePolls removes the statistics of the days before a day.
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
