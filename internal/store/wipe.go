package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	sqlite3 "modernc.org/sqlite/lib"

	"github.com/tidings-press/tidings/internal/store/sqldb"
)

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
