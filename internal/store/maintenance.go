package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	sqlite3 "modernc.org/sqlite/lib"

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

// What is deleted must be gone from SQLite's files too. The writer runs with
// secure_delete, which overwrites deleted rows and freed pages with zeros. Two places
// are left: the log beside the file, which keeps former versions of pages until it is
// truncated (wipeLog), and what was deleted by versions without secure_delete (compact).

// wipeFor bounds how long wipeLog waits for readers; wipeEvery is how often it tries.
const (
	wipeFor   = 5 * time.Second
	wipeEvery = 50 * time.Millisecond
)

// wipeLog moves SQLite's log into the file and empties it. While somebody reads for
// longer than wipeFor that is left for the next time: see WipeLog.
func (s *Store) wipeLog(ctx context.Context) error {
	for deadline := time.Now().Add(wipeFor); ; {
		done, err := s.TruncateLog(ctx)
		if err != nil || done || time.Now().After(deadline) {
			return err
		}
		if err := sleep(ctx, wipeEvery); err != nil {
			return err
		}
	}
}

// TruncateLog empties the log beside a SQLite file, which holds former versions of what
// was changed or erased. It returns false when a reader kept it from doing so. The
// service calls it now and then. On PostgreSQL there is nothing to do.
func (s *Store) TruncateLog(ctx context.Context) (done bool, err error) {
	if s.engine != SQLite {
		return true, nil
	}
	conn, err := s.db.Writers.DB.Conn(ctx)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	// A checkpoint that waits for a reader keeps every writer waiting with it.
	if _, err := conn.ExecContext(ctx, fmt.Sprintf("PRAGMA busy_timeout = %d", wipeEvery.Milliseconds())); err != nil {
		return false, err
	}
	var busy, frames, moved int
	err = conn.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &frames, &moved)
	if code := sqldb.SQLiteCode(err) & 0xff; code == sqlite3.SQLITE_BUSY || code == sqlite3.SQLITE_LOCKED {
		busy, err = 1, nil
	}
	_, back := conn.ExecContext(context.WithoutCancel(ctx), fmt.Sprintf("PRAGMA busy_timeout = %d", s.db.Wait.Milliseconds()))
	return busy == 0, errors.Join(sqldb.Wrap("checkpoint", err), back)
}

// sleep waits, or returns the context's error when that ends before.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
