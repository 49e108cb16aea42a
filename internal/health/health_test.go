package health_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tidings-press/tidings/internal/app"
	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/health"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/internal/testkit/sink"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

const settings = `
site: {title: The Press, url: "http://%[1]s"}
store: {dsn: %[2]q}
digests: [{name: weekly, schedule: "0 8 1 1 *", sender: The Press <news@press.example>}]
relays:
%[3]s
health: {disk_free: %[4]s}
metrics: {token: a-token-of-a-test}
`

// node is a running service with an owner.
type node struct {
	*app.Service
	t     *testing.T
	url   string
	inbox *testkit.Inbox
}

const ownersAddress = "owner@press.example"

// start runs a service until the test ends. more is configuration of relays before the inbox.
func start(t *testing.T, dsn, diskFree, more string) *node {
	t.Helper()
	n := &node{t: t, inbox: testkit.StartInbox(t, testkit.InboxOptions{})}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	n.url = "http://" + listener.Addr().String()
	relays := more + fmt.Sprintf("- {name: inbox, host: 127.0.0.1, port: %d, tls: none}", n.inbox.Port())
	c, err := config.Parse(fmt.Appendf(nil, settings, listener.Addr(), dsn, relays, diskFree), filepath.Join(t.TempDir(), "config.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if n.Service, err = app.Open(t.Context(), c, slog.New(slog.NewTextHandler(t.Output(), nil))); err != nil {
		t.Fatal(err)
	}
	storetest.Editor(t, n.Store, store.Editor{Email: ownersAddress, Role: "owner"})
	ctx, stop := context.WithCancel(context.Background())
	done, ready := make(chan error, 1), make(chan struct{})
	go func() {
		done <- (&app.Node{Service: n.Service, HTTP: listener, Ready: func() { close(ready) }}).Run(ctx)
	}()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("the service ended with %v", err)
		}
		_ = n.Close() // the store may be damaged
	})
	select {
	case <-ready:
	case err := <-done:
		done <- err
		t.Fatalf("the service did not start: %v", err)
	}
	n.until("it is ready", func(code int, r health.Report) bool { return code == http.StatusOK && r.Ready })
	return n
}

// ask requests /readyz.
func (n *node) ask() (code int, report health.Report, body string) {
	n.t.Helper()
	answer, err := http.Get(n.url + "/readyz")
	if err != nil {
		n.t.Fatal(err)
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(answer.Body)
	if err == nil {
		err = json.Unmarshal(data, &report)
	}
	if err != nil {
		n.t.Fatalf("%v in %s", err, data)
	}
	return answer.StatusCode, report, string(data)
}

// scrape reads the metrics.
func (n *node) scrape() string {
	n.t.Helper()
	request, err := http.NewRequestWithContext(n.t.Context(), http.MethodGet, n.url+"/metrics", nil)
	if err != nil {
		n.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer a-token-of-a-test")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		n.t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		n.t.Fatal(err)
	}
	return string(body)
}

// until waits for an answer of /readyz.
func (n *node) until(what string, holds func(code int, r health.Report) bool) {
	n.t.Helper()
	var body string
	eventually(n.t, "/readyz to report that "+what, func() bool {
		code, report, text := n.ask()
		body = text
		return holds(code, report)
	}, func() string { return body })
}

// notReady waits until /readyz reports a fault, without the path of the store.
func (n *node) notReady(kind store.FaultKind) {
	n.t.Helper()
	n.until(string(kind), func(code int, r health.Report) bool {
		return code == http.StatusServiceUnavailable && !r.Ready && slices.Contains(r.Reasons, string(kind))
	})
	if _, _, body := n.ask(); n.Store.Folder() != "" && strings.Contains(body, n.Store.Folder()) {
		n.t.Errorf("the answer names the folder of the store: %s", body)
	}
	if answer, err := http.Get(n.url + "/healthz"); err != nil || answer.StatusCode != http.StatusOK {
		n.t.Errorf("/healthz does not answer that the process is alive: %v, %v", answer, err)
	}
}

// wantAlert waits for a mail to the owner that contains the words.
func (n *node) wantAlert(words string) {
	n.t.Helper()
	eventually(n.t, "a mail to the owner: "+words, func() bool { return n.mails(words) > 0 }, func() string { return fmt.Sprint(n.inbox.Received()) })
}

// mails counts the mails to the owner that contain the words.
func (n *node) mails(words string) (count int) {
	for _, m := range n.inbox.Mails() {
		if slices.Contains(m.To, ownersAddress) && strings.Contains(string(m.Data), words) {
			count++
		}
	}
	return count
}

// eventually waits until a condition holds, and logs the last answer if it does not.
func eventually(t *testing.T, what string, holds func() bool, last func() string) {
	t.Helper()
	defer func() {
		if t.Failed() {
			t.Logf("the last was %s", last())
		}
	}()
	testkit.Eventually(t, what, holds)
}

// sqlite returns the DSN of a new file in a folder.
func sqlite(folder string) string { return "sqlite:" + filepath.Join(folder, "tidings.db") }

func TestRunningNodeIsReadyOnBothEngines(t *testing.T) {
	t.Parallel()
	for _, engine := range storetest.Engines {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			n := start(t, storetest.DSN(t, engine), "0B", "")
			code, report, body := n.ask()
			if code != http.StatusOK || len(report.Reasons) != 0 || report.Checked.IsZero() || !strings.Contains(body, `"tick_seconds": 0`) {
				t.Errorf("%d: %s", code, body)
			}
		})
	}
}

// tinyDisk mounts a disk of 24 MB, or skips the test where that is not permitted.
func tinyDisk(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	if err := unix.Mount("tmpfs", folder, "tmpfs", 0, "size=24m"); err != nil {
		t.Skipf("no disk can be mounted here: %v", err)
	}
	t.Cleanup(func() { _ = unix.Unmount(folder, unix.MNT_DETACH) })
	return folder
}

// fill writes to a disk until the given number of bytes is left.
func fill(t *testing.T, folder string, left int64) {
	t.Helper()
	file, err := os.Create(filepath.Join(folder, "filler"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	block := make([]byte, 64<<10)
	for {
		var s unix.Statfs_t
		if err := unix.Statfs(folder, &s); err != nil {
			t.Fatal(err)
		}
		if free := int64(s.Bavail) * s.Bsize; free <= left {
			return
		} else if int64(len(block)) > free-left {
			block = block[:free-left]
		}
		if _, err := file.Write(block); errors.Is(err, unix.ENOSPC) {
			return
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

func TestFullDiskIsNotReadyAndAlertsOwner(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	disk := tinyDisk(t)
	n := start(t, sqlite(disk), "12MB", "")
	fill(t, disk, 8<<20)
	n.until("the disk is nearly full", func(code int, r health.Report) bool {
		return code == http.StatusOK && slices.Contains(r.Warnings, "the disk of the store is nearly full")
	})
	n.wantAlert("the disk of the store is nearly full")
	fill(t, disk, 0)
	n.notReady(store.FaultFull)
	n.wantAlert(string(store.FaultFull)) // although the mail can no longer be stored
	if err := os.Remove(filepath.Join(disk, "filler")); err != nil {
		t.Fatal(err)
	}
	n.until("it is ready again", func(code int, r health.Report) bool { return code == http.StatusOK })
	for _, words := range []string{"the disk of the store is nearly full", string(store.FaultFull)} {
		if got := n.mails("Subject: The Press: " + words); got != 1 {
			t.Errorf("the owner was alerted %d times that %s", got, words)
		}
	}
}

func TestDeletedDatabaseIsNotReadyAndAlertsOwner(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	folder := t.TempDir()
	n := start(t, sqlite(folder), "0B", "")
	if err := os.Remove(filepath.Join(folder, "tidings.db")); err != nil {
		t.Fatal(err)
	}
	n.notReady(store.FaultReplaced)
	n.wantAlert(string(store.FaultReplaced))
}

func TestReplacedDatabaseIsNotReady(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	folder := t.TempDir()
	n := start(t, sqlite(folder), "0B", "")
	other := filepath.Join(folder, "other.db")
	if err := storetest.Reopen(t, "sqlite:"+other, store.Options{}).Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(other, filepath.Join(folder, "tidings.db")); err != nil {
		t.Fatal(err)
	}
	n.notReady(store.FaultReplaced)
}

func TestOverwrittenPagesAreNotReadyAndAlertOwner(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	folder := t.TempDir()
	n := start(t, sqlite(folder), "0B", "")
	file := filepath.Join(folder, "tidings.db")
	if _, err := n.Store.DB().ExecContext(t.Context(), "PRAGMA wal_checkpoint(TRUNCATE)"); err != nil {
		t.Fatal(err)
	}
	// In another process: closing the file in this one would release SQLite's locks on it.
	command := exec.Command("dd", "if=/dev/urandom", "of="+file, "bs=4096", "seek=3", "count=40", "conv=notrunc")
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	n.notReady(store.FaultDamaged)
	n.wantAlert(string(store.FaultDamaged))
}

func TestStoppedPostgresIsNotReady(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	server := testkit.StartPostgres(t, testkit.PostgresOptions{})
	n := start(t, server.Database(t), "0B", "")
	if err := server.Stop(); err != nil {
		t.Fatal(err)
	}
	n.notReady(store.FaultUnreachable)
	if body := n.scrape(); !strings.Contains(body, "\ntidings_store_up 0\n") || !strings.Contains(body, "\ntidings_ready 0\n") || strings.Contains(body, "tidings_editions{") {
		t.Errorf("the metrics do not show that the store is down: %s", body)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	n.until("it is ready again", func(code int, r health.Report) bool { return code == http.StatusOK })
}

func TestStoppedRelayIsAWarningAndAlertsOwner(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	wire := testkit.StartSMTPServer(t, sink.Options{Users: map[string]string{"press": "right"}})
	n := start(t, sqlite(t.TempDir()), "0B", fmt.Sprintf("- {name: main, host: 127.0.0.1, port: %d, tls: none, username: press, password: wrong}\n", wire.Port()))
	link, err := n.PasswordLink(t.Context(), ownersAddress)
	if err != nil {
		t.Fatal(err)
	}
	// This mail fails at the first relay and is sent over the other one.
	answer, err := http.PostForm(link, map[string][]string{"password": {"four random words here"}})
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	n.until("a relay is paused", func(code int, r health.Report) bool {
		return code == http.StatusOK && slices.Contains(r.Warnings, "a relay is paused")
	})
	n.wantAlert("a relay is paused")
}

func TestFailedEditionAlertsOwner(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	n := start(t, sqlite(t.TempDir()), "0B", "")
	for i, state := range []digest.State{digest.Failed, digest.Paused} {
		e := store.Edition{Edition: digest.Edition{ID: fmt.Sprintf("e%d", i), Digest: "weekly", Subject: "The Week", ScheduledFor: fmt.Sprintf("2026-01-0%dT08:00", i+1), State: digest.Draft, Created: n.Store.Now()}}
		if _, err := n.Store.CreateDraft(t.Context(), e, nil); err != nil {
			t.Fatal(err)
		}
		if state == digest.Paused {
			if _, err := n.Store.DB().ExecContext(t.Context(), "UPDATE editions SET state = 'sending' WHERE id = $1", e.ID); err != nil {
				t.Fatal(err)
			}
		}
		if err := n.Store.SetEditionState(t.Context(), e.ID, state, "the template is broken"); err != nil {
			t.Fatal(err)
		}
		n.wantAlert("an edition of weekly is " + string(state))
	}
}

func TestEngineThatDoesNotRunIsNotReady(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, store.SQLite, store.Options{})
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
	now := s.Now()
	if _, err := s.EnsureDigest(t.Context(), store.DigestState{Name: "weekly", Spec: "x", Since: now, Next: now.Add(-time.Hour), NextKey: "k"}); err != nil {
		t.Fatal(err)
	}
	m := health.New(health.Options{Store: s, Engine: engine, Node: "node", Digests: []string{"weekly"}, Log: log})
	r := m.Check(t.Context())
	if r.Ready || !slices.Contains(r.Reasons, "the engine does not run") || !slices.Contains(r.Reasons, "a digest is overdue") || r.Lag.Tick < 3600 {
		t.Errorf("%+v", r)
	}
}

func TestQuarantinedNodeIsReadyWithWarning(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	n := start(t, sqlite(t.TempDir()), "0B", "")
	for _, statement := range []string{
		"INSERT INTO quarantine (id, reason, taken, since, journal, unsubscribed, suppressed, erased) VALUES (1, 'restored', 1, 1, 0, 0, 0, 0)",
		"UPDATE digests SET next_run = 1000", // long overdue, but not sent in quarantine
	} {
		if _, err := n.Store.DB().ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	n.until("it is quarantined", func(code int, r health.Report) bool {
		return code == http.StatusOK && slices.Contains(r.Warnings, "nothing is sent until an owner releases the store") && r.Lag.Tick > 0
	})
}
