// Package storetest opens real stores for tests. Each runs a test on both engines, Open
// opens a store on one of them.
package storetest

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit"
)

// Engines are the supported engines; Each tests on all of them.
var Engines = []store.Engine{store.SQLite, store.Postgres}

// Each runs a test in parallel on an empty store of each engine.
func Each(t *testing.T, test func(t *testing.T, s *store.Store)) {
	t.Helper()
	for _, engine := range Engines {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			test(t, Open(t, engine, store.Options{}))
		})
	}
}

// Open opens an empty store that is closed and removed when the test ends.
func Open(t testing.TB, engine store.Engine, opts store.Options) *store.Store {
	t.Helper()
	return Reopen(t, DSN(t, engine), opts)
}

// Reopen opens the store at a DSN; tests use it for a second node.
func Reopen(t testing.TB, dsn string, opts store.Options) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), dsn, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close the store: %v", err)
		}
	})
	return s
}

// DSN returns the DSN of an empty store that is removed when the test ends. It skips the
// test if the engine is not installed, and tests on PostgreSQL in a short run, since a server
// takes seconds to start in each package. The store is a copy of one that the first call makes,
// since a copy is far faster than running all migrations.
func DSN(t testing.TB, engine store.Engine) string {
	t.Helper()
	if engine == store.Postgres {
		testkit.Slow(t)
	}
	if engine == store.SQLite {
		file := filepath.Join(t.TempDir(), "tidings.db")
		data, err := emptySQLite()
		if err == nil {
			err = os.WriteFile(file, data, 0o600)
		}
		if err != nil {
			t.Fatalf("prepare an empty store: %v", err)
		}
		return "sqlite:" + file
	}
	return testkit.SharedPostgres(t).DatabaseFrom(t, create)
}

// emptySQLite returns the file of an empty store.
var emptySQLite = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "tidings-empty-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "tidings.db")
	if err := create("sqlite:" + file); err != nil {
		return nil, err
	}
	return os.ReadFile(file)
})

// create makes an empty store. Closing it writes the whole log of SQLite into its file.
func create(dsn string) error {
	s, err := store.Open(context.Background(), dsn, store.Options{Conns: 1})
	if err != nil {
		return err
	}
	return s.Close()
}
