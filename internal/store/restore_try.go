package store

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/tidings-press/tidings/internal/archive"
	"github.com/tidings-press/tidings/internal/journal"
	"github.com/tidings-press/tidings/internal/store/sqldb"
)

// TryRestore restores an archive file into a temporary store and removes it: for dsn "sqlite:" in
// a temporary folder, for a DSN of PostgreSQL in a temporary schema of that database, whose other
// content is not touched. It returns the same errors as Restore.
func TryRestore(ctx context.Context, dsn, file string, opts RestoreOptions) (out RestoredStore, err error) {
	opts.Options = Options{Clock: opts.Clock, name: sqldb.SessionName + " check"}
	nothing, err := journal.Read()
	if err != nil {
		return out, err
	}
	if out.Summary, err = archive.Check(file, opts.Keys...); err != nil {
		return out, err
	}
	if dsn == "sqlite:" {
		err = trySQLite(ctx, file, nothing, opts, &out)
	} else {
		err = tryPostgres(ctx, dsn, file, nothing, opts, &out)
	}
	return out, err
}

func trySQLite(ctx context.Context, file string, recorded *journal.State, opts RestoreOptions, out *RestoredStore) error {
	folder, err := os.MkdirTemp("", "tidings-check-") // mode 0700
	if err != nil {
		return err
	}
	err = fill(ctx, "sqlite:"+filepath.Join(folder, "store"), file, recorded, opts, out)
	return errors.Join(err, os.RemoveAll(folder))
}

func tryPostgres(ctx context.Context, dsn, file string, recorded *journal.State, opts RestoreOptions, out *RestoredStore) (err error) {
	s, err := connect(ctx, dsn, opts.Options)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	name := "tidings_check_" + strings.ToLower(rand.Text())
	if _, err := s.DB().ExecContext(ctx, "CREATE SCHEMA "+name); err != nil {
		return fmt.Errorf("store %s: %w", Redact(dsn), err)
	}
	defer func() {
		_, dropped := s.DB().ExecContext(context.WithoutCancel(ctx), "DROP SCHEMA "+name+" CASCADE")
		err = errors.Join(err, dropped)
	}()
	return fill(ctx, withSchema(dsn, name), file, recorded, opts, out)
}

// withSchema returns a DSN of PostgreSQL whose connections use a schema. Of a parameter that is
// given twice, the first counts.
func withSchema(dsn, name string) string {
	address, query, _ := strings.Cut(dsn, "?")
	return strings.TrimSuffix(address+"?search_path="+name+"&"+query, "&")
}
