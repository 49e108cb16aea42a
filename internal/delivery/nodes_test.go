package delivery_test

import (
	"fmt"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/internal/testkit/sink"
)

// fleet is a number of nodes on one store, each a process.
type fleet struct {
	*env
	resend  bool
	nodes   []*node
	cut     int          // connections that may have been cut so far
	spawner func() *node // makes a node in the place of a killed one
}

func (b *env) fleet(n int, resend bool) *fleet {
	f := &fleet{env: b, resend: resend, spawner: func() *node { return b.spawn(resend) }}
	for range n {
		f.nodes = append(f.nodes, f.spawner())
	}
	return f
}

// kill ends a node at once and starts another in its place.
func (f *fleet) kill(i int) {
	f.nodes[i].kill()
	f.cut += connections
	f.nodes[i] = f.spawner()
}

// freeze stops a node for longer than its leases last. Other nodes take its work, and it continues
// in the middle of what it was doing.
func (f *fleet) freeze(i int) {
	f.t.Helper()
	if !f.nodes[i].stop() {
		if !f.storeMayFail {
			f.t.Fatal("the node ended before it was frozen")
		}
		f.nodes[i] = f.spawner() // it exited because the store was unreachable when it started; start it again
		return
	}
	time.Sleep(crashLease + rand.N(400*time.Millisecond))
	f.cut += connections
	if err := f.nodes[i].cmd.Process.Signal(syscall.SIGCONT); err != nil {
		f.t.Fatal(err)
	}
}

// end kills all nodes.
func (f *fleet) end() {
	for _, n := range f.nodes {
		n.kill()
	}
}

func TestKilledAndFrozenNodesLoseNoRecipient(t *testing.T) {
	testkit.Slow(t)
	for _, resend := range []bool{true, false} {
		t.Run(fmt.Sprintf("resend=%v", resend), func(t *testing.T) {
			t.Parallel()
			b := setup(t, store.Postgres, sink.Options{Delay: 15 * time.Millisecond})
			n := 400 * *kills // more than are sent during the test
			b.importSubscribers(n)
			b.addArticle("ferries")
			b.newDeliveryEngine()
			edition := b.send()
			f := b.fleet(3, resend)
			defer f.end()
			done := 0
			for ; done < *kills/2 && !b.finished(edition.ID); done++ {
				time.Sleep(rand.N(150 * time.Millisecond))
				if i := rand.IntN(3); rand.IntN(2) == 0 {
					f.kill(i)
				} else {
					f.freeze(i)
				}
			}
			b.settled(edition, n, resend, f.cut)
			f.end()
			if done < *kills/2 {
				t.Errorf("everything was sent after %d of %d kills and freezes: too few to test anything", done, *kills/2)
			}
		})
	}
}

// settled waits for the end of an edition and checks its mails, when cut connections were cut.
func (b *env) settled(edition store.Edition, n int, resend bool, cut int) {
	b.t.Helper()
	b.untilProgress(edition.ID, "settled", func(p progress) bool {
		return p.Counts.Total == int64(n) && p.Counts.Open() == 0 && (!resend || p.Counts.Uncertain == 0)
	})
	if resend {
		b.sent(edition.ID)
		b.checkResent(edition, n, cut)
		return
	}
	b.checkHeld(edition, n, cut)
}

// sendWhileStoreFails sends an edition from three nodes while disturb runs.
func sendWhileStoreFails(t *testing.T, dsn string, disturb func()) {
	t.Helper()
	b := setupOn(t, dsn, sink.Options{Delay: 25 * time.Millisecond})
	b.storeMayFail = true
	const n = 2500
	b.importSubscribers(n)
	b.addArticle("ferries")
	b.newDeliveryEngine()
	edition := b.send()
	f := b.fleet(3, true)
	defer f.end()
	b.untilProgress(edition.ID, "under way", func(p progress) bool { return len(b.server.Mails()) > n/10 })
	disturb()
	if before := len(b.server.Mails()); before >= n {
		t.Fatal("everything was sent before PostgreSQL was disturbed: the test shows nothing")
	}
	// Each connection of each node may lose its lease once, with the mail on it.
	b.settled(edition, n, true, len(f.nodes)*connections)
}

func TestNodesContinueAfterPostgresRestart(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	for name, act := range map[string]func(p *testkit.Postgres) error{
		"restarted": (*testkit.Postgres).Restart,
		"killed": func(p *testkit.Postgres) error {
			if err := p.Kill(); err != nil {
				return err
			}
			return p.Start()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := testkit.StartPostgres(t, testkit.PostgresOptions{})
			sendWhileStoreFails(t, server.Database(t), func() {
				if err := act(server); err != nil {
					t.Fatal(err)
				}
			})
		})
	}
}

func TestNodesContinueOnStandbyAfterPrimaryFails(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	primary := testkit.StartPostgres(t, testkit.PostgresOptions{})
	if err := primary.Exec(t.Context(), "CREATE DATABASE tidings"); err != nil {
		t.Fatal(err)
	}
	standby := primary.Standby(t, testkit.PostgresOptions{})
	if err := primary.Synchronous(t.Context()); err != nil {
		t.Fatal(err)
	}
	dsn := fmt.Sprintf("postgres://postgres@%s,%s/tidings?sslmode=disable&target_session_attrs=read-write&connect_timeout=2", primary.Address(), standby.Address())
	sendWhileStoreFails(t, dsn, func() {
		if err := primary.Kill(); err != nil {
			t.Fatal(err)
		}
		if err := standby.Promote(); err != nil {
			t.Fatal(err)
		}
	})
}

// TestConcurrentReleaseOfLastChunksFinishesEdition: if each release read only what the other had
// not committed, the edition would stay in the state sending.
func TestConcurrentReleaseOfLastChunksFinishesEdition(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	each(t, sink.Options{}, nil, func(b *env) {
		b.options.Policy.Chunk = 1
		b.addSubscribers(8)
		b.newDeliveryEngine()
		for round := range 4 {
			b.addArticle(fmt.Sprint("ferry", round))
			edition := b.send()
			var chunks []*store.Chunk
			for len(chunks) < 8 {
				c, err := b.store.ClaimChunk(b.t.Context(), fmt.Sprint("node", len(chunks)), time.Minute)
				if err != nil || c == nil {
					b.t.Fatalf("claimed %v, %v", c, err)
				}
				b.markDelivered(*c)
				chunks = append(chunks, c)
			}
			ended := make(chan bool, len(chunks))
			for _, c := range chunks {
				go func() {
					finished, err := b.store.ReleaseChunk(b.t.Context(), *c, true)
					if err != nil {
						b.t.Error(err)
					}
					ended <- finished
				}()
			}
			finished := 0
			for range chunks {
				if <-ended {
					finished++
				}
			}
			now, err := b.store.Edition(b.t.Context(), edition.ID)
			if err != nil || now.State != digest.Sent || finished != 1 {
				b.t.Fatalf("round %d: the edition is %s after %d releases reported its end, %v", round, now.State, finished, err)
			}
		}
	})
}

// markDelivered records that all mails of a chunk were sent.
func (b *env) markDelivered(c store.Chunk) {
	b.t.Helper()
	r := b.store.NewRecorder()
	defer r.Close()
	people, err := b.store.Recipients(b.t.Context(), c, true)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, p := range people {
		intent := store.Intent{Chunk: c, Subscriber: p.Subscriber, Nonce: rand.Int64()}
		if granted, err := r.Record(b.t.Context(), store.RecorderEntry{Intent: &intent}); err != nil || !granted {
			b.t.Fatalf("granted %v, %v", granted, err)
		}
		if _, err := r.Record(b.t.Context(), store.RecorderEntry{Outcome: &store.Outcome{Intent: intent, State: digest.DeliverySent}}); err != nil {
			b.t.Fatal(err)
		}
	}
}
