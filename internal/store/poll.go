package store

import (
	"cmp"
	"context"
	"database/sql"
	"slices"

	"github.com/tidings-press/tidings/internal/store/sqldb"
)

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
