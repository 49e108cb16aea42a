package sqldb

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
)

// TestFileOfAnyNameIsOpened: the name becomes part of a URI, where some characters have a meaning.
func TestFileOfAnyNameIsOpened(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	for _, name := range []string{"a b.db", "a?mode=ro.db", "a#b.db", "a%41.db", "a&_query_only=1.db", "ü.db", "a;b'c\"d.db", "file:x.db", "-x.db", "a+b.db", "😀.db"} {
		path := filepath.Join(folder, name)
		db := openNotes(t, path, Options{Durability: Normal, Conns: 1})
		if _, err := db.Writers.Exec(t.Context(), "note.add", name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got := texts(t, db.Readers); got != name || db.Path != path || db.Recorders != db.Writers || db.Connects() != 0 {
			t.Errorf("%s: %q, %s", name, got, db.Path)
		}
		if info, err := os.Stat(path); err != nil || info.Size() == 0 && !exists(path+"-wal") {
			t.Errorf("%s: the file is %v, %v", name, info, err)
		}
	}
	entries, err := os.ReadDir(folder)
	if err != nil || len(entries)%3 != 0 { // each with its -wal and -shm
		t.Errorf("%d files, %v", len(entries), err)
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// TestErasedTextLeavesTheFile: what was deleted must not remain in free pages.
func TestErasedTextLeavesTheFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "notes.db")
	db := openNotes(t, path, Options{})
	const secret = "ann@private.example"
	for i := range 50 {
		if _, err := db.Writers.Exec(t.Context(), "note.add", fmt.Sprint(secret, strings.Repeat("x", 200), i)); err != nil {
			t.Fatal(err)
		}
	}
	checkpoint := func() []byte {
		if _, err := db.Writers.ExecContext(t.Context(), "PRAGMA wal_checkpoint(TRUNCATE)"); err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	if !bytes.Contains(checkpoint(), []byte(secret)) {
		t.Fatal("the text is not in the file")
	}
	if _, err := db.Writers.Exec(t.Context(), "note.clear"); err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(checkpoint(), []byte(secret)) {
		t.Error("the file still holds what was deleted")
	}
}

func TestDamagedFileIsExplained(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "notes.db")
	db := openNotes(t, path, Options{})
	for i := range 200 {
		if _, err := db.Writers.Exec(t.Context(), "note.add", strings.Repeat("x", 300)+fmt.Sprint(i)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := db.Writers.ExecContext(t.Context(), "PRAGMA wal_checkpoint(TRUNCATE)"); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	queries, err := LoadQueries(fstest.MapFS{})
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		change func([]byte) []byte
		want   string
	}{
		"a schema of noise": {func(b []byte) []byte { copy(b[100:], bytes.Repeat([]byte{0xa5}, 3000)); return b }, "the database is damaged; restore a backup"},
		"another header":    {func(b []byte) []byte { copy(b, "SQLite format 4"); return b }, "the file is not a SQLite database; use another path; this file was left as it is"},
	} {
		damaged := filepath.Join(t.TempDir(), "damaged.db")
		if err := os.WriteFile(damaged, test.change(bytes.Clone(whole)), 0o600); err != nil {
			t.Fatal(err)
		}
		opened, err := Open(t.Context(), "sqlite:"+damaged, queries, Options{})
		var failed *OpenError
		if !errors.As(err, &failed) || !strings.Contains(err.Error(), test.want) || failed.Unwrap() == nil {
			t.Errorf("%s: %v, %v; want %s", name, opened, err, test.want)
		}
	}
}

func TestDefensiveModeRefusesToChangeTheSchemaByHand(t *testing.T) {
	t.Parallel()
	db := newNotes(t)
	for _, statement := range []string{
		"UPDATE sqlite_master SET sql = 'x'", "PRAGMA writable_schema = ON; DELETE FROM sqlite_master", `SELECT "no such column" FROM notes`, "INSERT INTO notes (text) VALUES (\"a\")",
	} {
		if _, err := db.Writers.ExecContext(t.Context(), statement); err == nil {
			t.Errorf("%s was run", statement)
		}
	}
	if got := texts(t, db.Readers); got != "" {
		t.Errorf("the rows are %q", got)
	}
}

func TestEndedContextEndsAQuery(t *testing.T) {
	t.Parallel()
	db := newNotes(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, exec := db.Writers.Exec(ctx, "note.add", "a")
	_, column := Column[string](ctx, db.Readers, "note.all")
	for what, err := range map[string]error{
		"Exec": exec, "Column": column, "Transaction": db.Writers.Transaction(ctx, func(*Conn) error { t.Error("the transaction was run"); return nil }),
		"Pause": Pause(ctx, 20),
	} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", what, err)
		}
	}
	queries, _ := LoadQueries(fstest.MapFS{})
	if _, err := Open(ctx, "sqlite:"+filepath.Join(t.TempDir(), "x.db"), queries, Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("Open: %v", err)
	}
	if got := texts(t, db.Readers); got != "" {
		t.Errorf("the rows are %q", got)
	}
}
