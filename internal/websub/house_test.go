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
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/feedserver"
	"github.com/tidings-press/tidings/internal/testkit/feedrules"
	"github.com/tidings-press/tidings/internal/websub"
)

// subscriber is somebody who subscribes, over real HTTP.
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

// served reports whether all planned answers were given.
func (s *subscriber) served() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.answers) == 0
}

func (s *subscriber) has(part string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.ContainsFunc(s.bodies, func(body string) bool { return strings.Contains(body, part) })
}

// eventually waits for something that other goroutines bring about.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited 20 s for this: %s", what)
		}
	}
}

// house is a publication with a hub of its own, at work, with all that it keeps in
// memory.
type house struct {
	source    *feedrules.Source
	feeds     *feedserver.Server
	queue     *queue
	registry  *registry
	journal   *journal
	hub       *websub.Hub
	publisher *websub.Publisher
}

const topic = "https://press.example/feed.json"

func newHouse(t *testing.T, hubs ...string) *house {
	t.Helper()
	h := &house{source: feedrules.New(time.Now), queue: newQueue(), registry: &registry{all: map[string]websub.Subscription{}}}
	h.journal = &journal{queue: h.queue, lists: map[string]map[string]websub.Untold{}}
	site := feedrules.Site()
	site.Hubs = append([]string{"https://press.example/hub"}, hubs...)
	// Clients that poll too often have to wait: a hub is none, and never does.
	h.feeds = feedserver.New(feedserver.Options{Source: h.source, Site: site, Poll: time.Millisecond, RetryAfter: time.Hour})
	h.hub = &websub.Hub{
		Address: site.Hubs[0], Site: site.URL, Feeds: h.feeds, Queue: h.queue, Registry: h.registry, Client: &http.Client{}, Log: slog.New(slog.DiscardHandler),
	}
	h.publisher = &websub.Publisher{
		News: h.journal, Lists: h.journal, Site: site, Definitions: h.feeds.Definitions(), Log: slog.New(slog.DiscardHandler),
		Poll: 5 * time.Millisecond, Gather: 10 * time.Millisecond, Local: h.hub.Distribute, LocalHub: site.Hubs[0],
	}
	jobs := h.publisher.Jobs()
	maps.Copy(jobs, h.hub.Jobs())
	work(t, &websub.Worker{Queue: h.queue, Do: jobs})
	background(t, h.publisher.Run)
	eventually(t, "the announcement of all feeds at the start", func() bool { return h.journal.begun() && h.queue.idle() })
	return h
}

// work has a worker do jobs until the test ends, without long waits.
func work(t *testing.T, w *websub.Worker) {
	t.Helper()
	w.Log, w.Poll, w.FirstDelay = slog.New(slog.DiscardHandler), 5*time.Millisecond, 10*time.Millisecond
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
func (h *house) put(a article.Article) {
	h.source.Put(a)
	h.journal.note(a)
}

func (h *house) ask(form url.Values) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "/hub", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	h.hub.ServeHTTP(w, r)
	return w
}

func wish(mode, callback string, more ...string) url.Values {
	form := url.Values{"hub.mode": {mode}, "hub.topic": {topic}, "hub.callback": {callback}}
	for i := 0; i < len(more); i += 2 {
		form.Set(more[i], more[i+1])
	}
	return form
}

func (h *house) subscribed(callback string) bool {
	all, _ := h.registry.Of(context.Background(), topic)
	return slices.ContainsFunc(all, func(s websub.Subscription) bool { return s.Callback == callback })
}
