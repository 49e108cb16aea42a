package delivery_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/mail"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/delivery"
	"github.com/tidings-press/tidings/digest"
	"github.com/tidings-press/tidings/internal/sink"
	"github.com/tidings-press/tidings/store"
	"github.com/tidings-press/tidings/store/storetest"
	"github.com/tidings-press/tidings/templates"
)

var kills = flag.Int("kills", 30, "how often a crash test kills a node, for each store and policy")

// connections of a node in the crash tests.
const connections = 4

// TestMain lets the test binary be a node of its own, that can be killed.
func TestMain(m *testing.M) {
	if dsn := os.Getenv("CRASH_NODE_DSN"); dsn != "" {
		if err := crashNode(dsn); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// crashNode runs an engine until it is killed.
func crashNode(dsn string) error {
	ctx := context.Background()
	s, err := store.Open(ctx, dsn, store.Options{})
	if err != nil {
		return err
	}
	set, err := templates.Load("")
	if err != nil {
		return err
	}
	keys, err := s.Keys(ctx)
	if err != nil {
		return err
	}
	port, err := strconv.Atoi(os.Getenv("CRASH_NODE_PORT"))
	if err != nil {
		return err
	}
	relay := b127(port)
	relay.Connections = 0
	o := crashOptions(os.Getenv("CRASH_NODE_RESEND") == "1")
	o.Store, o.Keys, o.Templates, o.Relays = s, keys, set, []delivery.Relay{relay}
	engine, err := delivery.New(ctx, o)
	if err != nil {
		return err
	}
	return engine.Run(ctx)
}

// crashOptions are short of breath: a lease ends soon after its node.
func crashOptions(resend bool) delivery.Options {
	b := bundleOptions()
	b.Policy.Resend, b.Policy.Chunk = resend, 100
	b.Lease = 400 * time.Millisecond
	b.Log = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	return b
}

// node is a child process with an engine.
type node struct{ cmd *exec.Cmd }

func (b *bundle) spawn(resend bool) *node {
	b.t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "CRASH_NODE_DSN="+b.dsn, fmt.Sprintf("CRASH_NODE_PORT=%d", b.wire.Port()))
	if resend {
		cmd.Env = append(cmd.Env, "CRASH_NODE_RESEND=1")
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		b.t.Fatal(err)
	}
	n := &node{cmd}
	b.t.Cleanup(n.kill)
	return n
}

func (n *node) kill() {
	if n.cmd.ProcessState == nil {
		_ = n.cmd.Process.Kill()
		_ = n.cmd.Wait()
	}
}

func TestCrashLosesNobodyAndDoublesOnlyWhatIsInDoubt(t *testing.T) {
	for _, kind := range storetest.Engines {
		for _, resend := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/resend=%v", kind, resend), func(t *testing.T) {
				t.Parallel()
				b := setup(t, kind, sink.Options{Delay: 2 * time.Millisecond})
				b.crash(resend)
			})
		}
	}
}

func (b *bundle) crash(resend bool) {
	n := 60 * *kills
	b.bulk(n)
	b.article("ferries")
	b.make()
	edition := b.send()
	for k := range *kills {
		child := b.spawn(resend)
		before := len(b.wire.Mails())
		deadline := time.Now().Add(20 * time.Second)
		for len(b.wire.Mails()) == before && time.Now().Before(deadline) && !b.over(edition.ID) {
			time.Sleep(2 * time.Millisecond)
		}
		time.Sleep(rand.N(60 * time.Millisecond))
		child.kill()
		if b.over(edition.ID) {
			b.t.Logf("everything was sent after %d kills", k+1)
			break
		}
	}
	child := b.spawn(resend)
	p := b.until(edition.ID, "settled", func(p delivery.Progress) bool { return p.Counts.Open() == 0 && (!resend || p.Counts.Uncertain == 0) })
	if resend {
		b.checkResent(edition, n)
	} else {
		b.checkHeld(edition, n, p)
	}
	child.kill()
}

func (b *bundle) over(id string) bool {
	p, err := b.engine.Progress(b.t.Context(), id)
	if err != nil {
		b.t.Fatal(err)
	}
	return p.Counts.Open() == 0
}

// checkResent: everyone has it; who has it twice was in doubt, and both copies are
// the same mail.
func (b *bundle) checkResent(edition store.Edition, n int) {
	got := b.wire.Received()
	if len(got) != n {
		b.t.Errorf("%d have the mail, want %d", len(got), n)
	}
	doubted := b.doubted(edition)
	doubles := 0
	for address, count := range got {
		if count == 1 {
			continue
		}
		doubles += count - 1
		if !doubted[address] {
			b.t.Errorf("%s has %d mails and was never in doubt", address, count)
		}
		b.sameMail(address)
	}
	if most := *kills * connections * 4; doubles > most {
		b.t.Errorf("%d mails came twice, want at most %d", doubles, most)
	}
	b.t.Logf("%d mails, %d twice, %d were in doubt, after %d kills", n, doubles, len(doubted), *kills)
}

// checkHeld: nobody has it twice; who does not have it is held, and an editor's
// word sends it.
func (b *bundle) checkHeld(edition store.Edition, n int, p delivery.Progress) {
	for address, count := range b.wire.Received() {
		if count != 1 {
			b.t.Errorf("%s has %d mails though doubtful ones are held", address, count)
		}
	}
	held, err := b.store.Deliveries(b.t.Context(), edition, []digest.DeliveryState{digest.DeliveryUncertain}, 0, n)
	if err != nil || int64(len(held)) != p.Counts.Uncertain {
		b.t.Fatalf("%d held, counted %d, %v", len(held), p.Counts.Uncertain, err)
	}
	have := b.wire.Received()
	lacking := n - len(have)
	for _, d := range held {
		if have[d.Address] == 0 {
			lacking--
		}
	}
	if lacking != 0 {
		b.t.Errorf("%d people neither have it nor are held", lacking)
	}
	if len(held) > 0 {
		if decided, err := b.engine.Decide(b.t.Context(), edition.ID, true); err != nil || decided != int64(len(held)) {
			b.t.Fatalf("decided %d, %v", decided, err)
		}
	}
	b.sent(edition.ID)
	if got := b.wire.Received(); len(got) != n {
		b.t.Errorf("%d have the mail in the end, want %d", len(got), n)
	}
	b.t.Logf("%d mails, %d were held, after %d kills", n, len(held), *kills)
}

// doubted are the addresses whose mail was in doubt at some time.
func (b *bundle) doubted(edition store.Edition) map[string]bool {
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

// sameMail checks that all copies that one address got are the same.
func (b *bundle) sameMail(address string) {
	ids := map[string]bool{}
	for _, m := range b.wire.Mails() {
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
