package app_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/app"
	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/feedserver"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit/feedrules"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

// testClock is a clock that all nodes of a test share and the test moves.
type testClock struct{ millis atomic.Int64 }

func newTestClock() *testClock {
	w := &testClock{}
	w.millis.Store(feedrules.Noon.UnixMilli())
	return w
}

func (w *testClock) now() time.Time          { return time.UnixMilli(w.millis.Load()).UTC() }
func (w *testClock) advance(d time.Duration) { w.millis.Add(d.Milliseconds()) }

// onEach runs a test on each engine, with nodes that it opens on one store.
func onEach(t *testing.T, test func(t *testing.T, w *testClock, open func() *store.Store)) {
	t.Helper()
	for _, engine := range storetest.Engines {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			dsn, w := storetest.DSN(t, engine), newTestClock()
			test(t, w, func() *store.Store { return storetest.Reopen(t, dsn, store.Options{Clock: w.now}) })
		})
	}
}

// since requests a path with If-Modified-Since, or without it when date is "".
func since(t *testing.T, h http.Handler, path, date string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	if date != "" {
		r.Header.Set("If-Modified-Since", date)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// modified returns the Last-Modified of a feed.
func modified(t *testing.T, h http.Handler, path string) time.Time {
	t.Helper()
	w := since(t, h, path, "")
	at, err := http.ParseTime(w.Header().Get("Last-Modified"))
	if err != nil || w.Code != http.StatusOK {
		t.Fatalf("%s: %d, Last-Modified: %v", path, w.Code, err)
	}
	return at
}

var formats = []string{"feed.xml", "atom.xml", "feed.json"}

// formatsOf returns the paths of a feed's three formats.
func formatsOf(feed string) (paths []string) {
	for _, format := range formats {
		paths = append(paths, strings.Replace(feed, "*", format, 1))
	}
	return paths
}

// removalCase is a way in which an article leaves a feed.
type removalCase struct {
	name, feed string
	change     func(t *testing.T, s *store.Store, a article.Article, id string)
}

func edit(change func(a *article.Article)) func(*testing.T, *store.Store, article.Article, string) {
	return func(t *testing.T, s *store.Store, a article.Article, _ string) {
		t.Helper()
		change(&a)
		putArticles(t, s, a)
	}
}

var removalCases = []removalCase{
	{"loses a tag", "/tags/leaving/*", edit(func(a *article.Article) { a.Tags = nil })},
	{"loses its author", "/authors/Lea/*", edit(func(a *article.Article) { a.Authors = nil })},
	{"changes its language", "/languages/de/*", edit(func(a *article.Article) { a.Language = "fr" })},
	{"loses a word", "/search/*?q=zebra", edit(func(a *article.Article) { a.HTML = "<p>horse</p>" })},
	{"loses a tag with an old date", "/tags/leaving/*", edit(func(a *article.Article) {
		a.Tags, a.Updated = nil, a.Updated.Add(time.Second)
	})},
	{"is unpublished", "/*", edit(func(a *article.Article) { a.Status = article.Draft })},
	{"gets a later date", "/*", edit(func(a *article.Article) { a.Published = feedrules.Noon.AddDate(1, 0, 0) })},
	{"is removed", "/*", func(t *testing.T, s *store.Store, _ article.Article, id string) {
		t.Helper()
		if err := s.RemoveArticle(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}},
}

// leavingArticle returns an article that is in every feed of removalCases, and another one that
// keeps those feeds from being empty.
func leavingArticle() (leaving, staying article.Article) {
	leaving, staying = feedrules.Article(1), feedrules.Article(2)
	for _, a := range []*article.Article{&leaving, &staying} {
		a.Tags, a.Language, a.HTML = []string{"leaving"}, "de", "<p>zebra</p>"
		a.Authors = []article.Author{{Name: "Lea"}}
	}
	return leaving, staying
}

func TestAnArticleThatLeavesAFeedAdvancesLastModified(t *testing.T) {
	t.Parallel()
	for _, d := range removalCases {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			onEach(t, func(t *testing.T, w *testClock, open func() *store.Store) {
				s := open()
				server := feedServer(s)
				out, stay := leavingArticle()
				id := putArticles(t, s, out, stay)[0]
				w.advance(time.Hour)
				before := map[string]*httptest.ResponseRecorder{}
				for _, path := range formatsOf(d.feed) {
					before[path] = since(t, server, path, "")
				}
				w.advance(time.Hour)
				when := w.now()
				d.change(t, s, out, id)
				w.advance(time.Hour)
				for path, old := range before {
					date := old.Header().Get("Last-Modified")
					again := since(t, server, path, date)
					if again.Code != http.StatusOK || again.Body.String() == old.Body.String() {
						t.Errorf("%s: status %d since %s, want 200 and other bytes", path, again.Code, date)
					}
					if got := modified(t, server, path); !got.Equal(when) {
						t.Errorf("%s: Last-Modified is %v, want %v, the time at which the article left", path, got, when)
					}
					if again = since(t, server, path, again.Header().Get("Last-Modified")); again.Code != http.StatusNotModified {
						t.Errorf("%s: %d since its own Last-Modified, want 304", path, again.Code)
					}
				}
			})
		})
	}
}

func TestLastModifiedNeverGoesBack(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, w *testClock, open func() *store.Store) {
		s := open()
		server := feedServer(s)
		out, stay := leavingArticle()
		id := putArticles(t, s, out, stay)[0]
		last := map[string]time.Time{}
		check := func(what string, advanced bool) {
			t.Helper()
			w.advance(time.Hour)
			for _, path := range append(formatsOf("/*"), formatsOf("/tags/leaving/*")...) {
				if now := modified(t, server, path); now.Before(last[path]) || advanced != now.After(last[path]) {
					t.Errorf("%s, %s: Last-Modified %v after %v, advanced should be %t", what, path, now, last[path], advanced)
				} else {
					last[path] = now
				}
			}
		}
		check("at first", true)
		if err := s.RemoveArticle(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		check("removed", true)
		if err := s.RestoreArticle(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		check("restored", true)
		check("nothing happened", false)
	})
}

func TestNodesGiveTheSameHeaders(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, w *testClock, open func() *store.Store) {
		first, second := open(), open()
		here, there := feedServer(first), feedServer(second)
		out, stay := leavingArticle()
		id := putArticles(t, first, out, stay)[0]
		paths := append(append(formatsOf("/*"), formatsOf("/tags/leaving/*")...), "/feeds.opml")
		same := func(what string, a, b http.Handler) {
			t.Helper()
			for _, path := range paths {
				x, y := since(t, a, path, ""), since(t, b, path, "")
				if x.Body.String() != y.Body.String() || x.Header().Get("ETag") != y.Header().Get("ETag") {
					t.Errorf("%s, %s: other bytes", what, path)
				}
				if x, y := x.Header().Get("Last-Modified"), y.Header().Get("Last-Modified"); x != y {
					t.Errorf("%s, %s: Last-Modified %s here, %s there", what, path, x, y)
				}
			}
		}
		same("at first", here, there)
		w.advance(time.Hour)
		out.Tags = nil
		putArticles(t, second, out)
		w.advance(200 * time.Millisecond) // the poll
		same("after an edit", here, there)
		w.advance(time.Hour)
		if err := first.RemoveArticle(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		if err := second.RestoreArticle(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		w.advance(time.Minute)
		same("after a restore", here, there)
		same("after a restart", here, feedServer(open()))
	})
}

func TestChangeInTheSecondOfAnAnswerAdvancesLastModified(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, w *testClock, open func() *store.Store) {
		s := open()
		server := feedServer(s)
		out, stay := leavingArticle()
		putArticles(t, s, out, stay)
		var given []string // Last-Modified of answers before the change, all within the same second
		for range 2 {
			w.advance(200 * time.Millisecond)
			given = append(given, since(t, server, "/tags/leaving/feed.xml", "").Header().Get("Last-Modified"))
		}
		out.Tags = nil
		putArticles(t, s, out) // in the second in which the articles were stored
		server.Changed()
		for _, later := range []time.Duration{0, time.Second, time.Second, time.Minute} {
			w.advance(later)
			for _, date := range given {
				if again := since(t, server, "/tags/leaving/feed.xml", date); again.Code != http.StatusOK {
					t.Errorf("%v after the change: %d since %s, want 200", w.now().Sub(feedrules.Noon), again.Code, date)
				}
			}
		}
		settled := since(t, server, "/tags/leaving/feed.xml", "").Header().Get("Last-Modified")
		if again := since(t, server, "/tags/leaving/feed.xml", settled); again.Code != http.StatusNotModified {
			t.Errorf("a minute later: %d since %s, want 304", again.Code, settled)
		}
	})
}

func TestOldBytesFromAnotherNodeDoNotKeepTheirDate(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, w *testClock, open func() *store.Store) {
		s, other := open(), feedServer(open())
		out, stay := leavingArticle()
		putArticles(t, s, out, stay)
		w.advance(850 * time.Millisecond)
		modified(t, other, "/tags/leaving/feed.xml") // reads the revision; the next time is in 200 ms
		w.advance(100 * time.Millisecond)
		out.Tags = nil
		putArticles(t, s, out) // still in the first second
		w.advance(90 * time.Millisecond)
		old := since(t, other, "/tags/leaving/feed.xml", "") // in the next one
		if !strings.Contains(old.Body.String(), "Article 1") {
			t.Fatal("the node has the change already: the test shows nothing")
		}
		w.advance(time.Minute)
		if again := since(t, other, "/tags/leaving/feed.xml", old.Header().Get("Last-Modified")); again.Code != http.StatusOK {
			t.Errorf("%d a minute later, want 200: the bytes have changed", again.Code)
		}
	})
}

func TestNewArticleKeepsTheDatesOfOtherFeeds(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, w *testClock, open func() *store.Store) {
		s := open()
		server := feedServer(s)
		out, stay := leavingArticle()
		putArticles(t, s, out, stay)
		w.advance(time.Hour)
		before := modified(t, server, "/tags/leaving/feed.xml")
		putArticles(t, s, feedrules.Article(7))
		w.advance(time.Hour)
		if after := modified(t, server, "/tags/leaving/feed.xml"); !after.Equal(before) {
			t.Errorf("Last-Modified changed from %v to %v after an article that is not in the feed", before, after)
		}
		if all := modified(t, server, "/feed.xml"); !all.After(before) {
			t.Errorf("Last-Modified of all articles is %v, want that of the new one", all)
		}
	})
}

func TestServingByDateAllocatesNothingMore(t *testing.T) {
	s := storetest.Open(t, store.SQLite, store.Options{})
	out, stay := leavingArticle()
	putArticles(t, s, out, stay)
	clock := time.Now().Add(time.Hour)
	server := feedserver.New(feedserver.Options{Source: app.NewFeedSource(s), Site: feedrules.Site(), Now: func() time.Time { return clock }, Limits: feedrules.PatientLimits})
	r := httptest.NewRequest(http.MethodGet, "/feed.xml", nil)
	r.Header.Set("If-Modified-Since", since(t, server, "/feed.xml", "").Header().Get("Last-Modified"))
	w := httptest.NewRecorder()
	if allocations := testing.AllocsPerRun(100, func() { server.ServeHTTP(w, r) }); allocations > 1 {
		t.Errorf("%v allocations in an answer, want at most 1", allocations)
	}
}
