// Package storetest opens real stores for tests. Each runs a test on both engines, Open
// opens a store on one of them.
package storetest

import (
	"context"
	"path/filepath"
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
// test if the engine is not installed.
func DSN(t testing.TB, engine store.Engine) string {
	t.Helper()
	if engine == store.SQLite {
		return "sqlite:" + filepath.Join(t.TempDir(), "tidings.db")
	}
	return testkit.SharedPostgres(t).DatabaseFrom(t, func(dsn string) error {
		s, err := store.Open(context.Background(), dsn, store.Options{Conns: 1})
		if err != nil {
			return err
		}
		return s.Close()
	})
}
