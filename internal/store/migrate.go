package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed migrations
var migrationFiles embed.FS

// Migrate brings the schema of the store at a DSN up to date, and creates it in an
// empty store. It returns the names of the migrations that it applied, in order,
// such as "00012_consent"; none when the schema was current. Several processes may
// call it at once. Errors are *OpenError and *NewerSchemaError.
func Migrate(ctx context.Context, dsn string, opts Options) (applied []string, err error) {
	if err := opts.settle(); err != nil {
		return nil, err
	}
	s, err := connect(ctx, dsn, opts)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	applied, err = migrate(ctx, s.engine, s.writers.db)
	return applied, describeSchema(dsn, err)
}

// ensureSchema creates the schema of a store that holds nothing. Of any other store
// it checks that all migrations of this program, and no others, were applied.
func ensureSchema(ctx context.Context, engine Engine, db *sql.DB) error {
	provider, err := newProvider(engine, db)
	if err != nil {
		return err
	}
	// In this order: a store that another process is creating at this moment is
	// either still without content, or complete by the time its schema is read.
	empty, err := holdsNothing(ctx, engine, db)
	if err != nil {
		return err
	}
	if there, err := hasTable(ctx, engine, db, unfinished); err != nil || there {
		return errors.Join(err, errUnfinished)
	}
	missing, err := pendingMigrations(ctx, engine, db, provider)
	switch {
	case err != nil || len(missing) == 0:
		return err
	case empty:
		_, err = migrate(ctx, engine, db)
		return err
	}
	return &MigrationDueError{Missing: missing}
}

// migrate applies what is pending and returns its names. PostgreSQL does it under a
// session lock. On SQLite each migration is one immediate transaction: of two
// processes the second waits, fails on a table that exists by then, and looks again.
// Every such failure means that another process got ahead, so attempts count from
// the last progress.
func migrate(ctx context.Context, engine Engine, db *sql.DB) ([]string, error) {
	provider, err := newProvider(engine, db)
	if err != nil {
		return nil, err
	}
	empty, err := holdsNothing(ctx, engine, db)
	if err != nil {
		return nil, err
	}
	var applied []string
	last := -1
	for attempt := 1; ; attempt++ {
		missing, err := pendingMigrations(ctx, engine, db, provider)
		if err == nil && len(missing) == 0 && engine == SQLite {
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
		if err != nil && (engine == Postgres || attempt == maxAttempts) {
			return applied, err
		}
		if err != nil {
			if err := pause(ctx, attempt); err != nil {
				return applied, err
			}
		}
	}
}

// newProvider returns goose with our migrations. They are applied in any order: a
// release may bring one that is older than the newest one of a store.
func newProvider(engine Engine, db *sql.DB) (*goose.Provider, error) {
	folder, err := fs.Sub(migrationFiles, "migrations/"+string(engine))
	if err != nil {
		return nil, err
	}
	if engine == SQLite {
		return goose.NewProvider(goose.DialectSQLite3, db, folder, goose.WithAllowOutofOrder(true))
	}
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 120))
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(goose.DialectPostgres, db, folder, goose.WithAllowOutofOrder(true), goose.WithSessionLocker(locker))
}

func migrationName(s *goose.Source) string { return strings.TrimSuffix(path.Base(s.Path), ".sql") }

// pendingMigrations compares the migrations that a store has with those of this
// program, one by one, and returns the names of those that the store lacks. It
// changes nothing. A store with a migration that this program does not know gives a
// *NewerSchemaError.
func pendingMigrations(ctx context.Context, engine Engine, db *sql.DB, provider *goose.Provider) ([]string, error) {
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
	return nil, &NewerSchemaError{Unknown: unknown, Newest: newest}
}

// appliedMigrations returns the versions that a store has. A store that no
// migration ran on has none.
func appliedMigrations(ctx context.Context, engine Engine, db asker) (map[int64]bool, error) {
	if there, err := hasTable(ctx, engine, db, "goose_db_version"); err != nil || !there {
		return map[int64]bool{}, err
	}
	rows, err := db.QueryContext(ctx, "SELECT DISTINCT version_id FROM goose_db_version WHERE is_applied AND version_id > 0")
	if err != nil {
		return nil, err
	}
	have := map[int64]bool{}
	return have, walk(rows, func(rows *sql.Rows) error {
		var version int64
		err := rows.Scan(&version)
		have[version] = true
		return err
	})
}

// contents are the tables of which at least one has a row in every store that was
// used: a service makes its secrets when it starts.
var contents = []string{"secrets", "articles", "subscribers", "editors", "digests"}

// holdsNothing reports whether a store has no content, and nothing can be lost by
// completing its schema.
func holdsNothing(ctx context.Context, engine Engine, db *sql.DB) (bool, error) {
	if there, err := hasTable(ctx, engine, db, unfinished); err != nil || there {
		return false, err
	}
	for _, table := range contents {
		there, err := hasTable(ctx, engine, db, table)
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

func hasTable(ctx context.Context, engine Engine, db asker, name string) (bool, error) {
	question := "SELECT name FROM sqlite_master WHERE name = $1"
	if engine == Postgres {
		question = "SELECT $1 FROM (SELECT to_regclass($1) AS t) AS found WHERE t IS NOT NULL"
	}
	found, err := texts(ctx, db, question, name)
	return len(found) > 0, err
}

// describeSchema says which store has the wrong schema, or could not be migrated.
func describeSchema(dsn string, err error) error {
	var newer *NewerSchemaError
	var due *MigrationDueError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &newer), errors.As(err, &due), errors.Is(err, errUnfinished):
		return fmt.Errorf("store %s: %w", Redact(dsn), err)
	}
	return &OpenError{
		Store: Redact(dsn), What: "its schema cannot be brought up to date: " + err.Error(),
		Right: "a role or file that may create tables, in a database of Tidings' own", Err: err,
	}
}
