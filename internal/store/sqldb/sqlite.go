package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strconv"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// openSQLite opens a file twice: one connection that writes and a pool that reads.
// SQLite allows one writer at a time. A queue in this process is fair and cheaper than
// SQLite's busy handler, which remains for other processes.
func openSQLite(ctx context.Context, path string, opts Options) (pools, error) {
	if err := checkPath(path); err != nil {
		return pools{}, err
	}
	writers, err := sql.Open("sqlite", SQLiteURI(path, opts, false))
	if err != nil {
		return pools{}, describeSQLite(path, err)
	}
	writers.SetMaxOpenConns(1)
	writers.SetMaxIdleConns(1)
	if err := probeSQLite(ctx, writers); err != nil {
		_ = writers.Close()
		return pools{}, describeSQLite(path, err)
	}
	readers, err := sql.Open("sqlite", SQLiteURI(path, opts, true))
	if err != nil {
		_ = writers.Close()
		return pools{}, describeSQLite(path, err)
	}
	conns := opts.Conns
	if conns == 0 {
		conns = max(4, runtime.GOMAXPROCS(0))
	}
	readers.SetMaxOpenConns(conns)
	readers.SetMaxIdleConns(conns)
	return pools{writers: writers, readers: readers, recorders: writers}, nil
}

// CacheKB is the page cache of the writer on SQLite, in kilobytes.
const CacheKB = 8_000

// SQLiteURI returns the driver's name for a file with our settings. Defensive mode
// keeps a faulty statement from damaging the file.
func SQLiteURI(path string, opts Options, readOnly bool) string {
	absolute, err := filepath.Abs(path)
	if err != nil {
		absolute = path
	}
	synchronous := "FULL"
	if opts.Durability == Normal {
		synchronous = "NORMAL"
	}
	query := url.Values{
		"_txlock":       {"immediate"},
		"_busy_timeout": {strconv.FormatInt(opts.Wait.Milliseconds(), 10)},
		"_journal_mode": {"WAL"},
		"_synchronous":  {synchronous},
		"_foreign_keys": {"on"},
		"_defensive":    {"1"},
		"_dqs":          {"0"},
		"_auto_vacuum":  {"incremental"}, // takes effect in a new file only
		"_pragma":       {fmt.Sprintf("cache_size(-%d)", CacheKB), "temp_store(MEMORY)", "secure_delete(ON)"},
	}
	if readOnly {
		query.Set("_txlock", "deferred")
		query.Set("_query_only", "on")
		query.Del("_auto_vacuum")
		query["_pragma"] = []string{"cache_size(-2000)", "temp_store(MEMORY)"}
	}
	return (&url.URL{Scheme: "file", Path: absolute, RawQuery: query.Encode()}).String()
}

// probeSQLite begins a writing transaction, so that a fault of the file shows now. A
// read would succeed on a read-only file.
func probeSQLite(ctx context.Context, db *sql.DB) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	var tables int
	return tx.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_master").Scan(&tables)
}

// checkPath checks what the path names without opening it: closing a second handle of
// a database file would drop this process's locks on it. It creates a new file readable
// by its owner alone, since the file will hold addresses.
func checkPath(path string) error {
	wrong := func(what, fix string, err error) error {
		return &OpenError{Store: "sqlite:" + path, What: what, Fix: fix, Err: err}
	}
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir():
		return wrong("it is a folder", "name a file in it, such as sqlite:"+filepath.Join(path, "tidings.db"), nil)
	case err == nil && !info.Mode().IsRegular():
		return wrong("it is not a regular file", "use the path of a SQLite file, or of a new one", nil)
	case err == nil:
		return nil
	case !errors.Is(err, fs.ErrNotExist):
		return wrong("it cannot be read: "+err.Error(), "use a path that this user may read and write", err)
	}
	folder := filepath.Dir(path)
	if _, err := os.Stat(folder); err != nil {
		return wrong(fmt.Sprintf("the folder %s cannot be used: %v", folder, err), "use an existing folder that this user may write to", err)
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	switch {
	case errors.Is(err, fs.ErrExist): // another process was faster
		return nil
	case err != nil:
		return wrong("it cannot be created: "+err.Error(), fmt.Sprintf("use a folder that this user may write to; %s is not", folder), err)
	}
	return file.Close()
}

// describeSQLite turns the driver's code into what is wrong and how to fix it.
func describeSQLite(path string, err error) error {
	out := &OpenError{Store: "sqlite:" + path, What: "it cannot be opened: " + err.Error(), Fix: "use the path of a SQLite file, or of a new one", Err: err}
	switch SQLiteCode(err) & 0xff {
	case sqlite3.SQLITE_NOTADB:
		out.What = "the file is not a SQLite database"
		out.Fix = "use another path; this file was left as it is"
	case sqlite3.SQLITE_CORRUPT:
		out.What, out.Fix = "the database is damaged", "restore a backup, or what `sqlite3 FILE .recover` saves"
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM:
		out.What = "the file or its folder cannot be written to"
		out.Fix = "use a file and a folder that this user may write to: SQLite keeps its log (-wal, -shm) beside the file"
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		out.What = "another process has been writing to it for too long"
		out.Fix = "stop that process, or wait for it"
	case sqlite3.SQLITE_FULL:
		out.What, out.Fix = "the disk is full", "free some space"
	}
	return out
}

// SQLiteCode returns SQLite's extended result code of an error, 0 for other errors.
func SQLiteCode(err error) int {
	var failure *sqlite.Error
	if errors.As(err, &failure) {
		return failure.Code()
	}
	return 0
}
