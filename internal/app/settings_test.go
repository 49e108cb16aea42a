package app_test

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/app"
	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/internal/feedserver"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/internal/testkit/feedrules"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

// openAt opens a service on a store whose clock the test sets.
func openAt(t *testing.T, s *store.Store, settings string) *app.Service {
	t.Helper()
	c, err := config.Parse([]byte(settings), filepath.Join(t.TempDir(), "config.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return &app.Service{Config: c, Store: s, Log: slog.New(slog.DiscardHandler)}
}

// newFeedServer returns the feed server of a node with the given settings.
func newFeedServer(t *testing.T, s *store.Store, settings string) *feedserver.Server {
	t.Helper()
	p := openAt(t, s, settings)
	feeds, err := p.Feeds(t.Context())
	if err == nil {
		err = p.RecordFeedSettings(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	return feeds
}

func TestChangedSettingsAdvanceLastModified(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	const before = "site: {url: https://press.example, copyright: One}\nfeeds:\n- {name: sea, title: Sea, filter: {tags: [sea]}}\n"
	for name, after := range map[string]string{
		"copyright":         strings.Replace(before, "One", "Two", 1),
		"filter":            strings.Replace(before, "[sea]", "[town]", 1),
		"title of the feed": strings.Replace(before, "title: Sea", "title: Water", 1),
		"limit":             strings.Replace(before, "title: Sea", "title: Sea, limit: 1", 1),
		"summaries alone":   strings.Replace(before, "title: Sea", "title: Sea, content: summary", 1),
		"podcast":           strings.Replace(before, "title: Sea", "title: Sea, podcast: {author: Ann, category: News}", 1),
		"hub":               before + "feed_server: {hubs: [https://hub.example/]}\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test := func(t *testing.T, w *testClock, open func() *store.Store) {
				s := open()
				for i, tag := range []string{"sea", "town", "sea", "town"} {
					a := feedrules.Article(i)
					a.Tags, a.Enclosure = []string{tag}, []article.Enclosure{{URL: "https://cdn.example.org/a.mp3", Type: "audio/mpeg", Bytes: 9}}
					putArticles(t, s, a)
				}
				first := newFeedServer(t, s, before)
				w.advance(time.Hour)
				old := since(t, first, "/feeds/sea/feed.xml", "")
				date := old.Header().Get("Last-Modified")
				again := since(t, newFeedServer(t, open(), before), "/feeds/sea/feed.xml", "") // a restart
				if again.Body.String() != old.Body.String() || again.Header().Get("Last-Modified") != date {
					t.Errorf("after a restart: Last-Modified %s, was %s", again.Header().Get("Last-Modified"), date)
				}
				w.advance(time.Hour)
				when := w.now()
				second := newFeedServer(t, s, after)
				w.advance(time.Hour)
				next := since(t, second, "/feeds/sea/feed.xml", date)
				if next.Code != http.StatusOK || next.Body.String() == old.Body.String() {
					t.Fatalf("%d since %s, want 200 and other bytes", next.Code, date)
				}
				if got := modified(t, second, "/feeds/sea/feed.xml"); !got.Equal(when) {
					t.Errorf("Last-Modified is %v, want %v, the time at which the settings changed", got, when)
				}
				if own := since(t, second, "/feeds/sea/feed.xml", next.Header().Get("Last-Modified")); own.Code != http.StatusNotModified {
					t.Errorf("%d since its own Last-Modified, want 304", own.Code)
				}
			}
			if name == "filter" { // a filter is not in documents but selects their articles
				onEach(t, test)
				return
			}
			dsn, w := storetest.DSN(t, store.SQLite), newTestClock()
			test(t, w, func() *store.Store { return storetest.Reopen(t, dsn, store.Options{Clock: w.now}) })
		})
	}
}

func TestPodcastHasOnlyArticlesWithAFile(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, _ *testClock, open func() *store.Store) {
		s := open()
		with, without := feedrules.Article(1), feedrules.Article(2)
		with.Enclosure = []article.Enclosure{{URL: "https://cdn.example.org/a.mp3", Type: "audio/mpeg", Bytes: 9}}
		putArticles(t, s, with)
		putArticles(t, s, without)
		feeds := newFeedServer(t, s, "site: {url: https://press.example}\nfeeds:\n- {name: pod, podcast: {author: Ann, category: News}}\n")
		body := since(t, feeds, "/feeds/pod/feed.xml", "").Body.String()
		if !strings.Contains(body, "a.mp3") || !strings.Contains(body, with.Title) || strings.Contains(body, without.Title) {
			t.Errorf("the podcast must have the article with a file alone:\n%s", body)
		}
	})
}

func TestSettingsOutsideDocumentsKeepLastModified(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, store.SQLite, store.Options{})
	putArticles(t, s, feedrules.Article(1))
	newFeedServer(t, s, "site: {url: https://press.example}\nfeeds:\n- {name: sea}\n")
	before, err := s.LastChange(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	newFeedServer(t, s, "site: {url: https://press.example}\nfeeds:\n- {name: sea, max_age: 10m}\nserver: {trusted_proxies: [10.0.0.0/8]}\nfeed_server: {memory: 64MB}\n")
	if after, err := s.LastChange(t.Context()); err != nil || after != before {
		t.Errorf("%+v after %+v, %v", after, before, err)
	}
}

// clientCopy is an answer that a client may still have.
type clientCopy struct {
	date, body string
	settings   int // a higher number means later settings
}

// TestNodesWithOldAndNewSettingsNeverKeepOldBytesByDate: two nodes with different settings serve
// one store and are restarted at any moment. A client requests feeds from both with every date that
// it ever got.
func TestNodesWithOldAndNewSettingsNeverKeepOldBytesByDate(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	for seed := range uint64(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			random, w := rand.New(rand.NewPCG(seed, 1)), newTestClock()
			s := storetest.Open(t, store.SQLite, store.Options{Clock: w.now})
			settings := []string{"site: {url: https://press.example, title: One}", "site: {url: https://press.example, title: Two}"}
			putArticles(t, s, feedrules.Article(0))
			var nodes [2]*feedserver.Server
			var since [2]int // the number of the settings that a node serves with
			starts := 0
			start := func(node int) {
				if nodes[node] == nil || since[node] != starts {
					starts++
				}
				nodes[node], since[node] = newFeedServer(t, s, settings[node]), starts
			}
			start(0)
			start(1)
			var history []clientCopy
			for step := range 80 {
				switch n := random.IntN(12); {
				case n < 2:
					putArticles(t, s, feedrules.Article(step+1))
				case n < 4:
					a := feedrules.Article(random.IntN(step + 1))
					a.Title = fmt.Sprintf("Edited in step %d", step)
					putArticles(t, s, a)
				case n == 4:
					start(random.IntN(2))
				}
				w.advance(time.Duration(random.IntN(3000)) * time.Millisecond)
				for node, server := range nodes {
					history = append(history[max(len(history)-40, 0):], checkDates(t, server, since[node], history))
				}
			}
		})
	}
}

// checkDates requests a feed from a node with every date in the history, and returns the node's own
// answer.
func checkDates(t *testing.T, server *feedserver.Server, settings int, history []clientCopy) clientCopy {
	t.Helper()
	now := since(t, server, "/feed.json", "")
	for _, old := range history {
		if old.settings > settings || since(t, server, "/feed.json", old.date).Code != http.StatusNotModified {
			continue // what the client has is newer than the settings of this node
		}
		if old.body != now.Body.String() {
			t.Fatalf("304 since %s, the date of other bytes", old.date)
		}
	}
	return clientCopy{now.Header().Get("Last-Modified"), now.Body.String(), settings}
}

func TestAScheduledArticleAppearsWhateverTheClocksOfStoreAndServerSay(t *testing.T) {
	t.Parallel()
	for _, ahead := range []time.Duration{-700 * time.Millisecond, 0, 700 * time.Millisecond} {
		t.Run(ahead.String(), func(t *testing.T) {
			t.Parallel()
			w := newTestClock()
			s := storetest.Open(t, store.SQLite, store.Options{Clock: w.now})
			server := feedserver.New(feedserver.Options{ // its clock differs from the store's: time passes between two readings
				Site: feedrules.Site(), Source: app.NewFeedSource(s), Now: func() time.Time { return w.now().Add(ahead) }, Limits: feedrules.PatientLimits,
			})
			putArticles(t, s, feedrules.Article(1))
			later := feedrules.Article(2)
			later.Published = feedrules.Noon.Add(time.Hour)
			putArticles(t, s, later)
			for _, path := range formatsOf("/*") {
				if _, body := fetch(t, server, path); strings.Contains(body, "Article 2") {
					t.Fatalf("%s shows an article of the future", path)
				}
			}
			w.advance(time.Hour - 2*time.Second)
			for range 40 { // through the moment in small steps
				w.advance(100 * time.Millisecond)
				for _, path := range formatsOf("/*") {
					fetch(t, server, path)
				}
			}
			for _, path := range append(formatsOf("/*"), formatsOf("/tags/all/*")...) {
				if _, body := fetch(t, server, path); !strings.Contains(body, "Article 2") {
					t.Errorf("server %v ahead: %s does not show an article whose date has passed", ahead, path)
				}
			}
		})
	}
}

func TestAppearingArticlesAreAnnounced(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	onEach(t, func(t *testing.T, w *testClock, open func() *store.Store) {
		s := open()
		from := app.NewFeedSource(s)
		putArticles(t, s, feedrules.Article(1))
		var late []article.Article
		for i := range 130 {
			a := feedrules.Article(10 + i)
			a.Published = feedrules.Noon.Add(time.Hour)
			if i < 3 {
				a.Published = feedrules.Noon.Add(time.Minute)
			}
			late = append(late, a)
		}
		putArticles(t, s, late...)
		first, err := from.Changed(t.Context(), feedserver.Checkpoint{}, w.now())
		if err != nil || !first.All || !first.Checkpoint.Due.Equal(feedrules.Noon.Add(time.Minute)) {
			t.Fatalf("at first: %+v, %v", first.Checkpoint, err)
		}
		quiet, err := from.Changed(t.Context(), first.Checkpoint, w.now().Add(59*time.Second))
		if err != nil || quiet.All || len(quiet.Articles) > 0 || quiet.Checkpoint != first.Checkpoint {
			t.Errorf("before any is due: %+v, %v", quiet, err)
		}
		three, err := from.Changed(t.Context(), first.Checkpoint, w.now().Add(time.Minute))
		if err != nil || three.All || len(three.Articles) != 3 || !three.Checkpoint.Due.Equal(feedrules.Noon.Add(time.Hour)) {
			t.Errorf("three are due: %d articles, all %t, mark %+v, %v", len(three.Articles), three.All, three.Checkpoint, err)
		}
		many, err := from.Changed(t.Context(), three.Checkpoint, w.now().Add(2*time.Hour))
		if err != nil || !many.All || !many.Checkpoint.Due.IsZero() {
			t.Errorf("many are due: all %t, mark %+v, %v", many.All, many.Checkpoint, err)
		}
	})
}
