package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/tidings-press/tidings/internal/store/schema"
	"github.com/tidings-press/tidings/internal/store/sqldb"
)

// FaultKind describes what is wrong with a store.
type FaultKind string

// The kinds of faults. Their texts may be shown publicly: they name no path or host.
const (
	FaultFull        FaultKind = "the disk of the store is full"
	FaultReadOnly    FaultKind = "the store cannot be written to"
	FaultDamaged     FaultKind = "the database is damaged"
	FaultReplaced    FaultKind = "the database file was deleted or replaced while it was open"
	FaultUnreachable FaultKind = "the store does not answer"
)

// Fault is an error of the store itself, not of a query.
type Fault struct {
	Kind FaultKind
	Err  error // the details, for logs
	At   time.Time
}

// Error returns the kind and the details.
func (f *Fault) Error() string { return fmt.Sprintf("%s: %v", f.Kind, f.Err) }

// Unwrap returns the details.
func (f *Fault) Unwrap() error { return f.Err }

// FaultOf returns the kind of fault that an error of the store reports, empty if the error
// is about something else.
func FaultOf(err error) FaultKind {
	var fault *Fault
	var refused *pgconn.PgError
	switch {
	case err == nil:
		return ""
	case errors.As(err, &fault):
		return fault.Kind
	case errors.As(err, &refused):
		return faultOfState(refused.Code)
	case errors.Is(err, sql.ErrConnDone):
		return FaultUnreachable
	}
	switch code := sqldb.SQLiteCode(err); code & 0xff {
	case sqlite3.SQLITE_FULL:
		return FaultFull
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_IOERR:
		return FaultReadOnly
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return FaultDamaged
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return ""
	}
	if sqldb.Broken(err) {
		return FaultUnreachable
	}
	return ""
}

// OfEngine reports whether an error comes from the database or the connection to it. Its text is for the
// log: it may quote SQL.
func OfEngine(err error) bool {
	var refused *pgconn.PgError
	return errors.As(err, &refused) || sqldb.SQLiteCode(err) != 0 || FaultOf(err) != ""
}

// faultOfState returns the kind of fault of a SQLSTATE code (PostgreSQL manual, appendix A).
func faultOfState(code string) FaultKind {
	switch {
	case code == "53100":
		return FaultFull
	case code == "25006":
		return FaultReadOnly
	case code == "XX001", code == "XX002":
		return FaultDamaged
	case strings.HasPrefix(code, "08"), strings.HasPrefix(code, "57P"), strings.HasPrefix(code, "53"), strings.HasPrefix(code, "58"):
		return FaultUnreachable
	}
	return ""
}

// noteFault stores the last fault of any query.
func (s *Store) noteFault(err error) {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return // the caller gave up; this is not a fault of the store
	}
	kind := FaultOf(err)
	if kind == "" {
		return
	}
	fault := &Fault{Kind: kind, Err: err, At: time.Now()}
	s.fault.Store(fault)
	if kind == FaultDamaged {
		s.damage.CompareAndSwap(nil, fault)
	}
}

// LastFault returns the last fault of a query, nil if there was none. Once damage was found,
// it returns that, since nothing repairs an open database.
func (s *Store) LastFault() *Fault {
	if damage := s.damage.Load(); damage != nil {
		return damage
	}
	return s.fault.Load()
}

// Probe writes a row and checks that the database is still the file that was opened, and
// not an older copy of the store (CheckHistory). node names this process. The error is a
// *Fault.
func (s *Store) Probe(ctx context.Context, node string) error {
	if err := s.CheckFile(); err != nil {
		return err
	}
	err := s.write(ctx, func(tx *conn) error {
		now := s.Now()
		if _, err := tx.Exec(ctx, "probe.prune", millis(now.AddDate(0, 0, -7))); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, "probe.put", node, millis(now))
		return err
	})
	if err == nil {
		err = s.CheckHistory(ctx)
	}
	if err == nil {
		return nil
	}
	if kind := FaultOf(err); kind != "" {
		return &Fault{Kind: kind, Err: err, At: time.Now()}
	}
	return &Fault{Kind: FaultUnreachable, Err: err, At: time.Now()}
}

// fileIdentity is the database file and its log as they were when the store was opened.
type fileIdentity struct {
	path      string // empty on PostgreSQL
	main, log fs.FileInfo
}

// identifyFiles reads the identity of the files of a SQLite store.
func identifyFiles(path string) fileIdentity {
	f := fileIdentity{path: path}
	f.main, _ = os.Stat(path)
	f.log, _ = os.Stat(path + "-wal")
	return f
}

// CheckFile returns a *Fault when the database, or its log, is no longer the file that
// was opened: what is written then is lost with the process. SQLite itself does not
// notice, since it holds the old file open. On PostgreSQL it does nothing.
func (s *Store) CheckFile() error {
	for _, one := range []struct {
		path string
		had  fs.FileInfo
	}{{s.files.path, s.files.main}, {s.files.path + "-wal", s.files.log}} {
		if one.had == nil {
			continue
		}
		now, err := os.Stat(one.path)
		switch {
		case err != nil:
			return &Fault{Kind: FaultReplaced, Err: err, At: time.Now()}
		case !os.SameFile(now, one.had):
			return &Fault{Kind: FaultReplaced, Err: fmt.Errorf("%s is a different file now", one.path), At: time.Now()}
		}
	}
	return nil
}

// Folder returns the folder of a SQLite store's files, empty on PostgreSQL.
func (s *Store) Folder() string {
	if s.files.path == "" {
		return ""
	}
	return filepath.Dir(s.files.path)
}

// Size returns how many bytes the database has, on SQLite without its log.
func (s *Store) Size(ctx context.Context) (int64, error) {
	var size int64
	_, err := s.readers.One(ctx, "database.size", nil, &size)
	return size, err
}

// Lag holds for each kind of work how long the oldest of it has been due; 0 if none is due.
type Lag struct {
	Tick, Chunk, Job time.Duration
	OldestJob        time.Time // when the oldest job was due; zero if none is
	Sending          bool      // a node has claimed mails of an edition
}

// Lag returns how far behind the nodes of the store are with the ticks of some digests,
// with editions and with side work.
func (s *Store) Lag(ctx context.Context, digests []string) (Lag, error) {
	var out Lag
	now := s.Now()
	for _, part := range []struct {
		query string
		args  []any
		into  *time.Duration
	}{
		{"lag.tick", []any{jsonList(digests), millis(now)}, &out.Tick},
		{"lag.chunk", []any{millis(now)}, &out.Chunk},
		{"lag.job", []any{millis(now)}, &out.Job},
	} {
		var since int64
		if _, err := s.readers.One(ctx, part.query, part.args, &since); err != nil {
			return out, err
		}
		if since > 0 {
			*part.into = now.Sub(timeOf(since))
		}
		if part.into == &out.Job {
			out.OldestJob = timeOf(since)
		}
	}
	var claimed int64
	_, err := s.readers.One(ctx, "lag.claimed", []any{millis(now)}, &claimed)
	out.Sending = claimed > 0
	return out, err
}

// ClockOffset returns how far the clock of this process is ahead of the database's. On SQLite both are
// the machine's.
func (s *Store) ClockOffset(ctx context.Context) (time.Duration, error) {
	var at int64
	before := s.Now()
	_, err := s.readers.One(ctx, "clock.read", nil, &at)
	if err != nil {
		return 0, err
	}
	middle := before.Add(s.Now().Sub(before) / 2)
	return middle.Sub(timeOf(at)), nil
}

// ErrSchemaChanged is returned by [Store.CheckSchema] once another version of the program has migrated
// the store.
var ErrSchemaChanged = errors.New("another version of the program has migrated the store")

// CheckSchema returns an error that wraps ErrSchemaChanged if another version of the program has migrated
// the store since it was opened, and another error if the version cannot be read.
func (s *Store) CheckSchema(ctx context.Context) error {
	have, err := schema.CountApplied(ctx, s.engine, s.readers.DB)
	if err == nil && have != s.migrations {
		err = fmt.Errorf("%w: it has %d migrations, and had %d when this process opened it", ErrSchemaChanged, have, s.migrations)
	}
	return err
}

// ClaimAlert reports whether the caller has to send the alert about a cause. It returns true
// to one node, and again only after the duration every.
func (s *Store) ClaimAlert(ctx context.Context, cause string, every time.Duration) (take bool, err error) {
	err = s.write(ctx, func(tx *conn) (err error) {
		now := s.Now()
		if _, err = tx.Exec(ctx, "alert.prune", millis(now.AddDate(0, -3, 0))); err != nil {
			return err
		}
		var at int64
		take, err = tx.One(ctx, "alert.take", []any{cause, millis(now), millis(now.Add(-every))}, &at)
		return err
	})
	return take, err
}

// Integrity checks a SQLite store table by table. It reads the file itself, not pages that
// are in memory. The zero value begins with the first table. It is not safe for concurrent
// use.
type Integrity struct {
	left []string // tables that are still to be checked in this round
}

// Check checks further tables until the budget is used, and begins again after the last
// table. It returns a *Fault if the database is damaged. A table that takes longer than the
// whole budget is skipped. On PostgreSQL it does nothing: the server checks its pages.
func (i *Integrity) Check(ctx context.Context, s *Store, budget time.Duration) error {
	if s.files.path == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, budget)
	defer cancel()
	db, err := sql.Open("sqlite", sqldb.SQLiteURI(s.files.path, sqldb.Options{}, true))
	if err != nil {
		return err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	if len(i.left) == 0 {
		if err := i.begin(ctx, db); err != nil {
			return damaged(ctx, err)
		}
	}
	for len(i.left) > 0 && ctx.Err() == nil {
		table := i.left[0]
		i.left = i.left[1:]
		if err := checkTable(ctx, db, table); err != nil {
			return damaged(ctx, err)
		}
	}
	return nil
}

// begin lists the tables. Reading the schema also checks the first page of the file.
func (i *Integrity) begin(ctx context.Context, db *sql.DB) error {
	rows, err := db.QueryContext(ctx, "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND sql NOT LIKE 'CREATE VIRTUAL%' ORDER BY name")
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return err
		}
		i.left = append(i.left, name)
	}
	return rows.Err()
}

// errDamaged is wrapped with the result of SQLite's check.
var errDamaged = errors.New("database integrity check failed")

// checkTable runs SQLite's check of one table.
func checkTable(ctx context.Context, db *sql.DB, table string) error {
	var found string
	query := "PRAGMA quick_check('" + strings.ReplaceAll(table, "'", "''") + "')"
	if err := db.QueryRowContext(ctx, query).Scan(&found); err != nil {
		return err
	}
	if found != "ok" {
		return fmt.Errorf("%w in table %s: %s", errDamaged, table, found)
	}
	return nil
}

// damaged turns the result of a check into a fault. An error that is not about the
// database, such as the end of the budget, is ignored.
func damaged(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	if kind := FaultOf(err); errors.Is(err, errDamaged) || kind == FaultDamaged {
		return &Fault{Kind: FaultDamaged, Err: err, At: time.Now()}
	} else if kind != "" {
		return &Fault{Kind: kind, Err: err, At: time.Now()}
	}
	return nil
}
