package store_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

// eventually retries fn until it succeeds, and logs its last error if it does not in time.
func eventually(t *testing.T, fn func() error) {
	t.Helper()
	var err error
	defer func() {
		if t.Failed() {
			t.Logf("the last error was: %v", err)
		}
	}()
	testkit.Eventually(t, "a call that succeeds", func() bool { err = fn(); return err == nil })
}

func TestStoreRecoversWhenPostgresRestartsOrIsKilled(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	server := testkit.StartPostgres(t, testkit.PostgresOptions{})
	s := storetest.Reopen(t, server.Database(t), store.Options{})
	concurrently(t, 8, func(ctx context.Context, i int) error { // so that the pool holds several connections
		_, err := s.PutArticle(ctx, newArticle(fmt.Sprintf("before%d", i)), nil, nil)
		return err
	})
	if err := server.Restart(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Articles(t.Context(), store.Query{}); err != nil {
		t.Errorf("the first list after a restart: %v", err)
	}
	if err := server.Restart(); err != nil {
		t.Fatal(err)
	}
	put(t, s, newArticle("restarted")) // at once: none of it was sent on the broken connections
	if err := server.Kill(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Revision(t.Context()); err == nil {
		t.Error("a killed server answered")
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error {
		_, err := s.PutArticle(t.Context(), newArticle("after"), nil, nil)
		return err
	})
	if all, err := s.Articles(t.Context(), store.Query{}); len(all) != 10 || err != nil {
		t.Errorf("%d articles, %v; want 10: a committed article was lost", len(all), err)
	}
}

func TestStoreFollowsAFailoverToAStandby(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	ctx := t.Context()
	primary := testkit.StartPostgres(t, testkit.PostgresOptions{})
	if err := primary.Exec(ctx, "CREATE DATABASE tidings"); err != nil {
		t.Fatal(err)
	}
	standby := primary.Standby(t, testkit.PostgresOptions{})
	if err := primary.Synchronous(ctx); err != nil {
		t.Fatal(err)
	}
	dsn := fmt.Sprintf("postgres://postgres@%s,%s/tidings?sslmode=disable&target_session_attrs=read-write&connect_timeout=2", primary.Address(), standby.Address())
	s := storetest.Reopen(t, dsn, store.Options{})
	for i := range 5 {
		put(t, s, newArticle(fmt.Sprint("p", i)))
	}
	if err := primary.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := standby.Promote(); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error {
		_, err := s.PutArticle(ctx, newArticle("after"), nil, nil)
		return err
	})
	if all, err := s.Articles(ctx, store.Query{}); len(all) != 6 || err != nil {
		t.Errorf("the standby has %d articles, %v; want all 6", len(all), err)
	}
}

func TestFrozenNodeLosesItsLocks(t *testing.T) {
	t.Parallel()
	dsn := storetest.DSN(t, store.Postgres)
	frozen := storetest.Reopen(t, dsn+"&idle_in_transaction_session_timeout=200", store.Options{})
	tx, err := frozen.DB().BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec("UPDATE revision SET value = value + 100"); err != nil {
		t.Fatal(err)
	}
	other := storetest.Reopen(t, dsn, store.Options{})
	put(t, other, newArticle("other")) // waits for the lock, which comes back
	if err := tx.Commit(); err == nil {
		t.Error("the frozen transaction was committed")
	}
	if revision, err := other.Revision(t.Context()); revision != 1 || err != nil {
		t.Errorf("revision %d, %v; want 1", revision, err)
	}
	var timeout string
	if err := other.DB().QueryRow("SHOW idle_in_transaction_session_timeout").Scan(&timeout); err != nil || timeout != "30s" {
		t.Errorf("the default timeout is %s, %v; want 30s", timeout, err)
	}
}

func TestWrongPasswordIsExplainedAndNotShown(t *testing.T) {
	t.Parallel()
	server := testkit.SharedPostgres(t)
	if err := server.RequirePassword("reader", "right"); err != nil {
		t.Fatal(err)
	}
	_, err := store.Open(t.Context(), "postgres://reader:hunter2@"+server.Address()+"/postgres?sslmode=disable", store.Options{})
	if err == nil || strings.Contains(err.Error(), "hunter2") || !strings.Contains(err.Error(), "password of a role") {
		t.Errorf("%v", err)
	}
}

func TestFullDiskFailsTheWriteAndNothingElse(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s := storetest.Open(t, store.SQLite, store.Options{})
	put(t, s, newArticle("before"))
	setPages := func(n int) {
		if _, err := s.DB().ExecContext(ctx, fmt.Sprintf("PRAGMA max_page_count = %d", n)); err != nil {
			t.Fatal(err)
		}
	}
	setPages(1) // SQLite raises this to the current size
	large := newArticle("large")
	large.HTML = strings.Repeat("x", 1<<20)
	if _, err := s.PutArticle(ctx, large, nil, nil); err == nil || !strings.Contains(err.Error(), "full") {
		t.Errorf("on a full disk: %v", err)
	}
	if all, err := s.Articles(ctx, store.Query{}); len(all) != 1 || err != nil {
		t.Errorf("%d articles can be read, %v; want the earlier one", len(all), err)
	}
	setPages(1 << 30)
	put(t, s, large)
}
