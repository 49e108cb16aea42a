package store

import (
	"context"
	"database/sql"
)

// Poll is what one node counted of the polls of one feed on one day. What the data
// says is the feed server's affair.
type Poll struct {
	Feed string
	Day  string // UTC, such as 2026-03-29
	Node string
	Data []byte
}

// PutPolls keeps counts, in place of what the node counted before.
func (s *Store) PutPolls(ctx context.Context, polls []Poll) error {
	return s.write(ctx, func(tx *runner) error {
		for _, p := range polls {
			if _, err := tx.exec(ctx, "poll.put", p.Feed, p.Day, p.Node, p.Data); err != nil {
				return err
			}
		}
		return nil
	})
}

// Polls returns what all nodes counted on the days from first to last.
func (s *Store) Polls(ctx context.Context, first, last string) ([]Poll, error) {
	return s.readers.polls(ctx, "poll.days", first, last)
}

// NodePolls returns what one node counted on a day, to go on from after a restart.
func (s *Store) NodePolls(ctx context.Context, day, node string) ([]Poll, error) {
	return s.readers.polls(ctx, "poll.node", day, node)
}

// PrunePolls forgets the days before one.
func (s *Store) PrunePolls(ctx context.Context, before string) error {
	return s.write(ctx, func(tx *runner) error {
		_, err := tx.exec(ctx, "poll.prune", before)
		return err
	})
}

func (r *runner) polls(ctx context.Context, query string, args ...any) ([]Poll, error) {
	var out []Poll
	err := r.each(ctx, query, args, func(rows *sql.Rows) error {
		var p Poll
		err := rows.Scan(&p.Feed, &p.Day, &p.Node, &p.Data)
		out = append(out, p)
		return err
	})
	return out, err
}
