package store

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

// TestWhatIsRunAgain: a transaction is run anew only when nothing of it can have
// been committed. One that broke in its commit may be there, and run again it would
// count twice.
func TestWhatIsRunAgain(t *testing.T) {
	t.Parallel()
	said := func(code string) error { return fmt.Errorf("delivery.results: %w", &pgconn.PgError{Code: code}) }
	cut := &net.OpError{Op: "read", Err: errors.New("connection reset by peer")}
	for name, test := range map[string]struct {
		err   error
		query bool // run again when a query said so
		end   bool // and when the commit did
	}{
		"serialization failure": {said("40001"), true, true}, // the server itself says that it took all back
		"deadlock":              {said("40P01"), true, true},
		"shut down":             {said("57P01"), true, false},
		"crashed":               {said("57P02"), true, false},
		"starting":              {said("57P03"), true, false},
		"became a standby":      {said("25006"), true, false},
		"connection failure":    {said("08006"), true, false},
		"reset":                 {cut, true, false},
		"end of file":           {io.EOF, true, false},
		"cut short":             {io.ErrUnexpectedEOF, true, false},
		"bad connection":        {driver.ErrBadConn, true, false},
		"unique":                {said("23505"), false, false},
		"NUL in a text":         {said("22P05"), false, false},
		"disk full":             {said("53100"), false, false},
		"cancelled":             {context.Canceled, false, false},
		"anything else":         {errors.New("no such table"), false, false},
	} {
		if got := again(test.err); got != test.query {
			t.Errorf("%s of a query: again is %v, want %v", name, got, test.query)
		}
		if got := again(commitError{fmt.Errorf("commit: %w", test.err)}); got != test.end {
			t.Errorf("%s of the commit: again is %v, want %v", name, got, test.end)
		}
	}
}

func TestATransactionIsRunUntilItsTriesAreUsedUp(t *testing.T) {
	t.Parallel()
	s, err := Open(t.Context(), "sqlite:"+t.TempDir()+"/tidings.db", Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	deadlock := &pgconn.PgError{Code: "40P01"}
	for name, test := range map[string]struct {
		fails int
		with  error
		runs  int
		ok    bool
	}{
		"never":      {0, nil, 1, true},
		"once":       {1, deadlock, 2, true},
		"cut once":   {1, io.EOF, 2, true},
		"always":     {1 << 20, deadlock, maxAttempts, false},
		"for a rule": {1, &pgconn.PgError{Code: "23505"}, 1, false},
	} {
		runs := 0
		err := s.write(t.Context(), func(*runner) error {
			if runs++; runs <= test.fails {
				return test.with
			}
			return nil
		})
		if runs != test.runs || (err == nil) != test.ok {
			t.Errorf("%s: %d runs, %v", name, runs, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	runs := 0
	err = s.write(ctx, func(*runner) error { runs++; cancel(); return deadlock })
	if runs != 1 || err == nil {
		t.Errorf("after its context ended: %d runs, %v", runs, err)
	}
}
