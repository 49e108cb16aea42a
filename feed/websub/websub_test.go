package websub_test

import (
	"context"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tidings-press/tidings/feed"
	"github.com/tidings-press/tidings/feed/feedtest"
	"github.com/tidings-press/tidings/feed/serve"
	"github.com/tidings-press/tidings/feed/websub"
)

// queue keeps jobs in memory, with the rules of the store's.
type queue struct {
	mu   sync.Mutex
	open map[string]*queued
	ends map[string]string // key: how it ended
}

type queued struct {
	job     websub.Job
	due     time.Time
	claimed bool
}

func newQueue() *queue { return &queue{open: map[string]*queued{}, ends: map[string]string{}} }

func (q *queue) Enqueue(_ context.Context, job websub.Job) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if key := job.Kind + job.Key; q.open[key] == nil {
		q.open[key] = &queued{job: job, due: time.Now().Add(job.After)}
	}
	return nil
}

func (q *queue) Claim(_ context.Context, kinds []string, n int, _ time.Duration) ([]websub.Job, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	var jobs []websub.Job
	for _, one := range q.open {
		if len(jobs) < n && !one.claimed && slices.Contains(kinds, one.job.Kind) && !time.Now().Before(one.due) {
			one.claimed = true
			one.job.Tries++
			jobs = append(jobs, one.job)
		}
	}
	return jobs, nil
}

func (q *queue) end(job websub.Job, how string) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.open, job.Kind+job.Key)
	q.ends[job.Key] = how
	return nil
}

func (q *queue) Finish(_ context.Context, job websub.Job) error { return q.end(job, "done") }

func (q *queue) Fail(_ context.Context, job websub.Job, reason string) error {
	return q.end(job, reason)
}

func (q *queue) Retry(_ context.Context, job websub.Job, delay time.Duration, _ string) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	one := q.open[job.Kind+job.Key]
	one.claimed, one.due = false, time.Now().Add(delay)
	return nil
}

func (q *queue) ended(part string) string {
	q.mu.Lock()
	defer q.mu.Unlock()
	for key, how := range q.ends {
		if strings.Contains(key, part) {
			return how
		}
	}
	return ""
}

// registry keeps subscriptions in memory.
type registry struct {
	mu  sync.Mutex
	all map[string]websub.Subscription
}

func (r *registry) Put(_ context.Context, s websub.Subscription) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all[s.Topic+" "+s.Callback] = s
	return nil
}

func (r *registry) Drop(_ context.Context, topic, callback string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.all, topic+" "+callback)
	return nil
}

func (r *registry) Of(_ context.Context, topic string) ([]websub.Subscription, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []websub.Subscription
	for s := range maps.Values(r.all) {
		if s.Topic == topic {
			all = append(all, s)
		}
	}
	return all, nil
}

func (r *registry) Count(ctx context.Context, topic string) (int64, error) {
	all, err := r.Of(ctx, topic)
	return int64(len(all)), err
}

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

// house is a publication with a hub of its own, at work.
type house struct {
	source    *feedtest.Source
	feeds     *serve.Server
	queue     *queue
	registry  *registry
	hub       *websub.Hub
	publisher *websub.Publisher
}

const topic = "https://press.example/feed.json"

func newHouse(t *testing.T, hubs ...string) *house {
	t.Helper()
	h := &house{source: feedtest.New(time.Now), queue: newQueue(), registry: &registry{all: map[string]websub.Subscription{}}}
	site := feedtest.Site()
	site.Hubs = append([]string{"https://press.example/hub"}, hubs...)
	// Clients that poll too often have to wait: a hub is none, and never does.
	h.feeds = serve.New(serve.Options{Source: h.source, Site: site, Poll: time.Millisecond, RetryAfter: time.Hour})
	h.hub = &websub.Hub{
		Address: site.Hubs[0], Site: site.URL, Feeds: h.feeds, Queue: h.queue, Registry: h.registry, Client: &http.Client{}, Log: slog.New(slog.DiscardHandler),
	}
	h.publisher = &websub.Publisher{
		Source: h.source, Site: site, Definitions: h.feeds.Definitions(), Queue: h.queue, Log: slog.New(slog.DiscardHandler),
		Poll: 5 * time.Millisecond, Gather: 10 * time.Millisecond, Local: h.hub.Distribute, LocalHub: site.Hubs[0],
	}
	jobs := h.publisher.Jobs()
	maps.Copy(jobs, h.hub.Jobs())
	worker := &websub.Worker{Queue: h.queue, Do: jobs, Log: slog.New(slog.DiscardHandler), Poll: 5 * time.Millisecond, FirstDelay: 10 * time.Millisecond, Tries: 5}
	ctx, cancel := context.WithCancel(context.Background())
	var wait sync.WaitGroup
	wait.Go(func() { _ = h.publisher.Run(ctx) })
	wait.Go(func() { _ = worker.Run(ctx) })
	t.Cleanup(func() { cancel(); wait.Wait() })
	return h
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

func TestSubscribersGetNewContentSigned(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	s := newSubscriber(t, true, http.StatusInternalServerError, http.StatusBadGateway)
	if w := h.ask(wish("subscribe", s.URL+"/cb?mine=1", "hub.secret", "s3cret", "hub.lease_seconds", "864000")); w.Code != http.StatusAccepted {
		t.Fatalf("subscribe: %d %s", w.Code, w.Body)
	}
	eventually(t, "a verified subscription", func() bool { return h.subscribed(s.URL + "/cb?mine=1") })
	s.mu.Lock()
	q := s.asked[0]
	s.mu.Unlock()
	if q.Get("mine") != "1" || q.Get("hub.topic") != topic || q.Get("hub.lease_seconds") != "864000" || q.Get("hub.mode") != "subscribe" {
		t.Errorf("verification asks %v", q)
	}
	a := feedtest.Article(1)
	a.Published, a.Updated, a.Ingested = time.Now(), time.Now(), time.Now()
	h.source.Put(a)
	eventually(t, "the new article at the subscriber, after two refusals", func() bool { return s.served() && s.has(a.ID) })
	s.mu.Lock()
	defer s.mu.Unlock()
	last := s.received[len(s.received)-1]
	if got, want := last.Header.Get("X-Hub-Signature"), websub.Signature("s3cret", []byte(s.bodies[len(s.bodies)-1])); got != want {
		t.Errorf("signature %q, want %q", got, want)
	}
	if link := last.Header.Get("Link"); !strings.Contains(link, `<https://press.example/hub>; rel="hub"`) || !strings.Contains(link, "<"+topic+`>; rel="self"`) {
		t.Errorf("Link: %s", link)
	}
	if kind := last.Header.Get("Content-Type"); kind != "application/feed+json" {
		t.Errorf("Content-Type: %s", kind)
	}
}

func TestNobodyIsSubscribedAgainstTheirWill(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	s := newSubscriber(t, false)
	h.ask(wish("subscribe", s.URL))
	eventually(t, "the end of the verification", func() bool { return h.queue.ended(s.URL) != "" })
	if how := h.queue.ended(s.URL); h.subscribed(s.URL) || !strings.Contains(how, "does not confirm") {
		t.Errorf("verification ended: %q", how)
	}
}

func TestUnsubscribingIsVerifiedToo(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	s := newSubscriber(t, true)
	h.ask(wish("subscribe", s.URL))
	eventually(t, "a subscription", func() bool { return h.subscribed(s.URL) })
	h.ask(wish("unsubscribe", s.URL))
	eventually(t, "its end", func() bool { return !h.subscribed(s.URL) })
}

func TestGoneSubscribersAreDropped(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	s := newSubscriber(t, true, http.StatusGone)
	h.ask(wish("subscribe", s.URL))
	eventually(t, "a subscription", func() bool { return h.subscribed(s.URL) })
	h.source.Put(feedtest.Article(1))
	eventually(t, "its end", func() bool { return !h.subscribed(s.URL) })
}

func TestBadWishesAreRefused(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for name, form := range map[string]url.Values{
		"mode":     wish("publish", "https://s.example/"),
		"callback": wish("subscribe", "ftp://s.example/"),
		"secret":   wish("subscribe", "https://s.example/", "hub.secret", strings.Repeat("x", 200)),
		"foreign":  wish("subscribe", "https://s.example/", "hub.topic", "https://other.example/feed.xml"),
		"page":     wish("subscribe", "https://s.example/", "hub.topic", "https://press.example/about"),
		"private":  wish("subscribe", "https://s.example/", "hub.topic", "https://press.example/private/x/feed.xml"),
		"search":   wish("subscribe", "https://s.example/", "hub.topic", "https://press.example/search/feed.xml?q=x"),
		"spelling": wish("subscribe", "https://s.example/", "hub.topic", "https://press.example/rss.xml"),
		"prefix":   wish("subscribe", "https://s.example/", "hub.topic", "https://press.example.evil.example/feed.xml"),
	} {
		if w := h.ask(form); w.Code != http.StatusBadRequest {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
	r := httptest.NewRequest(http.MethodGet, "/hub", nil)
	w := httptest.NewRecorder()
	if h.hub.ServeHTTP(w, r); w.Code != http.StatusMethodNotAllowed {
		t.Errorf("GET: %d", w.Code)
	}
}

func TestSubscribersComeBackWhenTheStoreDoesNotAnswer(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.source.Fail(true)
	if w := h.ask(wish("subscribe", "https://s.example/")); w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
		t.Errorf("%d %s: a subscriber would not ask again", w.Code, w.Body)
	}
}

func TestCallbacksInsideTheNetworkAreNotCalled(t *testing.T) {
	t.Parallel()
	s := newSubscriber(t, true)
	if _, err := websub.NewClient().Get(s.URL); err == nil || !strings.Contains(err.Error(), "not public") {
		t.Errorf("a call to %s: %v", s.URL, err)
	}
}

func TestHubsAreToldOfChangedFeedsUntilTheyListen(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	told, refusals := map[string]int{}, 2
	hub := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if refusals--; refusals >= 0 {
			http.Error(w, "busy", http.StatusServiceUnavailable)
			return
		}
		if r.FormValue("hub.mode") == "publish" {
			for _, address := range r.Form["hub.url"] {
				told[address]++
			}
		}
		w.WriteHeader(http.StatusNoContent)
	}))
	defer hub.Close()
	h := newHouse(t, hub.URL)
	a := feedtest.Article(1)
	a.Tags = []string{"C/C++"}
	h.source.Put(a)
	eventually(t, "the hub to be told", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return told[topic] > 0 && told["https://press.example/tags/C%2FC%2B%2B/atom.xml"] > 0 && told["https://press.example/authors/Ann%20Author/feed.xml"] > 0
	})
}

// TestRealHub publishes to a hub of somebody else's making and waits for what it
// sends: start one that may fetch from this machine and set WEBSUB_HUB to its
// address.
func TestRealHub(t *testing.T) {
	t.Parallel()
	address := os.Getenv("WEBSUB_HUB")
	if address == "" {
		t.Skip("SKIPPED: no hub to test against: set WEBSUB_HUB to the address of one that runs on this machine")
	}
	source := feedtest.New(time.Now)
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	defer server.Close()
	site := feedtest.Site()
	site.URL, site.Hubs = server.URL, []string{address}
	feeds := serve.New(serve.Options{Source: source, Site: site, Poll: time.Millisecond})
	mux.Handle("/", feeds)
	s := newSubscriber(t, true)
	form := url.Values{"hub.mode": {"subscribe"}, "hub.topic": {server.URL + "/atom.xml"}, "hub.callback": {s.URL}, "hub.secret": {"s3cret"}, "hub.lease_seconds": {"86400"}}
	response, err := http.PostForm(address, form)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	eventually(t, "the hub to verify the subscription", func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return len(s.asked) > 0
	})
	queue := newQueue()
	publisher := &websub.Publisher{
		Source: source, Site: site, Definitions: []feed.Definition{{Kind: feed.Everything}}, Queue: queue, Log: slog.New(slog.DiscardHandler),
		Poll: 5 * time.Millisecond, Gather: 50 * time.Millisecond,
	}
	worker := &websub.Worker{Queue: queue, Do: publisher.Jobs(), Log: slog.New(slog.NewTextHandler(os.Stderr, nil)), Poll: 5 * time.Millisecond, FirstDelay: time.Second}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go publisher.Run(ctx)
	go worker.Run(ctx)
	a := feedtest.Article(1)
	source.Put(a)
	eventually(t, "the hub to send the article", func() bool { return s.has(a.ID) })
	if got := s.received[0].Header.Get("X-Hub-Signature"); got == "" {
		t.Error("the hub sends no signature")
	}
}
