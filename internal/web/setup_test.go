package web_test

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
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
	"github.com/tidings-press/tidings/internal/testkit/storetest"
	"github.com/tidings-press/tidings/internal/web"
	"github.com/tidings-press/tidings/templates"
)

// settings are the configuration of the tests' site.
const settings = `
site: {title: The Example Press, description: News from the example town., url: %q, language: %q, former_urls: ["http://old.example.org/blog/"], timezone: Europe/Paris}
store: {dsn: %q}
digests:
  - {name: weekly, title: The Week, description: Every Friday morning., schedule: "0 8 * * 5", sender: The Example Press <news@example.org>}
  - {name: daily, title: The Day, schedule: "0 7 * * *", sender: The Example Press <news@example.org>}
mail: {postal_address: 1 Example Street}
relays: [{name: inbox, host: 127.0.0.1, port: %d, tls: none, auth: none}]
`

// site is a service, its store, its mail server and its address.
type site struct {
	service *app.Service
	engine  *delivery.Engine
	store   *store.Store
	inbox   *testkit.Inbox
	url     string
}

// mailTemplates loads the templates once, since checking them takes longer than a test.
var mailTemplates = sync.OnceValues(func() (*templates.Set, error) { return templates.Load("") })

// open opens a service with the sample articles.
func open(t *testing.T, engine store.Engine, url, language string) *site {
	t.Helper()
	s := &site{inbox: testkit.StartInbox(t, testkit.InboxOptions{}), url: url}
	file := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(file, fmt.Appendf(nil, settings, url, language, storetest.DSN(t, engine), s.inbox.Port()), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	set, err := mailTemplates()
	if err != nil {
		t.Fatal(err)
	}
	if s.store, err = store.Open(t.Context(), c.Store.DSN.Reveal(), store.Options{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.store.Close() })
	s.service = &app.Service{Config: c, Store: s.store, Templates: set, Log: slog.New(slog.NewTextHandler(t.Output(), nil))}
	if s.engine, err = s.service.Engine(t.Context()); err != nil {
		t.Fatal(err)
	}
	importer := ingest.Importer{Store: s.store, Config: c}
	if _, err := importer.ImportFS(t.Context(), samples.Articles(), "samples", ingest.Options{Site: url}); err != nil {
		t.Fatal(err)
	}
	for _, name := range s.service.Config.DigestNames() {
		if err := s.engine.SetBeginning(t.Context(), name, time.Time{}); err != nil { // the samples are old
			t.Fatal(err)
		}
	}
	return s
}

// handler returns the pages of a site whose engine does not run.
func handler(t *testing.T, engine store.Engine) (*site, *delivery.Engine, http.Handler) {
	t.Helper()
	return handlerWith(t, engine, func(*config.Config) {})
}

// handlerWith is handler with other settings.
func handlerWith(t *testing.T, engine store.Engine, change func(*config.Config)) (*site, *delivery.Engine, http.Handler) {
	t.Helper()
	s := open(t, engine, "https://news.example.org", "en")
	change(s.service.Config)
	if err := s.engine.SetBeginning(t.Context(), "weekly", time.Time{}); err != nil { // the samples are old
		t.Fatal(err)
	}
	feeds, err := s.service.Feeds(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	h, err := web.New(web.Deps{Store: s.store, Engine: s.engine, Feeds: feeds, Config: s.service.Config, Templates: s.service.Templates, Log: s.service.Log})
	if err != nil {
		t.Fatal(err)
	}
	return s, s.engine, h
}

// serve runs a node of a site in a language until the test ends.
func serve(t *testing.T, language string) *site {
	t.Helper()
	return serveWith(t, language, func(*config.Config) {})
}

// serveWith is serve with other settings.
func serveWith(t *testing.T, language string, change func(*config.Config)) *site {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := open(t, store.SQLite, fmt.Sprintf("http://localhost:%d", listener.Addr().(*net.TCPAddr).Port), language)
	change(s.service.Config)
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- (&app.Node{Service: s.service, HTTP: listener}).Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("the service ended with %v", err)
		}
	})
	return s
}

// subscriber adds an active subscriber of the weekly digest.
func (s *site) subscriber(t *testing.T, address string) subscriber.Subscriber {
	t.Helper()
	who, err := s.store.AddSubscriber(t.Context(), subscriber.Subscriber{Address: subscriber.MustParseAddress(address), State: subscriber.Active})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.store.Subscribe(t.Context(), who.ID, "weekly", nil); err != nil {
		t.Fatal(err)
	}
	return who
}

// ask returns the response to a request.
func ask(h http.Handler, method, target string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(method, target, nil))
	return w
}
