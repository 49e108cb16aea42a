package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"
	"unicode/utf8"
)

// notes are queries of a table with one text per row.
const notes = `
-- name: note.create
-- The table.
CREATE TABLE IF NOT EXISTS notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);
-- name: note.add
-- One row.
INSERT INTO notes (text) VALUES ($1);
-- name: note.get
-- By its key.
SELECT text FROM notes WHERE id = $1;
-- name: note.all
-- In order.
SELECT text FROM notes ORDER BY id;
-- name: note.in
-- Of some.
SELECT text FROM notes WHERE id IN numbers($1) OR text IN strings($2) ORDER BY id;
-- name: note.clear
-- All rows.
DELETE FROM notes;
-- name: note.faulty
-- A table that does not exist.
SELECT nothing FROM nowhere;
-- name: note.number
-- A row of another type.
SELECT id, text FROM notes;
`

// openNotes opens a file with the table of notes.
func openNotes(t *testing.T, path string, options Options) *DB {
	t.Helper()
	queries, err := LoadQueries(fstest.MapFS{"notes.sql": {Data: []byte(notes)}})
	if err != nil {
		t.Fatal(err)
	}
	db, err := Open(t.Context(), "sqlite:"+path, queries, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	if _, err := db.Writers.Exec(t.Context(), "note.create"); err != nil {
		t.Fatal(err)
	}
	return db
}

func newNotes(t *testing.T) *DB {
	t.Helper()
	return openNotes(t, filepath.Join(t.TempDir(), "notes.db"), Options{})
}

func texts(t *testing.T, c *Conn) string {
	t.Helper()
	all, err := Column[string](t.Context(), c, "note.all")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(all, " ")
}

func TestRowsAreReadByNamedQueries(t *testing.T) {
	t.Parallel()
	db := newNotes(t)
	for _, text := range []string{"a", "b", "c"} {
		if n, err := db.Writers.Exec(t.Context(), "note.add", text); err != nil || n != 1 {
			t.Fatalf("%d rows, %v", n, err)
		}
	}
	var text string
	if found, err := db.Readers.One(t.Context(), "note.get", []any{2}, &text); !found || err != nil || text != "b" {
		t.Errorf("%q, %t, %v", text, found, err)
	}
	if found, err := db.Readers.One(t.Context(), "note.get", []any{9}, &text); found || err != nil || text != "b" {
		t.Errorf("a row that is not there: %q, %t, %v", text, found, err)
	}
	some, err := Column[string](t.Context(), db.Readers, "note.in", "[1,7]", `["c","x"]`)
	if err != nil || strings.Join(some, " ") != "a c" {
		t.Errorf("elements of JSON: %v, %v", some, err)
	}
	if none, err := Column[string](t.Context(), db.Readers, "note.in", "[]", "[]"); err != nil || len(none) != 0 {
		t.Errorf("elements of empty lists: %v, %v", none, err)
	}
	if n, err := db.Writers.Exec(t.Context(), "note.clear"); err != nil || n != 3 || texts(t, db.Readers) != "" {
		t.Errorf("%d rows were removed, %v", n, err)
	}
}

// TestErrorOfAQueryNamesIt, and is reported once, to the pool on which it was run.
func TestErrorOfAQueryNamesIt(t *testing.T) {
	t.Parallel()
	db := newNotes(t)
	var reported []error
	db.Readers.OnError = func(err error) { reported = append(reported, err) }
	if _, err := db.Writers.Exec(t.Context(), "note.add", "a"); err != nil {
		t.Fatal(err)
	}
	var number int
	stop := errors.New("enough")
	_, one := db.Readers.One(t.Context(), "note.faulty", nil, &number)
	_, unknown := db.Readers.One(t.Context(), "note.unknown", nil, &number)
	_, scanned := db.Readers.One(t.Context(), "note.all", nil, &number)
	_, columns := db.Readers.One(t.Context(), "note.number", nil, &number)
	for name, test := range map[string]struct {
		err  error
		want string
	}{
		"an unknown table": {one, "note.faulty: "},
		"an unknown query": {unknown, "note.unknown: unknown query"},
		"another type":     {scanned, "note.all: "},
		"more columns":     {columns, "note.number: "},
		"the caller's own": {db.Readers.Each(t.Context(), "note.all", nil, func(*sql.Rows) error { return stop }), "note.all: enough"},
	} {
		if test.err == nil || !strings.HasPrefix(test.err.Error(), test.want) {
			t.Errorf("%s: %v, want %s…", name, test.err, test.want)
		}
	}
	if len(reported) != 5 || !errors.Is(reported[4], stop) {
		t.Errorf("reported %v", reported)
	}
	if _, err := db.Writers.Exec(t.Context(), "note.add", "a"); !Duplicate(err) || Contended(err) || Broken(err) || !strings.HasPrefix(err.Error(), "note.add: ") {
		t.Errorf("a second row with the same text: %v", err)
	}
	if got := texts(t, db.Readers); got != "a" {
		t.Errorf("after the errors, the rows are %s", got)
	}
}

func TestReadersCannotWrite(t *testing.T) {
	t.Parallel()
	db := newNotes(t)
	if _, err := db.Readers.Exec(t.Context(), "note.add", "a"); err == nil || SQLiteCode(err)&0xff != 8 { // SQLITE_READONLY
		t.Errorf("%v", err)
	}
	if _, err := db.Readers.ExecContext(t.Context(), "DROP TABLE notes"); err == nil {
		t.Error("a reader dropped the table")
	}
}

func TestFailedTransactionLeavesNothing(t *testing.T) {
	t.Parallel()
	db := newNotes(t)
	stop := errors.New("enough")
	err := db.Writers.Transaction(t.Context(), func(tx *Conn) error {
		if _, err := tx.Exec(t.Context(), "note.add", "a"); err != nil {
			return err
		}
		if got := texts(t, tx); got != "a" {
			t.Errorf("the transaction itself reads %q", got)
		}
		if got := texts(t, db.Readers); got != "" {
			t.Errorf("a reader sees %q before the commit", got)
		}
		return stop
	})
	if !errors.Is(err, stop) || texts(t, db.Readers) != "" {
		t.Errorf("%v; the rows are %q", err, texts(t, db.Readers))
	}
	func() {
		defer func() { _ = recover() }()
		_ = db.Writers.Transaction(t.Context(), func(tx *Conn) error {
			_, _ = tx.Exec(t.Context(), "note.add", "b")
			panic("a fault")
		})
	}()
	if err := db.Writers.Transaction(t.Context(), func(tx *Conn) error {
		_, err := tx.Exec(t.Context(), "note.add", "c")
		return err
	}); err != nil {
		t.Fatalf("after a panic in a transaction: %v", err)
	}
	if got := texts(t, db.Readers); got != "c" {
		t.Errorf("the rows are %q", got)
	}
}

func TestStatementsAreKeptAfterATransaction(t *testing.T) {
	t.Parallel()
	db := newNotes(t)
	for i := range 3 {
		err := db.Writers.Transaction(t.Context(), func(tx *Conn) error {
			for j := range 2 {
				if _, err := tx.Exec(t.Context(), "note.add", fmt.Sprint(i, j)); err != nil {
					return err
				}
			}
			if i == 1 { // a statement of a transaction that fails is not kept, and does no harm
				_, _ = tx.Exec(t.Context(), "note.faulty")
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, kept := db.Writers.prepared.Load("note.add"); !kept {
		t.Error("the next transaction prepares the statement again")
	}
	if got := texts(t, db.Readers); got != "0 0 0 1 1 0 1 1 2 0 2 1" {
		t.Errorf("the rows are %q", got)
	}
}

func TestComposedSQLIsPreparedInTransactionsOnly(t *testing.T) {
	t.Parallel()
	db := newNotes(t)
	if _, err := db.Writers.PrepareContext(t.Context(), "SELECT 1"); err == nil || !strings.Contains(err.Error(), "only in a transaction") {
		t.Errorf("outside of a transaction: %v", err)
	}
	if err := db.Writers.Transaction(t.Context(), func(tx *Conn) error {
		stmt, err := tx.PrepareContext(t.Context(), "INSERT INTO notes (text) VALUES (?)")
		if err != nil {
			return err
		}
		defer stmt.Close()
		_, err = stmt.ExecContext(t.Context(), "a")
		return err
	}); err != nil || texts(t, db.Readers) != "a" {
		t.Errorf("in a transaction: %v", err)
	}
	if _, err := db.Writers.ExecContext(t.Context(), "INSERT INTO notes (text) VALUES (?)", "b\x00\xff"); err != nil {
		t.Fatal(err)
	}
	rows, err := db.Readers.QueryContext(t.Context(), "SELECT text FROM notes WHERE text = ?", "b\x00\xff")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	if err := Walk(rows, func(*sql.Rows) error { found++; return nil }); err != nil || found != 1 {
		t.Errorf("%d rows with a text that was cleaned, %v", found, err)
	}
}

// TestWritersOfTwoProcessesWaitForEachOther: each has its own DB on the same file.
func TestWritersOfTwoProcessesWaitForEachOther(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "notes.db")
	nodes := []*DB{openNotes(t, path, Options{}), openNotes(t, path, Options{})}
	var all sync.WaitGroup
	for i, db := range nodes {
		for j := range 4 {
			all.Go(func() {
				err := db.Writers.Retry(t.Context(), func() error {
					return db.Writers.Transaction(t.Context(), func(tx *Conn) error {
						_, err := tx.Exec(t.Context(), "note.add", fmt.Sprintf("%d-%d", i, j))
						return err
					})
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
	}
	all.Wait()
	for _, db := range nodes {
		if got := len(strings.Fields(texts(t, db.Readers))); got != 8 {
			t.Errorf("%d of 8 rows were stored", got)
		}
	}
}

// TestWriterThatWaitsTooLongIsContended: the other process holds its transaction.
func TestWriterThatWaitsTooLongIsContended(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "notes.db")
	holder, other := openNotes(t, path, Options{}), openNotes(t, path, Options{Wait: time.Millisecond})
	err := holder.Writers.Transaction(t.Context(), func(*Conn) error {
		add := func() error {
			return other.Writers.Transaction(t.Context(), func(tx *Conn) error {
				_, err := tx.Exec(t.Context(), "note.add", "b")
				return err
			})
		}
		if err := add(); !Contended(err) || Broken(err) || Duplicate(err) {
			t.Errorf("a writer beside another: %v", err)
		}
		var reported int
		other.Writers.OnError = func(error) { reported++ }
		attempts := 0
		stop, cancel := context.WithCancel(t.Context())
		defer cancel()
		if err := other.Writers.Retry(stop, func() error {
			if attempts++; attempts == 3 {
				cancel()
			}
			return add()
		}); err == nil || attempts != 3 || reported != 3 {
			t.Errorf("after %d attempts, of which %d were reported: %v", attempts, reported, err)
		}
		var failed *OpenError
		queries, _ := LoadQueries(fstest.MapFS{})
		if _, err := Open(t.Context(), "sqlite:"+path, queries, Options{Wait: time.Millisecond}); !errors.As(err, &failed) || failed.What != "another process has been writing to it for too long" {
			t.Errorf("opening beside a writer: %v", err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestErrorWithoutAConflictIsNotRetried(t *testing.T) {
	t.Parallel()
	db := newNotes(t)
	attempts := 0
	wrong := errors.New("wrong")
	if err := db.Writers.Retry(t.Context(), func() error { attempts++; return wrong }); !errors.Is(err, wrong) || attempts != 1 {
		t.Errorf("%d attempts: %v", attempts, err)
	}
	attempts = 0
	if err := db.Writers.Retry(t.Context(), func() error {
		if attempts++; attempts < 3 {
			return fmt.Errorf("begin: %w", os.ErrDeadlineExceeded)
		}
		return nil
	}); err == nil || attempts != 1 {
		t.Errorf("an error of a file: %d attempts, %v", attempts, err)
	}
}

func TestTextsOfTheCallerAreNotChanged(t *testing.T) {
	t.Parallel()
	own := []string{"a\x00b", "é"}
	args := CleanArgs([]any{own})
	if got := args[0].([]string); got[0] != "ab" || own[0] != "a\x00b" {
		t.Errorf("the query gets %q, the caller has %q", got, own)
	}
	clean := []string{"a", "é"}
	if got := CleanArgs([]any{clean})[0].([]string); &got[0] != &clean[0] {
		t.Error("texts that are clean are copied")
	}
}

func FuzzCleanText(f *testing.F) {
	for _, seed := range []string{"", "a\x00b", "\xe2\x00\x82\xac", "\xff\xfe", "\x00", "é\uFFFD"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := CleanText(text)
		if !utf8.ValidString(got) || strings.IndexByte(got, 0) >= 0 || CleanText(got) != got {
			t.Errorf("%q gives %q", text, got)
		}
		if utf8.ValidString(text) && got != strings.ReplaceAll(text, "\x00", "") {
			t.Errorf("%q lost more than NULs: %q", text, got)
		}
	})
}

func FuzzLoadQueries(f *testing.F) {
	f.Add("-- name: a\nSELECT part(b), values(c from 1)\n-- part: b\n1\n-- columns: c\n-- x, y bigint")
	f.Add(notes)
	f.Add("-- columns: \n-- ,\n-- name: q\nSELECT columns( of )")
	f.Fuzz(func(t *testing.T, data string) {
		q, err := loadText(data)
		if err != nil {
			return
		}
		for name, text := range q.Texts(SQLite) {
			if name != strings.TrimSpace(name) || text == "" {
				t.Errorf("the query %q is %q", name, text)
			}
		}
	})
}
