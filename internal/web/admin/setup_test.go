package admin_test

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/app"
	"github.com/tidings-press/tidings/internal/article/ingest"
	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/samples"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/testkit"
)

// site is a whole press at work: store, engine, pages and a real mail server.
type site struct {
	*app.Service
	t     *testing.T
	url   string
	inbox *testkit.Inbox
	log   *lines
	stop  func() // ends the service and waits for it
}

// lines keeps what is logged.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

// Write keeps a line.
func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// String is everything so far.
func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// siteConfig has a digest that goes out by hand in these tests, over a relay that
// takes so many mails a second.
const siteConfig = `
site: {title: The Harbour Gazette, description: News from a small harbour town., url: "http://%[1]s", timezone: UTC}
store: {dsn: "sqlite:%[2]s"}
digests:
  - {name: weekly, title: The week at the harbour, description: Every New Year., schedule: "0 8 1 1 *", sender: "The Gazette <news@gazette.example>", max_articles: 50}
mail: {postal_address: "The Harbour Gazette, 1 Quay Street"}
delivery: {uncertain: hold}
relays:
  - {name: inbox, host: 127.0.0.1, port: %[3]d, tls: none, per_second: %[4]d}
`

// startSite serves a site with the sample articles until the test ends.
func startSite(t *testing.T, perSecond int) *site {
	t.Helper()
	inbox := testkit.StartInbox(t, testkit.InboxOptions{})
	s := startSiteOver(t, inbox.Port(), perSecond)
	s.inbox = inbox
	return s
}

// startSiteOver is startSite with a mail server of the test's own.
func startSiteOver(t *testing.T, port, perSecond int) *site {
	t.Helper()
	door, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	text := fmt.Sprintf(siteConfig, door.Addr(), filepath.Join(dir, "tidings.db"), port, perSecond)
	c, err := config.Parse([]byte(text), filepath.Join(dir, "config.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	log := &lines{}
	p, err := app.Open(t.Context(), c, slog.New(slog.NewTextHandler(io.MultiWriter(t.Output(), log), &slog.HandlerOptions{Level: slog.LevelWarn})))
	if err != nil {
		t.Fatal(err)
	}
	s := &site{Service: p, t: t, url: "http://" + door.Addr().String(), log: log}
	s.importSamples()
	s.run(door)
	return s
}

func (s *site) run(door net.Listener) {
	ctx, cancel := context.WithCancel(context.Background())
	ready, ended := make(chan struct{}), make(chan error, 1)
	service := &app.Node{Service: s.Service, HTTP: door, Ready: func() { close(ready) }}
	go func() { ended <- service.Run(ctx) }()
	s.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			s.t.Errorf("the service ended with %v", err)
		}
	})
	s.t.Cleanup(func() {
		s.stop()
		if err := s.Close(); err != nil {
			s.t.Error(err)
		}
	})
	select {
	case <-ready:
	case err := <-ended:
		ended <- err
		s.t.Fatalf("the service did not start: %v", err)
	}
}

func (s *site) importSamples() {
	s.t.Helper()
	files := samples.Articles()
	names, err := fs.Glob(files, "*.md")
	if err != nil {
		s.t.Fatal(err)
	}
	for _, name := range names {
		data, err := fs.ReadFile(files, name)
		if err != nil {
			s.t.Fatal(err)
		}
		options := ingest.Options{Site: s.url, Media: func(file string) ([]byte, error) { return fs.ReadFile(files, path.Clean(file)) }}
		imported, problems := ingest.Import(ingest.File{Name: name, Data: data}, options)
		for _, problem := range problems {
			s.t.Error(problem)
		}
		for _, one := range imported {
			if _, err := s.Store.PutArticle(s.t.Context(), one.Article, one.Redirects, one.Media); err != nil {
				s.t.Fatal(err)
			}
		}
	}
}

// readers puts n people on the digest, and lets its next edition take old articles.
func (s *site) readers(n int) {
	s.t.Helper()
	var list strings.Builder
	list.WriteString("email,name\n")
	for i := range n {
		fmt.Fprintf(&list, "reader%d@example.org,Reader %d\n", i, i)
	}
	rows := subscriber.ReadList(strings.NewReader(list.String()), subscriber.ListOptions{})
	result, err := s.Store.ImportSubscribers(s.t.Context(), rows, store.ImportOptions{Digests: []string{"weekly"}, State: subscriber.Active})
	if err != nil || result.Added != int64(n) {
		s.t.Fatalf("imported %+v, %v", result, err)
	}
	if err := s.Store.SetDigestSince(s.t.Context(), "weekly", time.Unix(0, 0)); err != nil {
		s.t.Fatal(err)
	}
}

// engine is one beside the service's own, on the same store.
func (s *site) engine() *delivery.Engine {
	s.t.Helper()
	e, err := s.Engine(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	return e
}

// eventually waits for what the site does by itself.
func (s *site) eventually(what string, holds func() bool) {
	s.t.Helper()
	for deadline := time.Now().Add(90 * time.Second); time.Now().Before(deadline); { // it only ends a test that hangs
		if holds() {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	s.t.Fatalf("waited in vain for %s", what)
}

// noProblems fails the test when the browser's console showed an error.
func noProblems(t *testing.T, b *testkit.Browser) {
	t.Helper()
	for _, problem := range b.Problems() {
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
