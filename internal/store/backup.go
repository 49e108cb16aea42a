package store

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/tidings-press/tidings/internal/archive"
)

// Backup writes all content of the store at a DSN to an archive, as it is at one
// moment. Others may read and write meanwhile, and mail may be sent. The schema may
// be an older or newer one: a backup is what one makes before an upgrade.
func Backup(ctx context.Context, dsn string, opts Options, w io.Writer) (err error) {
	if err := opts.settle(); err != nil {
		return err
	}
	s, err := connect(ctx, dsn, opts)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if there, err := hasTable(ctx, s.engine, s.readers.db, unfinished); err != nil || there {
		return errors.Join(err, describeSchema(dsn, errUnfinished))
	}
	tx, err := s.snapshot(ctx)
	if err != nil {
		return fmt.Errorf("backup of %s: %w", Redact(dsn), err)
	}
	defer tx.Rollback() //nolint:errcheck // it only read
	return wrap("backup of "+Redact(dsn), s.writeArchive(ctx, tx, w))
}

// snapshot begins a transaction that sees the store at one moment and keeps nobody
// from writing. On SQLite that is any transaction that only reads, since the log
// (WAL) keeps what it sees.
func (s *Store) snapshot(ctx context.Context) (*sql.Tx, error) {
	if s.engine == SQLite {
		return s.readers.db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	}
	tx, err := s.readers.db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
	if err != nil {
		return nil, err
	}
	// A slow disk may keep us from asking for longer than a transaction may be idle.
	_, err = tx.ExecContext(ctx, "SET LOCAL idle_in_transaction_session_timeout = 0")
	return tx, err
}

func (s *Store) writeArchive(ctx context.Context, tx *sql.Tx, w io.Writer) error {
	header := archive.Header{Engine: string(s.engine), Taken: s.Now()}
	var err error
	if header.Migrations, err = s.migrationNames(ctx, tx); err != nil {
		return err
	}
	all, err := tables(ctx, s.engine, tx)
	if err != nil {
		return err
	}
	if header.Generation, err = storedGeneration(ctx, tx, all); err != nil {
		return err
	}
	out, err := archive.NewWriter(w, header)
	if err != nil {
		return err
	}
	for _, t := range all {
		if err := s.writeTable(ctx, tx, out, t); err != nil {
			return wrap("table "+t.name, err)
		}
	}
	return out.Close()
}

func (s *Store) writeTable(ctx context.Context, tx *sql.Tx, out *archive.Writer, t table) error {
	if err := out.Begin(archive.Table{Name: t.name, Columns: t.columns}); err != nil {
		return err
	}
	rows, err := tx.QueryContext(ctx, "SELECT "+quoted(t.columns...)+" FROM "+quoted(t.name))
	if err != nil {
		return err
	}
	values, into := make([]any, len(t.columns)), make([]any, len(t.columns))
	for i := range values {
		into[i] = &values[i]
	}
	if err := walk(rows, func(rows *sql.Rows) error {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		return out.Row(values)
	}); err != nil {
		return err
	}
	last, err := lastNumber(ctx, s.engine, tx, t)
	if err != nil {
		return err
	}
	return out.End(last)
}

// migrationNames are the migrations that a store has; one that this program does not
// know is named by its number.
func (s *Store) migrationNames(ctx context.Context, db asker) ([]string, error) {
	provider, err := newProvider(s.engine, s.writers.db)
	if err != nil {
		return nil, err
	}
	have, err := appliedMigrations(ctx, s.engine, db)
	if err != nil {
		return nil, err
	}
	names := []string{}
	for _, source := range provider.ListSources() {
		if have[source.Version] {
			names = append(names, migrationName(source))
		}
		delete(have, source.Version)
	}
	for version := range have {
		names = append(names, fmt.Sprintf("%05d", version))
	}
	slices.Sort(names)
	return names, nil
}

// storedGeneration is the generation of a store in hex, empty when it has none yet.
func storedGeneration(ctx context.Context, db asker, all []table) (string, error) {
	if !slices.ContainsFunc(all, func(t table) bool { return t.name == "secrets" }) {
		return "", nil
	}
	rows, err := db.QueryContext(ctx, "SELECT value FROM secrets WHERE name = $1", generationSecret)
	if err != nil {
		return "", err
	}
	var secret []byte
	err = walk(rows, func(rows *sql.Rows) error { return rows.Scan(&secret) })
	if err != nil || len(secret) < generationSize {
		return "", err
	}
	return hex.EncodeToString(secret[:generationSize]), nil
}
