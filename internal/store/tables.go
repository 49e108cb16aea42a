package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// table is a table as the catalog of the engine describes it.
type table struct {
	name    string
	columns []string
	key     string // the column whose numbers the engine gives out; empty for none
}

// asker is a connection, pool or transaction that answers questions.
type asker interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// tables returns all tables of a store, each after those that it refers to. What
// goose keeps, and what an index is made of, is left out.
func tables(ctx context.Context, engine Engine, db asker) ([]table, error) {
	names, err := texts(ctx, db, map[Engine]string{
		SQLite: `SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite\_%' ESCAPE '\' ORDER BY name`,
		Postgres: `SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
			WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p') ORDER BY c.relname`,
	}[engine])
	if err != nil {
		return nil, err
	}
	names = slices.DeleteFunc(names, func(name string) bool { return name == "goose_db_version" || name == unfinished })
	if names, err = byReference(ctx, engine, db, names); err != nil {
		return nil, err
	}
	var out []table
	for _, name := range names {
		t, err := describeTable(ctx, engine, db, name)
		if err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return out, nil
}

// describeTable reads the columns of a table.
func describeTable(ctx context.Context, engine Engine, db asker, name string) (table, error) {
	t := table{name: name}
	var err error
	// Generated columns are not stored.
	if t.columns, err = texts(ctx, db, map[Engine]string{
		SQLite: "SELECT name FROM pragma_table_xinfo($1) WHERE hidden = 0 ORDER BY cid",
		Postgres: `SELECT attname FROM pg_attribute WHERE attrelid = to_regclass(quote_ident($1)) AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
			ORDER BY attnum`,
	}[engine], name); err != nil {
		return t, err
	}
	keys, err := texts(ctx, db, map[Engine]string{
		SQLite: `SELECT p.name FROM pragma_table_xinfo($1) p JOIN sqlite_master m ON m.type = 'table' AND m.name = $1
			WHERE p.pk = 1 AND m.sql LIKE '%AUTOINCREMENT%'`,
		Postgres: "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass(quote_ident($1)) AND attidentity <> ''",
	}[engine], name)
	if len(keys) > 0 {
		t.key = keys[0]
	}
	return t, err
}

// byReference orders tables so that each comes after those that it refers to.
func byReference(ctx context.Context, engine Engine, db asker, names []string) ([]string, error) {
	refers := map[string][]string{}
	for _, name := range names {
		to, err := texts(ctx, db, map[Engine]string{
			SQLite: `SELECT DISTINCT "table" FROM pragma_foreign_key_list($1)`,
			Postgres: `SELECT DISTINCT f.relname FROM pg_constraint k JOIN pg_class f ON f.oid = k.confrelid
				WHERE k.contype = 'f' AND k.conrelid = to_regclass(quote_ident($1))`,
		}[engine], name)
		if err != nil {
			return nil, err
		}
		refers[name] = to
	}
	var out []string
	done := map[string]bool{}
	for len(out) < len(names) {
		before := len(out)
		for _, name := range names {
			ready := !slices.ContainsFunc(refers[name], func(to string) bool { return to != name && !done[to] })
			if !done[name] && ready {
				done[name] = true
				out = append(out, name)
			}
		}
		if len(out) == before {
			return nil, errors.New("tables refer to each other in a circle")
		}
	}
	return out, nil
}

// lastNumber is the highest number that the key of a table was given, 0 for none.
func lastNumber(ctx context.Context, engine Engine, db asker, t table) (int64, error) {
	if t.key == "" {
		return 0, nil
	}
	question, args := "SELECT seq FROM sqlite_sequence WHERE name = $1", []any{t.name}
	if engine == Postgres {
		sequences, err := texts(ctx, db, "SELECT pg_get_serial_sequence(quote_ident($1), $2)", t.name, t.key)
		if err != nil || len(sequences) == 0 {
			return 0, err
		}
		question, args = "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM "+sequences[0], nil
	}
	rows, err := db.QueryContext(ctx, question, args...)
	if err != nil {
		return 0, err
	}
	var last int64
	return last, walk(rows, func(rows *sql.Rows) error { return rows.Scan(&last) })
}

// quoted are names as SQL writes them.
func quoted(names ...string) string {
	return `"` + strings.Join(names, `", "`) + `"`
}

// texts returns the one column of a question.
func texts(ctx context.Context, db asker, question string, args ...any) ([]string, error) {
	rows, err := db.QueryContext(ctx, question, args...)
	if err != nil {
		return nil, fmt.Errorf("the tables of the store: %w", err)
	}
	var out []string
	return out, walk(rows, func(rows *sql.Rows) error {
		var text string
		err := rows.Scan(&text)
		out = append(out, text)
		return err
	})
}
