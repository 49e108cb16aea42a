package schema

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/tidings-press/tidings/internal/store/sqldb"
)

// openFile opens a file of SQLite without a schema, or the file of a migrated store if data is given.
func openFile(t *testing.T, data []byte) *sql.DB {
	t.Helper()
	path := filepath.Join(t.TempDir(), "store.db")
	if data != nil {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return openAt(t, path)
}

func openAt(t *testing.T, path string) *sql.DB {
	t.Helper()
	queries, err := sqldb.LoadQueries(fstest.MapFS{})
	if err != nil {
		t.Fatal(err)
	}
	db, err := sqldb.Open(t.Context(), "sqlite:"+path, queries, sqldb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db.Writers.DB
}

// migrated is the file of a store with all migrations, made once.
var migrated = sync.OnceValues(func() ([]byte, error) {
	folder, err := os.MkdirTemp("", "tidings-schema-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	queries, err := sqldb.LoadQueries(fstest.MapFS{})
	if err != nil {
		return nil, err
	}
	path := filepath.Join(folder, "store.db")
	db, err := sqldb.Open(context.Background(), "sqlite:"+path, queries, sqldb.Options{})
	if err != nil {
		return nil, err
	}
	if err := errors.Join(Ensure(context.Background(), sqldb.SQLite, db.Writers.DB), db.Close()); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})

// store returns a separate store with all migrations.
func store(t *testing.T) *sql.DB {
	t.Helper()
	data, err := migrated()
	if err != nil {
		t.Fatal(err)
	}
	return openFile(t, data)
}

func run(t *testing.T, db *sql.DB, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

// names returns the migrations of an engine.
func names(t *testing.T, engine sqldb.Engine) []string {
	t.Helper()
	folder, err := migrations(engine)
	if err != nil {
		t.Fatal(err)
	}
	found, err := fs.Glob(folder, "*.sql")
	if err != nil {
		t.Fatal(err)
	}
	for i := range found {
		found[i] = strings.TrimSuffix(found[i], ".sql")
	}
	return found
}

// TestEnginesHaveTheSameMigrations: a backup of one engine is restored on the other by the names of its migrations.
func TestEnginesHaveTheSameMigrations(t *testing.T) {
	t.Parallel()
	lite, postgres := names(t, sqldb.SQLite), names(t, sqldb.Postgres)
	if !slices.Equal(lite, postgres) || len(lite) < 60 {
		t.Errorf("SQLite has %v\nPostgreSQL has %v", lite, postgres)
	}
	numbers := map[string]string{}
	for _, name := range lite {
		number, rest, found := strings.Cut(name, "_")
		if other, twice := numbers[number]; twice || !found || rest == "" || len(number) != 5 {
			t.Errorf("%s has the number of %s, or is no name such as 00001_articles", name, other)
		}
		numbers[number] = name
	}
}

func TestEnsureMakesTheSchemaOnce(t *testing.T) {
	t.Parallel()
	db := store(t)
	applied, err := Applied(t.Context(), sqldb.SQLite, db, db)
	if err != nil || !slices.Equal(applied, names(t, sqldb.SQLite)) {
		t.Fatalf("applied %v, %v", applied, err)
	}
	if n, err := CountApplied(t.Context(), sqldb.SQLite, db); err != nil || n != len(applied) {
		t.Errorf("%d are counted, %v", n, err)
	}
	if err := Ensure(t.Context(), sqldb.SQLite, db); err != nil {
		t.Errorf("a second time: %v", err)
	}
	if again, err := Migrate(t.Context(), sqldb.SQLite, db); err != nil || len(again) != 0 {
		t.Errorf("nothing is pending, and Migrate applies %v, %v", again, err)
	}
	if empty, err := IsEmpty(t.Context(), sqldb.SQLite, db); !empty || err != nil {
		t.Errorf("a new store is empty: %t, %v", empty, err)
	}
}

func TestEmptyDatabaseHasNothingApplied(t *testing.T) {
	t.Parallel()
	db := openFile(t, nil)
	applied, err := Applied(t.Context(), sqldb.SQLite, db, db)
	if err != nil || applied == nil || len(applied) != 0 {
		t.Errorf("applied %v, %v", applied, err)
	}
	if empty, err := IsEmpty(t.Context(), sqldb.SQLite, db); !empty || err != nil {
		t.Errorf("empty: %t, %v", empty, err)
	}
	if tables, err := Tables(t.Context(), sqldb.SQLite, db); err != nil || len(tables) != 0 {
		t.Errorf("tables %v, %v", tables, err)
	}
}

// TestStoreWithContentIsNotMigratedByItself: an upgrade is the decision of the operator.
func TestStoreWithContentIsNotMigratedByItself(t *testing.T) {
	t.Parallel()
	db := store(t)
	all := names(t, sqldb.SQLite)
	run(t, db, "INSERT INTO secrets (name, value, created) VALUES ('x', x'00', 1)", "DELETE FROM goose_db_version WHERE version_id IN (3, 50)")
	if empty, err := IsEmpty(t.Context(), sqldb.SQLite, db); empty || err != nil {
		t.Fatalf("a store with a secret is empty: %t, %v", empty, err)
	}
	err := Ensure(t.Context(), sqldb.SQLite, db)
	var due *MigrationDueError
	if !errors.As(err, &due) || len(due.Missing) != 2 || !strings.HasPrefix(due.Missing[0], "00003_") || !strings.HasPrefix(due.Missing[1], "00050_") {
		t.Fatalf("%v", err)
	}
	for _, want := range []string{due.Missing[0] + ", " + due.Missing[1], "make a backup", `run "tidings migrate"`} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not say %q", err, want)
		}
	}
	if applied, err := Applied(t.Context(), sqldb.SQLite, db, db); err != nil || len(applied) != len(all)-2 {
		t.Errorf("Ensure changed the store: %v, %v", applied, err)
	}
}

func TestStoreOfANewerProgramIsRefused(t *testing.T) {
	t.Parallel()
	db := store(t)
	run(t, db, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (90002, 1), (90001, 1), (90003, 0)")
	_, migrated := Migrate(t.Context(), sqldb.SQLite, db)
	for what, err := range map[string]error{"Ensure": Ensure(t.Context(), sqldb.SQLite, db), "Migrate": migrated} {
		var newer *NewerError
		if !errors.As(err, &newer) || !slices.Equal(newer.Unknown, []int64{90001, 90002}) || !strings.Contains(err.Error(), "90001, 90002 (its own end with "+newer.Newest) {
			t.Errorf("%s: %v", what, err)
		}
	}
	applied, err := Applied(t.Context(), sqldb.SQLite, db, db)
	if err != nil || !slices.Contains(applied, "90001") || !slices.Contains(applied, "90002") || slices.Contains(applied, "90003") || !slices.IsSorted(applied) {
		t.Errorf("applied %v, %v", applied, err)
	}
}

func TestInterruptedRestoreIsRefused(t *testing.T) {
	t.Parallel()
	db := store(t)
	run(t, db, "CREATE TABLE "+Unfinished+" (x INTEGER)")
	if err := Ensure(t.Context(), sqldb.SQLite, db); !errors.Is(err, ErrUnfinished) || !strings.Contains(err.Error(), "run tidings restore again, with --replace") {
		t.Errorf("%v", err)
	}
	if empty, err := IsEmpty(t.Context(), sqldb.SQLite, db); empty || err != nil {
		t.Errorf("it counts as empty: %t, %v", empty, err)
	}
	if tables, err := Tables(t.Context(), sqldb.SQLite, db); err != nil || slices.ContainsFunc(tables, func(t Table) bool { return t.Name == Unfinished }) {
		t.Errorf("the mark is a table of the store, %v", err)
	}
}

func TestNamedMigrationsAreAppliedAlone(t *testing.T) {
	t.Parallel()
	db := openFile(t, nil)
	first := names(t, sqldb.SQLite)[:3]
	if err := Apply(t.Context(), sqldb.SQLite, db, []string{first[0], "00002_renamed_since", "3"}); err != nil {
		t.Fatal(err)
	}
	if applied, err := Applied(t.Context(), sqldb.SQLite, db, db); err != nil || !slices.Equal(applied, first) {
		t.Errorf("applied %v, %v; want %v", applied, err, first)
	}
	if err := Apply(t.Context(), sqldb.SQLite, db, nil); err != nil {
		t.Errorf("no names: %v", err)
	}
}

func TestNamesOfAnArchiveThatAreNotMigrationsAreRefused(t *testing.T) {
	t.Parallel()
	db := openFile(t, nil)
	for _, name := range []string{"", "articles", "_1", "1.5_x", "0x1_x", "99999999999999999999_x", "1 _x", "-", "'; DROP TABLE articles"} {
		if err := Apply(t.Context(), sqldb.SQLite, db, []string{"00001_articles", name}); !errors.Is(err, ErrName) || !strings.Contains(err.Error(), name) {
			t.Errorf("%q: %v", name, err)
		}
	}
	var newer *NewerError
	if err := Apply(t.Context(), sqldb.SQLite, db, []string{"00001_articles", "90001_x", "-5_y", "0"}); !errors.As(err, &newer) || !slices.Equal(newer.Unknown, []int64{90001, -5, 0}) {
		t.Errorf("numbers that are not known: %v", err)
	}
	if applied, err := Applied(t.Context(), sqldb.SQLite, db, db); err != nil || len(applied) != 0 {
		t.Errorf("some were applied before the refusal: %v, %v", applied, err)
	}
}

// TestTablesComeAfterThoseThatTheyReferTo, so that a restore can fill them in this order.
func TestTablesComeAfterThoseThatTheyReferTo(t *testing.T) {
	t.Parallel()
	db := store(t)
	tables, err := Tables(t.Context(), sqldb.SQLite, db)
	if err != nil || len(tables) < 30 {
		t.Fatalf("%d tables, %v", len(tables), err)
	}
	before := map[string]bool{}
	for _, table := range tables {
		to, err := Texts(t.Context(), db, `SELECT DISTINCT "table" FROM pragma_foreign_key_list($1)`, table.Name)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range to {
			if name != table.Name && !before[name] {
				t.Errorf("%s comes before %s", table.Name, name)
			}
		}
		before[table.Name] = true
		if len(table.Columns) == 0 || table.Key != "" && !slices.Contains(table.Columns, table.Key) {
			t.Errorf("%s has the columns %v and the key %q", table.Name, table.Columns, table.Key)
		}
	}
	for _, name := range []string{"goose_db_version", "sqlite_sequence", Unfinished} {
		if before[name] {
			t.Errorf("%s is a table of the store", name)
		}
	}
	objects, err := PostgresObjects()
	if err != nil {
		t.Fatal(err)
	}
	for name := range before {
		if !slices.Contains(objects["TABLE"], name) {
			t.Errorf("PostgresObjects lacks the table %s, which a restore would leave in place", name)
		}
	}
	if len(objects) != 2 || len(objects["FUNCTION"]) == 0 {
		t.Errorf("objects %v", objects)
	}
}

func TestTablesOfOthersAreLeftOut(t *testing.T) {
	t.Parallel()
	db := openFile(t, nil)
	run(t, db,
		"CREATE TABLE parents (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT, upper TEXT GENERATED ALWAYS AS (upper(name)) VIRTUAL)",
		"CREATE TABLE children (parent INTEGER REFERENCES parents (id), before INTEGER REFERENCES children (rowid))",
		"CREATE TABLE a_child (parent INTEGER REFERENCES parents (id))",
		"CREATE TABLE _litestream_seq (id INTEGER)", "CREATE VIEW a_view AS SELECT 1", "CREATE VIRTUAL TABLE words USING fts5 (text)")
	tables, err := Tables(t.Context(), sqldb.SQLite, db)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, table := range tables {
		got = append(got, table.Name+"("+strings.Join(table.Columns, " ")+")"+table.Key)
	}
	if want := "children(parent before) parents(id name)id a_child(parent)"; strings.Join(got, " ") != want {
		if want = "parents(id name)id a_child(parent) children(parent before)"; strings.Join(got, " ") != want {
			t.Errorf("%s, want %s", strings.Join(got, " "), want)
		}
	}
}

func TestCycleOfTablesIsAnError(t *testing.T) {
	t.Parallel()
	db := openFile(t, nil)
	run(t, db, "CREATE TABLE a (b INTEGER REFERENCES b (a))", "CREATE TABLE b (a INTEGER REFERENCES a (b))")
	if tables, err := Tables(t.Context(), sqldb.SQLite, db); err == nil || !strings.Contains(err.Error(), "in a cycle") {
		t.Errorf("%v, %v", tables, err)
	}
}

func TestNumberOfTheNextRowIsReadAndSet(t *testing.T) {
	t.Parallel()
	db := openFile(t, nil)
	run(t, db, "CREATE TABLE numbered (id INTEGER PRIMARY KEY AUTOINCREMENT, x TEXT)", "CREATE TABLE plain (id INTEGER PRIMARY KEY)")
	numbered, plain := Table{Name: "numbered", Key: "id"}, Table{Name: "plain"}
	last := func(table Table) int64 {
		t.Helper()
		n, err := LastNumber(t.Context(), sqldb.SQLite, db, table)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if last(numbered) != 0 || last(plain) != 0 {
		t.Errorf("without rows: %d and %d", last(numbered), last(plain))
	}
	for _, number := range []int64{41, 7, 1 << 40} { // into an empty table, and once more
		if err := SetLastNumber(t.Context(), sqldb.SQLite, db, numbered, number); err != nil {
			t.Fatal(err)
		}
		if got := last(numbered); got != number {
			t.Errorf("%d, want %d", got, number)
		}
	}
	result, err := db.ExecContext(t.Context(), "INSERT INTO numbered (x) VALUES ('a')")
	if err != nil {
		t.Fatal(err)
	}
	if id, err := result.LastInsertId(); err != nil || id != 1<<40+1 || last(numbered) != id {
		t.Errorf("the next row has the number %d, %v", id, err)
	}
}

// TestMigrationsOfTwoProcessesAreAppliedOnce: two processes start on one new file.
func TestMigrationsOfTwoProcessesAreAppliedOnce(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "store.db")
	var all sync.WaitGroup
	var mu sync.Mutex
	applied := map[string]int{}
	for range 2 {
		db := openAt(t, path)
		all.Go(func() {
			done, err := Migrate(t.Context(), sqldb.SQLite, db)
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			for _, name := range done {
				applied[name]++
			}
		})
	}
	all.Wait()
	for _, name := range names(t, sqldb.SQLite) {
		if applied[name] != 1 {
			t.Errorf("%s was applied %d times", name, applied[name])
		}
	}
}

// TestMigrationCompactsAFileThatMayHoldErasedText: the file is from a time without secure_delete.
func TestMigrationCompactsAFileThatMayHoldErasedText(t *testing.T) {
	t.Parallel()
	data, err := migrated()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "store.db")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	db := openAt(t, path)
	const secret = "erased-address@private.example"
	run(t, db, "PRAGMA secure_delete = OFF", "CREATE TABLE old (x TEXT)")
	for range 40 {
		run(t, db, "INSERT INTO old VALUES ('"+secret+strings.Repeat("x", 300)+"')")
	}
	run(t, db, "PRAGMA wal_checkpoint(TRUNCATE)", "DROP TABLE old", "INSERT INTO secrets (name, value, created) VALUES ('x', x'00', 1)", "PRAGMA user_version = 0", "PRAGMA wal_checkpoint(TRUNCATE)")
	holds := func() bool {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return bytes.Contains(data, []byte(secret))
	}
	if !holds() {
		t.Fatal("the file has no free page with the text")
	}
	for range 2 { // the second time there is nothing to do
		if applied, err := Migrate(t.Context(), sqldb.SQLite, db); err != nil || len(applied) != 0 {
			t.Fatalf("%v, %v", applied, err)
		}
		if holds() {
			t.Error("the file still holds what was erased")
		}
	}
}

func TestAddressesAreScrubbedInSQL(t *testing.T) {
	t.Parallel()
	db := openFile(t, nil)
	for _, test := range []struct{ value, without string }{{"'550 no mailbox ann@private.example here'", "ann@private.example"}, {"NULL", ""}, {"7", ""}, {"x'00'", ""}} {
		var got sql.NullString
		if err := db.QueryRowContext(t.Context(), "SELECT scrub_addresses("+test.value+")").Scan(&got); err != nil {
			t.Fatal(err)
		}
		if test.without != "" && (strings.Contains(got.String, test.without) || !strings.Contains(got.String, "550 no mailbox")) || test.value == "NULL" && got.Valid || test.value == "7" && got.String != "7" {
			t.Errorf("%s becomes %q", test.value, got.String)
		}
	}
}

func TestErrorsOfTheDatabaseAreReturned(t *testing.T) {
	t.Parallel()
	db := store(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, applied := Applied(ctx, sqldb.SQLite, db, db)
	_, count := CountApplied(ctx, sqldb.SQLite, db)
	_, empty := IsEmpty(ctx, sqldb.SQLite, db)
	_, tables := Tables(ctx, sqldb.SQLite, db)
	_, migrate := Migrate(ctx, sqldb.SQLite, db)
	_, last := LastNumber(ctx, sqldb.SQLite, db, Table{Name: "articles", Key: "id"})
	for what, err := range map[string]error{
		"Ensure": Ensure(ctx, sqldb.SQLite, db), "Applied": applied, "CountApplied": count, "IsEmpty": empty, "Tables": tables, "Migrate": migrate, "LastNumber": last,
		"Apply": Apply(ctx, sqldb.SQLite, db, []string{"1"}), "SetLastNumber": SetLastNumber(ctx, sqldb.SQLite, db, Table{Name: "articles"}, 1),
	} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestFoldersAreReadAsOne(t *testing.T) {
	t.Parallel()
	both := folders{fstest.MapFS{"b.sql": {Data: []byte("own")}, "c.sql": {}}, fstest.MapFS{"a.sql": {}, "b.sql": {Data: []byte("common")}}}
	if data, err := fs.ReadFile(both, "b.sql"); err != nil || string(data) != "own" {
		t.Errorf("the first folder comes first: %q, %v", data, err)
	}
	if _, err := fs.ReadFile(both, "d.sql"); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "d.sql") {
		t.Errorf("a file of no folder: %v", err)
	}
	entries, err := both.ReadDir(".")
	if err != nil || len(entries) != 4 || entries[0].Name() != "a.sql" || entries[3].Name() != "c.sql" {
		t.Errorf("%v, %v", entries, err)
	}
	if _, err := both.ReadDir("missing"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a folder that does not exist: %v", err)
	}
}
