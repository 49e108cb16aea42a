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

// listening is a hub of others, as far as publishers see it.
type listening struct {
	*httptest.Server
	mu      sync.Mutex
	answers func(topic string) int // 202 for all when nil
	told    map[string]int         // topics that it took
	asked   map[string]int
}

func newListening(t *testing.T, answers func(topic string) int) *listening {
	l := &listening{answers: answers, told: map[string]int{}, asked: map[string]int{}}
	l.Server = httptest.NewServer(l)
	t.Cleanup(l.Close)
	return l
}

func (l *listening) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	topic, status := r.FormValue("hub.url"), http.StatusAccepted
	l.asked[topic]++
	if l.answers != nil {
		status = l.answers(topic)
	}
	if status/100 == 2 && r.Method == http.MethodPost && r.FormValue("hub.mode") == "publish" && r.FormValue("hub.topic") == topic {
		l.told[topic]++
	}
	w.WriteHeader(status)
}

func (l *listening) count(topic string) (told, asked int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.told[topic], l.asked[topic]
}

// pending is a worker for the hub's pending notifications, which were announced at a
// time before now.
func pending(t *testing.T, e *env, age time.Duration, hub string, topics ...string) {
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

// left returns the hub's pending notifications.
func (e *env) left(t *testing.T, hub string) []store.PendingNotification {
	t.Helper()
	left, err := e.store.PendingNotifications(t.Context(), hub, 10)
	if err != nil {
		t.Fatal(err)
	}
	return left
}

func names(n int) (topics []string) {
	for i := range n {
		topics = append(topics, fmt.Sprintf("https://press.example/tags/%03d/atom.xml", i))
	}
	return topics
}

func TestHubIsToldOfChangedFeedsUntilItAnswers(t *testing.T) {
	t.Parallel()
	refusals := 2 // of the announcement of all feeds
	hub := newListening(t, func(string) int {
		if refusals--; refusals >= 0 {
			return http.StatusServiceUnavailable
		}
		return http.StatusNoContent
	})
	e := start(t, hub.URL)
	testkit.Eventually(t, "the hub to be told of all feeds at first", func() bool { told, _ := hub.count(topic); return told == 1 && e.idle(t) })
	a := feedrules.Article(1)
	a.Tags = []string{"C/C++"}
	e.put(t, a)
	testkit.Eventually(t, "the hub to be told", func() bool {
		first, _ := hub.count(topic)
		second, _ := hub.count("https://press.example/tags/C%2FC%2B%2B/atom.xml")
		return first == 2 && second == 1
	})
}

func TestHubThatFailsAtTimesIsToldOfEachTopicOnce(t *testing.T) {
	t.Parallel()
	requests := 0
	hub := newListening(t, func(string) int {
		if requests++; requests%3 == 0 {
			return http.StatusServiceUnavailable
		}
		return http.StatusAccepted
	})
	topics := names(123)
	e := newEnv(t)
	pending(t, e, 0, hub.URL, topics...)
	testkit.Eventually(t, "the end of the list", func() bool { return e.idle(t) })
	for _, topic := range topics {
		if told, _ := hub.count(topic); told != 1 {
			t.Errorf("%s was told %d times", topic, told)
		}
	}
}

func TestRefusedTopicIsNotSentAgain(t *testing.T) {
	t.Parallel()
	topics := names(10)
	hub := newListening(t, func(topic string) int {
		if topic == topics[4] {
			return http.StatusBadRequest
		}
		return http.StatusAccepted
	})
	e := newEnv(t)
	pending(t, e, 0, hub.URL, topics...)
	testkit.Eventually(t, "the end of the list", func() bool { return e.idle(t) })
	for _, topic := range topics {
		if told, asked := hub.count(topic); asked != 1 || told == 0 != (topic == topics[4]) {
			t.Errorf("%s: asked %d times, taken %d times", topic, asked, told)
		}
	}
}

func TestFailingTopicDoesNotDelayOthers(t *testing.T) {
	t.Parallel()
	topics := names(10)
	hub := newListening(t, func(topic string) int {
		if topic == topics[0] {
			return http.StatusInternalServerError
		}
		return http.StatusAccepted
	})
	e := newEnv(t)
	pending(t, e, 0, hub.URL, topics...)
	testkit.Eventually(t, "the others to be told", func() bool {
		return !slices.ContainsFunc(topics[1:], func(topic string) bool { told, _ := hub.count(topic); return told != 1 })
	})
	testkit.Eventually(t, "another try", func() bool { _, asked := hub.count(topics[0]); return asked > 3 })
	if left := e.left(t, hub.URL); len(left) != 1 {
		t.Errorf("still pending: %v", left)
	}
}

func TestTopicIsGivenUpAfterThreeDays(t *testing.T) {
	t.Parallel()
	hub := newListening(t, func(string) int { return http.StatusInternalServerError })
	e := newEnv(t)
	pending(t, e, 73*time.Hour, hub.URL, names(2)...)
	testkit.Eventually(t, "the end of the list", func() bool { return e.idle(t) })
	if left := e.left(t, hub.URL); len(left) != 0 {
		t.Errorf("still pending: %v", left)
	}
}

func TestHubTakenOutOfTheSettingsIsNotAsked(t *testing.T) {
	t.Parallel()
	former := newListening(t, nil)
	e := newEnv(t)
	e.announce(t, former.URL, topic)
	e.work(t, e.publisher.Tasks()) // which knows other hubs
	testkit.Eventually(t, "the end of the list", func() bool { return e.idle(t) })
	if _, asked := former.count(topic); asked != 0 {
		t.Error("a hub that is not in the settings any more was asked")
	}
}

func TestRedirectThatDropsTheFormIsAnError(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]bool{http.StatusMovedPermanently: false, http.StatusFound: false, http.StatusSeeOther: false, http.StatusPermanentRedirect: true} {
		l := newListening(t, nil)
		front := httptest.NewServer(http.RedirectHandler(l.URL, status))
		defer front.Close()
		err := websub.Notify(t.Context(), websub.NewNotifier(), front.URL, topic)
		if told, _ := l.count(topic); (err == nil) != want || (told == 1) != want {
			t.Errorf("after a redirect with %d: %v, told %d times", status, err, told)
		}
		if err != nil && !strings.Contains(err.Error(), l.URL) {
			t.Errorf("%v does not say where the hub is now", err)
		}
	}
}

func TestChangedSettingsAnnounceAllFeeds(t *testing.T) {
	t.Parallel()
	hub := newListening(t, nil)
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
			testkit.Eventually(t, "the hub to be told of the article", func() bool {
				told, _ := hub.count(fmt.Sprintf("https://press.example/tags/step%d/feed.json", i))
				return told > 0 && e.idle(t)
			})
		})
		if told, _ := hub.count(named); told != step.want {
			t.Errorf("start %d: told %d times, want %d", i, told, step.want)
		}
	}
}

func TestAllNodesAreFreshBeforeHubsAreTold(t *testing.T) {
	t.Parallel()
	var here, there atomic.Int64
	stale := atomic.Bool{}
	hub := newListening(t, func(topic string) int {
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
	testkit.Eventually(t, "the hub to be told", func() bool { told, _ := hub.count("https://press.example/tags/all/feed.xml"); return told == 1 })
	if stale.Load() {
		t.Error("a hub was told while a node may still serve what was there before")
	}
}

func TestTopicsAreTheFeedsThatChanged(t *testing.T) {
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
		"nothing":               {want: ""},
		"an article":            {change: store.FeedChanges{Articles: one}, want: "/ /feeds/go/"},
		"an edit":               {change: store.FeedChanges{Articles: one, Edited: true}, want: "/ /feeds/go/ /feeds/jobs/"},
		"an article taken away": {change: store.FeedChanges{Edited: true}, want: "/ /feeds/go/ /feeds/jobs/"},
		"many articles":         {change: store.FeedChanges{Articles: one, More: true}, want: "/ /feeds/go/ /feeds/jobs/"},
		"an edition":            {change: store.FeedChanges{Digests: []string{"weekly", "daily"}}, want: "/digests/weekly/"},
		"labels":                {change: store.FeedChanges{Labels: []store.Label{{Kind: "language", Name: "en"}, {Kind: "tag", Name: "C/C++"}}}, want: "/languages/en/ /tags/C%2FC%2B%2B/"},
		"settings":              {all: true, want: "/ /digests/weekly/ /feeds/go/ /feeds/jobs/"},
		"an endless tag":        {change: store.FeedChanges{Labels: []store.Label{{Kind: "tag", Name: strings.Repeat("x", 3000)}}}, want: ""},
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
