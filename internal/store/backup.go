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
	"github.com/tidings-press/tidings/internal/store/schema"
	"github.com/tidings-press/tidings/internal/store/sqldb"
)

// Backup writes all content of the store at a DSN to an archive, as of one point in time.
// Other processes may read, write and send mail meanwhile. The schema may be older or
// newer than this program's, since a backup is made before an upgrade.
func Backup(ctx context.Context, dsn string, opts Options, w io.Writer) (err error) {
	s, err := connectExisting(ctx, dsn, opts)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	// A store without content is backed up: it has a schema and settings.
	there, err := schema.HasTable(ctx, s.engine, s.db.Readers.DB, "articles")
	if err != nil {
		return err
	}
	if !there {
		return &OpenError{Store: Redact(dsn), What: "it has no tables, there is nothing to back up", Fix: "check store.dsn"}
	}
	if there, err := schema.HasTable(ctx, s.engine, s.db.Readers.DB, schema.Unfinished); err != nil || there {
		return errors.Join(err, describeSchema(dsn, schema.ErrUnfinished))
	}
	tx, err := s.snapshot(ctx)
	if err != nil {
		return fmt.Errorf("backup of %s: %w", Redact(dsn), err)
	}
	defer tx.Rollback() //nolint:errcheck // it only read
	return sqldb.Wrap("backup of "+Redact(dsn), s.writeArchive(ctx, tx, w))
}

// RecordBackup adds an entry to the audit log of the store at a DSN. As for Backup, the schema may be older or
// newer than this program's; a store without an audit log gets no entry.
func RecordBackup(ctx context.Context, dsn string, opts Options, e AuditEntry) (err error) {
	opts.Journal = ""
	s, err := connectExisting(ctx, dsn, opts)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	there, err := schema.HasTable(ctx, s.engine, s.db.Readers.DB, "audit_log")
	if err != nil || !there {
		return err
	}
	return sqldb.Wrap("audit log of "+Redact(dsn), s.AddAudit(ctx, e))
}

// snapshot begins a transaction that sees the store at one point in time and blocks no
// writer. On SQLite any reading transaction does, thanks to the log (WAL).
func (s *Store) snapshot(ctx context.Context) (*sql.Tx, error) {
	if s.engine == SQLite {
		return s.db.Readers.DB.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	}
	tx, err := s.db.Readers.DB.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
	if err != nil {
		return nil, err
	}
	// On a slow disk the pauses between our queries may exceed the idle time-out.
	_, err = tx.ExecContext(ctx, "SET LOCAL idle_in_transaction_session_timeout = 0")
	return tx, err
}

func (s *Store) writeArchive(ctx context.Context, tx *sql.Tx, w io.Writer) error {
	header := archive.Header{Engine: string(s.engine), Taken: s.Now()}
	var err error
	if header.Migrations, err = schema.Applied(ctx, s.engine, s.DB(), tx); err != nil {
		return err
	}
	all, err := schema.Tables(ctx, s.engine, tx)
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
			return sqldb.Wrap("table "+t.Name, err)
		}
	}
	return out.Close()
}

func (s *Store) writeTable(ctx context.Context, tx *sql.Tx, out *archive.Writer, t schema.Table) error {
	if err := out.Begin(archive.Table{Name: t.Name, Columns: t.Columns}); err != nil {
		return err
	}
	if err := eachRow(ctx, tx, t, out.Row); err != nil {
		return err
	}
	last, err := schema.LastNumber(ctx, s.engine, tx, t)
	if err != nil {
		return err
	}
	return out.End(last)
}

// eachRow calls do with each row of a table. The values are valid until do returns.
func eachRow(ctx context.Context, db schema.Queryer, t schema.Table, do func(values []any) error) error {
	rows, err := db.QueryContext(ctx, "SELECT "+schema.Quoted(t.Columns...)+" FROM "+schema.Quoted(t.Name))
	if err != nil {
		return err
	}
	values, into := make([]any, len(t.Columns)), make([]any, len(t.Columns))
	for i := range values {
		into[i] = &values[i]
	}
	return sqldb.Walk(rows, func(rows *sql.Rows) error {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		return do(values)
	})
}

// storedGeneration returns the generation of a store in hex; empty when it has none yet.
func storedGeneration(ctx context.Context, db schema.Queryer, all []schema.Table) (string, error) {
	if !slices.ContainsFunc(all, func(t schema.Table) bool { return t.Name == "secrets" }) {
		return "", nil
	}
	rows, err := db.QueryContext(ctx, "SELECT value FROM secrets WHERE name = $1", generationSecret)
	if err != nil {
		return "", err
	}
	var secret []byte
	err = sqldb.Walk(rows, func(rows *sql.Rows) error { return rows.Scan(&secret) })
	if err != nil || len(secret) < generationSize {
		return "", err
	}
	return hex.EncodeToString(secret[:generationSize]), nil
}
