package delivery_test

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/internal/testkit/sink"
)

// command runs the real binary on a store and returns what it prints.
func (b *env) command(dsn string, args ...string) string {
	b.t.Helper()
	file := filepath.Join(b.t.TempDir(), "config.yaml")
	text := fmt.Sprintf(crashConfig, dsn, neverWhileTesting, b.server.Port(), connections, "resend", crashLease)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		b.t.Fatal(err)
	}
	cmd := exec.Command(binary(b.t), append([]string{"--config", file}, args...)...)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		b.t.Fatalf("tidings %s: %v\n%s", strings.Join(args, " "), err, errs.Bytes())
	}
	return string(out)
}

// quarantine is what "tidings quarantine show --json" prints.
type quarantine struct {
	Quarantined bool   `json:"quarantined"`
	Reason      string `json:"reason"`
	Journal     bool   `json:"journal"`
	Editions    []struct {
		Edition  string `json:"edition"`
		Decision string `json:"decision"`
		Left     int64  `json:"left"`
	} `json:"editions"`
}

func (b *env) showQuarantine(dsn string) (q quarantine) {
	b.t.Helper()
	if err := json.Unmarshal([]byte(b.command(dsn, "quarantine", "show", "--json")), &q); err != nil {
		b.t.Fatal(err)
	}
	return q
}

// TestStoreRestoredByLitestreamMailsNothingTwice kills the replication and then the node in the middle
// of a send, so that the copy is behind, and restores it in new places.
func TestStoreRestoredByLitestreamMailsNothingTwice(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	const recipients = 900
	bucket := s3mem.New()
	if err := bucket.CreateBucket("replica"); err != nil {
		t.Fatal(err)
	}
	s3 := httptest.NewServer(gofakes3.New(bucket).Server())
	defer s3.Close()
	b := setup(t, store.SQLite, sink.Options{Delay: 20 * time.Millisecond})
	database := strings.TrimPrefix(b.dsn, "sqlite:")
	replication := testkit.StartLitestream(t, database, s3.URL, "replica")
	b.importSubscribers(recipients)
	b.addArticle("ferries")
	b.newDeliveryEngine()
	var edition struct {
		Edition string `json:"edition"`
	}
	if err := json.Unmarshal([]byte(b.command(b.dsn, "digest", "send", "weekly", "--yes", "--detach", "--json")), &edition); err != nil {
		t.Fatal(err)
	}
	node := b.spawn(true)
	mails := func(n int) {
		b.eventually(fmt.Sprintf("%d mails", n), func() bool { return len(b.server.Mails()) >= n })
	}
	b.eventually("a copy of the edition", func() bool {
		copied := filepath.Join(t.TempDir(), "copy.db")
		return replication.Restore(copied) && numberIn(t, "sqlite:"+copied, sentMails) > 0
	})
	replication.Kill()
	known := len(b.server.Mails())
	mails(known + 100)
	node.stop()
	doubt := int(b.server.Open())
	node.kill()
	before := len(b.server.Mails())

	b.heldWithoutJournal(replication, before)
	b.continuedWithJournal(replication, edition.Edition, database)
	got := b.server.Received()
	copies := len(b.server.Mails()) - len(got)
	if len(got) != recipients || copies > doubt {
		t.Errorf("%d of %d addresses have the mail, and %d mails arrived twice, want at most the %d in doubt", len(got), recipients, copies, doubt)
	}
}

const (
	sentMails     = "SELECT count(*) FROM deliveries WHERE state = 'sent'"
	sentEditions  = "SELECT count(*) FROM editions WHERE state = 'sent'"
	pausedEdition = "SELECT count(*) FROM editions WHERE state = 'paused'"
)

// numberIn returns the number that a query finds in a copy of a store.
func numberIn(t *testing.T, dsn, query string) (n int) {
	t.Helper()
	db, err := sql.Open("sqlite", strings.TrimPrefix(dsn, "sqlite:"))
	if err == nil {
		err = errors.Join(db.QueryRowContext(t.Context(), query).Scan(&n), db.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// heldWithoutJournal restores the copy to a machine that has no journal.
func (b *env) heldWithoutJournal(replication *testkit.Litestream, mails int) {
	b.t.Helper()
	place := filepath.Join(b.t.TempDir(), "tidings.db")
	replication.Restore(place)
	dsn := "sqlite:" + place
	q := b.showQuarantine(dsn)
	if !q.Quarantined || q.Reason != string(store.NoJournal) || q.Journal {
		b.t.Errorf("without the journal: %+v", q)
	}
	b.command(dsn, "quarantine", "release", "--yes")
	probed := fmt.Sprintf("SELECT count(*) FROM probes WHERE at >= %d", time.Now().UnixMilli())
	node := b.spawnFor(dsn)
	if numberIn(b.t, dsn, pausedEdition) != 1 {
		b.t.Error("without the journal the edition is not held")
	}
	b.eventually("the node's probe", func() bool { return numberIn(b.t, dsn, probed) > 0 })
	node.kill()
	if got := len(b.server.Mails()); got != mails {
		b.t.Errorf("%d mails were sent without the journal", got-mails)
	}
}

// continuedWithJournal restores the copy beside the journal, and continues the edition.
func (b *env) continuedWithJournal(replication *testkit.Litestream, edition, database string) {
	b.t.Helper()
	place := filepath.Join(b.t.TempDir(), "tidings.db")
	replication.Restore(place)
	journal := strings.TrimSuffix(database, filepath.Ext(database)) + ".journal"
	if err := os.CopyFS(filepath.Join(filepath.Dir(place), "tidings.journal"), os.DirFS(journal)); err != nil {
		b.t.Fatal(err)
	}
	dsn := "sqlite:" + place
	q := b.showQuarantine(dsn)
	if !q.Quarantined || q.Reason != string(store.OlderStore) || !q.Journal || len(q.Editions) != 1 || q.Editions[0].Edition != edition {
		b.t.Fatalf("with the journal: %+v", q)
	}
	b.command(dsn, "quarantine", "decide", edition, "continue")
	b.command(dsn, "quarantine", "release", "--yes")
	b.spawnFor(dsn)
	b.eventually("the rest of the mails", func() bool { return numberIn(b.t, dsn, sentEditions) == 1 })
}

// spawnFor runs a node on a restored store.
func (b *env) spawnFor(dsn string) *node {
	b.t.Helper()
	restored := *b
	restored.dsn = dsn
	return restored.spawn(true)
}
