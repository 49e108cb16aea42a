package store

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/tidings-press/tidings/internal/store/schema"
)

// sqliteParameters bounds the parameters of a statement. More per statement were not
// faster.
const sqliteParameters = 4000

// loadSQLite inserts the rows of a table, many per statement.
func (l *loader) loadSQLite(ctx context.Context, t schema.Table) error {
	atOnce := max(1, sqliteParameters/len(t.Columns))
	insert, err := l.conn.PrepareContext(ctx, insertRows(t, atOnce))
	if err != nil {
		return err
	}
	defer insert.Close()
	args := make([]any, 0, atOnce*len(t.Columns))
	var row []any
	for {
		if row, err = l.from.Row(row); err != nil {
			return err
		}
		if row == nil {
			break
		}
		if args = append(args, row...); len(args) == cap(args) {
			if _, err := insert.ExecContext(ctx, args...); err != nil {
				return err
			}
			args = args[:0]
		}
	}
	if len(args) == 0 {
		return nil
	}
	_, err = l.conn.ExecContext(ctx, insertRows(t, len(args)/len(t.Columns)), args...)
	return err
}

// insertRows returns the INSERT of n rows into a table.
func insertRows(t schema.Table, n int) string {
	row := "(?" + strings.Repeat(",?", len(t.Columns)-1) + ")"
	return "INSERT INTO " + schema.Quoted(t.Name) + " (" + schema.Quoted(t.Columns...) + ") VALUES " + row + strings.Repeat(","+row, n-1)
}

// loadPostgres inserts the rows of a table with COPY.
func (l *loader) loadPostgres(ctx context.Context, t schema.Table) error {
	return l.conn.Raw(func(driver any) error {
		conn, ok := driver.(*stdlib.Conn)
		if !ok {
			return fmt.Errorf("a connection of the type %T cannot copy", driver)
		}
		_, err := conn.Conn().CopyFrom(ctx, pgx.Identifier{t.Name}, t.Columns, &rowSource{loader: l})
		return err
	})
}

// rowSource is the pgx.CopyFromSource of a table's rows in the archive.
type rowSource struct {
	*loader
	row []any
	err error
}

// Next reads the next row and reports whether there is one.
func (r *rowSource) Next() bool {
	r.row, r.err = r.from.Row(r.row)
	return r.err == nil && r.row != nil
}

// Values returns the row that Next has read.
func (r *rowSource) Values() ([]any, error) { return r.row, nil }

// Err returns the error that ended the rows, nil at their regular end.
func (r *rowSource) Err() error { return r.err }
