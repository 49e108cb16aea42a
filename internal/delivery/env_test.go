package delivery_test

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/delivery/relay"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/internal/testkit/sink"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
	"github.com/tidings-press/tidings/mailer"
	"github.com/tidings-press/tidings/templates"
)

var builtInTemplates = sync.OnceValues(func() (*templates.Set, error) { return templates.Load("") })

// env is a store with a digest, its subscribers and a real SMTP server.
type env struct {
	t            *testing.T
	store        *store.Store
	dsn          string
	server       *testkit.SMTPServer
	options      delivery.Options
	engine       *delivery.Engine
	stop         func()
	storeMayFail bool  // the store may be unreachable for a while
	lastDate     int64 // of an article, in milliseconds
}

// each runs a test on both engines, each time in a new env.
func each(t *testing.T, wire sink.Options, change func(o *delivery.Options), test func(b *env)) {
	t.Helper()
	for _, kind := range storetest.Engines {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			b := setup(t, kind, wire)
			if change != nil {
				change(&b.options)
			}
			test(b)
		})
	}
}

func setup(t *testing.T, kind store.Engine, wire sink.Options) *env {
	t.Helper()
	return setupOn(t, storetest.DSN(t, kind), wire)
}

// setupOn is setup for a store that the test has made.
func setupOn(t *testing.T, dsn string, wire sink.Options) *env {
	t.Helper()
	s := storetest.Reopen(t, dsn, store.Options{})
	set, err := builtInTemplates()
	if err != nil {
		t.Fatal(err)
	}
	keys, err := s.Keys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	w := testkit.StartSMTPServer(t, wire)
	o := envOptions()
	o.Store, o.Keys, o.Templates, o.Relays = s, keys, set, []relay.Config{localRelay(w.Port())}
	return &env{t: t, store: s, dsn: dsn, server: w, options: o}
}

// longLease outlasts a busy machine: no node may lose what it leases by renewing it late.
const longLease = 20 * time.Second

// envOptions returns all options that need no store.
func envOptions() delivery.Options {
	return delivery.Options{
		Log: slog.New(slog.DiscardHandler), Poll: 20 * time.Millisecond, Lease: longLease,
		Site: digest.Site{Title: "The Gazette", URL: "https://gazette.example", Language: "en"},
		Digests: []delivery.Definition{{
			Definition: digest.Definition{Name: "weekly", Title: "The week"},
			From:       mailer.Address{Name: "The Gazette", Email: "editor@gazette.example"}, Max: 20, Automatic: true,
		}},
		ReturnPaths: true, UnsubscribeMail: true,
		Policy: delivery.Policy{Resend: true, RetryFor: 72 * time.Hour, Chunk: 50, Soft: store.SoftRule{Limit: 3, Days: 0}, Rates: delivery.RateLimits{WarnComplaints: 0.1}},
	}
}

// localRelay returns a relay on this machine without TLS.
func localRelay(port int) relay.Config {
	return relay.Config{Weight: 1, Connections: 4, Relay: mailer.Relay{Name: "main", Host: "127.0.0.1", Port: port, Security: mailer.NoTLS, Auth: mailer.AuthNone}}
}

// addSubscribers adds n subscribers to the digest.
func (b *env) addSubscribers(n int) {
	b.t.Helper()
	for i := range n {
		p, err := b.store.AddSubscriber(b.t.Context(), subscriber.Subscriber{
			Address: subscriber.MustParseAddress(fmt.Sprintf("reader%d@example.org", i)), Name: fmt.Sprintf("Reader %d", i), State: subscriber.Active,
		})
		if err != nil {
			b.t.Fatal(err)
		}
		if err := b.store.Subscribe(b.t.Context(), p.ID, "weekly", nil); err != nil {
			b.t.Fatal(err)
		}
	}
}

// importSubscribers adds many subscribers to the digest at once.
func (b *env) importSubscribers(n int) {
	b.t.Helper()
	var list strings.Builder
	list.WriteString("address,name\n")
	for i := range n {
		fmt.Fprintf(&list, "reader%d@example.org,Reader %d\n", i, i)
	}
	b.importList(list.String(), n)
}

// importList imports a list of n subscribers for the digest.
func (b *env) importList(list string, n int) {
	b.t.Helper()
	rows := storetest.List(b.t, strings.NewReader(list))
	result, err := b.store.ImportSubscribers(b.t.Context(), rows, store.ImportOptions{Digests: []string{"weekly"}, State: subscriber.Active})
	if err != nil || result.Added != int64(n) {
		b.t.Fatalf("imported %+v, %v", result, err)
	}
}

// addArticle stores an article that is new to the digest.
func (b *env) addArticle(slug string, tags ...string) {
	b.t.Helper()
	now := b.store.Now()
	// Articles of one millisecond would be in the order of their random ids. The clock of a test may be stopped.
	for end := time.Now().Add(4 * time.Millisecond); now.UnixMilli() == b.lastDate && time.Now().Before(end); now = b.store.Now() {
		runtime.Gosched()
	}
	b.lastDate = now.UnixMilli()
	a := &article.Article{
		Source: "test:" + slug, Slug: slug, Title: "About " + slug, Summary: "All about " + slug + ".", HTML: "<p>About " + slug + ".</p>",
		Language: "en", Tags: tags, Published: now, Updated: now, Status: article.Published, Hash: slug,
	}
	if _, err := b.store.PutArticle(b.t.Context(), a, nil, nil); err != nil {
		b.t.Fatal(err)
	}
}

// start makes an engine and runs it until the test ends or stop is called.
func (b *env) start() {
	b.t.Helper()
	b.newDeliveryEngine()
	b.run()
}

// run runs the existing engine until the test ends or stop is called.
func (b *env) run() {
	b.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- b.engine.Run(ctx) }()
	stopped := false
	b.stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		select {
		case err := <-done:
			if err != nil {
				b.t.Errorf("Run: %v", err)
			}
		case <-time.After(testkit.Timeout):
			b.t.Error("the engine does not stop")
		}
	}
	b.t.Cleanup(b.stop)
}

func (b *env) newDeliveryEngine() {
	b.t.Helper()
	engine, err := delivery.New(b.t.Context(), b.options)
	if err != nil {
		b.t.Fatal(err)
	}
	b.engine = engine
	// A new digest leaves out older articles; these tests store the articles first.
	if err := b.store.SetDigestSince(b.t.Context(), "weekly", time.Time{}); err != nil {
		b.t.Fatal(err)
	}
}

// send sends an edition of all new articles.
func (b *env) send() store.Edition {
	b.t.Helper()
	e, err := b.engine.SendNow(b.t.Context(), "weekly", "ann")
	if err != nil {
		b.t.Fatal(err)
	}
	return e
}

type progress = delivery.Progress

// untilProgress waits for a condition on an edition's progress.
func (b *env) untilProgress(id, what string, holds func(p delivery.Progress) bool) delivery.Progress {
	b.t.Helper()
	deadline := time.Now().Add(testkit.Timeout)
	var p delivery.Progress
	var last error
	for time.Now().Before(deadline) {
		var err error
		p, err = b.engine.Progress(b.t.Context(), id)
		if err == nil && holds(p) {
			return p
		}
		if last = err; err != nil && !b.storeMayFail {
			b.t.Fatal(err)
		}
		time.Sleep(10 * time.Millisecond)
	}
	b.t.Fatalf("never %s: %s %+v, holds %+v, received %d, %v", what, p.Edition.State, p.Counts, p.Holds, len(b.server.Received()), last)
	return p
}

// eventually waits for a condition.
func (b *env) eventually(what string, holds func() bool) {
	b.t.Helper()
	testkit.Eventually(b.t, what, holds)
}

func (b *env) sent(id string) delivery.Progress {
	b.t.Helper()
	return b.untilProgress(id, "sent", func(p delivery.Progress) bool { return p.Edition.State == digest.Sent })
}

// wantOneMailEach checks that n addresses have exactly one mail each.
func (b *env) wantOneMailEach(n int) {
	b.t.Helper()
	got := b.server.Received()
	if len(got) != n {
		b.t.Errorf("%d subscribers have mail, want %d", len(got), n)
	}
	for address, count := range got {
		if count != 1 {
			b.t.Errorf("%s has %d mails", address, count)
		}
	}
}
