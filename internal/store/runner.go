package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"

	"github.com/tidings-press/tidings/internal/journal"
)

// querier is what a pool and a transaction have in common.
type querier interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// runner runs named queries, on a pool or in a transaction. Statements are
// prepared once: by us for SQLite, by pgx itself for PostgreSQL.
type runner struct {
	engine   Engine
	texts    map[string]string
	db       *sql.DB
	tx       *sql.Tx // nil on a pool
	prepared *sync.Map
	note     func(error)       // of a read outside of transactions; nil for none
	journal  *keeper           // nil without one
	notes    *[]journal.Record // of a transaction, for the journal; nil without one
}

func newRunner(engine Engine, db *sql.DB) *runner {
	return &runner{engine: engine, texts: queryTexts(engine), db: db, prepared: new(sync.Map)}
}

func (r *runner) close() error {
	r.prepared.Range(func(_, stmt any) bool {
		_ = stmt.(*sql.Stmt).Close()
		return true
	})
	return r.db.Close()
}

// write runs a transaction that writes, and runs it again when nothing of it was
// done: fn must bear that. On SQLite it holds the one writer connection, so fn must
// not use the store outside of tx.
func (s *Store) write(ctx context.Context, fn func(tx *runner) error) error {
	return s.trying(ctx, s.writers, func() error { return s.writers.transaction(ctx, fn) })
}

// trying does what writes on a pool, and does it again while nothing of it was done.
func (s *Store) trying(ctx context.Context, on *runner, do func() error) error {
	for attempt := 1; ; attempt++ {
		err := do()
		s.noteFault(err)
		if err == nil || !again(err) || attempt == maxAttempts || ctx.Err() != nil {
			return err
		}
		if broken(err) {
			on.dropIdle()
		}
		if err := pause(ctx, attempt); err != nil {
			return err
		}
	}
}

func (r *runner) transaction(ctx context.Context, fn func(tx *runner) error) error {
	tx, err := r.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer tx.Rollback() //nolint:errcheck // after a commit it has nothing to do
	inner := *r
	inner.tx = tx
	if r.journal != nil {
		inner.notes = new([]journal.Record)
	}
	if err := fn(&inner); err != nil {
		return err
	}
	mark, err := inner.advanceJournal(ctx)
	if err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return commitError{fmt.Errorf("commit: %w", err)}
	}
	if inner.notes != nil && len(*inner.notes) > 0 {
		r.journal.append(mark, *inner.notes...)
	}
	return nil
}

// exec runs a named query and returns how many rows it touched.
func (r *runner) exec(ctx context.Context, name string, args ...any) (int64, error) {
	var result sql.Result
	args = tidy(args)
	stmt, err := r.statement(ctx, name)
	switch {
	case err != nil:
	case stmt != nil:
		result, err = stmt.ExecContext(ctx, args...)
	default:
		result, err = r.querier().ExecContext(ctx, r.texts[name], args...)
	}
	if err != nil {
		return 0, fmt.Errorf("%s: %w", name, err)
	}
	changed, err := result.RowsAffected()
	if err == nil {
		r.noteQuery(name, args, changed)
	}
	return changed, err
}

// rows runs a named query that returns rows; the caller closes them.
func (r *runner) rows(ctx context.Context, name string, args ...any) (*sql.Rows, error) {
	args = tidy(args)
	return r.ask(ctx, func() (*sql.Rows, error) { return r.rowsOnce(ctx, name, args...) })
}

// query runs SQL that was put together; the caller closes its rows.
func (r *runner) query(ctx context.Context, text string, args []any) (*sql.Rows, error) {
	return r.ask(ctx, func() (*sql.Rows, error) { return r.querier().QueryContext(ctx, text, args...) })
}

// ask asks a question, and once more when the connection of a read broke.
func (r *runner) ask(ctx context.Context, question func() (*sql.Rows, error)) (*sql.Rows, error) {
	rows, err := question()
	if err != nil && r.tx == nil && broken(err) && ctx.Err() == nil {
		r.dropIdle()
		return question()
	}
	return rows, err
}

// dropIdle closes the idle connections of a pool: when one turns out to be broken
// the others usually are, and each would cost another failure.
func (r *runner) dropIdle() {
	if r.engine == Postgres {
		r.db.SetMaxIdleConns(0)
		r.db.SetMaxIdleConns(r.db.Stats().MaxOpenConnections)
	}
}

func (r *runner) rowsOnce(ctx context.Context, name string, args ...any) (*sql.Rows, error) {
	stmt, err := r.statement(ctx, name)
	var rows *sql.Rows
	switch {
	case err != nil:
	case stmt != nil:
		rows, err = stmt.QueryContext(ctx, args...)
	default:
		rows, err = r.querier().QueryContext(ctx, r.texts[name], args...)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return rows, nil
}

// one scans the only row of a named query; found is false when there is none.
func (r *runner) one(ctx context.Context, name string, args []any, into ...any) (found bool, err error) {
	defer func() { r.noteRead(err) }()
	rows, err := r.rows(ctx, name, args...)
	if err != nil {
		return false, err
	}
	defer rows.Close()
	if !rows.Next() {
		return false, wrap(name, rows.Err())
	}
	if err := rows.Scan(into...); err != nil {
		return false, wrap(name, err)
	}
	return true, wrap(name, rows.Close())
}

// each calls fn for every row of a named query.
func (r *runner) each(ctx context.Context, name string, args []any, fn func(rows *sql.Rows) error) error {
	rows, err := r.rows(ctx, name, args...)
	if err == nil {
		err = wrap(name, walk(rows, fn))
	}
	r.noteRead(err)
	return err
}

// noteRead tells of an error of a read. A transaction tells of its own.
func (r *runner) noteRead(err error) {
	if err != nil && r.tx == nil && r.note != nil {
		r.note(err)
	}
}

// walk calls fn for every row and closes them.
func walk(rows *sql.Rows, fn func(rows *sql.Rows) error) error {
	defer rows.Close()
	for rows.Next() {
		if err := fn(rows); err != nil {
			return err
		}
	}
	return errors.Join(rows.Err(), rows.Close())
}

func (r *runner) querier() querier {
	if r.tx != nil {
		return r.tx
	}
	return r.db
}

// statement returns the prepared statement of a query, nil on PostgreSQL.
func (r *runner) statement(ctx context.Context, name string) (*sql.Stmt, error) {
	text, known := r.texts[name]
	if !known {
		return nil, errors.New("there is no query of this name")
	}
	if r.engine == Postgres {
		return nil, nil
	}
	stmt, found := r.prepared.Load(name)
	switch {
	case !found && r.tx != nil:
		return r.tx.PrepareContext(ctx, text)
	case !found:
		return r.prepare(ctx, name, text)
	case r.tx != nil:
		return r.tx.StmtContext(ctx, stmt.(*sql.Stmt)), nil
	}
	return stmt.(*sql.Stmt), nil
}

// prepareAll prepares every query on SQLite, before any transaction: to prepare
// on the pool inside of one could wait for a connection that never comes.
func (r *runner) prepareAll(ctx context.Context) error {
	if r.engine != SQLite {
		return nil
	}
	for name, text := range r.texts {
		if _, err := r.prepare(ctx, name, text); err != nil {
			return wrap(name, err)
		}
	}
	return nil
}

func (r *runner) prepare(ctx context.Context, name, text string) (*sql.Stmt, error) {
	made, err := r.db.PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	kept, found := r.prepared.LoadOrStore(name, made)
	if found {
		_ = made.Close()
	}
	return kept.(*sql.Stmt), nil
}

func wrap(name string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", name, err)
}

// numbers runs a named query that returns one column of numbers.
func (r *runner) numbers(ctx context.Context, name string, args ...any) ([]int64, error) {
	var out []int64
	err := r.each(ctx, name, args, func(rows *sql.Rows) error {
		var n int64
		err := rows.Scan(&n)
		out = append(out, n)
		return err
	})
	return out, err
}
