package sqldb

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
)

// TestOnlyTransactionsWithoutEffectAreRetried: a transaction is run again only if it cannot have
// been committed. One whose connection broke during the commit may have taken effect, and would be
// applied twice.
func TestOnlyTransactionsWithoutEffectAreRetried(t *testing.T) {
	t.Parallel()
	refused := func(code string) error { return fmt.Errorf("delivery.results: %w", &pgconn.PgError{Code: code}) }
	cut := &net.OpError{Op: "read", Err: errors.New("connection reset by peer")}
	for name, test := range map[string]struct {
		err   error
		query bool // retried when a query failed with it
		end   bool // retried when the commit failed with it
	}{
		"serialization failure": {refused("40001"), true, true}, // the server reports that it rolled back
		"deadlock":              {refused("40P01"), true, true},
		"shut down":             {refused("57P01"), true, false},
		"crashed":               {refused("57P02"), true, false},
		"starting":              {refused("57P03"), true, false},
		"became a standby":      {refused("25006"), true, false},
		"connection failure":    {refused("08006"), true, false},
		"reset":                 {cut, true, false},
		"end of file":           {io.EOF, true, false},
		"cut short":             {io.ErrUnexpectedEOF, true, false},
		"bad connection":        {driver.ErrBadConn, true, false},
		"unique":                {refused("23505"), false, false},
		"NUL in a text":         {refused("22P05"), false, false},
		"disk full":             {refused("53100"), false, false},
		"cancelled":             {context.Canceled, false, false},
		"anything else":         {errors.New("no such table"), false, false},
	} {
		if got := retryable(test.err); got != test.query {
			t.Errorf("%s of a query: retryable is %v, want %v", name, got, test.query)
		}
		if got := retryable(commitError{fmt.Errorf("commit: %w", test.err)}); got != test.end {
			t.Errorf("%s of the commit: retryable is %v, want %v", name, got, test.end)
		}
	}
}
