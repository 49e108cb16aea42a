// Package schema holds the migrations of the store and describes its tables. Ensure
// checks the schema of a store, Migrate brings it up to date.
package schema

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"github.com/tidings-press/tidings/internal/store/sqldb"
)

//go:embed migrations
var files embed.FS

// Unfinished is a table that exists while a restore is in progress. A store with it is
// not opened.
const Unfinished = "restore_unfinished"

// ErrUnfinished reports a store whose restore was interrupted.
var ErrUnfinished = errors.New("a restore into this store was interrupted, so it is incomplete; run tidings restore again, with --replace")

// Ensure creates the schema of an empty store. In any other store it checks that all
// migrations of this program, and no others, were applied: errors are
// *MigrationDueError, *NewerError and ErrUnfinished.
func Ensure(ctx context.Context, engine sqldb.Engine, db *sql.DB) error {
	provider, err := newProvider(engine, db)
	if err != nil {
		return err
	}
	// The order matters: a store that another process is creating is either still empty
	// now, or complete by the time its schema is read.
	empty, err := IsEmpty(ctx, engine, db)
	if err != nil {
		return err
	}
	if there, err := HasTable(ctx, engine, db, Unfinished); err != nil || there {
		return errors.Join(err, ErrUnfinished)
	}
	missing, err := pendingMigrations(ctx, engine, db, provider)
	switch {
	case err != nil || len(missing) == 0:
		return err
	case empty:
		_, err = Migrate(ctx, engine, db)
		return err
	}
	return &MigrationDueError{Missing: missing}
}

// Migrate applies the pending migrations and returns their names in order. PostgreSQL
// runs them under a session lock. On SQLite each migration is one immediate
// transaction: the second of two processes waits, fails on a table that exists by then,
// and tries again. Each such failure means that the other process made progress, so
// attempts count from the last progress.
func Migrate(ctx context.Context, engine sqldb.Engine, db *sql.DB) ([]string, error) {
	provider, err := newProvider(engine, db)
	if err != nil {
		return nil, err
	}
	empty, err := IsEmpty(ctx, engine, db)
	if err != nil {
		return nil, err
	}
	var applied []string
	last := -1
	for attempt := 1; ; attempt++ {
		missing, err := pendingMigrations(ctx, engine, db, provider)
		if err == nil && len(missing) == 0 && engine == sqldb.SQLite {
			err = compact(ctx, db, empty)
		}
		if err != nil || len(missing) == 0 {
			return applied, err
		}
		if len(missing) != last {
			last, attempt = len(missing), 1
		}
		done, err := provider.Up(ctx)
		var partial *goose.PartialError
		if errors.As(err, &partial) {
			done = partial.Applied
		}
		for _, result := range done {
			applied = append(applied, migrationName(result.Source))
		}
		if err != nil && (engine == sqldb.Postgres || attempt == sqldb.MaxAttempts) {
			return applied, err
		}
		if err != nil {
			if err := sqldb.Pause(ctx, attempt); err != nil {
				return applied, err
			}
		}
	}
}

// newProvider returns goose with our migrations: those of the engine and those that are
// the same for both. They are applied out of order, since a release may bring one that
// is older than the newest one of a store.
func newProvider(engine sqldb.Engine, db *sql.DB) (*goose.Provider, error) {
	folder, err := migrations(engine)
	if err != nil {
		return nil, err
	}
	if engine == sqldb.SQLite {
		return goose.NewProvider(goose.DialectSQLite3, db, folder, goose.WithAllowOutofOrder(true))
	}
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 120))
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(goose.DialectPostgres, db, folder, goose.WithAllowOutofOrder(true), goose.WithSessionLocker(locker))
}

func migrationName(s *goose.Source) string { return strings.TrimSuffix(path.Base(s.Path), ".sql") }

// pendingMigrations returns the names of the migrations that a store lacks. It changes
// nothing. A store with a migration that this program does not know gives a
// *NewerError.
func pendingMigrations(ctx context.Context, engine sqldb.Engine, db *sql.DB, provider *goose.Provider) ([]string, error) {
	have, err := appliedMigrations(ctx, engine, db)
	if err != nil {
		return nil, err
	}
	var missing []string
	newest := ""
	for _, source := range provider.ListSources() {
		newest = migrationName(source)
		if !have[source.Version] {
			missing = append(missing, newest)
		}
		delete(have, source.Version)
	}
	if len(have) == 0 {
		return missing, nil
	}
	unknown := make([]int64, 0, len(have))
	for version := range have {
		unknown = append(unknown, version)
	}
	slices.Sort(unknown)
	return nil, &NewerError{Unknown: unknown, Newest: newest}
}

// CountApplied returns the number of migrations that a store has.
func CountApplied(ctx context.Context, engine sqldb.Engine, db Queryer) (int, error) {
	have, err := appliedMigrations(ctx, engine, db)
	return len(have), err
}

// appliedMigrations returns the versions of the migrations that a store has.
func appliedMigrations(ctx context.Context, engine sqldb.Engine, db Queryer) (map[int64]bool, error) {
	if there, err := HasTable(ctx, engine, db, "goose_db_version"); err != nil || !there {
		return map[int64]bool{}, err
	}
	rows, err := db.QueryContext(ctx, "SELECT DISTINCT version_id FROM goose_db_version WHERE is_applied AND version_id > 0")
	if err != nil {
		return nil, err
	}
	have := map[int64]bool{}
	return have, sqldb.Walk(rows, func(rows *sql.Rows) error {
		var version int64
		err := rows.Scan(&version)
		have[version] = true
		return err
	})
}

// contents are tables of which at least one has a row in every store that was used: the
// service creates secrets when it starts.
var contents = []string{"secrets", "articles", "subscribers", "editors", "digests"}

// IsEmpty reports whether a store has no content, so that completing its schema loses
// nothing.
func IsEmpty(ctx context.Context, engine sqldb.Engine, db *sql.DB) (bool, error) {
	if there, err := HasTable(ctx, engine, db, Unfinished); err != nil || there {
		return false, err
	}
	for _, table := range contents {
		there, err := HasTable(ctx, engine, db, table)
		if err != nil {
			return false, err
		}
		if !there {
			continue
		}
		var rows int
		if err := db.QueryRowContext(ctx, "SELECT count(*) FROM (SELECT 1 FROM "+table+" LIMIT 1) AS first").Scan(&rows); err != nil || rows > 0 {
			return false, err
		}
	}
	return true, nil
}

// HasTable reports whether a store has a table.
func HasTable(ctx context.Context, engine sqldb.Engine, db Queryer, name string) (bool, error) {
	query := "SELECT name FROM sqlite_master WHERE name = $1"
	if engine == sqldb.Postgres {
		query = "SELECT $1 FROM (SELECT to_regclass($1) AS t) AS found WHERE t IS NOT NULL"
	}
	found, err := Texts(ctx, db, query, name)
	return len(found) > 0, err
}

// NewerError reports migrations of a store that this program does not have: a newer or
// different Tidings applied them.
type NewerError struct {
	Unknown []int64 // versions, in order
	Newest  string  // name of the newest migration of this program
}

// Error names the unknown migrations and what to do.
func (e *NewerError) Error() string {
	names := make([]string, len(e.Unknown))
	for i, version := range e.Unknown {
		names[i] = fmt.Sprintf("%05d", version)
	}
	return fmt.Sprintf("the store has migrations that this program does not know: %s (its own end with %s); use the newer tidings that last ran on this store, or restore a backup from before the upgrade",
		enumerate(names), e.Newest)
}

// enumerate returns the names of migrations for a message: all of a few, the first and last of many.
func enumerate(names []string) string {
	if len(names) <= 4 {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%d migrations, from %s to %s", len(names), names[0], names[len(names)-1])
}

// MigrationDueError reports that a store lacks migrations of this program. Migrate
// applies them.
type MigrationDueError struct {
	Missing []string // names, in order
}

// Error names the missing migrations and the command that applies them.
func (e *MigrationDueError) Error() string {
	return fmt.Sprintf("the store's schema is out of date: it lacks %s; stop all tidings processes, make a backup, and run \"tidings migrate\"", enumerate(e.Missing))
}
