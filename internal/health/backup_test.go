package health_test

import (
	"slices"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/health"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

func TestFailedBackupIsReportedToOwners(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	n := start(t, storetest.DSN(t, store.SQLite), "1B", "")
	tick := n.Store.Now()
	if claimed, err := n.Store.ClaimBackup(t.Context(), tick, "node", time.Minute); !claimed || err != nil {
		t.Fatal(claimed, err)
	}
	failed := store.ScheduledBackup{Tick: tick, Error: "the folder /backups is full"}
	if err := n.Store.FinishBackup(t.Context(), "node", failed, 0); err != nil {
		t.Fatal(err)
	}
	const finding = "the last backup failed"
	n.until(finding, func(_ int, r health.Report) bool { return r.Ready && slices.Contains(r.Warnings, finding) })
	n.wantAlert("the folder /backups is full")
}
