package store

import (
	"context"
	"errors"
	"time"

	"github.com/tidings-press/tidings/internal/store/sqldb"
)

// Retention is until when what is kept of the past may be removed; a zero time keeps
// it. The ledger, ticks, editions with their counts and pages, subscribers and
// suppressions are never removed: promises rest on them.
type Retention struct {
	Deliveries time.Time // of editions that ended before
	Feedback   time.Time // that came before
	Jobs       time.Time // that ended before
}

// Removed is how many rows were removed.
type Removed struct{ Deliveries, Variants, Feedback, Jobs, Sessions, Links int64 }

// removeAtOnce bounds the rows that one transaction removes, so that the outcomes of
// mails that are being sent wait for no longer than some milliseconds.
const removeAtOnce = 500

// Prune removes what is older than its time, in small steps. A context that ends
// leaves the rest to the next time.
func (s *Store) Prune(ctx context.Context, r Retention) (Removed, error) {
	var out Removed
	now := millis(s.Now())
	err := errors.Join(
		s.pruneEditions(ctx, r.Deliveries, &out),
		s.pruneOlder(ctx, "retention.feedback", r.Feedback, &out.Feedback),
		s.pruneOlder(ctx, "retention.jobs", r.Jobs, &out.Jobs),
		s.step(ctx, &out.Sessions, "retention.sessions", now),
		s.step(ctx, &out.Links, "retention.links", now),
	)
	return out, err
}

// step runs one query in a transaction of its own, and adds up what it removed.
func (s *Store) step(ctx context.Context, removed *int64, query string, args ...any) error {
	var n int64
	err := s.write(ctx, func(tx *conn) (err error) {
		n, err = tx.Exec(ctx, query, args...)
		return err
	})
	*removed += n
	return err
}

// pruneOlder removes rows of one kind that are older than a time.
func (s *Store) pruneOlder(ctx context.Context, query string, before time.Time, removed *int64) error {
	if before.IsZero() {
		return nil
	}
	for last := int64(-1); last != *removed && ctx.Err() == nil; {
		last = *removed
		if err := s.step(ctx, removed, query, millis(before), removeAtOnce); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// pruneEditions removes the deliveries of old editions, and all variants but the one
// that their page shows.
func (s *Store) pruneEditions(ctx context.Context, before time.Time, out *Removed) error {
	if before.IsZero() {
		return nil
	}
	for {
		old, err := sqldb.Column[int64](ctx, s.readers.Conn, "retention.editions", millis(before), 100)
		if err != nil || len(old) == 0 {
			return err
		}
		for _, seq := range old {
			for last := int64(-1); last != out.Deliveries; {
				last = out.Deliveries
				if err := s.step(ctx, &out.Deliveries, "retention.deliveries", seq, removeAtOnce); err != nil {
					return err
				}
			}
			if err := s.step(ctx, &out.Variants, "retention.variants", seq); err != nil {
				return err
			}
		}
	}
}
