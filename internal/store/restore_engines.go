package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// sqliteParameters bounds the parameters of a statement; longer ones were not faster.
const sqliteParameters = 4000

// loadSQLite inserts the rows of a table, many with each statement.
func (l *loader) loadSQLite(ctx context.Context, t table) error {
	atOnce := max(1, sqliteParameters/len(t.columns))
	whole, err := l.conn.PrepareContext(ctx, insertRows(t, atOnce))
	if err != nil {
		return err
	}
	defer whole.Close()
	args := make([]any, 0, atOnce*len(t.columns))
	var row []any
	for {
		if row, err = l.from.Row(row); err != nil {
			return err
		}
		if row == nil {
			break
		}
		if args = append(args, row...); len(args) == cap(args) {
			if _, err := whole.ExecContext(ctx, args...); err != nil {
				return err
			}
			args = args[:0]
		}
	}
	if len(args) == 0 {
		return nil
	}
	_, err = l.conn.ExecContext(ctx, insertRows(t, len(args)/len(t.columns)), args...)
	return err
}

func insertRows(t table, n int) string {
	row := "(?" + strings.Repeat(",?", len(t.columns)-1) + ")"
	return "INSERT INTO " + quoted(t.name) + " (" + quoted(t.columns...) + ") VALUES " + row + strings.Repeat(","+row, n-1)
}

// loadPostgres copies the rows of a table.
func (l *loader) loadPostgres(ctx context.Context, t table) error {
	return l.conn.Raw(func(driver any) error {
		conn, ok := driver.(*stdlib.Conn)
		if !ok {
			return fmt.Errorf("a connection of the type %T cannot copy", driver)
		}
		_, err := conn.Conn().CopyFrom(ctx, pgx.Identifier{t.name}, t.columns, &rowSource{loader: l})
		return err
	})
}

// rowSource hands the rows of a table to COPY.
type rowSource struct {
	*loader
	row []any
	err error
}

// Next reads the next row.
func (r *rowSource) Next() bool {
	r.row, r.err = r.from.Row(r.row)
	return r.err == nil && r.row != nil
}

// Values is the row.
func (r *rowSource) Values() ([]any, error) { return r.row, nil }

// Err is why there is no next row, nil at the end.
func (r *rowSource) Err() error { return r.err }

var _ querier = (*sql.Conn)(nil)
