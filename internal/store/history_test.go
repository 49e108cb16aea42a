package store_test

import (
	"errors"
	"net/url"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

// recovery takes a PostgreSQL database back to an earlier state while a node runs, as a
// point-in-time recovery does: all connections end, and new ones see the old state.
type recovery struct {
	t     *testing.T
	admin *pgx.Conn
	name  string
}

func newRecovery(t *testing.T, dsn string) *recovery {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	r := &recovery{t: t, name: u.Path[1:]}
	u.Path = "/postgres"
	if r.admin, err = pgx.Connect(t.Context(), u.String()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.admin.Close(t.Context()) })
	return r
}

func (r *recovery) run(statements ...string) {
	r.t.Helper()
	for _, statement := range statements {
		if _, err := r.admin.Exec(r.t.Context(), statement); err != nil {
			r.t.Fatalf("%s: %v", statement, err)
		}
	}
}

// save copies the current state. Connections are refused meanwhile, so that the store's own pool
// does not reconnect.
func (r *recovery) save() {
	r.t.Helper()
	r.run("ALTER DATABASE "+r.name+" ALLOW_CONNECTIONS false",
		"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '"+r.name+"'",
		"CREATE DATABASE "+r.name+"_saved TEMPLATE "+r.name, "ALTER DATABASE "+r.name+" ALLOW_CONNECTIONS true")
}

// recover restores the saved state.
func (r *recovery) recover() {
	r.t.Helper()
	r.run("DROP DATABASE "+r.name+" WITH (FORCE)", "ALTER DATABASE "+r.name+"_saved RENAME TO "+r.name)
}

func TestIntentIsRefusedAfterDatabaseRecovery(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	dsn := storetest.DSN(t, store.Postgres)
	s := storetest.Reopen(t, dsn, store.Options{Journal: filepath.Join(t.TempDir(), "journal")})
	addSubscribers(t, s, "weekly", 3)
	approveEdition(t, s, "e1", "a1")
	c := claim(t, s, "n1", time.Hour)
	people, err := s.Recipients(t.Context(), c, false)
	if err != nil || len(people) != 3 {
		t.Fatalf("%d recipients, %v", len(people), err)
	}
	database := newRecovery(t, dsn)
	database.save()
	r := s.NewRecorder()
	defer r.Close()
	intent := func(i int) *store.Intent {
		return &store.Intent{Chunk: c, Subscriber: people[i].Subscriber, Nonce: int64(i) + 7}
	}
	if granted, err := r.Record(t.Context(), store.RecorderEntry{Intent: intent(0)}); err != nil || !granted {
		t.Fatalf("before the recovery: granted %v, %v", granted, err)
	}
	database.recover()
	for attempt := range 3 { // the copy still has our lease, so only its age can refuse the mail
		if granted, _ := r.Record(t.Context(), store.RecorderEntry{Intent: intent(1)}); granted {
			t.Fatalf("attempt %d: the older copy granted a mail", attempt)
		}
	}
	q, err := s.Quarantine(t.Context())
	if err != nil || q == nil || q.Reason != store.OlderStore {
		t.Fatalf("quarantine %+v, %v", q, err)
	}
	if c, err := s.ClaimChunk(t.Context(), "n1", time.Hour); c != nil || err != nil {
		t.Errorf("a chunk was claimed: %+v, %v", c, err)
	}
	e, err := s.Edition(t.Context(), "e1")
	if err != nil {
		t.Fatal(err)
	}
	if d, err := storetest.Delivery(t, s, e, people[0].Subscriber); err != nil || d.State != digest.DeliverySent {
		t.Errorf("the mail that was sent is %s, %v", d.State, err)
	}
}

func TestRecoveryUnderARunningNodeIsNoticedByTheProbe(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	dsn := storetest.DSN(t, store.Postgres)
	folders := [2]string{filepath.Join(t.TempDir(), "a"), filepath.Join(t.TempDir(), "b")}
	first := storetest.Reopen(t, dsn, store.Options{Journal: folders[0]})
	second := storetest.Reopen(t, dsn, store.Options{Journal: folders[1]})
	sub := addSubscriber(t, first, "left@example.org", subscriber.Active)
	if err := first.Subscribe(t.Context(), sub.ID, "weekly", nil); err != nil {
		t.Fatal(err)
	}
	database := newRecovery(t, dsn)
	database.save()
	if err := first.UnsubscribeAll(t.Context(), sub.ID); err != nil {
		t.Fatal(err)
	}
	before, err := second.Generation(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	database.recover()
	eventually(t, func() error { return errors.Join(first.Probe(t.Context(), "a"), second.Probe(t.Context(), "b")) })
	for name, s := range map[string]*store.Store{"the node whose journal is ahead": first, "the other node": second} {
		if q, err := s.Quarantine(t.Context()); err != nil || q == nil || q.Unsubscribed != 1 {
			t.Errorf("%s: quarantine %+v, %v", name, q, err)
		}
		if now, err := s.Generation(t.Context()); err != nil || string(now) == string(before) {
			t.Errorf("%s still uses the former generation, %v", name, err)
		}
	}
	if sub, err := first.Subscriber(t.Context(), sub.ID); err != nil || sub.State != subscriber.Unsubscribed {
		t.Errorf("the subscriber is %s, %v", sub.State, err)
	}
	// The journals continue, and their records are not taken for a second recovery.
	for address, s := range map[string]*store.Store{"one@example.org": first, "two@example.org": second} {
		other := addSubscriber(t, s, address, subscriber.Active)
		if err := errors.Join(s.SetState(t.Context(), other.ID, subscriber.Unsubscribed, ""), s.JournalProblem(), s.Probe(t.Context(), "a")); err != nil {
			t.Error(err)
		}
	}
	if q, err := first.Quarantine(t.Context()); err != nil || q == nil || q.Unsubscribed != 1 {
		t.Errorf("after more changes: %+v, %v", q, err)
	}
}

func TestProbeDoesNotQuarantineAStoreThatOnlyReconnected(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	dsn := storetest.DSN(t, store.Postgres)
	s := storetest.Reopen(t, dsn, store.Options{Journal: filepath.Join(t.TempDir(), "journal")})
	sub := addSubscriber(t, s, "left@example.org", subscriber.Active)
	if err := s.SetState(t.Context(), sub.ID, subscriber.Unsubscribed, ""); err != nil {
		t.Fatal(err)
	}
	database := newRecovery(t, dsn)
	database.save() // ends all connections
	eventually(t, func() error { return s.Probe(t.Context(), "a") })
	if q, err := s.Quarantine(t.Context()); q != nil || err != nil {
		t.Errorf("quarantine %+v, %v", q, err)
	}
}

func TestQuarantineVoidsSessionsAndLinks(t *testing.T) {
	t.Parallel()
	for _, engine := range storetest.Engines {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			dsn := emptyDSN(t, engine)
			s := storetest.Reopen(t, dsn, store.Options{})
			editor := addOwner(t, s, "ada@example.org")
			session, err := s.CreateSession(t.Context(), editor, "", time.Hour)
			if err != nil {
				t.Fatal(err)
			}
			invitation := createLink(t, s, store.Link{Purpose: store.InviteLink, Role: "owner", Email: "eve@example.org", Maker: editor.ID}, time.Hour)
			reset := createLink(t, s, store.Link{Purpose: store.ResetLink, Editor: editor.ID}, time.Hour)
			generation, err := s.Generation(t.Context())
			if err := errors.Join(err, s.Close()); err != nil {
				t.Fatal(err)
			}
			file, _ := backUp(t, dsn)
			to := emptyDSN(t, engine)
			if _, err := store.Restore(t.Context(), to, file, store.RestoreOptions{}); err != nil {
				t.Fatal(err)
			}
			restored := storetest.Reopen(t, to, store.Options{})
			mustEnd(t, restored, session)
			mustBeVoid(t, restored, "an invitation of the backup", invitation)
			mustBeVoid(t, restored, "a reset of the backup", reset)
			if fresh, err := restored.Generation(t.Context()); err != nil || string(fresh) == string(generation) {
				t.Errorf("the keys of short-lived links are those of the backup, %v", err)
			}
			for _, table := range []string{"sessions", "links", "attempts"} {
				var n int
				if err := restored.DB().QueryRowContext(t.Context(), "SELECT count(*) FROM "+table).Scan(&n); err != nil || n != 0 {
					t.Errorf("%s has %d rows, %v", table, n, err)
				}
			}
		})
	}
}
