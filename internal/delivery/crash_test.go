package delivery_test

import (
	"bytes"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/mail"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/internal/testkit/sink"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

var kills = flag.Int("kills", 16, "how often a crash test kills a node, for each store and policy")

// Settings of the nodes in the crash tests. A lease ends soon after its node.
const (
	connections = 4
	crashLease  = time.Second
	crashConfig = `
site: {title: The Gazette, url: "https://gazette.example", language: en}
store: {dsn: %q}
digests:
  - name: weekly
    title: The week
    schedule: %q
    missed: each
    sender: The Gazette <editor@gazette.example>
relays:
  - {name: main, host: 127.0.0.1, port: %d, tls: none, connections_per_node: %d}
delivery: {uncertain: %s, chunk: 100, lease: %s}
log: {level: error}
`
)

// program is the real binary, built once. It is built without the race detector even when the tests
// have it: the code that runs in it has separate race tests.
var program struct {
	once sync.Once
	dir  string
	err  error
}

func TestMain(m *testing.M) {
	code := m.Run()
	if program.dir != "" {
		_ = os.RemoveAll(program.dir)
	}
	os.Exit(code)
}

// binary is the path of the real binary.
func binary(t *testing.T) string {
	t.Helper()
	program.once.Do(func() {
		if program.dir, program.err = os.MkdirTemp("", "tidings-crash-"); program.err != nil {
			return
		}
		build := exec.Command("go", "build", "-o", filepath.Join(program.dir, "tidings"), "../../cmd/tidings")
		if out, err := build.CombinedOutput(); err != nil {
			program.err = fmt.Errorf("go build: %w\n%s", err, out)
		}
	})
	if program.err != nil {
		t.Fatal(program.err)
	}
	return filepath.Join(program.dir, "tidings")
}

// node is a process that runs the real binary as a worker.
type node struct {
	t   *testing.T
	cmd *exec.Cmd
}

// neverWhileTesting is a schedule that does not fire while a test runs.
const neverWhileTesting = "0 8 1 1 *"

func (b *env) spawn(resend bool) *node { return b.spawnOn(neverWhileTesting, resend) }

// spawnOn runs a node whose digest has the given schedule.
func (b *env) spawnOn(schedule string, resend bool) *node {
	b.t.Helper()
	uncertain := "hold"
	if resend {
		uncertain = "resend"
	}
	file := filepath.Join(b.t.TempDir(), "config.yaml")
	text := fmt.Sprintf(crashConfig, b.dsn, schedule, b.server.Port(), connections, uncertain, crashLease)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		b.t.Fatal(err)
	}
	cmd := exec.Command(binary(b.t), "--config", file, "worker")
	var output bytes.Buffer
	cmd.Stderr = &output
	if err := cmd.Start(); err != nil {
		b.t.Fatal(err)
	}
	n := &node{b.t, cmd}
	b.t.Cleanup(func() {
		if n.kill(); b.t.Failed() && output.Len() > 0 {
			b.t.Logf("output of a node:\n%s", output.Bytes())
		}
	})
	return n
}

func (n *node) kill() {
	if n.cmd.ProcessState == nil {
		_ = n.cmd.Process.Kill()
		_ = n.cmd.Wait()
	}
}

// stop sends SIGSTOP to a node and returns when all its threads have stopped. It reports whether
// the node was still running.
func (n *node) stop() bool {
	n.t.Helper()
	if err := n.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		n.t.Fatal(err)
	}
	var status syscall.WaitStatus
	if _, err := syscall.Wait4(n.cmd.Process.Pid, &status, syscall.WUNTRACED, nil); err != nil || !status.Stopped() && !status.Exited() {
		n.t.Fatalf("the node does not stop: %v, %v", status, err)
	}
	return status.Stopped()
}

func TestCrashLosesNoRecipientAndRepeatsOnlyUncertainMails(t *testing.T) {
	testkit.Slow(t)
	for _, kind := range storetest.Engines {
		for _, resend := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/resend=%v", kind, resend), func(t *testing.T) {
				t.Parallel()
				b := setup(t, kind, sink.Options{Delay: 2 * time.Millisecond})
				b.crash(resend, b.send)
			})
		}
	}
}

// crash kills nodes that send the edition that send makes.
func (b *env) crash(resend bool, send func() store.Edition) {
	n := 150 * *kills // more than are sent between the kills
	b.importSubscribers(n)
	b.addArticle("ferries")
	b.newDeliveryEngine()
	edition := send()
	doubt := 0 // number of connections that were open at a kill
	for k := range *kills {
		child := b.spawn(resend)
		before := len(b.server.Mails())
		deadline := time.Now().Add(testkit.Timeout)
		for len(b.server.Mails()) == before && time.Now().Before(deadline) && !b.finished(edition.ID) {
			time.Sleep(2 * time.Millisecond)
		}
		time.Sleep(rand.N(60 * time.Millisecond))
		// A stopped process opens and closes no connection while they are counted.
		if !child.stop() {
			b.t.Fatal("the node ended before it was killed")
		}
		doubt += int(b.server.Open())
		child.kill()
		if b.finished(edition.ID) && k+1 < *kills {
			b.t.Fatalf("everything was sent after %d of %d kills: too few to test anything", k+1, *kills)
		}
	}
	child := b.spawn(resend)
	b.settled(edition, n, resend, doubt)
	child.kill()
}

func (b *env) finished(id string) bool {
	p, err := b.engine.Progress(b.t.Context(), id)
	if err != nil {
		b.t.Fatal(err)
	}
	return p.Counts.Open() == 0
}

// checkResent checks that every address has the mail, and that only mails that were uncertain
// arrived twice, as identical copies and at most one per cut connection.
func (b *env) checkResent(edition store.Edition, n, cut int) {
	got := b.server.Received()
	if len(got) != n {
		b.t.Errorf("%d addresses have the mail, want %d", len(got), n)
	}
	doubted := b.everUncertain(edition)
	copies := 0
	for address, count := range got {
		if count == 1 {
			continue
		}
		copies += count - 1
		if !doubted[address] {
			b.t.Errorf("%s has %d mails and was never uncertain", address, count)
		}
		b.sameMail(address)
	}
	if copies > cut {
		b.t.Errorf("%d mails arrived twice, though only %d connections were cut", copies, cut)
	}
	b.t.Logf("%d mails, %d twice, %d were uncertain, %d connections were cut", n, copies, len(doubted), cut)
}

// checkHeld checks that no address has the mail twice, that the addresses without it are held, and
// that an editor's decision sends it to them.
func (b *env) checkHeld(edition store.Edition, n, cut int) {
	held, have := b.atRest(edition, n)
	for address, count := range have {
		if count != 1 {
			b.t.Errorf("%s has %d mails though uncertain ones are held", address, count)
		}
	}
	lacking := n - len(have)
	for _, d := range held {
		if have[d.Address] == 0 {
			lacking--
		}
	}
	if lacking != 0 {
		b.t.Errorf("%d subscribers neither have the mail nor are held", lacking)
	}
	if len(held) > cut {
		b.t.Errorf("%d mails are held, though only %d connections were cut", len(held), cut)
	}
	if len(held) > 0 {
		if decided, err := b.engine.ResolveUncertain(b.t.Context(), edition.ID, true); err != nil || decided != int64(len(held)) {
			b.t.Fatalf("decided %d of %d, %v", decided, len(held), err)
		}
	}
	b.sent(edition.ID)
	if got := b.server.Received(); len(got) != n {
		b.t.Errorf("%d addresses have the mail at the end, want %d", len(got), n)
	}
	b.t.Logf("%d mails, %d were held, %d connections were cut", n, len(held), cut)
}

// atRest returns the held deliveries and the number of mails of each address, once neither has
// changed for longer than a lease: a node that was frozen may still finish and record a mail.
func (b *env) atRest(edition store.Edition, n int) (held []store.AddressedDelivery, have map[string]int) {
	b.t.Helper()
	for deadline := time.Now().Add(testkit.Timeout); time.Now().Before(deadline); {
		was, before := len(held), len(have)
		p, err := b.engine.Progress(b.t.Context(), edition.ID)
		if err != nil {
			b.t.Fatal(err)
		}
		if held, err = b.store.Deliveries(b.t.Context(), edition, []digest.DeliveryState{digest.DeliveryUncertain}, 0, n); err != nil {
			b.t.Fatal(err)
		}
		have = b.server.Received()
		if len(held) == was && len(have) == before && int64(len(held)) == p.Counts.Uncertain {
			return held, have
		}
		time.Sleep(crashLease + crashLease/2)
	}
	b.t.Fatalf("%d held, %d have the mail, and the numbers still change", len(held), len(have))
	return nil, nil
}

// everUncertain returns the addresses whose mail was uncertain at some time.
func (b *env) everUncertain(edition store.Edition) map[string]bool {
	all, err := b.store.Deliveries(b.t.Context(), edition, []digest.DeliveryState{digest.DeliverySent, digest.DeliveryUncertain}, 0, 1<<30)
	if err != nil {
		b.t.Fatal(err)
	}
	out := map[string]bool{}
	for _, d := range all {
		if strings.HasPrefix(d.Reason, "in doubt") {
			out[d.Address] = true
		}
	}
	return out
}

// sameMail checks that all copies that an address received are the same.
func (b *env) sameMail(address string) {
	ids := map[string]bool{}
	for _, m := range b.server.Mails() {
		if m.To[0] != address {
			continue
		}
		parsed, err := mail.ReadMessage(bytes.NewReader(m.Data))
		if err != nil {
			b.t.Fatal(err)
		}
		ids[parsed.Header.Get("Message-Id")] = true
	}
	if len(ids) != 1 {
		b.t.Errorf("%s has copies with %d Message-IDs", address, len(ids))
	}
}
