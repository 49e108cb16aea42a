package health_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/app"
	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/health"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

// monitor returns a monitor of a store whose engine does not run.
func monitor(t *testing.T, s *store.Store) *health.Monitor {
	t.Helper()
	c := config.Default()
	set, err := app.CheckTemplates(c)
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	engine, err := (&app.Service{Config: c, Store: s, Templates: set, Log: log}).Engine(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return health.New(health.Options{Store: s, Engine: engine, Node: "node", Stuck: time.Minute, Log: log})
}

func TestWrongClockIsNotReady(t *testing.T) {
	t.Parallel()
	for _, engine := range storetest.Engines {
		for offset, want := range map[time.Duration]string{
			-time.Hour: "the clock is 1h0m0s behind the clock of the database", time.Hour: "the clock is 1h0m0s ahead of the clock of the database", 0: "",
		} {
			t.Run(string(engine)+" "+offset.String(), func(t *testing.T) {
				t.Parallel()
				s := storetest.Open(t, engine, store.Options{Clock: func() time.Time { return time.Now().Add(offset) }})
				r := monitor(t, s).Check(t.Context())
				named := slices.ContainsFunc(r.Reasons, func(reason string) bool { return strings.HasPrefix(reason, "the clock is ") })
				// A slow machine may need a second between the two readings.
				if named != (want != "") || want != "" && !slices.ContainsFunc(r.Reasons, func(reason string) bool { return strings.HasSuffix(reason, want[len("the clock is 1h0m0s"):]) }) {
					t.Errorf("reasons %q, want %q", r.Reasons, want)
				}
			})
		}
	}
}

func TestStuckJobIsNotReady(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	n := start(t, sqlite(t.TempDir()), "0B, stuck_after: 100ms", "")
	if _, err := n.Store.Enqueue(t.Context(), store.Job{Kind: "of no worker", Key: "1"}); err != nil {
		t.Fatal(err)
	}
	n.until("a job is stuck", func(code int, r health.Report) bool {
		return code == http.StatusServiceUnavailable && slices.Contains(r.Reasons, "jobs such as confirmations wait, and no node does them") && r.Lag.Job > 0
	})
	if _, err := n.Store.DB().ExecContext(t.Context(), "DELETE FROM jobs"); err != nil {
		t.Fatal(err)
	}
	n.until("it is ready again", func(code int, r health.Report) bool { return code == http.StatusOK })
}

func TestStuckEditionIsNotReadyUntilNodeClaimsIt(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	const stuck = "an edition waits, and no node sends it"
	s := storetest.Open(t, store.SQLite, store.Options{})
	m := monitor(t, s)
	draft := store.Edition{Edition: digest.Edition{ID: "e", Digest: "weekly", Subject: "The Week", ScheduledFor: "2026-01-01T08:00", State: digest.Draft, Created: s.Now()}}
	made, err := s.CreateDraft(t.Context(), draft, nil)
	if err != nil {
		t.Fatal(err)
	}
	for statement, args := range map[string][]any{
		"UPDATE editions SET state = 'sending', approved = $1 WHERE seq = $2": {s.Now().Add(-time.Hour).UnixMilli(), made.Seq},
		"INSERT INTO chunks (edition, number, first_id, last_id, state, holder, lease_until, not_before, epoch, total, sent, refused, skipped, deferred, uncertain) VALUES ($1, 1, 1, 9, 'waiting', '', 0, 0, 0, 9, 0, 0, 0, 0, 0)": {made.Seq},
	} {
		if _, err := s.DB().ExecContext(t.Context(), statement, args...); err != nil {
			t.Fatal(err)
		}
	}
	if r := m.Check(t.Context()); !slices.Contains(r.Reasons, stuck) {
		t.Errorf("reasons %q", r.Reasons)
	}
	// Another chunk is claimed: some node is sending.
	if _, err := s.DB().ExecContext(t.Context(), "INSERT INTO chunks (edition, number, first_id, last_id, state, holder, lease_until, not_before, epoch, total, sent, refused, skipped, deferred, uncertain) SELECT edition, 2, 10, 20, 'leased', 'node', $1, 0, 1, 9, 0, 0, 0, 0, 0 FROM chunks", s.Now().Add(time.Hour).UnixMilli()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the edition to count as being sent", func() bool { return !slices.Contains(m.Check(t.Context()).Reasons, stuck) }, func() string { return stuck })
}

func TestStoreMigratedByAnotherVersionIsNotReady(t *testing.T) {
	t.Parallel()
	for _, engine := range storetest.Engines {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			s := storetest.Open(t, engine, store.Options{})
			if _, err := s.DB().ExecContext(t.Context(), "INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, $1)", true); err != nil {
				t.Fatal(err)
			}
			if r := monitor(t, s).Check(t.Context()); !slices.Contains(r.Reasons, "another version of the program has migrated the store") {
				t.Errorf("reasons %q", r.Reasons)
			}
			// A read that fails is no word about the version.
			ended, cancel := context.WithCancel(t.Context())
			cancel()
			if err := s.CheckSchema(ended); err == nil || errors.Is(err, store.ErrSchemaChanged) {
				t.Errorf("a read that was cancelled says %v", err)
			}
		})
	}
}
