package schema

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tidings-press/tidings/internal/store/sqldb"
)

// Table is a table as the catalog of the engine describes it.
type Table struct {
	Name    string
	Columns []string
	Key     string // the column whose numbers the engine assigns; empty for none
}

// Queryer is a connection, pool or transaction that answers queries.
type Queryer interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// Tables returns all tables of a store, each after those that it refers to. The tables of goose and of
// Litestream, and the shadow tables of indexes, are left out.
func Tables(ctx context.Context, engine sqldb.Engine, db Queryer) ([]Table, error) {
	names, err := Texts(ctx, db, map[sqldb.Engine]string{
		sqldb.SQLite: `SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite\_%' ESCAPE '\' ORDER BY name`,
		sqldb.Postgres: `SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
			WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p') ORDER BY c.relname`,
	}[engine])
	if err != nil {
		return nil, err
	}
	names = slices.DeleteFunc(names, func(name string) bool {
		return name == "goose_db_version" || name == Unfinished || strings.HasPrefix(name, "_litestream_")
	})
	if names, err = byReference(ctx, engine, db, names); err != nil {
		return nil, err
	}
	var out []Table
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
func describeTable(ctx context.Context, engine sqldb.Engine, db Queryer, name string) (Table, error) {
	t := Table{Name: name}
	var err error
	// Generated columns are not stored.
	if t.Columns, err = Texts(ctx, db, map[sqldb.Engine]string{
		sqldb.SQLite: "SELECT name FROM pragma_table_xinfo($1) WHERE hidden = 0 ORDER BY cid",
		sqldb.Postgres: `SELECT attname FROM pg_attribute WHERE attrelid = to_regclass(quote_ident($1)) AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
			ORDER BY attnum`,
	}[engine], name); err != nil {
		return t, err
	}
	keys, err := Texts(ctx, db, map[sqldb.Engine]string{
		sqldb.SQLite: `SELECT p.name FROM pragma_table_xinfo($1) p JOIN sqlite_master m ON m.type = 'table' AND m.name = $1
			WHERE p.pk = 1 AND m.sql LIKE '%AUTOINCREMENT%'`,
		sqldb.Postgres: "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass(quote_ident($1)) AND attidentity <> ''",
	}[engine], name)
	if len(keys) > 0 {
		t.Key = keys[0]
	}
	return t, err
}

// byReference orders tables so that each comes after those that it refers to.
func byReference(ctx context.Context, engine sqldb.Engine, db Queryer, names []string) ([]string, error) {
	refers := map[string][]string{}
	for _, name := range names {
		to, err := Texts(ctx, db, map[sqldb.Engine]string{
			sqldb.SQLite: `SELECT DISTINCT "table" FROM pragma_foreign_key_list($1)`,
			sqldb.Postgres: `SELECT DISTINCT f.relname FROM pg_constraint k JOIN pg_class f ON f.oid = k.confrelid
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
			return nil, errors.New("tables refer to each other in a cycle")
		}
	}
	return out, nil
}

// LastNumber returns the highest number that the key of a table was given, 0 for none.
func LastNumber(ctx context.Context, engine sqldb.Engine, db Queryer, t Table) (int64, error) {
	if t.Key == "" {
		return 0, nil
	}
	query, args := "SELECT seq FROM sqlite_sequence WHERE name = $1", []any{t.Name}
	if engine == sqldb.Postgres {
		sequences, err := Texts(ctx, db, "SELECT pg_get_serial_sequence(quote_ident($1), $2)", t.Name, t.Key)
		if err != nil || len(sequences) == 0 {
			return 0, err
		}
		query, args = "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM "+sequences[0], nil
	}
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return 0, err
	}
	var last int64
	return last, sqldb.Walk(rows, func(rows *sql.Rows) error { return rows.Scan(&last) })
}

// SetLastNumber sets the number that a table assigned last.
func SetLastNumber(ctx context.Context, engine sqldb.Engine, db sqldb.Querier, t Table, last int64) error {
	if engine == sqldb.Postgres {
		rows, err := db.QueryContext(ctx, "SELECT setval(pg_get_serial_sequence(quote_ident($1), $2), $3)", t.Name, t.Key, last)
		if err != nil {
			return err
		}
		return sqldb.Walk(rows, func(*sql.Rows) error { return nil })
	}
	result, err := db.ExecContext(ctx, "UPDATE sqlite_sequence SET seq = $2 WHERE name = $1", t.Name, last)
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n > 0 {
		return err
	}
	_, err = db.ExecContext(ctx, "INSERT INTO sqlite_sequence (name, seq) VALUES ($1, $2)", t.Name, last)
	return err
}

// Quoted returns names as SQL writes them.
func Quoted(names ...string) string {
	return `"` + strings.Join(names, `", "`) + `"`
}

// Texts returns the only column of a query.
func Texts(ctx context.Context, db Queryer, query string, args ...any) ([]string, error) {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("the tables of the store: %w", err)
	}
	var out []string
	return out, sqldb.Walk(rows, func(rows *sql.Rows) error {
		var text string
		err := rows.Scan(&text)
		out = append(out, text)
		return err
	})
}
