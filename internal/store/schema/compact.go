package schema

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"

	"modernc.org/sqlite"

	"github.com/tidings-press/tidings/internal/subscriber"
)

// compacted is the user_version of a SQLite file that has been written to only with
// secure_delete since it was created or compacted.
const compacted = 1

// compact rewrites a SQLite file that was written to without secure_delete, once: its
// free pages, and the free parts of pages in use, may hold what was erased. fresh
// reports that the file is empty so far.
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
			return fmt.Errorf("compact the file, so that no erased data remains in it: %w; it needs as much free space as the file has; the next \"tidings migrate\" tries again", err)
		}
	}
	return nil
}

// scrub_addresses lets a migration remove addresses from stored replies. PostgreSQL
// uses a regular expression for that.
func init() {
	sqlite.MustRegisterDeterministicScalarFunction("scrub_addresses", 1, func(_ *sqlite.FunctionContext, args []driver.Value) (driver.Value, error) {
		text, ok := args[0].(string)
		if !ok {
			return args[0], nil
		}
		return subscriber.ScrubAddresses(text), nil
	})
}
