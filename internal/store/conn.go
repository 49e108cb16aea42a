package store

import (
	"context"

	"github.com/tidings-press/tidings/internal/journal"
	"github.com/tidings-press/tidings/internal/store/sqldb"
)

// conn runs the store's queries, on a pool or in a transaction. A transaction collects its
// records for the journal.
type conn struct {
	*sqldb.Conn
	journal *journalWriter    // nil without one
	records *[]journal.Record // of a transaction; nil without a journal
	stride  int64             // subscribers that one statement handles on SQLite
}

// transaction runs fn in a transaction, and appends its records to the journal after the
// commit.
func (c *conn) transaction(ctx context.Context, fn func(tx *conn) error) error {
	var at journalPosition
	var records []journal.Record
	err := c.Conn.Transaction(ctx, func(inner *sqldb.Conn) (err error) {
		tx := &conn{Conn: inner, journal: c.journal, stride: c.stride}
		if records = nil; c.journal != nil {
			tx.records = &records
		}
		if err := fn(tx); err != nil {
			return err
		}
		at, err = tx.advanceJournal(ctx)
		return err
	})
	if err == nil && len(records) > 0 {
		c.journal.append(at, records...)
	}
	return err
}

// Exec runs a named query and returns how many rows it changed.
func (c *conn) Exec(ctx context.Context, name string, args ...any) (int64, error) {
	changed, err := c.Conn.Exec(ctx, name, args...)
	if err == nil {
		c.recordQuery(name, args, changed)
	}
	return changed, err
}
