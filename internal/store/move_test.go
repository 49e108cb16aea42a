package store_test

import (
	"errors"
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
				moved, err := store.Move(t.Context(), old, fresh, store.Options{})
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
				if left := dueSubscribers(t, s, claim(t, s, "n2", time.Minute), false); !slices.Equal(left, due[1:]) {
					t.Errorf("left to send: %v, want %v", left, due[1:])
				}
				if _, err := store.Move(t.Context(), old, fresh, store.Options{}); err == nil || !strings.Contains(err.Error(), "it is not empty") {
					t.Errorf("into a store with content: %v", err)
				}
				if err := store.UndoMove(t.Context(), old, store.Options{}); err != nil {
					t.Fatal(err)
				}
				storetest.Reopen(t, old, store.Options{})
			})
		}
	}
}

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
