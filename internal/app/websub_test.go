package app_test

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/app"
	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/feedserver"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/internal/testkit/feedrules"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
	"github.com/tidings-press/tidings/internal/websub"
)

// runFast makes a clock run twenty times as fast as the real one.
func (w *testClock) runFast(t *testing.T) {
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for tick := time.NewTicker(time.Millisecond); ctx.Err() == nil; <-tick.C {
			w.advance(20 * time.Millisecond)
		}
	}()
	t.Cleanup(func() { stop(); <-done })
}

// foreignHub is a hub of another operator, as publishers see it.
type foreignHub struct {
	*httptest.Server
	mu    sync.Mutex
	wall  *testClock
	down  bool
	told  map[string]int
	asked []time.Time
}

func newForeignHub(t *testing.T, w *testClock) *foreignHub {
	h := &foreignHub{wall: w, told: map[string]int{}}
	h.Server = httptest.NewServer(h)
	t.Cleanup(h.Close)
	return h
}

func (h *foreignHub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.asked = append(h.asked, h.wall.now())
	if h.down {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	h.told[r.FormValue("hub.url")]++
	w.WriteHeader(http.StatusNoContent)
}

func (h *foreignHub) setDown(down bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.down = down
}

func (h *foreignHub) times() []time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.asked)
}

// notifications returns the number of notifications of each topic since the last call.
func (h *foreignHub) notifications() map[string]int {
	h.mu.Lock()
	defer h.mu.Unlock()
	told := h.told
	h.told = map[string]int{}
	return told
}

func (h *foreignHub) wasNotified(path string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.told["https://press.example"+path] > 0
}

// publisher is a node that publishes.
type publisher struct {
	t     *testing.T
	feeds *feedserver.Server
	push  *app.WebSub
	store *store.Store
	stop  func()
}

// startPublisher starts a node on a store. It runs until the test ends or it is stopped.
func startPublisher(t *testing.T, s *store.Store, hubs ...string) *publisher {
	t.Helper()
	return startPublisherAt(t, s, "https://press.example", hubs...)
}

func startPublisherAt(t *testing.T, s *store.Store, site string, hubs ...string) *publisher {
	t.Helper()
	c, err := config.Parse(fmt.Appendf(nil, `
site: {url: %q, title: The Press}
feeds: [{name: go, filter: {match: golang}}]
feed_server: {hubs: [%s], retry_after: 1h}
digests: [{name: weekly, schedule: "@weekly", sender: news@press.example}]
`, site, strings.Join(hubs, ", ")), "config.yaml")
	if err != nil {
		t.Fatal(err)
	}
	p := &app.Service{Config: c, Store: s, Log: slog.New(slog.DiscardHandler)}
	feeds, err := p.Feeds(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	n := &publisher{t: t, feeds: feeds, push: p.WebSub(feeds), store: s}
	n.push.PollFast()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- n.push.Run(ctx) }()
	n.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(n.stop)
	return n
}

// idle reports whether no job is open.
func (n *publisher) idle() bool {
	return storetest.CountJobs(n.t, n.store, "open") == 0
}

// settled reports whether all feeds were announced at the start.
func (n *publisher) settled() bool {
	at, err := n.store.HubPosition(context.Background())
	return err == nil && at.Count > 0 && n.idle()
}

// settle waits until all feeds were announced at the start.
func (n *publisher) settle(t *testing.T, hub *foreignHub) {
	t.Helper()
	testkit.Eventually(t, "the announcement of all feeds", func() bool { return hub.wasNotified("/feed.xml") && n.idle() })
	hub.notifications()
}

// selfLink returns the address in a document's self link.
func selfLink(t *testing.T, topic string, body []byte) string {
	t.Helper()
	if strings.HasSuffix(topic, "feed.json") {
		var doc struct {
			FeedURL string `json:"feed_url"`
		}
		if err := json.Unmarshal(body, &doc); err != nil {
			t.Fatal(err)
		}
		return doc.FeedURL
	}
	for decoder := xml.NewDecoder(strings.NewReader(string(body))); ; {
		token, err := decoder.Token()
		if err != nil {
			t.Fatalf("%s has no self link: %v", topic, err)
		}
		start, ok := token.(xml.StartElement)
		if !ok || start.Name.Local != "link" {
			continue
		}
		at := map[string]string{}
		for _, a := range start.Attr {
			at[a.Name.Local] = a.Value
		}
		if at["rel"] == "self" {
			return at["href"]
		}
	}
}

func tags(tags ...string) func(*article.Article) {
	return func(a *article.Article) { a.Tags = tags }
}

func edited(n int, change ...func(*article.Article)) article.Article {
	a := feedrules.Article(n)
	a.ID = ""
	for _, f := range change {
		f(&a)
	}
	return a
}

// startEdition starts an edition of the weekly digest to one subscriber.
func startEdition(t *testing.T, s *store.Store, articles ...string) {
	t.Helper()
	ctx := t.Context()
	person, err := s.AddSubscriber(ctx, subscriber.Subscriber{Address: subscriber.MustParseAddress("ada@example.org"), State: subscriber.Active})
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	check(err)
	check(s.Subscribe(ctx, person.ID, "weekly", nil))
	_, err = s.EnsureDigest(ctx, store.DigestState{Name: "weekly", Since: s.Now()})
	check(err)
	e, err := s.CreateDraft(ctx, store.Edition{Edition: digest.Edition{ID: "first", Digest: "weekly", ScheduledFor: "manual", Articles: articles, Created: s.Now()}}, nil)
	check(err)
	wishes, err := s.PreferenceGroups(ctx, "weekly")
	check(err)
	frozen := store.Frozen{Groups: wishes, Choice: make([]int, len(wishes)), ChunkSize: 10}
	if _, err := frozen.Add(digest.Variant{HTML: "x"}); err != nil {
		t.Fatal(err)
	}
	_, err = s.Approve(ctx, e, frozen)
	check(err)
	chunk, err := s.ClaimChunk(ctx, "node", time.Hour)
	if err != nil || chunk == nil {
		t.Fatal(chunk, err)
	}
}

func TestHubsAreNotifiedOfChangedFeeds(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	onEach(t, func(t *testing.T, w *testClock, open func() *store.Store) {
		hub, s := newForeignHub(t, w), open()
		first := putArticles(t, s, edited(0, tags("été", "C/C++", "golang")))
		n := startPublisher(t, s, hub.URL)
		w.runFast(t)
		n.settle(t, hub)
		english := func(a *article.Article) { a.Language = "en-GB" }
		secret := func(a *article.Article) { a.Status, a.Tags = article.Draft, []string{"acquisition"} }
		due := w.now().Add(24 * time.Hour) // long after the step with it, at twenty times the speed
		later := func(a *article.Article) { a.Published, a.Tags = due, []string{"launch"} }
		// Each step starts when the notifications of the previous one are sent.
		for _, step := range []struct {
			name    string
			do      func()
			folders string
		}{
			{"an article", func() { putArticles(t, s, edited(1, english, tags("c/c++", "e\u0301te\u0301"))) },
				"/ /authors/Ann%20Author/ /languages/en/ /languages/en-GB/ /tags/C%2FC%2B%2B/ /tags/%C3%A9t%C3%A9/"},
			{"one in a configured feed", func() { putArticles(t, s, edited(2, tags("golang"))) }, "/ /authors/Ann%20Author/ /feeds/go/ /languages/en/ /tags/golang/"},
			{"an edit that drops a tag", func() { putArticles(t, s, edited(2, tags("other"))) }, "/ /authors/Ann%20Author/ /feeds/go/ /languages/en/ /tags/golang/ /tags/other/"},
			{"a draft and a future article, besides another", func() { putArticles(t, s, edited(3, secret), edited(4, later), edited(5, tags("third"))) },
				"/ /authors/Ann%20Author/ /languages/en/ /tags/third/"},
			{"the date", func() { w.advance(25 * time.Hour) }, "/ /authors/Ann%20Author/ /languages/en/ /tags/launch/"},
			{"an edition", func() { startEdition(t, s, first...) }, "/digests/weekly/"},
			{"an edit of its article", func() { putArticles(t, s, edited(0, tags("golang"))) },
				"/ /authors/Ann%20Author/ /digests/weekly/ /feeds/go/ /languages/en/ /tags/C%2FC%2B%2B/ /tags/golang/ /tags/%C3%A9t%C3%A9/"},
		} {
			step.do()
			var want []string
			for _, folder := range strings.Fields(step.folders) {
				for _, file := range []string{"atom.xml", "feed.json", "feed.xml"} {
					want = append(want, "https://press.example"+folder+file)
				}
			}
			testkit.Eventually(t, step.name, func() bool {
				return hub.wasNotified(strings.TrimPrefix(want[len(want)-1], "https://press.example")) && n.idle()
			})
			told := hub.notifications()
			for topic, times := range told {
				body, _, err := n.feeds.Topic(t.Context(), strings.TrimPrefix(topic, "https://press.example"))
				if err != nil || selfLink(t, topic, body) != topic {
					t.Errorf("%s: notified of %s, which is not the self link of a document (%v)", step.name, topic, err)
				}
				if times != 1 || !slices.Contains(want, topic) {
					t.Errorf("%s: notified %d times of %s", step.name, times, topic)
				}
			}
			for _, topic := range want {
				if told[topic] == 0 {
					t.Errorf("%s: not notified of %s", step.name, topic)
				}
			}
		}
	})
}

func TestLargeImportIsAnnouncedCompletely(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	onEach(t, func(t *testing.T, w *testClock, open func() *store.Store) {
		hub, s := newForeignHub(t, w), open()
		nodes := []*publisher{startPublisher(t, s, hub.URL), startPublisher(t, open(), hub.URL)}
		w.runFast(t)
		nodes[0].settle(t, hub)
		var many []article.Article
		for i := range 150 {
			many = append(many, edited(i, tags(fmt.Sprint("tag ", i))))
		}
		putArticles(t, s, many...)
		testkit.Eventually(t, "the end of the list", func() bool { return hub.wasNotified("/tags/tag%20149/feed.xml") && nodes[0].idle() })
		told := hub.notifications()
		for i := range 150 {
			for _, file := range []string{"atom.xml", "feed.json", "feed.xml"} {
				topic := fmt.Sprintf("https://press.example/tags/tag%%20%d/%s", i, file)
				if told[topic] != 1 {
					t.Errorf("notified %d times of %s by two nodes together", told[topic], topic)
				}
			}
		}
	})
}

func TestPendingNotificationsAreSentAfterARestart(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	onEach(t, func(t *testing.T, w *testClock, open func() *store.Store) {
		hub, s := newForeignHub(t, w), open()
		hub.setDown(true)
		n := startPublisher(t, s, hub.URL)
		w.runFast(t)
		testkit.Eventually(t, "four tries", func() bool { return len(hub.times()) >= 4 })
		n.stop()
		times := hub.times()
		for i, least := range []time.Duration{7500 * time.Millisecond, 15 * time.Second, 30 * time.Second} {
			if rest := times[i+1].Sub(times[i]); rest < least {
				t.Errorf("after try %d the next one came after %v, want at least %v", i+1, rest, least)
			}
		}
		putArticles(t, s, edited(1, tags("while no node runs")))
		hub.setDown(false)
		again := startPublisher(t, open(), hub.URL)
		testkit.Eventually(t, "all notifications", func() bool {
			return hub.wasNotified("/tags/while%20no%20node%20runs/feed.xml") && hub.wasNotified("/feeds/go/feed.json") && again.idle()
		})
		for topic, times := range hub.notifications() { // a topic of both announcements may be sent for each
			if times != 1 && (times > 2 || strings.Contains(topic, "/feeds/go/") || strings.Contains(topic, "/tags/")) {
				t.Errorf("notified %d times of %s", times, topic)
			}
		}
		again.stop()
		quiet := startPublisher(t, open(), hub.URL)
		putArticles(t, s, edited(2, tags("once more")))
		testkit.Eventually(t, "the next change", func() bool { return hub.wasNotified("/tags/once%20more/feed.xml") && quiet.idle() })
		if told := hub.notifications(); told["https://press.example/feeds/go/feed.xml"] > 0 {
			t.Error("a start without any change notifies hubs of all feeds")
		}
	})
}

// hubSubscriber subscribes at our hub, over real HTTP.
type hubSubscriber struct {
	*httptest.Server
	mu      sync.Mutex
	asked   int // number of verifications of its subscription
	bodies  []string
	signed  []string
	headers []http.Header
}

func newHubSubscriber(t *testing.T) *hubSubscriber {
	r := &hubSubscriber{}
	r.Server = httptest.NewServer(r)
	t.Cleanup(r.Close)
	return r
}

func (r *hubSubscriber) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	body, _ := io.ReadAll(q.Body)
	r.mu.Lock()
	defer r.mu.Unlock()
	if q.Method == http.MethodGet {
		r.asked++
		_, _ = io.WriteString(w, q.URL.Query().Get("hub.challenge"))
		return
	}
	r.headers = append(r.headers, q.Header)
	r.bodies, r.signed = append(r.bodies, string(body)), append(r.signed, q.Header.Get("X-Hub-Signature"))
}

func (r *hubSubscriber) got() (bodies, signed []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.bodies), slices.Clone(r.signed)
}

func TestOwnHubKeepsItsSubscribersAfterARestart(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	onEach(t, func(t *testing.T, w *testClock, open func() *store.Store) {
		const topic, own = "https://press.example/tags/go/atom.xml", "https://press.example/hub"
		s, r := open(), newHubSubscriber(t)
		putArticles(t, s, edited(0, tags("go")))
		n := startPublisher(t, s, own)
		w.runFast(t)
		testkit.Eventually(t, "the announcement at the start", n.settled)
		form := url.Values{"hub.mode": {"subscribe"}, "hub.topic": {topic}, "hub.callback": {r.URL + "/cb"}, "hub.secret": {"s3cret"}}
		q := httptest.NewRequest(http.MethodPost, "/hub", strings.NewReader(form.Encode()))
		q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		answer := httptest.NewRecorder()
		if n.push.Hub.ServeHTTP(answer, q); answer.Code != http.StatusAccepted {
			t.Fatal(answer.Code, answer.Body)
		}
		n.stop() // the request may be verified by now, or not
		again := startPublisher(t, open(), own)
		testkit.Eventually(t, "a verified subscription", func() bool {
			all, err := s.HubSubscriptions(t.Context(), topic)
			return err == nil && len(all) == 1 && all[0].Secret == "s3cret" && again.idle()
		})
		id := putArticles(t, s, edited(1, tags("go")))[0]
		testkit.Eventually(t, "the article", func() bool { bodies, _ := r.got(); return len(bodies) > 0 && again.idle() })
		again.stop()
		last := startPublisher(t, open(), own)
		putArticles(t, s, edited(2, tags("other"))) // the subscriber's topic does not change
		testkit.Eventually(t, "the next change", func() bool {
			at, err := s.HubPosition(t.Context())
			revision, err2 := s.Revision(t.Context())
			return err == nil && err2 == nil && at.Revision == revision && last.idle()
		})
		bodies, signed := r.got()
		if len(bodies) != 1 || !strings.Contains(bodies[0], id) || signed[0] != websub.Signature("s3cret", []byte(bodies[0])) {
			t.Errorf("%d deliveries, signed %v: %.200v", len(bodies), signed, bodies)
		}
	})
}
