package store_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

func TestHalfSentEditionContinuesInTheMovedStore(t *testing.T) {
	t.Parallel()
	for _, from := range storetest.Engines {
		for _, to := range storetest.Engines {
			t.Run(string(from)+" to "+string(to), func(t *testing.T) {
				t.Parallel()
				old, fresh := storetest.DSN(t, from), emptyDSN(t, to)
				s, err := store.Open(t.Context(), old, store.Options{})
				if err != nil {
					t.Fatal(err)
				}
				addSubscribers(t, s, "weekly", 4)
				putWithMedium(t, s, "bridge", medium(1, 1000))
				approveEdition(t, s, "e1", "a1")
				chunk := claim(t, s, "n1", time.Minute)
				due := dueSubscribers(t, s, chunk, false)
				recordOutcome(t, s, chunk, due[0], store.Outcome{State: digest.DeliverySent, Code: 250})
				releaseChunk(t, s, chunk, false)

				var open *store.OpenError
				if _, err := store.Move(t.Context(), old, fresh, store.Options{}); !errors.As(err, &open) || !strings.Contains(err.Error(), "stop every tidings process") {
					t.Fatalf("while a process uses the store: %v", err)
				}
				if q, err := s.Quarantine(t.Context()); q != nil || err != nil {
					t.Errorf("a refused move leaves the mark %+v, %v", q, err)
				}
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
				ctx, _ := store.WithAudit(t.Context(), store.AuditEntry{Who: store.AuditCommandLine, Action: "store.move"})
				moved, err := store.Move(ctx, old, fresh, store.Options{})
				if err != nil || moved.Rows == 0 {
					t.Fatalf("%+v, %v", moved, err)
				}
				var refused *store.MovedError
				if _, err := store.Open(t.Context(), old, store.Options{}); !errors.As(err, &refused) {
					t.Errorf("the former store can be opened: %v", err)
				}
				s = storetest.Reopen(t, fresh, store.Options{})
				if q, err := s.Quarantine(t.Context()); q != nil || err != nil {
					t.Errorf("the new store is quarantined: %+v, %v", q, err)
				}
				if log, err := s.AuditLog(t.Context(), store.AuditFilter{Limit: 9}); err != nil || len(log) != 1 || log[0].Action != "store.move" {
					t.Errorf("audit log of the new store: %+v, %v", log, err)
				}
				if left := dueSubscribers(t, s, claim(t, s, "n2", time.Minute), false); !slices.Equal(left, due[1:]) {
					t.Errorf("left to send: %v, want %v", left, due[1:])
				}
				if _, err := store.Move(t.Context(), old, fresh, store.Options{}); err == nil || !strings.Contains(err.Error(), "it is not empty") {
					t.Errorf("into a store with content: %v", err)
				}
				ctx, _ = store.WithAudit(t.Context(), store.AuditEntry{Who: store.AuditCommandLine, Action: "store.move-undo"})
				if err := store.UndoMove(ctx, old, store.Options{}); err != nil {
					t.Fatal(err)
				}
				s = storetest.Reopen(t, old, store.Options{})
				if log, err := s.AuditLog(t.Context(), store.AuditFilter{Limit: 9}); err != nil || len(log) != 1 || log[0].Action != "store.move-undo" {
					t.Errorf("audit log of the former store: %+v, %v", log, err)
				}
			})
		}
	}
}

func TestMoveOfAMissingFileCreatesNone(t *testing.T) {
	t.Parallel()
	missing := filepath.Join(t.TempDir(), "missing.db")
	for name, err := range map[string]error{
		"move": second(store.Move(t.Context(), "sqlite:"+missing, emptyDSN(t, store.SQLite), store.Options{})),
		"undo": store.UndoMove(t.Context(), "sqlite:"+missing, store.Options{}),
	} {
		if err == nil || !strings.Contains(err.Error(), missing+": there is no such file") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := os.Stat(missing); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the file was created: %v", err)
	}
}

func second[T any](_ T, err error) error { return err }

func TestOpenStoreSendsNothingOnceMoved(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		addSubscribers(t, s, "weekly", 2)
		approveEdition(t, s, "e1", "a1")
		if _, err := s.DB().ExecContext(t.Context(), `INSERT INTO quarantine (id, reason, taken, since, journal, unsubscribed, suppressed, erased, feeds)
			VALUES (1, 'moved', 1, 1, 0, 0, 0, 0, 0)`); err != nil {
			t.Fatal(err)
		}
		wantNoChunk(t, s, "after the move")
		var moved *store.MovedError
		if _, err := s.ReleaseQuarantine(t.Context(), store.Release{}); !errors.As(err, &moved) {
			t.Errorf("the release of a moved store: %v", err)
		}
	})
}
