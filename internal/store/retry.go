package store

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

// maxAttempts bounds how often a transaction that lost against another is run anew.
const maxAttempts = 10

// lost says whether a transaction failed only because another one was in its
// way, so that running it again is right: nothing of it was committed.
func lost(err error) bool {
	var refused *pgconn.PgError
	if errors.As(err, &refused) {
		return refused.Code == "40001" || refused.Code == "40P01" // serialization failure, deadlock
	}
	switch sqliteCode(err) & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return true
	}
	return false
}

// commitError marks an error of the commit itself: when the connection broke in it,
// nobody knows whether it went through.
type commitError struct{ error }

func (e commitError) Unwrap() error { return e.error }

// again says whether a failed transaction may simply be run again: it lost against
// another one, or its connection broke before the commit was sent, as all do
// when PostgreSQL is restarted or another node of it takes over.
func again(err error) bool {
	if lost(err) {
		return true
	}
	var inCommit commitError
	return broken(err) && !errors.As(err, &inCommit)
}

// broken says whether an error is about the connection, not about the query.
func broken(err error) bool {
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

// conflict says whether a unique index refused a row.
func conflict(err error) bool {
	var refused *pgconn.PgError
	if errors.As(err, &refused) {
		return refused.Code == "23505"
	}
	code := sqliteCode(err)
	return code == sqlite3.SQLITE_CONSTRAINT_UNIQUE || code == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY
}

// pause waits a random while before the next attempt, longer each time, so that
// two which collided do not do so again.
func pause(ctx context.Context, attempt int) error {
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
