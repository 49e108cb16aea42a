package store

import (
	"context"
	"io"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tidings-press/tidings/internal/store/sqldb"
)

func TestTransactionIsRetriedUpToTheLimit(t *testing.T) {
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
		"never":                {0, nil, 1, true},
		"once":                 {1, deadlock, 2, true},
		"connection lost once": {1, io.EOF, 2, true},
		"always":               {1 << 20, deadlock, sqldb.MaxAttempts, false},
		"constraint":           {1, &pgconn.PgError{Code: "23505"}, 1, false},
	} {
		runs := 0
		err := s.write(t.Context(), func(*conn) error {
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
	err = s.write(ctx, func(*conn) error { runs++; cancel(); return deadlock })
	if runs != 1 || err == nil {
		t.Errorf("after its context ended: %d runs, %v", runs, err)
	}
}
