package store_test

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

// usedDSN returns the DSN of a store with some content.
func usedDSN(t *testing.T, engine store.Engine) string {
	t.Helper()
	dsn := storetest.DSN(t, engine)
	s := storetest.Reopen(t, dsn, store.Options{})
	if _, err := s.Secret(t.Context(), "links"); err != nil {
		t.Fatal(err)
	}
	return dsn
}

// execOnStore runs statements on a store without its package.
func execOnStore(t *testing.T, dsn string, statements ...string) {
	t.Helper()
	s := storetest.Reopen(t, dsn, store.Options{})
	for _, statement := range statements {
		if _, err := s.DB().ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

// versions returns the migrations that a store has.
func versions(t *testing.T, db *sql.DB) (out []int64) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), "SELECT version_id FROM goose_db_version WHERE is_applied ORDER BY version_id")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var version int64
		if err := rows.Scan(&version); err != nil {
			t.Fatal(err)
		}
		out = append(out, version)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestUnknownMigrationsAreRefusedByName(t *testing.T) {
	t.Parallel()
	for _, engine := range storetest.Engines {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			dsn := usedDSN(t, engine)
			execOnStore(t, dsn, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, true), (10000, true)")
			_, err := store.Open(t.Context(), dsn, store.Options{})
			var newer *store.NewerSchemaError
			if !errors.As(err, &newer) || !strings.Contains(err.Error(), "10000, 99999") {
				t.Errorf("opening it: %v", err)
			}
			if _, err := store.Migrate(t.Context(), dsn, store.Options{}); !errors.As(err, &newer) {
				t.Errorf("migrating it: %v", err)
			}
		})
	}
}

// missingOne undoes migration 14, on which only an index of a later one depends.
var missingOne = []string{"DROP INDEX articles_addresses", "DROP INDEX articles_expires", "ALTER TABLE articles DROP COLUMN expires", "DELETE FROM goose_db_version WHERE version_id = 14"}

func TestMissingMigrationInTheMiddleIsDue(t *testing.T) {
	t.Parallel()
	for _, engine := range storetest.Engines {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			dsn := usedDSN(t, engine)
			execOnStore(t, dsn, missingOne...)
			for range 2 { // opening must not change anything
				_, err := store.Open(t.Context(), dsn, store.Options{})
				var due *store.MigrationDueError
				if !errors.As(err, &due) || !slices.Equal(due.Missing, []string{"00014_expiry"}) || !strings.Contains(err.Error(), "tidings migrate") {
					t.Fatalf("opening the store: %v; want 00014_expiry to be missing", err)
				}
			}
			applied, err := store.Migrate(t.Context(), dsn, store.Options{})
			if err != nil || !slices.Equal(applied, []string{"00014_expiry"}) {
				t.Fatalf("applied %q, %v", applied, err)
			}
			s := storetest.Reopen(t, dsn, store.Options{})
			if _, err := s.DB().ExecContext(t.Context(), "SELECT count(expires) FROM articles"); err != nil {
				t.Error(err)
			}
			if applied, err := store.Migrate(t.Context(), dsn, store.Options{}); err != nil || len(applied) != 0 {
				t.Errorf("a second time it applied %q, %v", applied, err)
			}
		})
	}
}

func TestInterruptedCreationIsCompleted(t *testing.T) {
	t.Parallel()
	for _, engine := range storetest.Engines {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			dsn := storetest.DSN(t, engine)
			whole := versions(t, storetest.Reopen(t, dsn, store.Options{}).DB())
			execOnStore(t, dsn, missingOne...)
			s := storetest.Reopen(t, dsn, store.Options{})
			if got := versions(t, s.DB()); !slices.Equal(got, whole) {
				t.Errorf("versions %v, want %v", got, whole)
			}
		})
	}
}

func TestGenerationIsTheSameOnEveryNode(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		first, err := s.Generation(t.Context())
		if err != nil || len(first) != 16 {
			t.Fatalf("%x, %v; want 16 bytes", first, err)
		}
		again := make([]string, 4)
		concurrently(t, len(again), func(ctx context.Context, i int) error {
			generation, err := s.Generation(ctx)
			again[i] = string(generation)
			return err
		})
		for _, generation := range again {
			if generation != string(first) {
				t.Errorf("another node has %x, want %x", generation, first)
			}
		}
	})
}
