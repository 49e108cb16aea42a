package storetest

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// FindText returns the places of a store that contain one of the words, in upper or lower
// case. A place is a file of SQLite, or a table of PostgreSQL.
func FindText(t testing.TB, dsn string, db *sql.DB, words ...string) []string {
	t.Helper()
	var out []string
	for place, data := range contents(t, dsn, db) {
		for _, word := range words {
			if match := regexp.MustCompile("(?i)" + regexp.QuoteMeta(word)).FindIndex(data); match != nil {
				out = append(out, fmt.Sprintf("%s contains %q: %q", place, word, data[max(0, match[0]-40):min(len(data), match[1]+40)]))
			}
		}
	}
	return out
}

// contents returns the data of each place, by its name.
func contents(t testing.TB, dsn string, db *sql.DB) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	if path, isSQLite := strings.CutPrefix(dsn, "sqlite:"); isSQLite {
		files, err := filepath.Glob(path + "*")
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			out[filepath.Base(file)] = data
		}
		return out
	}
	var tables []string
	eachRow(t, db, "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'", func(name string) { tables = append(tables, name) })
	for _, table := range tables {
		eachRow(t, db, `SELECT x::text || ' ' || encode(convert_to(x::text, 'UTF8'), 'escape') FROM "`+table+`" AS x`, func(row string) { out[table] = append(out[table], row+"\n"...) })
	}
	eachRow(t, db, "SELECT encode(payload, 'escape') FROM jobs", func(row string) { out["jobs"] = append(out["jobs"], row+"\n"...) })
	return out
}

func eachRow(t testing.TB, db *sql.DB, query string, row func(text string)) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			t.Fatal(err)
		}
		row(text)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
}
