package delivery_test

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tidings-press/tidings/digest"
	"github.com/tidings-press/tidings/internal/sink"
	"github.com/tidings-press/tidings/store"
	"github.com/tidings-press/tidings/store/storetest"
)

// stalls checks that an engine stands still, rather than send what it cannot
// record: at most one more mail per connection.
func (b *bundle) stalls() {
	b.t.Helper()
	var before int
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); {
		before = len(b.wire.Mails())
		time.Sleep(300 * time.Millisecond)
		if len(b.wire.Mails()) == before {
			return
		}
	}
	b.t.Errorf("mails still go out: %d", before)
}

func TestAFullDiskStopsSendingAndLosesNothing(t *testing.T) {
	t.Parallel()
	b := setup(t, store.SQLite, sink.Options{Delay: time.Millisecond})
	b.shaky = true
	b.bulk(2000)
	b.article("ferries")
	b.start()
	e := b.send()
	b.until(e.ID, "under way", func(p progress) bool { return p.Counts.Sent > 100 })
	// The file may not grow any more: SQLite then says SQLITE_FULL, as on a full disk.
	b.pragma("PRAGMA max_page_count = 1")
	b.fill()
	b.stalls()
	if p := b.until(e.ID, "readable", func(progress) bool { return true }); p.Edition.State == digest.Sent {
		t.Fatal("the edition ended though nothing can be written")
	}
	b.pragma("PRAGMA max_page_count = 1000000000")
	if _, err := b.store.DB().Exec("DROP TRIGGER full"); err != nil {
		t.Fatal(err)
	}
	b.sent(e.ID)
	b.once(2000)
}

// pragma sets something on the one connection that writes.
func (b *bundle) pragma(text string) {
	b.t.Helper()
	var n int64
	if err := b.store.DB().QueryRow(text).Scan(&n); err != nil {
		b.t.Fatal(err)
	}
}

// fill uses up what is free within the file, and makes every write of a reply need more.
func (b *bundle) fill() {
	b.t.Helper()
	_, err := b.store.DB().Exec("CREATE TRIGGER full BEFORE UPDATE ON deliveries BEGIN INSERT INTO secrets (name, value) SELECT hex(randomblob(8)), zeroblob(100000); END")
	if err != nil && !strings.Contains(err.Error(), "full") {
		b.t.Fatal(err)
	}
}

func TestALockedStoreDelaysSendingAndLosesNothing(t *testing.T) {
	t.Parallel()
	b := setup(t, store.SQLite, sink.Options{Delay: time.Millisecond})
	b.store = storetest.Reopen(t, b.dsn, store.Options{Wait: 50 * time.Millisecond})
	b.options.Store, b.shaky = b.store, true
	b.bulk(2000)
	b.article("ferries")
	b.start()
	e := b.send()
	b.until(e.ID, "under way", func(p progress) bool { return p.Counts.Sent > 100 })
	other, err := sql.Open("sqlite", strings.TrimPrefix(b.dsn, "sqlite:"))
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	conn, err := other.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.ExecContext(t.Context(), "PRAGMA busy_timeout = 10000"); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.ExecContext(t.Context(), "BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	b.stalls()
	if _, err := conn.ExecContext(context.WithoutCancel(t.Context()), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	b.sent(e.ID)
	b.once(2000)
}

// TestAClockThatJumpsDoublesNothing puts the clock forward past every lease, and
// back, while mails are on the wire.
func TestAClockThatJumpsDoublesNothing(t *testing.T) {
	t.Parallel()
	var ahead atomic.Int64
	b := setup(t, store.SQLite, sink.Options{Delay: 2 * time.Millisecond})
	b.store = storetest.Reopen(t, b.dsn, store.Options{Clock: func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }})
	b.options.Store = b.store
	b.bulk(1500)
	b.article("ferries")
	b.start()
	e := b.send()
	for i, jump := range []time.Duration{time.Hour, -2 * time.Hour, 24 * time.Hour, -30 * time.Hour, 0} {
		least := int64(100 + 200*i)
		b.until(e.ID, fmt.Sprintf("beyond %d", least), func(p progress) bool { return p.Counts.Sent > least || p.Edition.State == digest.Sent })
		ahead.Store(int64(jump))
	}
	if p := b.sent(e.ID); p.Counts != (store.Counts{Total: 1500, Sent: 1500}) {
		t.Errorf("counts %+v", p.Counts)
	}
	b.once(1500)
}

func TestAnEditionWithoutReadersIsSentAtOnce(t *testing.T) {
	t.Parallel()
	each(t, sink.Options{}, nil, func(b *bundle) {
		b.article("ferries")
		b.make()
		if e := b.send(); e.State != digest.Sent {
			b.t.Errorf("it is %s", e.State)
		}
	})
}

func TestACancelledEditionWhoseMailsNeverBeganGivesItsArticlesBack(t *testing.T) {
	t.Parallel()
	each(t, sink.Options{Faults: []sink.Fault{{At: sink.AtBanner, Reply: "421 4.3.2 not now"}}}, nil, func(b *bundle) {
		b.readers(20)
		b.article("ferries")
		b.start()
		e := b.send()
		b.until(e.ID, "taken up", func(p progress) bool { return p.Edition.State == digest.Sending && len(p.Holds) > 0 })
		if err := b.engine.Cancel(b.t.Context(), e.ID, "by ann"); err != nil {
			b.t.Fatal(err)
		}
		b.until(e.ID, "skipped", func(p progress) bool { return p.Counts.Skipped == 20 })
		if again := b.send(); len(again.Articles) != 1 {
			b.t.Errorf("the next edition has %d articles", len(again.Articles))
		}
	})
}
