package store

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

// openSQLite opens a file twice: one connection that writes and a pool that
// reads. SQLite has one writer at a time anyway; queueing for it in the process
// is fair and cheaper than its busy handler, which is left for other processes.
func openSQLite(ctx context.Context, path string, opts Options) (pools, error) {
	if err := checkPath(path); err != nil {
		return pools{}, err
	}
	writers, err := sql.Open("sqlite", sqliteURI(path, opts, false))
	if err != nil {
		return pools{}, describeSQLite(path, err)
	}
	writers.SetMaxOpenConns(1)
	writers.SetMaxIdleConns(1)
	if err := probeSQLite(ctx, writers); err != nil {
		_ = writers.Close()
		return pools{}, describeSQLite(path, err)
	}
	readers, err := sql.Open("sqlite", sqliteURI(path, opts, true))
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

// sqliteCache is the writer's page cache in kilobytes.
const sqliteCache = 8_000

// sqliteURI is the driver's name for the file with our settings. Defensive mode
// keeps a stray statement from damaging the file.
func sqliteURI(path string, opts Options, readOnly bool) string {
	absolute, err := filepath.Abs(path)
	if err != nil {
		absolute = path
	}
	query := url.Values{
		"_txlock":       {"immediate"},
		"_busy_timeout": {strconv.FormatInt(opts.Wait.Milliseconds(), 10)},
		"_journal_mode": {"WAL"},
		"_synchronous":  {map[Durability]string{Full: "FULL", Normal: "NORMAL"}[opts.Durability]},
		"_foreign_keys": {"on"},
		"_defensive":    {"1"},
		"_dqs":          {"0"},
		"_pragma":       {fmt.Sprintf("cache_size(-%d)", sqliteCache), "temp_store(MEMORY)", "secure_delete(ON)"},
	}
	if readOnly {
		query.Set("_txlock", "deferred")
		query.Set("_query_only", "on")
		query["_pragma"] = []string{"cache_size(-2000)", "temp_store(MEMORY)"}
	}
	return (&url.URL{Scheme: "file", Path: absolute, RawQuery: query.Encode()}).String()
}

// probeSQLite makes the driver touch the file, so that what is wrong with it
// shows now: with a transaction that writes, since a read-only file reads well.
func probeSQLite(ctx context.Context, db *sql.DB) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	var tables int
	return tx.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_master").Scan(&tables)
}

// checkPath looks at what the path names without opening it: closing a second
// handle of a database file would drop this process's locks on it. A new file is
// made here, readable by its owner alone, since it will hold addresses.
func checkPath(path string) error {
	wrong := func(what, right string, err error) error {
		return &OpenError{Store: "sqlite:" + path, What: what, Right: right, Err: err}
	}
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir():
		return wrong("it is a folder", "a file in it, such as sqlite:"+filepath.Join(path, "tidings.db"), nil)
	case err == nil && !info.Mode().IsRegular():
		return wrong("it is not a regular file", "the path of a SQLite file, or of one to be made", nil)
	case err == nil:
		return nil
	case !errors.Is(err, fs.ErrNotExist):
		return wrong("it cannot be looked at: "+err.Error(), "a path that this user may read and write", err)
	}
	folder := filepath.Dir(path)
	if _, err := os.Stat(folder); err != nil {
		return wrong(fmt.Sprintf("the folder %s cannot be used: %v", folder, err), "an existing folder that this user may write to", err)
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	switch {
	case errors.Is(err, fs.ErrExist): // another process was faster
		return nil
	case err != nil:
		return wrong("it cannot be made: "+err.Error(), fmt.Sprintf("a folder that this user may write to; %s is not", folder), err)
	}
	return file.Close()
}

// describeSQLite turns the driver's code into what is wrong and what would be right.
func describeSQLite(path string, err error) error {
	out := &OpenError{Store: "sqlite:" + path, What: "it cannot be opened: " + err.Error(), Right: "the path of a SQLite file, or of one to be made", Err: err}
	switch sqliteCode(err) & 0xff {
	case sqlite3.SQLITE_NOTADB:
		out.What = "the file is not a SQLite database"
		out.Right = "another path; this file is left as it is"
	case sqlite3.SQLITE_CORRUPT:
		out.What, out.Right = "the database is damaged", "a backup of it, or what `sqlite3 FILE .recover` saves"
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM:
		out.What = "the file or its folder cannot be written to"
		out.Right = "a file and a folder that this user may write to: SQLite keeps its log (-wal, -shm) beside the file"
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		out.What = "another process has been writing to it for too long"
		out.Right = "to end that process, or to wait for it"
	case sqlite3.SQLITE_FULL:
		out.What, out.Right = "the disk is full", "some free space"
	}
	return out
}

// sqliteCode is the extended result code of an error, 0 when it is not SQLite's.
func sqliteCode(err error) int {
	var failure *sqlite.Error
	if errors.As(err, &failure) {
		return failure.Code()
	}
	return 0
}
