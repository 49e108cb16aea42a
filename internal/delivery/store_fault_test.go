package delivery_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/internal/testkit/sink"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

// wantStalled checks that an engine stops rather than send mails that it cannot record: it may send
// at most one more mail per connection.
func (b *env) wantStalled() {
	b.t.Helper()
	var before int
	for deadline := time.Now().Add(testkit.Timeout); time.Now().Before(deadline); {
		before = len(b.server.Mails())
		time.Sleep(300 * time.Millisecond)
		if len(b.server.Mails()) == before {
			return
		}
	}
	b.t.Errorf("mails still go out: %d", before)
}

func TestFullDiskStopsSendingAndLosesNothing(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	each(t, sink.Options{Delay: 20 * time.Millisecond}, nil, func(b *env) {
		b.storeMayFail = true
		b.importSubscribers(600)
		b.addArticle("ferries")
		b.start()
		e := b.send()
		b.untilProgress(e.ID, "under way", func(p progress) bool { return p.Counts.Sent > 100 })
		restoreSpace := b.fullDisk()
		b.wantStalled()
		if p := b.untilProgress(e.ID, "readable", func(progress) bool { return true }); p.Edition.State == digest.Sent {
			b.t.Fatal("the edition ended although the store cannot be written to")
		}
		restoreSpace()
		b.sent(e.ID)
		b.wantOneMailEach(600)
	})
}

// fullDisk makes every write of an outcome fail as on a full disk, until restoreSpace is called.
func (b *env) fullDisk() (restoreSpace func()) {
	b.t.Helper()
	run := func(statement string) {
		if _, err := b.store.DB().ExecContext(context.WithoutCancel(b.t.Context()), statement); err != nil && !strings.Contains(err.Error(), "full") {
			b.t.Fatal(err)
		}
	}
	if b.store.Engine() == store.Postgres {
		// The error code that PostgreSQL uses for a full disk.
		run("CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$")
		run("CREATE TRIGGER full_disk BEFORE UPDATE ON deliveries FOR EACH ROW EXECUTE FUNCTION full_disk()")
		return func() { run("DROP TRIGGER full_disk ON deliveries") }
	}
	// The file may not grow any more: SQLite then reports SQLITE_FULL, as on a full disk. The free
	// pages within the file are used up, and every write of an outcome needs more.
	b.pragma("PRAGMA max_page_count = 1")
	run("CREATE TRIGGER full BEFORE UPDATE ON deliveries BEGIN INSERT INTO secrets (name, value) SELECT hex(randomblob(8)), zeroblob(100000); END")
	return func() {
		b.pragma("PRAGMA max_page_count = 1000000000")
		run("DROP TRIGGER full")
	}
}

// pragma runs a pragma on the one connection that writes.
func (b *env) pragma(text string) {
	b.t.Helper()
	var n int64
	if err := b.store.DB().QueryRow(text).Scan(&n); err != nil {
		b.t.Fatal(err)
	}
}

func TestLockedStoreDelaysSendingAndLosesNothing(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	for kind, lock := range map[store.Engine]string{store.SQLite: "BEGIN IMMEDIATE", store.Postgres: "BEGIN; LOCK TABLE deliveries IN ACCESS EXCLUSIVE MODE"} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			b := setup(t, kind, sink.Options{Delay: 20 * time.Millisecond})
			b.store = storetest.Reopen(t, b.dsn, store.Options{Wait: 50 * 20 * time.Millisecond})
			b.options.Store, b.storeMayFail = b.store, true
			b.importSubscribers(600)
			b.addArticle("ferries")
			b.start()
			e := b.send()
			b.untilProgress(e.ID, "under way", func(p progress) bool { return p.Counts.Sent > 100 })
			unlock := b.lock(lock)
			b.wantStalled()
			unlock()
			b.sent(e.ID)
			b.wantOneMailEach(600)
		})
	}
}

// lock locks the store from another process.
func (b *env) lock(statement string) (unlock func()) {
	b.t.Helper()
	driver, address := "pgx", b.dsn
	if path, ok := strings.CutPrefix(b.dsn, "sqlite:"); ok {
		driver, address = "sqlite", path+"?_pragma=busy_timeout(10000)"
	}
	other, err := sql.Open(driver, address)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = other.Close() })
	conn, err := other.Conn(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	if _, err := conn.ExecContext(b.t.Context(), statement); err != nil {
		b.t.Fatal(err)
	}
	return func() {
		b.t.Helper()
		_, err := conn.ExecContext(context.WithoutCancel(b.t.Context()), "ROLLBACK")
		if err := errors.Join(err, conn.Close()); err != nil {
			b.t.Fatal(err)
		}
	}
}

// TestClockJumpsRepeatNoMail moves the clock forward past every lease, and back, while mails are
// being sent.
func TestClockJumpsRepeatNoMail(t *testing.T) {
	t.Parallel()
	var ahead atomic.Int64
	b := setup(t, store.SQLite, sink.Options{Delay: 5 * time.Millisecond})
	b.store = storetest.Reopen(t, b.dsn, store.Options{Clock: func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }})
	b.options.Store = b.store
	b.importSubscribers(600)
	b.addArticle("ferries")
	b.start()
	e := b.send()
	for i, jump := range []time.Duration{time.Hour, -2 * time.Hour, 24 * time.Hour, -30 * time.Hour, 0} {
		least := int64(50 + 100*i)
		b.untilProgress(e.ID, fmt.Sprintf("beyond %d", least), func(p progress) bool { return p.Counts.Sent > least || p.Edition.State == digest.Sent })
		ahead.Store(int64(jump))
	}
	if p := b.sent(e.ID); p.Counts != (store.DeliveryCounts{Total: 600, Sent: 600}) {
		t.Errorf("counts %+v", p.Counts)
	}
	b.wantOneMailEach(600)
}

func TestEditionWithoutRecipientsIsSentAtOnce(t *testing.T) {
	t.Parallel()
	each(t, sink.Options{}, nil, func(b *env) {
		b.addArticle("ferries")
		b.newDeliveryEngine()
		if e := b.send(); e.State != digest.Sent {
			b.t.Errorf("the edition is %s", e.State)
		}
	})
}

func TestEditionCancelledBeforeFirstMailReturnsItsArticles(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	each(t, sink.Options{Faults: []sink.Fault{{At: sink.AtBanner, Reply: "421 4.3.2 not now"}}}, nil, func(b *env) {
		b.addSubscribers(20)
		b.addArticle("ferries")
		b.start()
		e := b.send()
		b.untilProgress(e.ID, "taken up", func(p progress) bool { return p.Edition.State == digest.Sending && len(p.Holds) > 0 })
		if err := b.engine.Cancel(b.t.Context(), e.ID, "by ann"); err != nil {
			b.t.Fatal(err)
		}
		b.untilProgress(e.ID, "skipped", func(p progress) bool { return p.Counts.Skipped == 20 })
		if again := b.send(); len(again.Articles) != 1 {
			b.t.Errorf("the next edition has %d articles", len(again.Articles))
		}
	})
}
