package sqldb

import (
	"strings"
	"testing"
	"testing/fstest"
)

func loadText(data string) (*Queries, error) {
	return LoadQueries(fstest.MapFS{"test.sql": {Data: []byte(data)}})
}

func TestQueriesAreReadForEachEngine(t *testing.T) {
	t.Parallel()
	q, err := loadText(`
-- name: a.b
-- Comment; with a semicolon.
SELECT x -- trailing
FROM t WHERE id IN numbers($2) AND k IN strings($1)
FOR UPDATE SKIP LOCKED -- postgres only
;
-- name: only.lite
-- For one engine.
SELECT 1; -- sqlite only
`)
	if err != nil {
		t.Fatal(err)
	}
	if want := "SELECT x\nFROM t WHERE id IN (SELECT value FROM json_each($2)) AND k IN (SELECT value FROM json_each($1))"; q.Text(SQLite, "a.b") != want {
		t.Errorf("sqlite: %q", q.Text(SQLite, "a.b"))
	}
	if text := q.Text(Postgres, "a.b"); !strings.HasSuffix(text, "FOR UPDATE SKIP LOCKED") || !strings.Contains(text, "CAST(value AS bigint)") {
		t.Errorf("postgres: %q", text)
	}
	if q.Text(Postgres, "only.lite") != "" || q.Text(SQLite, "only.lite") != "SELECT 1" {
		t.Errorf("a query for SQLite only: %q and %q", q.Text(SQLite, "only.lite"), q.Text(Postgres, "only.lite"))
	}
}

func TestColumnsAndPartsAreExpanded(t *testing.T) {
	t.Parallel()
	q, err := loadText(`
-- columns: person
-- id bigint, name,
-- born bigint
-- part: adult
part(born) < $1
-- part: born
p.born
-- name: person.get
-- All forms.
SELECT columns(person), columns(person of p), values(person from 2), arrays(person from 5) FROM people p WHERE part(adult);
`)
	if err != nil {
		t.Fatal(err)
	}
	want := "SELECT id, name, born, p.id, p.name, p.born, $2, $3, $4, CAST($5 AS bigint[]), CAST($6 AS text[]), CAST($7 AS bigint[]) FROM people p WHERE p.born < $1"
	if got := q.Text(Postgres, "person.get"); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestFaultyQueryFilesAreRefused(t *testing.T) {
	t.Parallel()
	for _, data := range []string{
		"SELECT 1;", "-- name: a\nSELECT 1;\n-- name: a\nSELECT 2;", "-- name: a\nSELECT columns(nothing);", "-- name: a\nSELECT part(nothing);",
	} {
		if _, err := loadText(data); err == nil {
			t.Errorf("%q was accepted", data)
		}
	}
}
