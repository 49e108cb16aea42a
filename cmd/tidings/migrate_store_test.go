package main

import (
	"testing"

	"github.com/tidings-press/tidings/internal/config"
)

func TestMoveNamesTheJournalThatLosesItsDefault(t *testing.T) {
	t.Parallel()
	const sqlite, postgres = "sqlite:/srv/news/tidings.db", "postgres://tidings@localhost/tidings"
	for _, move := range []struct{ from, journal, to, want string }{
		{sqlite, "", postgres, "store.dsn to it, and store.journal to /srv/news/tidings.journal"},
		{sqlite, "/mnt/journal", postgres, "store.dsn to it"},
		{sqlite, "none", postgres, "store.dsn to it"},
		{sqlite, "", "sqlite:other.db", "store.dsn to it"},
		{postgres, "", sqlite, "store.dsn to it"},
	} {
		if got := afterMove(config.Store{DSN: config.DSN(move.from), Journal: move.journal}, move.to); got != move.want {
			t.Errorf("%+v: %s", move, got)
		}
	}
}
