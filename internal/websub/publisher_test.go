package websub_test

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
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
	"github.com/tidings-press/tidings/internal/testkit/feedrules"
	"github.com/tidings-press/tidings/internal/websub"
)

// listening is somebody else's hub, as far as publishers see it.
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

// telling is a publisher whose hub has a list, at work.
func telling(t *testing.T, hub string, since time.Time, topics ...string) *journal {
	t.Helper()
	j := &journal{queue: newQueue(), lists: map[string]map[string]websub.Untold{}}
	p := &websub.Publisher{Lists: j, Site: feed.Site{Hubs: []string{hub}}, Log: slog.New(slog.DiscardHandler)}
	j.list(hub, since, websub.Job{Kind: "websub.publish", Key: hub, Payload: fmt.Appendf(nil, `{"Hub":%q}`, hub)}, topics...)
	work(t, &websub.Worker{Queue: j.queue, Do: p.Jobs()})
	return j
}

func names(n int) (topics []string) {
	for i := range n {
		topics = append(topics, fmt.Sprintf("https://press.example/tags/%03d/atom.xml", i))
	}
	return topics
}

func TestHubsAreToldOfChangedFeedsUntilTheyListen(t *testing.T) {
	t.Parallel()
	refusals := 2 // of the announcement of all feeds
	hub := newListening(t, func(string) int {
		if refusals--; refusals >= 0 {
			return http.StatusServiceUnavailable
		}
		return http.StatusNoContent
	})
	h := newHouse(t, hub.URL)
	eventually(t, "the hub to be told of all feeds at first", func() bool { told, _ := hub.count(topic); return told == 1 && h.queue.idle() })
	a := feedrules.Article(1)
	a.Tags = []string{"C/C++"}
	h.put(a)
	eventually(t, "the hub to be told", func() bool {
		first, _ := hub.count(topic)
		second, _ := hub.count("https://press.example/tags/C%2FC%2B%2B/atom.xml")
		return first == 2 && second == 1
	})
}

func TestAHubThatFailsNowAndThenIsToldOfEachTopicOnce(t *testing.T) {
	t.Parallel()
	requests := 0
	hub := newListening(t, func(string) int {
		if requests++; requests%3 == 0 {
			return http.StatusServiceUnavailable
		}
		return http.StatusAccepted
	})
	topics := names(123)
	j := telling(t, hub.URL, time.Now(), topics...)
	eventually(t, "the end of the list", j.queue.idle)
	for _, topic := range topics {
		if told, _ := hub.count(topic); told != 1 {
			t.Errorf("%s was told %d times", topic, told)
		}
	}
}

func TestATopicThatAHubRefusesIsNotToldAgain(t *testing.T) {
	t.Parallel()
	topics := names(10)
	hub := newListening(t, func(topic string) int {
		if topic == topics[4] {
			return http.StatusBadRequest
		}
		return http.StatusAccepted
	})
	j := telling(t, hub.URL, time.Now(), topics...)
	eventually(t, "the end of the list", j.queue.idle)
	for _, topic := range topics {
		if told, asked := hub.count(topic); asked != 1 || told == 0 != (topic == topics[4]) {
			t.Errorf("%s: asked %d times, taken %d times", topic, asked, told)
		}
	}
}

func TestATopicThatAHubCannotTakeLetsTheOthersPass(t *testing.T) {
	t.Parallel()
	topics := names(10)
	hub := newListening(t, func(topic string) int {
		if topic == topics[0] {
			return http.StatusInternalServerError
		}
		return http.StatusAccepted
	})
	j := telling(t, hub.URL, time.Now(), topics...)
	eventually(t, "the others to be told", func() bool {
		return !slices.ContainsFunc(topics[1:], func(topic string) bool { told, _ := hub.count(topic); return told != 1 })
	})
	eventually(t, "another try", func() bool { _, asked := hub.count(topics[0]); return asked > 3 })
	if left, err := j.Of(t.Context(), hub.URL, 10); len(left) != 1 || err != nil {
		t.Errorf("on the list: %v, %v", left, err)
	}
}

func TestATopicIsGivenUpAfterThreeDays(t *testing.T) {
	t.Parallel()
	hub := newListening(t, func(string) int { return http.StatusInternalServerError })
	j := telling(t, hub.URL, time.Now().Add(-73*time.Hour), names(2)...)
	eventually(t, "the end of the list", j.queue.idle)
	if left, err := j.Of(t.Context(), hub.URL, 10); len(left) != 0 || err != nil {
		t.Errorf("on the list: %v, %v", left, err)
	}
}

func TestAHubThatIsToldNoMoreIsNotAsked(t *testing.T) {
	t.Parallel()
	former := newListening(t, nil)
	j := telling(t, "https://hub.example/", time.Now())
	j.list(former.URL, time.Now(), websub.Job{Kind: "websub.publish", Key: former.URL, Payload: fmt.Appendf(nil, `{"Hub":%q}`, former.URL)}, topic)
	eventually(t, "the end of the list", j.queue.idle)
	if _, asked := former.count(topic); asked != 0 {
		t.Error("a hub that is not in the settings any more was asked")
	}
}

func TestTheConsentOfAHubIsNotSomePage(t *testing.T) {
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

func TestAllFeedsAreToldWhenTheSettingsChanged(t *testing.T) {
	t.Parallel()
	hub := newListening(t, nil)
	j := &journal{queue: newQueue(), lists: map[string]map[string]websub.Untold{}}
	site := feedrules.Site()
	site.Hubs = []string{hub.URL}
	start := func(title string) {
		t.Run(title, func(t *testing.T) { // at its end the node stops
			site.Title = title
			p := &websub.Publisher{
				News: j, Lists: j, Site: site, Log: slog.New(slog.DiscardHandler), Poll: time.Millisecond, Gather: time.Millisecond,
				Definitions: []feed.Definition{{Kind: feed.Everything}, {Kind: feed.Named, Name: "go", Filter: article.Filter{Expr: article.Tag{Key: "go"}}}},
			}
			work(t, &websub.Worker{Queue: j.queue, Do: p.Jobs()})
			background(t, p.Run)
			a := feedrules.Article(int(rand.Int64()))
			a.Tags = []string{title}
			eventually(t, "the position to count from", j.begun)
			j.note(a)
			eventually(t, "news", func() bool {
				told, _ := hub.count("https://press.example/tags/" + title + "/feed.json")
				return told > 0 && j.queue.idle()
			})
		})
	}
	const named = "https://press.example/feeds/go/feed.xml" // which none of the articles is in
	for i, step := range []struct {
		title string
		want  int
	}{{"First", 1}, {"First", 1}, {"Second", 2}} {
		start(step.title)
		if told, _ := hub.count(named); told != step.want {
			t.Errorf("start %d: told %d times, want %d", i, told, step.want)
		}
	}
}

func TestTheSettingsAreToldWhenAnotherNodeAnnouncesFirst(t *testing.T) {
	t.Parallel()
	hub := newListening(t, nil)
	j := &journal{queue: newQueue(), lost: 2, lists: map[string]map[string]websub.Untold{}}
	site := feedrules.Site()
	site.Hubs = []string{hub.URL}
	p := &websub.Publisher{
		News: j, Lists: j, Site: site, Log: slog.New(slog.DiscardHandler), Poll: time.Millisecond, Gather: time.Millisecond,
		Definitions: []feed.Definition{{Kind: feed.Everything}},
	}
	work(t, &websub.Worker{Queue: j.queue, Do: p.Jobs()})
	background(t, p.Run)
	eventually(t, "all feeds to be told", func() bool { told, _ := hub.count(topic); return told == 1 })
}

func TestAllNodesHearOfAChangeBeforeHubsDo(t *testing.T) {
	t.Parallel()
	var here, there atomic.Int64
	stale := atomic.Bool{}
	hub := newListening(t, func(topic string) int {
		if strings.Contains(topic, "/tags/") && (here.Load() == 0 || there.Load() == 0) {
			stale.Store(true)
		}
		return http.StatusAccepted
	})
	j := &journal{queue: newQueue(), lists: map[string]map[string]websub.Untold{}}
	site := feedrules.Site()
	site.Hubs = []string{hub.URL}
	for _, heard := range []*atomic.Int64{&here, &there} {
		p := &websub.Publisher{
			News: j, Lists: j, Site: site, Log: slog.New(slog.DiscardHandler), Poll: time.Millisecond, Gather: 200 * time.Millisecond,
			Fresh: func() { heard.Add(1) },
		}
		work(t, &websub.Worker{Queue: j.queue, Do: p.Jobs()})
		background(t, p.Run)
	}
	eventually(t, "both nodes to know where they stand", func() bool { return j.begun() && here.Load() > 0 && there.Load() > 0 })
	quiet := j.looks.Load() + 10
	eventually(t, "a few looks, in which nothing happens", func() bool { return j.looks.Load() > quiet })
	here.Store(0)
	there.Store(0)
	j.note(feedrules.Article(1))
	eventually(t, "the hub to be told", func() bool { told, _ := hub.count("https://press.example/tags/all/feed.xml"); return told == 1 })
	if stale.Load() {
		t.Error("a hub was told while a node may still serve what was there before")
	}
	if more := here.Load() + there.Load(); more > 5 {
		t.Errorf("one change was announced to the feeds %d times", more)
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
		change websub.Change
		all    bool
		want   string
	}{
		"nothing":               {want: ""},
		"an article":            {change: websub.Change{Articles: one}, want: "/ /feeds/go/"},
		"an edit":               {change: websub.Change{Articles: one, Edited: true}, want: "/ /feeds/go/ /feeds/jobs/"},
		"an article taken away": {change: websub.Change{Edited: true}, want: "/ /feeds/go/ /feeds/jobs/"},
		"many articles":         {change: websub.Change{Articles: one, More: true}, want: "/ /feeds/go/ /feeds/jobs/"},
		"an edition":            {change: websub.Change{Digests: []string{"weekly", "daily"}}, want: "/digests/weekly/"},
		"labels":                {change: websub.Change{Labels: []websub.Label{{Kind: feed.ByLanguage, Name: "en"}, {Kind: feed.ByTag, Name: "C/C++"}}}, want: "/languages/en/ /tags/C%2FC%2B%2B/"},
		"settings":              {all: true, want: "/ /digests/weekly/ /feeds/go/ /feeds/jobs/"},
		"an endless tag":        {change: websub.Change{Labels: []websub.Label{{Kind: feed.ByTag, Name: strings.Repeat("x", 3000)}}}, want: ""},
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
