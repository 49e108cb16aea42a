package websub_test

import (
	"context"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/app"
	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/feedserver"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/internal/testkit/feedrules"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
	"github.com/tidings-press/tidings/internal/websub"
)

// subscriber is a server that subscribes, over real HTTP.
type subscriber struct {
	*httptest.Server
	mu       sync.Mutex
	agrees   bool
	answers  []int // to deliveries, in turn; then 204
	asked    []url.Values
	received []*http.Request
	bodies   []string
}

func newSubscriber(t *testing.T, agrees bool, answers ...int) *subscriber {
	s := &subscriber{agrees: agrees, answers: answers}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *subscriber) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.Method == http.MethodGet {
		s.asked = append(s.asked, r.URL.Query())
		if s.agrees {
			_, _ = io.WriteString(w, r.URL.Query().Get("hub.challenge"))
		}
		return
	}
	body, _ := io.ReadAll(r.Body)
	s.received = append(s.received, r)
	s.bodies = append(s.bodies, string(body))
	status := http.StatusNoContent
	if len(s.answers) > 0 {
		status, s.answers = s.answers[0], s.answers[1:]
	}
	w.WriteHeader(status)
}

// answered reports whether all planned answers were given.
func (s *subscriber) answered() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.answers) == 0
}

func (s *subscriber) has(part string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.ContainsFunc(s.bodies, func(body string) bool { return strings.Contains(body, part) })
}

// clock is the real time, moved by tests.
type clock struct{ offset atomic.Int64 }

func (c *clock) now() time.Time       { return time.Now().Add(time.Duration(c.offset.Load())) }
func (c *clock) pass(d time.Duration) { c.offset.Add(int64(d)) }

// env is a store with a publisher and a hub. Nothing runs until start.
type env struct {
	clock     clock
	store     *store.Store
	feeds     *feedserver.Server
	hub       *websub.Hub
	publisher *websub.Publisher
}

const topic = "https://press.example/feed.json"

func newEnv(t *testing.T, hubs ...string) *env {
	t.Helper()
	e := &env{}
	e.store = storetest.Open(t, store.SQLite, store.Options{Clock: e.clock.now})
	site := feedrules.Site()
	site.Hubs = append([]string{"https://press.example/hub"}, hubs...)
	// Clients that poll too often have to wait; the hub does not.
	e.feeds = feedserver.New(feedserver.Options{Source: app.NewFeedSource(e.store), Site: site, Now: e.clock.now, Poll: time.Millisecond, RetryAfter: time.Hour, Limits: feedrules.PatientLimits})
	e.hub = &websub.Hub{
		Address: site.Hubs[0], Site: site.URL, Feeds: e.feeds, Store: e.store, Client: &http.Client{}, Log: slog.New(slog.DiscardHandler),
	}
	e.publisher = &websub.Publisher{
		Store: e.store, Site: site, Definitions: e.feeds.Definitions(), Log: slog.New(slog.DiscardHandler), Fresh: e.feeds.Changed,
		Poll: 5 * time.Millisecond, Gather: 10 * time.Millisecond, Local: e.hub.Distribute, LocalHub: site.Hubs[0],
	}
	return e
}

// start runs the publisher and the worker, and waits for the first announcement.
func start(t *testing.T, hubs ...string) *env {
	t.Helper()
	e := newEnv(t, hubs...)
	tasks := e.publisher.Tasks()
	maps.Copy(tasks, e.hub.Tasks())
	e.work(t, tasks)
	background(t, e.publisher.Run)
	testkit.Eventually(t, "the first announcement", func() bool { return e.announced(t) > 0 && e.idle(t) })
	return e
}

// work runs a worker until the test ends, without long delays.
func (e *env) work(t *testing.T, tasks map[string]websub.Task) {
	t.Helper()
	w := &websub.Worker{Store: e.store, Tasks: tasks, Log: slog.New(slog.DiscardHandler), Poll: 5 * time.Millisecond, FirstDelay: 10 * time.Millisecond}
	background(t, w.Run)
}

// background runs something until the test ends, and waits for its end.
func background(t *testing.T, run func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// put publishes an article.
func (e *env) put(t *testing.T, a article.Article) {
	t.Helper()
	a.Published, a.Updated, a.Hash = e.clock.now(), e.clock.now(), a.Title
	if _, err := e.store.PutArticles(t.Context(), []article.Article{a}); err != nil {
		t.Fatal(err)
	}
}

func (e *env) announced(t *testing.T) int64 {
	position, err := e.store.HubPosition(t.Context())
	if err != nil {
		t.Error(err)
	}
	return position.Count
}

// idle reports whether no job is open.
func (e *env) idle(t *testing.T) bool {
	return storetest.CountJobs(t, e.store, "open") == 0
}

// failures returns why jobs were given up.
func (e *env) failures(t *testing.T) string {
	var reasons []string
	for _, job := range storetest.Jobs(t, e.store) {
		if job.State == "failed" {
			reasons = append(reasons, job.Error)
		}
	}
	return strings.Join(reasons, "\n")
}

func (e *env) request(form url.Values) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "/hub", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	e.hub.ServeHTTP(w, r)
	return w
}

func form(mode, callback string, more ...string) url.Values {
	form := url.Values{"hub.mode": {mode}, "hub.topic": {topic}, "hub.callback": {callback}}
	for i := 0; i < len(more); i += 2 {
		form.Set(more[i], more[i+1])
	}
	return form
}

func (e *env) subscribed(t *testing.T, callback string) bool {
	_, err := e.store.HubSubscription(t.Context(), topic, callback)
	return err == nil
}
