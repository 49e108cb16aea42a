package admin_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/app"
	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/article/ingest"
	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/internal/copies"
	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/samples"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
	"github.com/tidings-press/tidings/internal/web/admin"
)

// site is a running node with the sample articles: store, engine, pages and a real mail
// server.
type site struct {
	*app.Service
	t     *testing.T
	url   string
	inbox *testkit.Inbox // nil if the test has its own mail server
	log   *lines
	text  string // of config.yaml
	// address is the site's own, at which a proxy finds it.
	address string
	stop    func() // ends the node, waits for it and closes the store

	clock    func() time.Time // of the store at the next start; the system's if nil
	listener net.Listener     // for the next start; if nil, it listens at url again
}

// lines collects the log.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

// Write implements io.Writer.
func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// String returns the log so far.
func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// siteConfig has one digest, whose schedule does not fire during a test.
const siteConfig = `
site: {title: The Harbour Gazette, description: News from a small harbour town., url: "%s", timezone: %s}
store: {dsn: "%s", journal: "%s"}
digests:
  - {name: weekly, title: The week at the harbour, description: Every New Year., schedule: "0 8 1 1 *", sender: "The Gazette <news@gazette.example>", max_articles: 50}
mail: {postal_address: "The Harbour Gazette, 1 Quay Street"}
delivery: {uncertain: hold, undo: %s, first_send_check: false, refusals_stop: 0}
relays:
  - {name: inbox, host: 127.0.0.1, port: %d, tls: none, per_second: %d%s}
`

// emptyConfig is what a site needs to start; the rest is set in the admin.
const emptyConfig = `
site: {url: "%s"}
store: {dsn: "%s", journal: "%s"}
relays:
  - {name: inbox, host: 127.0.0.1, port: %d, tls: none, per_second: %d%s}
`

// siteSettings are the settings that differ between tests.
type siteSettings struct {
	engine    store.Engine
	timezone  string
	port      int    // of the mail server; 0 for an inbox of the site
	perSecond int    // rate limit of the relay
	relay     string // more keys of the relay
	undo      time.Duration
	host      string
	more      string // lines of the configuration
	empty     bool   // without settings and articles
	clock     func() time.Time
	publicURL string // of a proxy before the site
}

type siteOption func(*siteSettings)

func perSecond(n int) siteOption            { return func(o *siteSettings) { o.perSecond = n } }
func relayKeys(keys string) siteOption      { return func(o *siteSettings) { o.relay = ", " + keys } }
func undo(d time.Duration) siteOption       { return func(o *siteSettings) { o.undo = d } }
func host(name string) siteOption           { return func(o *siteSettings) { o.host = name } }
func with(lines string) siteOption          { return func(o *siteSettings) { o.more += lines } }
func timezone(name string) siteOption       { return func(o *siteSettings) { o.timezone = name } }
func clock(now func() time.Time) siteOption { return func(o *siteSettings) { o.clock = now } }
func on(engine store.Engine) siteOption     { return func(o *siteSettings) { o.engine = engine } }
func firstStart(clock func() time.Time) siteOption {
	return func(o *siteSettings) { o.empty, o.clock = true, clock }
}
func publicURL(u string) siteOption            { return func(o *siteSettings) { o.publicURL = u } }
func over(wire *testkit.SMTPServer) siteOption { return func(o *siteSettings) { o.port = wire.Port() } }

// startSite serves a site with the sample articles until the test ends.
func startSite(t *testing.T, options ...siteOption) *site {
	t.Helper()
	o := siteSettings{engine: store.SQLite, timezone: "UTC", perSecond: 1000, host: "127.0.0.1"}
	for _, option := range options {
		option(&o)
	}
	s := &site{t: t, log: &lines{}}
	if o.port == 0 {
		s.inbox = testkit.StartInbox(t, testkit.InboxOptions{})
		o.port = s.inbox.Port()
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.address = listener.Addr().String()
	s.url = cmp.Or(o.publicURL, fmt.Sprintf("http://%s:%d", o.host, listener.Addr().(*net.TCPAddr).Port))
	journal := filepath.Join(t.TempDir(), "journal")
	s.clock = o.clock
	if o.empty {
		s.text = fmt.Sprintf(emptyConfig, s.url, storetest.DSN(t, o.engine), journal, o.port, o.perSecond, o.relay)
	} else {
		s.text = o.more + fmt.Sprintf(siteConfig, s.url, o.timezone, storeAddress(t, o.engine), journal, o.undo, o.port, o.perSecond, o.relay)
	}
	c, err := config.Parse([]byte(s.text), filepath.Join(t.TempDir(), "config.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	s.listener = listener
	s.start(c)
	if o.engine == store.Postgres {
		if err := importSamples(t.Context(), s.Store); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// storeAddress returns the address of a store for one test. On SQLite it has the sample
// articles.
func storeAddress(t *testing.T, engine store.Engine) string {
	t.Helper()
	dsn := storetest.DSN(t, engine)
	if file, ok := strings.CutPrefix(dsn, "sqlite:"); ok {
		data, err := sampleStore()
		if err == nil {
			err = os.WriteFile(file, data, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dsn
}

// start opens the site's store and serves it until the test ends.
func (s *site) start(c *config.Config) {
	s.t.Helper()
	var err error
	if s.Service, err = app.Open(s.t.Context(), c, slog.New(slog.NewTextHandler(io.MultiWriter(s.t.Output(), s.log), &slog.HandlerOptions{Level: slog.LevelWarn}))); err != nil {
		s.t.Fatal(err)
	}
	if s.clock != nil {
		dsn := c.Store.DSN.Reveal()
		if err := s.Store.Close(); err != nil {
			s.t.Fatal(err)
		}
		if s.Store, err = store.Open(s.t.Context(), dsn, store.Options{Clock: s.clock}); err != nil {
			s.t.Fatal(err)
		}
	}
	if s.listener == nil {
		if s.listener, err = net.Listen("tcp", strings.TrimPrefix(s.url, "http://")); err != nil {
			s.t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	ready, ended := make(chan struct{}), make(chan error, 1)
	service := s.Service
	node := &app.Node{Service: service, HTTP: s.listener, Ready: func() { close(ready) }}
	s.listener = nil // the node closes it
	go func() { ended <- node.Run(ctx) }()
	s.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			s.t.Errorf("the node ended with %v", err)
		}
		if err := service.Close(); err != nil {
			s.t.Error(err)
		}
		if strings.Contains(s.log.String(), "left no entry in the audit log") {
			s.t.Error("a change left no entry in the audit log; its route is in the log above")
		}
	})
	s.t.Cleanup(s.stop)
	select {
	case <-ready:
	case err := <-ended:
		ended <- err
		s.t.Fatalf("the node did not start: %v", err)
	}
}

// sampleStore returns the file of a SQLite store with the sample articles. Tests copy it,
// which is faster than running the migrations and the import for each.
var sampleStore = sync.OnceValues(func() ([]byte, error) {
	folder, err := os.MkdirTemp("", "tidings-admin-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	file := filepath.Join(folder, "tidings.db")
	s, err := store.Open(context.Background(), "sqlite:"+file, store.Options{})
	if err != nil {
		return nil, err
	}
	ctx := context.Background()
	err = importSamples(ctx, s)
	if err == nil {
		// Else each site would search for unused images when it starts.
		_, err = s.Prune(ctx, store.Retention{Media: time.Now().AddDate(0, 0, -30)})
	}
	if err := errors.Join(err, s.Close()); err != nil {
		return nil, err
	}
	return os.ReadFile(file)
})

func importSamples(ctx context.Context, s *store.Store) error {
	importer := ingest.Importer{Store: s, Config: &config.Config{}}
	if _, err := importer.ImportFS(ctx, samples.Articles(), "samples", ingest.Options{Site: "http://gazette.example"}); err != nil {
		return err
	}
	// Else each site would make the copies of the same images, which is most of the time of a test.
	return copies.MakeMissing(ctx, s, func(string, error) {})
}

// addSubscribers subscribes n people to the digest, and moves its first day so that the next
// edition contains the old sample articles.
func (s *site) addSubscribers(n int) {
	s.t.Helper()
	var list strings.Builder
	list.WriteString("email,name\n")
	for i := range n {
		fmt.Fprintf(&list, "reader%d@example.org,Reader %d\n", i, i)
	}
	rows := storetest.List(s.t, strings.NewReader(list.String()))
	result, err := s.Store.ImportSubscribers(s.t.Context(), rows, store.ImportOptions{Digests: []string{"weekly"}, State: subscriber.Active})
	if err != nil || result.Added != int64(n) {
		s.t.Fatalf("imported %+v, %v", result, err)
	}
	if err := s.Store.SetDigestSince(s.t.Context(), "weekly", time.Unix(0, 0)); err != nil {
		s.t.Fatal(err)
	}
}

// newEngine returns another engine on the node's store.
func (s *site) newEngine() *delivery.Engine {
	s.t.Helper()
	e, err := s.Engine(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	return e
}

// eventually waits until a condition holds.
func (s *site) eventually(what string, holds func() bool) {
	s.t.Helper()
	testkit.Eventually(s.t, what, holds)
}

// noProblems fails the test if the browser's console showed an error.
func noProblems(t *testing.T, b *testkit.Browser) {
	t.Helper()
	for _, problem := range b.ConsoleErrors() {
		t.Errorf("the browser's console: %s", problem)
	}
}

func status(t *testing.T, address string) int {
	t.Helper()
	answer, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	return answer.StatusCode
}

func (s *site) state(edition string) digest.State {
	s.t.Helper()
	found, err := s.Store.Edition(s.t.Context(), edition)
	if err != nil {
		s.t.Fatal(err)
	}
	return found.State
}

// put stores an article with a title.
func (s *site) put(title string, change ...func(*article.Article)) article.Article {
	s.t.Helper()
	now := time.Now().Add(-time.Hour).UTC()
	a := article.Article{Source: "test/" + title, Slug: article.Slugify(title), Title: title, HTML: "<p>Text</p>", Published: now, Updated: now, Status: article.Published, Hash: title}
	for _, f := range change {
		f(&a)
	}
	kept, err := s.Store.PutArticle(s.t.Context(), &a, nil, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	a.ID = kept.ID
	return a
}

// invite returns an invitation link for an editor with this address, or for anyone if the
// address is empty.
func (s *site) invite(address string) string {
	s.t.Helper()
	link, err := admin.InviteLink(s.t.Context(), s.Store, s.url, admin.Invitation{Email: address})
	if err != nil {
		s.t.Fatal(err)
	}
	return link
}

// articleID returns the id of the article with a title.
func (s *site) articleID(title string) string {
	s.t.Helper()
	all, err := s.Store.Articles(s.t.Context(), store.Query{Limit: 100})
	i := slices.IndexFunc(all, func(a store.StoredArticle) bool { return a.Title == title })
	if err != nil || i < 0 {
		s.t.Fatalf("no article has the title %q, %v", title, err)
	}
	return all[i].ID
}
