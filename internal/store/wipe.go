package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/tidings-press/tidings/internal/subscriber"
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
	conn, err := s.writers.db.Conn(ctx)
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
	if code := sqliteCode(err) & 0xff; code == sqlite3.SQLITE_BUSY || code == sqlite3.SQLITE_LOCKED {
		busy, err = 1, nil
	}
	_, back := conn.ExecContext(context.WithoutCancel(ctx), fmt.Sprintf("PRAGMA busy_timeout = %d", s.wait.Milliseconds()))
	return busy == 0, errors.Join(wrap("checkpoint", err), back)
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

// compacted is the user_version of a SQLite file that has never been written to
// without secure_delete since it was created or compacted.
const compacted = 1

// compact rewrites a SQLite file that was written to without secure_delete, once: it
// may hold what was erased in its free pages, and in the free parts of pages in use.
// fresh says that there is nothing in it yet.
func compact(ctx context.Context, db *sql.DB, fresh bool) (err error) {
	var version int
	if err := db.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil || version >= compacted {
		return err
	}
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	statements := []string{fmt.Sprintf("PRAGMA user_version = %d", compacted)}
	if !fresh {
		// The copy is as large as the store, so it is made on the disk and not in memory.
		statements = []string{"PRAGMA temp_store = FILE", "VACUUM", statements[0], "PRAGMA wal_checkpoint(TRUNCATE)", "PRAGMA temp_store = MEMORY"}
	}
	for _, statement := range statements {
		if _, err := conn.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("compact the file, so that nothing erased is left in it: %w; it needs as much free space again as the file has, and is tried again by the next \"tidings migrate\"", err)
		}
	}
	return nil
}

// scrub_addresses lets a migration put stored replies right. PostgreSQL has a regular
// expression for the same.
func init() {
	sqlite.MustRegisterDeterministicScalarFunction("scrub_addresses", 1, func(_ *sqlite.FunctionContext, args []driver.Value) (driver.Value, error) {
		text, ok := args[0].(string)
		if !ok {
			return args[0], nil
		}
		return subscriber.ScrubAddresses(text), nil
	})
}
