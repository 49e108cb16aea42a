package sqldb

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	sqlite3 "modernc.org/sqlite/lib"
)

// MaxAttempts bounds how often a transaction is run.
const MaxAttempts = 10

// Contended reports whether a transaction failed only because of a conflict with
// another one. Nothing of it was committed, so it may be run again.
func Contended(err error) bool {
	var refused *pgconn.PgError
	if errors.As(err, &refused) {
		return refused.Code == "40001" || refused.Code == "40P01" // serialization failure, deadlock
	}
	switch SQLiteCode(err) & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return true
	}
	return false
}

// commitError marks an error of the commit itself. If the connection broke during the
// commit, it is unknown whether it took effect.
type commitError struct{ error }

func (e commitError) Unwrap() error { return e.error }

// retryable reports whether a failed transaction may be run again: it conflicted with
// another one, or its connection broke before the commit was sent, as all connections
// do when PostgreSQL is restarted or fails over.
func retryable(err error) bool {
	if Contended(err) {
		return true
	}
	var inCommit commitError
	return Broken(err) && !errors.As(err, &inCommit)
}

// Broken reports whether an error is about the connection, not about the query.
func Broken(err error) bool {
	var refused *pgconn.PgError
	if errors.As(err, &refused) {
		switch refused.Code {
		case "57P01", "57P02", "57P03", "25006": // shut down, crashed, starting, demoted to a standby
			return true
		}
		return strings.HasPrefix(refused.Code, "08")
	}
	var network *net.OpError
	return errors.Is(err, driver.ErrBadConn) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.As(err, &network) || pgconn.SafeToRetry(err)
}

// Duplicate reports whether a unique index refused a row.
func Duplicate(err error) bool {
	var refused *pgconn.PgError
	if errors.As(err, &refused) {
		return refused.Code == "23505"
	}
	code := SQLiteCode(err)
	return code == sqlite3.SQLITE_CONSTRAINT_UNIQUE || code == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY
}

// Pause waits a random time before the next attempt, longer after each one, so that
// two transactions that collided do not collide again.
func Pause(ctx context.Context, attempt int) error {
	longest := time.Millisecond << min(attempt, 8)
	timer := time.NewTimer(rand.N(longest) + time.Millisecond)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Retry runs a transaction, and runs it again while it had no effect. do must allow
// that. Every failure is reported to OnError.
func (c *Conn) Retry(ctx context.Context, do func() error) error {
	for attempt := 1; ; attempt++ {
		err := do()
		c.report(err)
		if err == nil || !retryable(err) || attempt == MaxAttempts || ctx.Err() != nil {
			return err
		}
		if Broken(err) {
			c.dropIdle()
		}
		if err := Pause(ctx, attempt); err != nil {
			return err
		}
	}
}
