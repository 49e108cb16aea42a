package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed migrations
var migrationFiles embed.FS

// migrate brings the schema up to date. PostgreSQL does it under a session lock.
// On SQLite each migration is one immediate transaction: of two processes the
// second waits, fails on a table that is there by then, and looks again.
func migrate(ctx context.Context, engine Engine, db *sql.DB) error {
	for attempt := 1; ; attempt++ {
		err := migrateOnce(ctx, engine, db)
		if err == nil || engine == Postgres || errors.Is(err, ErrNewerSchema) || attempt == maxAttempts {
			return err
		}
		if err := pause(ctx, attempt); err != nil {
			return err
		}
	}
}

func migrateOnce(ctx context.Context, engine Engine, db *sql.DB) error {
	provider, err := newProvider(engine, db)
	if err != nil {
		return err
	}
	have, known, err := versions(ctx, engine, db, provider)
	switch {
	case err != nil:
		return err
	case have > known:
		return &NewerSchemaError{Have: have, Known: known}
	case have == known:
		return nil
	}
	_, err = provider.Up(ctx)
	return err
}

func newProvider(engine Engine, db *sql.DB) (*goose.Provider, error) {
	folder, err := fs.Sub(migrationFiles, "migrations/"+string(engine))
	if err != nil {
		return nil, err
	}
	if engine == SQLite {
		return goose.NewProvider(goose.DialectSQLite3, db, folder)
	}
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 120))
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(goose.DialectPostgres, db, folder, goose.WithSessionLocker(locker))
}

// versions asks the schema's version without changing anything, so that a store
// of a newer program is not touched.
func versions(ctx context.Context, engine Engine, db *sql.DB, provider *goose.Provider) (have, known int64, err error) {
	for _, source := range provider.ListSources() {
		known = max(known, source.Version)
	}
	question := "SELECT count(*) FROM sqlite_master WHERE name = 'goose_db_version'"
	if engine == Postgres {
		question = "SELECT count(*) FROM (SELECT to_regclass('goose_db_version') AS t) AS found WHERE t IS NOT NULL"
	}
	var tables int
	if err := db.QueryRowContext(ctx, question).Scan(&tables); err != nil || tables == 0 {
		return 0, known, err
	}
	err = db.QueryRowContext(ctx, "SELECT coalesce(max(version_id), 0) FROM goose_db_version WHERE is_applied").Scan(&have)
	return have, known, err
}

// describeMigration says which store could not be brought up to date.
func describeMigration(dsn string, err error) error {
	var newer *NewerSchemaError
	if errors.As(err, &newer) {
		return fmt.Errorf("store %s: %w", Redact(dsn), err)
	}
	return &OpenError{
		Store: Redact(dsn), What: "its schema cannot be brought up to date: " + err.Error(),
		Right: "a role or file that may create tables, in a database of Tidings' own", Err: err,
	}
}
