package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/tidings-press/tidings/internal/metrics"
)

// Querier is what pools, connections and transactions have in common.
type Querier interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// Conn runs named queries, on a pool or in a transaction. A statement is prepared on its first
// use: here for SQLite, by pgx itself for PostgreSQL.
type Conn struct {
	Engine  Engine
	DB      *sql.DB
	OnError func(error) // receives each error of a read and of a transaction; may be nil

	texts    map[string]string
	prepared *sync.Map            // *sql.Stmt by the name of the query
	tx       *sql.Tx              // nil on a pool
	inTx     map[string]*sql.Stmt // those that this transaction prepared itself
}

func newConn(engine Engine, texts map[string]string, db *sql.DB) *Conn {
	return &Conn{Engine: engine, texts: texts, DB: db, prepared: new(sync.Map)}
}

func (c *Conn) close() error {
	c.prepared.Range(func(_, stmt any) bool {
		_ = stmt.(*sql.Stmt).Close()
		return true
	})
	return c.DB.Close()
}

// Transaction runs fn in a transaction and commits it when fn returns no error. On
// SQLite it holds the only writing connection, so fn must use nothing but tx.
func (c *Conn) Transaction(ctx context.Context, fn func(tx *Conn) error) error {
	tx, err := c.DB.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer tx.Rollback() //nolint:errcheck // after a commit it has nothing to do
	inner := *c
	inner.tx, inner.inTx = tx, map[string]*sql.Stmt{}
	if err := fn(&inner); err != nil {
		return err
	}
	defer metrics.StoreQuery("commit", time.Now())
	if err := tx.Commit(); err != nil {
		return commitError{fmt.Errorf("commit: %w", err)}
	}
	// A statement of a transaction ends with it, so the next transaction finds one of the pool.
	for name := range inner.inTx {
		_, _ = c.prepare(ctx, name, c.texts[name]) // if it fails, the next transaction prepares its own
	}
	return nil
}

// Exec runs a named query and returns how many rows it changed.
func (c *Conn) Exec(ctx context.Context, name string, args ...any) (int64, error) {
	defer metrics.StoreQuery(name, time.Now())
	var result sql.Result
	args = CleanArgs(args)
	stmt, err := c.Statement(ctx, name)
	switch {
	case err != nil:
	case stmt != nil:
		result, err = stmt.ExecContext(ctx, args...)
	default:
		result, err = c.querier().ExecContext(ctx, c.texts[name], args...)
	}
	if err != nil {
		return 0, fmt.Errorf("%s: %w", name, err)
	}
	return result.RowsAffected()
}

// ExecContext runs SQL that is composed in Go.
func (c *Conn) ExecContext(ctx context.Context, text string, args ...any) (sql.Result, error) {
	return c.querier().ExecContext(ctx, text, CleanArgs(args)...)
}

// QueryContext runs SQL that is composed in Go; the caller closes the rows.
func (c *Conn) QueryContext(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	args = CleanArgs(args)
	return c.read(ctx, func() (*sql.Rows, error) { return c.querier().QueryContext(ctx, text, args...) })
}

// PrepareContext prepares SQL that is composed in Go, within a transaction.
func (c *Conn) PrepareContext(ctx context.Context, text string) (*sql.Stmt, error) {
	if c.tx == nil {
		return nil, errors.New("statements other than named queries can be prepared only in a transaction")
	}
	return c.tx.PrepareContext(ctx, text)
}

// rows runs a named query; the caller closes the rows.
func (c *Conn) rows(ctx context.Context, name string, args ...any) (*sql.Rows, error) {
	args = CleanArgs(args)
	return c.read(ctx, func() (*sql.Rows, error) { return c.rowsOnce(ctx, name, args...) })
}

// read runs a query, and once more when the connection of a read outside of
// transactions broke.
func (c *Conn) read(ctx context.Context, query func() (*sql.Rows, error)) (*sql.Rows, error) {
	rows, err := query()
	if err != nil && c.tx == nil && Broken(err) && ctx.Err() == nil {
		c.dropIdle()
		return query()
	}
	return rows, err
}

// dropIdle closes the idle connections of a pool. When one is broken the others
// usually are too, and each would cost another failure.
func (c *Conn) dropIdle() {
	if c.Engine == Postgres {
		c.DB.SetMaxIdleConns(0)
		c.DB.SetMaxIdleConns(c.DB.Stats().MaxOpenConnections)
	}
}

func (c *Conn) rowsOnce(ctx context.Context, name string, args ...any) (*sql.Rows, error) {
	stmt, err := c.Statement(ctx, name)
	var rows *sql.Rows
	switch {
	case err != nil:
	case stmt != nil:
		rows, err = stmt.QueryContext(ctx, args...)
	default:
		rows, err = c.querier().QueryContext(ctx, c.texts[name], args...)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return rows, nil
}

// One scans the only row of a named query; found is false when there is none.
func (c *Conn) One(ctx context.Context, name string, args []any, into ...any) (found bool, err error) {
	defer metrics.StoreQuery(name, time.Now())
	defer func() { c.reportRead(err) }()
	rows, err := c.rows(ctx, name, args...)
	if err != nil {
		return false, err
	}
	defer rows.Close()
	if !rows.Next() {
		return false, Wrap(name, rows.Err())
	}
	if err := rows.Scan(into...); err != nil {
		return false, Wrap(name, err)
	}
	return true, Wrap(name, rows.Close())
}

// Each calls fn for every row of a named query.
func (c *Conn) Each(ctx context.Context, name string, args []any, fn func(rows *sql.Rows) error) error {
	defer metrics.StoreQuery(name, time.Now())
	rows, err := c.rows(ctx, name, args...)
	if err == nil {
		err = Wrap(name, Walk(rows, fn))
	}
	c.reportRead(err)
	return err
}

// reportRead reports an error of a read. Retry reports those of transactions.
func (c *Conn) reportRead(err error) {
	if c.tx == nil {
		c.report(err)
	}
}

func (c *Conn) report(err error) {
	if err != nil && c.OnError != nil {
		c.OnError(err)
	}
}

// Column returns the only column of a named query.
func Column[T any](ctx context.Context, c *Conn, name string, args ...any) ([]T, error) {
	var out []T
	err := c.Each(ctx, name, args, func(rows *sql.Rows) error {
		var value T
		err := rows.Scan(&value)
		out = append(out, value)
		return err
	})
	return out, err
}

// Walk calls fn for every row and closes the rows.
func Walk(rows *sql.Rows, fn func(rows *sql.Rows) error) error {
	defer rows.Close()
	for rows.Next() {
		if err := fn(rows); err != nil {
			return err
		}
	}
	return errors.Join(rows.Err(), rows.Close())
}

func (c *Conn) querier() Querier {
	if c.tx != nil {
		return c.tx
	}
	return c.DB
}

// Statement returns the prepared statement of a query, nil on PostgreSQL.
func (c *Conn) Statement(ctx context.Context, name string) (*sql.Stmt, error) {
	text, known := c.texts[name]
	if !known {
		return nil, errors.New("unknown query")
	}
	if c.Engine == Postgres {
		return nil, nil
	}
	stmt, found := c.prepared.Load(name)
	switch {
	case !found && c.tx != nil:
		return c.prepareInTx(ctx, name, text)
	case !found:
		return c.prepare(ctx, name, text)
	case c.tx != nil:
		return c.tx.StmtContext(ctx, stmt.(*sql.Stmt)), nil
	}
	return stmt.(*sql.Stmt), nil
}

// prepareInTx prepares a query on the connection of the transaction. To prepare on the pool would
// wait for that connection, because SQLite has only one that writes.
func (c *Conn) prepareInTx(ctx context.Context, name, text string) (*sql.Stmt, error) {
	if stmt := c.inTx[name]; stmt != nil {
		return stmt, nil
	}
	stmt, err := c.tx.PrepareContext(ctx, text)
	if err == nil {
		c.inTx[name] = stmt
	}
	return stmt, err
}

func (c *Conn) prepare(ctx context.Context, name, text string) (*sql.Stmt, error) {
	made, err := c.DB.PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	stmt, found := c.prepared.LoadOrStore(name, made)
	if found {
		_ = made.Close()
	}
	return stmt.(*sql.Stmt), nil
}

// Wrap adds what failed to an error; nil stays nil.
func Wrap(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}
