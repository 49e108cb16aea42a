package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/tidings-press/tidings/internal/archive"
	"github.com/tidings-press/tidings/internal/store/schema"
	"github.com/tidings-press/tidings/internal/store/sqldb"
)

// load inserts the rows of an archive into an empty schema and compares them with the archive, in
// one transaction.
func (s *Store) load(ctx context.Context, from *archive.Reader) error {
	conn, err := s.DB().Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	l := &loader{store: s, conn: conn, from: from}
	if l.schema, err = schema.Tables(ctx, s.engine, conn); err != nil {
		return err
	}
	if _, err := conn.ExecContext(ctx, "BEGIN"); err != nil {
		return err
	}
	if err := l.run(ctx); err != nil {
		_, _ = conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
		return err
	}
	_, err = conn.ExecContext(ctx, "COMMIT")
	return err
}

// loader loads an archive over one connection.
type loader struct {
	store  *Store
	conn   *sql.Conn
	from   *archive.Reader
	schema []schema.Table
	loaded []loadedTable
}

// loadedTable is a table with the rows that the archive has of it.
type loadedTable struct {
	schema.Table
	archive.Tally
}

// run loads all tables of the archive.
func (l *loader) run(ctx context.Context) error {
	// Migrations insert rows into some tables. The rows of the archive replace them.
	for _, t := range slices.Backward(l.schema) {
		if _, err := l.conn.ExecContext(ctx, "DELETE FROM "+schema.Quoted(t.Name)); err != nil {
			return err
		}
	}
	for {
		next, err := l.from.Next()
		if errors.Is(err, io.EOF) && !errors.Is(err, archive.ErrFormat) {
			return l.finish(ctx)
		}
		if err != nil {
			return err
		}
		at := slices.IndexFunc(l.schema, func(t schema.Table) bool { return t.Name == next.Name })
		if at < 0 {
			return fmt.Errorf("%w: its table %s is not in the schema that it names", archive.ErrFormat, next.Name)
		}
		t := l.schema[at]
		for _, column := range next.Columns {
			if !slices.Contains(t.Columns, column) {
				return fmt.Errorf("%w: its table %s has a column %s that is not in the schema that it names", archive.ErrFormat, next.Name, column)
			}
		}
		t.Columns = next.Columns
		if err := l.table(ctx, t); err != nil {
			return sqldb.Wrap("table "+t.Name, err)
		}
	}
}

// table loads the rows of one table and sets the number of its next row.
func (l *loader) table(ctx context.Context, t schema.Table) error {
	load := l.loadSQLite
	if l.store.engine == Postgres {
		load = l.loadPostgres
	}
	if err := load(ctx, t); err != nil {
		return err
	}
	l.loaded = append(l.loaded, loadedTable{t, l.from.Tally()})
	if t.Key == "" || l.from.Last() == 0 {
		return nil
	}
	return schema.SetLastNumber(ctx, l.store.engine, l.conn, t, l.from.Last())
}

// finish fills SQLite's index of words, which is derived from a table and not in the archive. It
// also counts the labels of articles once more: where label_counts is loaded first, the triggers
// of article_labels have counted them a second time.
func (l *loader) finish(ctx context.Context) error {
	has := func(name string) bool {
		return slices.ContainsFunc(l.schema, func(t schema.Table) bool { return t.Name == name })
	}
	var statements []string
	if l.store.engine == SQLite && has("article_words") {
		statements = append(statements, "INSERT INTO article_index (rowid, words) SELECT seq, words FROM article_words")
	}
	if has("label_counts") {
		statements = append(statements, `UPDATE label_counts SET articles = (SELECT count(*) FROM article_labels l
			WHERE l.kind = label_counts.kind AND l.key = label_counts.key AND l.status = 'published')`)
	}
	for _, statement := range statements {
		if _, err := l.conn.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return l.compare(ctx)
}

// compare reads all tables back and compares their rows with those of the archive.
func (l *loader) compare(ctx context.Context) error {
	for _, want := range l.loaded {
		got, err := tallyTable(ctx, l.conn, want.Table)
		if err != nil {
			return sqldb.Wrap("table "+want.Name, err)
		}
		if got.Rows != want.Rows || got.Sum() != want.Sum() {
			return fmt.Errorf("table %s: its %d rows differ from the %d rows of the archive", want.Name, got.Rows, want.Rows)
		}
	}
	return nil
}

// tallyTable counts the rows of a table and computes their checksum.
func tallyTable(ctx context.Context, db schema.Queryer, t schema.Table) (archive.Tally, error) {
	var out archive.Tally
	return out, eachRow(ctx, db, t, out.Add)
}

// sqliteParameters bounds the parameters of a statement. More per statement were not
// faster.
const sqliteParameters = 4000

// sqliteBytes bounds the bytes of the values of a statement, and thereby the memory of a restore:
// a row of media may have 20 MB.
const sqliteBytes = 4 << 20

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
	size := 0
	for {
		if row, err = l.from.Row(row); err != nil {
			return err
		}
		if row == nil {
			break
		}
		args, size = append(args, row...), size+sizeOf(row)
		switch {
		case len(args) == cap(args):
			_, err = insert.ExecContext(ctx, args...)
		case size > sqliteBytes:
			err = l.insertSQLite(ctx, t, args)
		default:
			continue
		}
		if err != nil {
			return err
		}
		clear(args)
		args, size = args[:0], 0
	}
	return l.insertSQLite(ctx, t, args)
}

// insertSQLite inserts rows with a statement of their own.
func (l *loader) insertSQLite(ctx context.Context, t schema.Table, args []any) error {
	if len(args) == 0 {
		return nil
	}
	_, err := l.conn.ExecContext(ctx, insertRows(t, len(args)/len(t.Columns)), args...)
	return err
}

// sizeOf returns the bytes of the texts and binary values of a row.
func sizeOf(row []any) (n int) {
	for _, value := range row {
		switch v := value.(type) {
		case string:
			n += len(v)
		case []byte:
			n += len(v)
		}
	}
	return n
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
