package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/tidings-press/tidings/internal/archive"
	"github.com/tidings-press/tidings/internal/journal"
	"github.com/tidings-press/tidings/internal/store/schema"
	"github.com/tidings-press/tidings/internal/store/sqldb"
)

// RestoreOptions are the options of Restore.
type RestoreOptions struct {
	Options
	Replace  bool               // move an existing store aside; otherwise Restore returns an error
	Journals []string           // folders of further journals of the lost store, besides Options.Journal
	Keys     []archive.Identity // open an encrypted archive
}

func (o *RestoreOptions) now() time.Time {
	if o.Clock == nil {
		return time.Now()
	}
	return o.Clock()
}

// RestoredStore is the result of Restore.
type RestoredStore struct {
	archive.Summary
	Aside      string   // the new path or schema of the previous store; empty if there was none
	Journal    bool     // a journal covers the time since the backup
	Migrations []string // applied in addition to those of the backup
}

// NotEmptyError reports that Restore would overwrite a store with content.
type NotEmptyError struct{ Store string }

// Error names the store and the ways to restore nevertheless.
func (e *NotEmptyError) Error() string {
	return fmt.Sprintf("store %s: it is not empty; restore into a new one, or pass --replace to move this one aside first", e.Store)
}

// Restore creates the store at a DSN from an archive file of either engine, brings its
// schema up to date and quarantines it: no mail is sent before ReleaseQuarantine. It
// verifies the whole archive before it changes anything. Errors are *OpenError,
// *NotEmptyError, *NewerSchemaError and those of package archive.
func Restore(ctx context.Context, dsn, file string, opts RestoreOptions) (RestoredStore, error) {
	var out RestoredStore
	var err error
	if out.Summary, err = archive.Check(file, opts.Keys...); err != nil {
		return out, err
	}
	folders := opts.Journals
	if opts.Journal != "" {
		folders = append(slices.Clone(folders), opts.Journal)
	}
	recorded, err := journal.Read(folders...)
	if err != nil {
		return out, err
	}
	// A backup from a time without generations may belong to any journal.
	ours := recorded.ID != "" && (out.Header.Generation == "" || slices.Contains(recorded.Generations, out.Header.Generation))
	if recorded.ID != "" && !ours {
		return out, fmt.Errorf("the journal in %s does not belong to the store in %s; name the right one with --journal, or move it to another folder", strings.Join(folders, ", "), file)
	}
	out.Journal = ours && !recorded.Started.After(out.Header.Taken)
	engine, address, err := sqldb.ParseDSN(dsn)
	if err != nil {
		return out, err
	}
	opts.name = sqldb.SessionName + " restore"
	if engine == SQLite {
		err = restoreSQLite(ctx, address, file, recorded, opts, &out)
	} else {
		err = restorePostgres(ctx, dsn, file, recorded, opts, &out)
	}
	if err == nil && opts.Journal != "" {
		_, err = journal.Rotate(opts.Journal, time.Now())
	}
	return out, err
}

// restoreSQLite creates the store under a temporary file name and renames the file when it
// is complete.
func restoreSQLite(ctx context.Context, path, file string, recorded *journal.State, opts RestoreOptions, out *RestoredStore) error {
	if err := checkReplaceable(ctx, path, opts); err != nil {
		return err
	}
	partial := path + ".restoring"
	for _, suffix := range sqliteFiles {
		if err := os.Remove(partial + suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	if err := fill(ctx, "sqlite:"+partial, file, recorded, opts, out); err != nil {
		return err
	}
	aside, err := moveAside(path, opts.now())
	if err != nil {
		return err
	}
	out.Aside = aside
	if err := os.Rename(partial, path); err != nil {
		return err
	}
	return archive.SyncFolder(filepath.Dir(path))
}

// sqliteFiles are the name suffixes of the files of a SQLite database.
var sqliteFiles = []string{"", "-wal", "-shm"}

// checkReplaceable checks that an existing SQLite file may be moved aside: no process uses
// it, and it is empty or opts.Replace is set.
func checkReplaceable(ctx context.Context, path string, opts RestoreOptions) error {
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	db, err := sql.Open("sqlite", sqldb.SQLiteURI(path, sqldb.Options{}, false))
	if err != nil {
		return err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	empty, err := schema.IsEmpty(ctx, SQLite, db)
	if err == nil && !empty && !opts.Replace {
		return &NotEmptyError{Store: "sqlite:" + path}
	}
	// A process that has the file open holds a lock on it even when it is idle.
	for _, statement := range []string{"PRAGMA busy_timeout = 1000", "PRAGMA locking_mode = EXCLUSIVE", "BEGIN EXCLUSIVE", "COMMIT"} {
		if _, err := db.ExecContext(ctx, statement); sqldb.Contended(err) {
			return &OpenError{Store: "sqlite:" + path, What: "another process has it open", Fix: "stop every tidings process first", Err: err}
		}
	}
	if err != nil && !opts.Replace { // for example, the file is damaged
		return &NotEmptyError{Store: "sqlite:" + path}
	}
	return nil
}

// moveAside renames the files of a SQLite database. It returns the new path, empty if there
// was no database.
func moveAside(path string, now time.Time) (string, error) {
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		return "", nil
	}
	aside := path + ".before-restore-" + now.UTC().Format("20060102T150405")
	for _, suffix := range sqliteFiles {
		if err := os.Rename(path+suffix, aside+suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
			return "", err
		}
	}
	return aside, nil
}

// restorePostgres moves existing tables into another schema and fills the database.
func restorePostgres(ctx context.Context, dsn, file string, recorded *journal.State, opts RestoreOptions, out *RestoredStore) error {
	s, err := connect(ctx, dsn, opts.Options)
	if err != nil {
		return err
	}
	db := s.db.Writers.DB
	err = func() error {
		empty, err := schema.IsEmpty(ctx, Postgres, db)
		if err != nil {
			return err
		}
		if !empty && !opts.Replace {
			return &NotEmptyError{Store: Redact(dsn)}
		}
		if err := checkNoOtherProcess(ctx, db, dsn); err != nil {
			return err
		}
		out.Aside, err = moveSchemaAside(ctx, db, opts.now())
		return err
	}()
	if err := errors.Join(err, s.Close()); err != nil {
		return err
	}
	return fill(ctx, dsn, file, recorded, opts, out)
}

// disconnectTimeout bounds the wait for the connections of a process that was just stopped
// to disappear from the server's list.
const disconnectTimeout = 5 * time.Second

// checkNoOtherProcess returns an *OpenError if another tidings process stays connected.
func checkNoOtherProcess(ctx context.Context, db *sql.DB, dsn string) error {
	for end := time.Now().Add(disconnectTimeout); ; {
		open, err := schema.Texts(ctx, db, "SELECT CAST(count(*) AS text) FROM pg_stat_activity WHERE datname = current_database() AND application_name = $1", sqldb.SessionName)
		if err != nil || open[0] == "0" {
			return err
		}
		if time.Now().After(end) {
			return &OpenError{Store: Redact(dsn), What: open[0] + " connections of tidings are open", Fix: "stop every tidings process on it first"}
		}
		if err := sqldb.Pause(ctx, sqldb.MaxAttempts); err != nil {
			return err
		}
	}
}

// moveSchemaAside moves all tables and functions that our migrations create into a new
// schema. It returns the name of that schema, empty if there was nothing to move.
func moveSchemaAside(ctx context.Context, db *sql.DB, now time.Time) (string, error) {
	var moves []string
	objects, err := schema.PostgresObjects()
	if err != nil {
		return "", err
	}
	for kind, names := range objects {
		for _, name := range names {
			exists := false
			query := "SELECT to_regclass(quote_ident($1)) IS NOT NULL"
			if kind == "FUNCTION" {
				query = "SELECT EXISTS (SELECT 1 FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE p.proname = $1 AND n.nspname = current_schema())"
			}
			if err := db.QueryRowContext(ctx, query, name).Scan(&exists); err != nil {
				return "", err
			}
			if exists {
				moves = append(moves, "ALTER "+kind+" "+schema.Quoted(name)+" SET SCHEMA ")
			}
		}
	}
	if len(moves) == 0 {
		return "", nil
	}
	aside := "tidings_before_restore_" + now.UTC().Format("20060102t150405")
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return "", err
	}
	defer tx.Rollback() //nolint:errcheck // does nothing after a commit
	if _, err := tx.ExecContext(ctx, "CREATE SCHEMA "+aside); err != nil {
		return "", err
	}
	for _, move := range moves {
		if _, err := tx.ExecContext(ctx, move+aside); err != nil {
			return "", err
		}
	}
	return "schema " + aside, tx.Commit()
}

// fill creates the content of the store at a DSN from an archive file, brings the schema up to
// date and begins the quarantine.
func fill(ctx context.Context, dsn, file string, recorded *journal.State, opts RestoreOptions, out *RestoredStore) error {
	s, err := connect(ctx, dsn, opts.Options)
	if err != nil {
		return err
	}
	err = s.restoreFile(ctx, file, recorded, opts, out)
	return errors.Join(sqldb.Wrap("restore into "+Redact(dsn), err), s.Close())
}

func (s *Store) restoreFile(ctx context.Context, path string, recorded *journal.State, opts RestoreOptions, out *RestoredStore) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	from, err := archive.NewReader(file, opts.Keys...)
	if err != nil {
		return err
	}
	if err := s.fill(ctx, from); err != nil {
		return err
	}
	if out.Migrations, err = schema.Migrate(ctx, s.engine, s.DB()); err != nil {
		return err
	}
	if err := s.beginQuarantine(ctx, Restored, out.Header.Taken); err != nil {
		return err
	}
	if err := s.applyJournal(ctx, recorded); err != nil {
		return err
	}
	return s.finishFilling(ctx)
}

// fill creates the schema that an archive was made from, and loads the rows. The store cannot be
// opened before finishFilling.
func (s *Store) fill(ctx context.Context, from *archive.Reader) error {
	db := s.DB()
	if _, err := db.ExecContext(ctx, "CREATE TABLE "+schema.Unfinished+" (since BIGINT)"); err != nil {
		return err
	}
	if err := schema.Apply(ctx, s.engine, db, from.Header.Migrations); err != nil {
		if errors.Is(err, schema.ErrName) {
			err = fmt.Errorf("%w: migration %w", archive.ErrFormat, err)
		}
		return err
	}
	return s.load(ctx, from)
}

// finishFilling marks the store as complete.
func (s *Store) finishFilling(ctx context.Context) error {
	_, err := s.DB().ExecContext(ctx, "DROP TABLE "+schema.Unfinished)
	return err
}
