package testkit_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/tidings-press/tidings/internal/testkit"
)

func TestKilledPostgresStartsAgainWhileAQueryRan(t *testing.T) {
	t.Parallel()
	testkit.Slow(t)
	server := testkit.StartPostgres(t, testkit.PostgresOptions{})
	conn, err := pgx.Connect(t.Context(), server.Database(t))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	begun := make(chan error, 1)
	go func() { // computes for days, and does not notice that its parent has ended
		_, err := conn.Exec(t.Context(), "CREATE TABLE begun (); SELECT count(*) FROM generate_series(1, 1000000) a, generate_series(1, 1000000) b")
		begun <- err
	}()
	watcher, err := pgx.Connect(t.Context(), server.Database(t))
	if err != nil {
		t.Fatal(err)
	}
	defer watcher.Close(context.Background())
	testkit.Eventually(t, "the query", func() bool {
		n := 0
		err := watcher.QueryRow(t.Context(), "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'CREATE TABLE begun%'").Scan(&n)
		return err == nil && n == 1
	})
	if err := server.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	if err := <-begun; err == nil {
		t.Error("the query ended well")
	}
}
