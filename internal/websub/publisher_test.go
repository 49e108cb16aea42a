package websub_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tidings-press/tidings/feed"
	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/internal/testkit/feedrules"
	"github.com/tidings-press/tidings/internal/websub"
)

// recordingHub is an external hub that records the notifications that it gets.
type recordingHub struct {
	*httptest.Server
	mu       sync.Mutex
	answers  func(topic string) int // status of the response; 202 for all when nil
	accepted map[string]int         // accepted notifications by topic
	requests map[string]int         // all requests by topic
}

func newRecordingHub(t *testing.T, answers func(topic string) int) *recordingHub {
	h := &recordingHub{answers: answers, accepted: map[string]int{}, requests: map[string]int{}}
	h.Server = httptest.NewServer(h)
	t.Cleanup(h.Close)
	return h
}

func (h *recordingHub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	topic, status := r.FormValue("hub.url"), http.StatusAccepted
	h.requests[topic]++
	if h.answers != nil {
		status = h.answers(topic)
	}
	if status/100 == 2 && r.Method == http.MethodPost && r.FormValue("hub.mode") == "publish" && r.FormValue("hub.topic") == topic {
		h.accepted[topic]++
	}
	w.WriteHeader(status)
}

func (h *recordingHub) count(topic string) (accepted, requests int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.accepted[topic], h.requests[topic]
}

// notifyPending stores notifications of this age for a hub and starts a worker for them.
func notifyPending(t *testing.T, e *env, age time.Duration, hub string, topics ...string) {
	t.Helper()
	e.publisher.Site.Hubs = []string{hub}
	e.announce(t, hub, topics...)
	e.clock.pass(age)
	e.work(t, e.publisher.Tasks())
}

// announce stores pending notifications of a hub, with its job.
func (e *env) announce(t *testing.T, hub string, topics ...string) {
	t.Helper()
	from, err := e.store.HubPosition(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	job := store.Job{Kind: "websub.publish", Key: hub, Payload: fmt.Appendf(nil, `{"Hub":%q}`, hub), Newest: true}
	won, err := e.store.Announce(t.Context(), store.Announcement{From: from, To: from, Hubs: []string{hub}, Topics: topics, Due: e.clock.now(), Jobs: []store.Job{job}})
	if !won || err != nil {
		t.Fatal(won, err)
	}
}

// pendingNotifications returns those of a hub.
func (e *env) pendingNotifications(t *testing.T, hub string) []store.PendingNotification {
	t.Helper()
	left, err := e.store.PendingNotifications(t.Context(), hub, 10)
	if err != nil {
		t.Fatal(err)
	}
	return left
}

func topicNames(n int) (topics []string) {
	for i := range n {
		topics = append(topics, fmt.Sprintf("https://press.example/tags/%03d/atom.xml", i))
	}
	return topics
}

func TestFailedNotificationIsRetried(t *testing.T) {
	t.Parallel()
	refusals := 2 // of the announcement of all feeds
	hub := newRecordingHub(t, func(string) int {
		if refusals--; refusals >= 0 {
			return http.StatusServiceUnavailable
		}
		return http.StatusNoContent
	})
	e := start(t, hub.URL)
	testkit.Eventually(t, "the first notification of all feeds", func() bool { accepted, _ := hub.count(topic); return accepted == 1 && e.idle(t) })
	a := feedrules.Article(1)
	a.Tags = []string{"C/C++"}
	e.put(t, a)
	testkit.Eventually(t, "the notification", func() bool {
		first, _ := hub.count(topic)
		second, _ := hub.count("https://press.example/tags/C%2FC%2B%2B/atom.xml")
		return first == 2 && second == 1
	})
}

func TestFlakyHubIsNotifiedOfEachTopicOnce(t *testing.T) {
	t.Parallel()
	requests := 0
	hub := newRecordingHub(t, func(string) int {
		if requests++; requests%3 == 0 {
			return http.StatusServiceUnavailable
		}
		return http.StatusAccepted
	})
	topics := topicNames(123)
	e := newEnv(t)
	notifyPending(t, e, 0, hub.URL, topics...)
	testkit.Eventually(t, "the end of the list", func() bool { return e.idle(t) })
	for _, topic := range topics {
		if accepted, _ := hub.count(topic); accepted != 1 {
			t.Errorf("%s: %d notifications, want 1", topic, accepted)
		}
	}
}

func TestRefusedTopicIsNotSentAgain(t *testing.T) {
	t.Parallel()
	topics := topicNames(10)
	hub := newRecordingHub(t, func(topic string) int {
		if topic == topics[4] {
			return http.StatusBadRequest
		}
		return http.StatusAccepted
	})
	e := newEnv(t)
	notifyPending(t, e, 0, hub.URL, topics...)
	testkit.Eventually(t, "the end of the list", func() bool { return e.idle(t) })
	for _, topic := range topics {
		if accepted, requests := hub.count(topic); requests != 1 || accepted == 0 != (topic == topics[4]) {
			t.Errorf("%s: %d requests, %d accepted; want one request", topic, requests, accepted)
		}
	}
}

func TestFailingTopicDoesNotDelayOthers(t *testing.T) {
	t.Parallel()
	topics := topicNames(10)
	hub := newRecordingHub(t, func(topic string) int {
		if topic == topics[0] {
			return http.StatusInternalServerError
		}
		return http.StatusAccepted
	})
	e := newEnv(t)
	notifyPending(t, e, 0, hub.URL, topics...)
	testkit.Eventually(t, "the notifications of the other topics", func() bool {
		return !slices.ContainsFunc(topics[1:], func(topic string) bool { accepted, _ := hub.count(topic); return accepted != 1 })
	})
	testkit.Eventually(t, "another try", func() bool { _, requests := hub.count(topics[0]); return requests > 3 })
	if left := e.pendingNotifications(t, hub.URL); len(left) != 1 {
		t.Errorf("still pending: %v", left)
	}
}

func TestTopicIsGivenUpAfterThreeDays(t *testing.T) {
	t.Parallel()
	hub := newRecordingHub(t, func(string) int { return http.StatusInternalServerError })
	e := newEnv(t)
	notifyPending(t, e, 73*time.Hour, hub.URL, topicNames(2)...)
	testkit.Eventually(t, "the end of the list", func() bool { return e.idle(t) })
	if left := e.pendingNotifications(t, hub.URL); len(left) != 0 {
		t.Errorf("still pending: %v", left)
	}
}

func TestHubRemovedFromSettingsIsNotNotified(t *testing.T) {
	t.Parallel()
	former := newRecordingHub(t, nil)
	e := newEnv(t)
	e.announce(t, former.URL, topic)
	e.work(t, e.publisher.Tasks()) // whose settings have no hub
	testkit.Eventually(t, "the end of the list", func() bool { return e.idle(t) })
	if _, requests := former.count(topic); requests != 0 {
		t.Error("a hub that was removed from the settings got a request")
	}
}

func TestRedirectWithoutFormIsAnError(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]bool{http.StatusMovedPermanently: false, http.StatusFound: false, http.StatusSeeOther: false, http.StatusPermanentRedirect: true} {
		l := newRecordingHub(t, nil)
		front := httptest.NewServer(http.RedirectHandler(l.URL, status))
		defer front.Close()
		err := websub.Notify(t.Context(), websub.NewNotifier(), front.URL, topic)
		if accepted, _ := l.count(topic); (err == nil) != want || (accepted == 1) != want {
			t.Errorf("after a redirect with %d: %v, %d notifications accepted", status, err, accepted)
		}
		if err != nil && !strings.Contains(err.Error(), l.URL) {
			t.Errorf("%v does not name the new address of the hub", err)
		}
	}
}

func TestChangedSettingsAnnounceAllFeeds(t *testing.T) {
	t.Parallel()
	hub := newRecordingHub(t, nil)
	e := newEnv(t)
	const named = "https://press.example/feeds/go/feed.xml" // which none of the articles is in
	for i, step := range []struct {
		title string
		want  int
	}{{"First", 1}, {"First", 1}, {"Second", 2}} {
		t.Run(step.title, func(t *testing.T) { // the node stops at its end
			p := *e.publisher
			p.Site.Hubs, p.Site.Title = []string{hub.URL}, step.title
			p.Definitions = []feed.Definition{{Kind: feed.Everything}, {Kind: feed.Named, Name: "go", Filter: article.Filter{Expr: article.Tag{Key: "go"}}}}
			e.work(t, p.Tasks())
			background(t, p.Run)
			before := e.announced(t)
			testkit.Eventually(t, "the position to count from", func() bool { return before > 0 || e.announced(t) > 0 })
			a := feedrules.Article(i)
			a.Tags = []string{fmt.Sprint("step", i)}
			e.put(t, a)
			testkit.Eventually(t, "the notification of the article", func() bool {
				accepted, _ := hub.count(fmt.Sprintf("https://press.example/tags/step%d/feed.json", i))
				return accepted > 0 && e.idle(t)
			})
		})
		if accepted, _ := hub.count(named); accepted != step.want {
			t.Errorf("start %d: %d notifications, want %d", i, accepted, step.want)
		}
	}
}

func TestNodesAreRefreshedBeforeHubsAreNotified(t *testing.T) {
	t.Parallel()
	var here, there atomic.Int64
	stale := atomic.Bool{}
	hub := newRecordingHub(t, func(topic string) int {
		if strings.Contains(topic, "/tags/") && (here.Load() == 0 || there.Load() == 0) {
			stale.Store(true)
		}
		return http.StatusAccepted
	})
	e := newEnv(t)
	for _, fresh := range []*atomic.Int64{&here, &there} {
		p := *e.publisher
		p.Site.Hubs, p.Poll, p.Gather = []string{hub.URL}, time.Millisecond, 200*time.Millisecond
		p.Fresh = func() { fresh.Add(1) }
		e.work(t, p.Tasks())
		background(t, p.Run)
	}
	testkit.Eventually(t, "both nodes to know the position", func() bool { return e.announced(t) > 0 && here.Load() > 0 && there.Load() > 0 && e.idle(t) })
	here.Store(0)
	there.Store(0)
	e.put(t, feedrules.Article(1))
	testkit.Eventually(t, "the notification", func() bool { accepted, _ := hub.count("https://press.example/tags/all/feed.xml"); return accepted == 1 })
	if stale.Load() {
		t.Error("a hub was notified while a node may still serve the old document")
	}
}

func TestTopicsAreThoseOfChangedFeeds(t *testing.T) {
	t.Parallel()
	golang, jobs := article.Filter{Expr: article.Tag{Key: "golang"}}, article.Filter{Expr: article.Tag{Key: "jobs"}}
	definitions := []feed.Definition{
		{Kind: feed.Everything}, {Kind: feed.Named, Name: "go", Filter: golang}, {Kind: feed.Named, Name: "jobs", Filter: jobs},
		{Kind: feed.ByDigest, Name: "weekly"}, {Kind: feed.BySearch, Name: "x"}, {Kind: feed.Private, Name: "t0ken"},
	}
	one := []article.Article{{Tags: []string{"golang"}}}
	for name, step := range map[string]struct {
		change store.FeedChanges
		all    bool
		want   string
	}{
		"nothing":           {want: ""},
		"an article":        {change: store.FeedChanges{Articles: one}, want: "/ /feeds/go/"},
		"an edit":           {change: store.FeedChanges{Articles: one, Edited: true}, want: "/ /feeds/go/ /feeds/jobs/"},
		"a removed article": {change: store.FeedChanges{Edited: true}, want: "/ /feeds/go/ /feeds/jobs/"},
		"many articles":     {change: store.FeedChanges{Articles: one, More: true}, want: "/ /feeds/go/ /feeds/jobs/"},
		"an edition":        {change: store.FeedChanges{Digests: []string{"weekly", "daily"}}, want: "/digests/weekly/"},
		"labels":            {change: store.FeedChanges{Labels: []store.Label{{Kind: "language", Name: "en"}, {Kind: "tag", Name: "C/C++"}}}, want: "/languages/en/ /tags/C%2FC%2B%2B/"},
		"settings":          {all: true, want: "/ /digests/weekly/ /feeds/go/ /feeds/jobs/"},
		"a very long tag":   {change: store.FeedChanges{Labels: []store.Label{{Kind: "tag", Name: strings.Repeat("x", 3000)}}}, want: ""},
	} {
		var folders, want []string
		for _, topic := range websub.Topics("https://p", definitions, step.change, step.all) {
			folders = append(folders, strings.TrimPrefix(topic, "https://p"))
		}
		for _, folder := range strings.Fields(step.want) {
			want = append(want, folder+"atom.xml", folder+"feed.json", folder+"feed.xml")
		}
		slices.Sort(want)
		if !slices.Equal(folders, want) {
			t.Errorf("%s: %v, want %v", name, folders, want)
		}
	}
}
