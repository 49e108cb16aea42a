package store_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

// simulation sends a digest every day, without SMTP.
type simulation struct {
	s         *store.Store
	now       time.Time
	variant   string
	retention int // days
}

// newSimulation adds subscribers to a digest of a new store whose clock it moves.
func newSimulation(t *testing.T, dsn string, subscribers, retention int) *simulation {
	t.Helper()
	sim := &simulation{now: time.Date(2026, 1, 1, 7, 0, 0, 0, time.UTC), retention: retention}
	sim.s = storetest.Reopen(t, dsn, store.Options{Durability: store.Normal, Clock: func() time.Time { return sim.now }})
	importAll(t, sim.s, subscribers)
	sim.variant = strings.Repeat("<p>A paragraph of the digest, with a link and some words.</p>\n", 500) // 30 KB
	return sim
}

// day sends an edition to all subscribers and runs the maintenance.
func (sim *simulation) day(t *testing.T, number int) {
	t.Helper()
	id := fmt.Sprintf("day-%03d", number)
	e := approvedOf(t, sim.s, "weekly", id, sim.variant)
	for _, statement := range []string{
		fmt.Sprintf(`UPDATE deliveries SET state = 'sent', tries = 1, attempt = 123456789, code = 250, reply = '2.0.0 Ok: queued as 4XyZ1234567890', relay = 'primary',
			first_try = %d, at = %[1]d WHERE edition = %d`, sim.now.UnixMilli(), e.Seq),
		fmt.Sprintf("UPDATE chunks SET state = 'done', sent = total WHERE edition = %d", e.Seq),
		fmt.Sprintf("UPDATE editions SET state = 'sent', started = %d, finished = %[1]d WHERE seq = %d", sim.now.UnixMilli(), e.Seq),
	} {
		if _, err := sim.s.DB().ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	sim.now = sim.now.Add(24 * time.Hour)
	if _, err := sim.s.Prune(t.Context(), store.Retention{Deliveries: sim.now.AddDate(0, 0, -sim.retention)}); err != nil {
		t.Fatal(err)
	}
	if _, err := sim.s.TruncateLog(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// approvedOf composes and approves an edition of one variant.
func approvedOf(t *testing.T, s *store.Store, name, id, html string) store.Edition {
	t.Helper()
	e := store.Edition{Edition: digest.Edition{ID: id, Digest: name, ScheduledFor: "manual:" + id, Articles: []string{"article-" + id}, Created: s.Now()}}
	e, err := s.CreateDraft(t.Context(), e, nil)
	if err != nil {
		t.Fatal(err)
	}
	groups, err := s.PreferenceGroups(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	f := addVariants(t, store.Frozen{Groups: groups, Choice: make([]int, len(groups)), ChunkSize: 500}, html)
	if e, err = s.Approve(t.Context(), e, f); err != nil {
		t.Fatal(err)
	}
	return e
}

func fileSize(t *testing.T, dsn string) int64 {
	t.Helper()
	info, err := os.Stat(strings.TrimPrefix(dsn, "sqlite:"))
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

func TestDailyDigestReachesASteadySize(t *testing.T) {
	if testkit.RaceDetector {
		t.Skip("a year of editions takes minutes with the race detector, so scripts/run-tests runs it without")
	}
	testkit.Slow(t)
	t.Parallel()
	days, subscribers, retention := 365, 1000, 90
	if testing.Short() {
		days, subscribers, retention = 40, 300, 10
	}
	dsn := storetest.DSN(t, store.SQLite)
	sim := newSimulation(t, dsn, subscribers, retention)
	var full int64
	for day := range days {
		sim.day(t, day)
		if day == retention {
			full = fileSize(t, dsn)
		}
	}
	var deliveries, articles int
	if err := sim.s.DB().QueryRowContext(t.Context(), "SELECT (SELECT count(*) FROM deliveries), (SELECT count(*) FROM ledger)").Scan(&deliveries, &articles); err != nil {
		t.Fatal(err)
	}
	if deliveries > (retention+2)*subscribers || articles != days {
		t.Errorf("%d deliveries and %d articles of the ledger are left", deliveries, articles)
	}
	size := fileSize(t, dsn)
	t.Logf("%d days of a daily digest to %d subscribers, deliveries kept for %d days: %.1f MB after the first %d days, %.1f MB at the end",
		days, subscribers, retention, float64(full)/1e6, retention, float64(size)/1e6)
	// Of each edition the store keeps its page and the list of its articles.
	if stays := int64(days-retention) * int64(len(sim.variant)+4096); size > (full+stays)*12/10 {
		t.Errorf("the file grew from %d to %d bytes, although the editions' pages take only %d", full, size, stays)
	}
}

func TestFreePagesAreReleased(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	dsn := storetest.DSN(t, store.SQLite)
	sim := newSimulation(t, dsn, 1000, 1000)
	for day := range 20 {
		sim.day(t, day)
	}
	before := fileSize(t, dsn)
	removed, err := sim.s.Prune(t.Context(), store.Retention{Deliveries: sim.now})
	if err != nil || removed.Deliveries != 20_000 || removed.Bytes == 0 {
		t.Fatalf("removed %+v, %v", removed, err)
	}
	if _, err := sim.s.TruncateLog(t.Context()); err != nil {
		t.Fatal(err)
	}
	if after := fileSize(t, dsn); after > before*6/10 || before-after < removed.Bytes*9/10 {
		t.Errorf("the file had %d bytes and has %d; %d were reported", before, after, removed.Bytes)
	}
	if again, err := sim.s.Prune(t.Context(), store.Retention{Deliveries: sim.now}); err != nil || again != (store.Removed{}) {
		t.Errorf("a second time it removed %+v, %v", again, err)
	}
}

func TestOneNodePrunesAtATime(t *testing.T) {
	t.Parallel()
	eachWithForward(t, func(t *testing.T, s *store.Store, forward func(time.Duration)) {
		editor := addOwner(t, s, "ada@example.org")
		if _, err := s.CreateSession(t.Context(), editor, "", time.Minute); err != nil {
			t.Fatal(err)
		}
		forward(time.Hour)
		until := s.Now().Add(time.Minute).UnixMilli()
		if _, err := s.DB().ExecContext(t.Context(), "INSERT INTO leases (name, holder, lease_until) VALUES ('retention', 'another node', $1)", until); err != nil {
			t.Fatal(err)
		}
		if removed, err := s.Prune(t.Context(), store.Retention{}); err != nil || removed != (store.Removed{}) {
			t.Errorf("while another node prunes it removed %+v, %v", removed, err)
		}
		forward(2 * time.Minute) // the other node has died
		if removed, err := s.Prune(t.Context(), store.Retention{}); err != nil || removed.Sessions != 1 {
			t.Errorf("after the lease expired it removed %+v, %v", removed, err)
		}
		var leases int
		if err := s.DB().QueryRowContext(t.Context(), "SELECT count(*) FROM leases").Scan(&leases); err != nil || leases != 0 {
			t.Errorf("%d leases are left, %v", leases, err)
		}
	})
}
