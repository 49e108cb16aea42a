package app_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/feed"
	"github.com/tidings-press/tidings/internal/app"
	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/article/ingest"
	"github.com/tidings-press/tidings/internal/feedserver"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/internal/testkit/feedrules"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

func feedServer(s *store.Store) *feedserver.Server {
	return feedserver.New(feedserver.Options{Source: app.NewFeedSource(s), Site: feedrules.Site(), Now: s.Now, Poll: 200 * time.Millisecond, Limits: feedrules.PatientLimits})
}

func fetch(t *testing.T, h http.Handler, path string) (int, string) {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w.Code, w.Body.String()
}

// putArticles stores articles in the given order and returns their ids.
func putArticles(t *testing.T, s *store.Store, articles ...article.Article) []string {
	t.Helper()
	for i := range articles {
		articles[i].Hash = fmt.Sprint(articles[i])
	}
	changes, err := s.PutArticles(t.Context(), articles)
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, change := range changes {
		ids = append(ids, change.ID)
	}
	return ids
}

// history follows next_url and returns all ids in the order of the pages.
func history(t *testing.T, h http.Handler, path string) []string {
	t.Helper()
	var ids []string
	for path != "" {
		var doc struct {
			NextURL string `json:"next_url"`
			Items   []struct{ ID string }
		}
		status, body := fetch(t, h, path)
		if err := json.Unmarshal([]byte(body), &doc); err != nil {
			t.Fatalf("%s: %d, %v", path, status, err)
		}
		for _, item := range doc.Items {
			ids = append(ids, item.ID)
		}
		path = strings.TrimPrefix(doc.NextURL, "https://press.example")
	}
	return ids
}

func TestFeedsOfAStoreFollowItsChanges(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		server := feedServer(s)
		var articles []article.Article
		for i := range 130 {
			a := feedrules.Article(i)
			if i%3 == 0 {
				a.Tags = []string{"C/C++", "all"}
			}
			articles = append(articles, a)
		}
		ids := putArticles(t, s, articles...)
		for path, want := range map[string]int{
			"/feed.json": 130, feed.TagPath("c/c++") + "feed.json": 44, feed.AuthorPath("ann author") + "feed.json": 130,
			"/search/feed.json?q=article+7": 1, "/filter/feed.json?match=all+AND+NOT+%22C%2FC%2B%2B%22": 86, feed.LanguagePath("en") + "feed.json": 130,
		} {
			got := history(t, server, path)
			if slices.Sort(got); len(got) != want || len(slices.Compact(got)) != want {
				t.Errorf("%s: %d articles in its history, want %d, each once", path, len(got), want)
			}
		}
		if err := s.RemoveArticle(t.Context(), ids[129]); err != nil {
			t.Fatal(err)
		}
		server.Changed()
		_, atom := fetch(t, server, "/atom.xml")
		if strings.Contains(atom, "<id>urn:uuid:"+ids[129]) || !strings.Contains(atom, `<at:deleted-entry ref="urn:uuid:`+ids[129]) {
			t.Error("a removed article is in the feed, or leaves no tombstone")
		}
	})
}

func TestAnotherNodeServesAnEditWithinASecond(t *testing.T) {
	t.Parallel()
	for _, engine := range storetest.Engines {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			dsn := storetest.DSN(t, engine)
			w := newTestClock()
			here := storetest.Reopen(t, dsn, store.Options{Clock: w.now})
			other := feedServer(storetest.Reopen(t, dsn, store.Options{Clock: w.now}))
			a := feedrules.Article(1)
			putArticles(t, here, a)
			if _, body := fetch(t, other, "/feed.xml"); !strings.Contains(body, "Article 1") {
				t.Fatal("the article is missing")
			}
			a.Title = "Edited"
			putArticles(t, here, a)
			w.advance(time.Second) // of the other node's clock, which does not go on after that
			testkit.Eventually(t, "the edit", func() bool {
				_, body := fetch(t, other, "/feed.xml")
				return strings.Contains(body, "Edited")
			})
		})
	}
}

func TestOPMLListsTheFeedsOfTagsAuthorsAndLanguages(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, store.SQLite, store.Options{})
	putArticles(t, s, feedrules.FullArticle(1))
	p := &app.Service{Store: s}
	server := feedserver.New(feedserver.Options{Source: app.NewFeedSource(s), Site: feedrules.Site(), Now: s.Now, Named: p.NamedFeeds, Limits: feedrules.PatientLimits})
	_, opml := fetch(t, server, "/feeds.opml")
	for _, path := range []string{"/feed.xml", feed.TagPath("C/C++") + "feed.xml", feed.AuthorPath("Ann Author") + "feed.xml", feed.LanguagePath("en") + "feed.xml"} {
		if !strings.Contains(opml, `xmlUrl="https://press.example`+path+`"`) {
			t.Errorf("no %s in\n%s", path, opml)
		}
		if status, _ := fetch(t, server, path); status != http.StatusOK {
			t.Errorf("%s answers %d", path, status)
		}
	}
}

func TestNodesGiveTheSameBytes(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		putArticles(t, s, feedrules.FullArticle(1), feedrules.Article(2), feedrules.Article(3))
		first, second := feedServer(s), feedServer(s)
		for _, path := range []string{"/feed.xml", "/atom.xml", "/feed.json", "/feeds.opml"} {
			_, a := fetch(t, first, path)
			_, b := fetch(t, second, path)
			if a != b {
				t.Errorf("%s differs", path)
			}
		}
	})
}

func TestHistoryIsCompleteWhileArticlesArrive(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		var articles []article.Article
		for i := range 600 {
			articles = append(articles, feedrules.Article(i))
		}
		ids := putArticles(t, s, articles...)
		source, next := app.NewFeedSource(s), 600
		seen := map[string]int{}
		for cursor := ""; ; {
			page, err := feedserver.Load(t.Context(), source, feedrules.Site(), feed.Definition{Kind: feed.Everything}, cursor, time.Now())
			if err != nil {
				t.Fatal(err)
			}
			for _, item := range page.Items {
				seen[item.Article.ID]++
			}
			putArticles(t, s, feedrules.Article(next), feedrules.Article(next+1))
			next += 2
			if cursor = page.Page.Older; cursor == "" {
				break
			}
		}
		for i, id := range ids {
			if seen[id] != 1 {
				t.Fatalf("article %d was seen %d times", i, seen[id])
			}
		}
	})
}

func TestGoBlogIsCompleteInTheArchives(t *testing.T) {
	if testkit.RaceDetector {
		t.Skip("rendering all archive pages of a real blog takes minutes with the race detector, so scripts/run-tests runs it without")
	}
	testkit.Slow(t)
	t.Parallel()
	files, err := filepath.Glob(filepath.Join("..", "..", "..", "shared", "corpus", "go-blog", "*.md"))
	if err != nil || len(files) == 0 {
		t.Skip("SKIPPED: the go-blog corpus is not beside this checkout (../shared/corpus/go-blog)")
	}
	s := storetest.Open(t, store.SQLite, store.Options{})
	stored := importAll(t, s, files)
	if stored != 274 {
		t.Errorf("%d articles, want 274", stored)
	}
	server := feedServer(s)
	ids := history(t, server, "/feed.json")
	if slices.Sort(ids); len(ids) != stored || len(slices.Compact(ids)) != stored {
		t.Errorf("%d articles in the archives, want %d", len(ids), stored)
	}
	for _, format := range feed.Formats {
		cursor, documents := "", 0
		for {
			page, err := feedserver.Load(t.Context(), app.NewFeedSource(s), feedrules.Site(), feed.Definition{Kind: feed.Everything}, cursor, time.Now())
			if err != nil {
				t.Fatal(err)
			}
			data, err := format.Render(feed.Prepare(page))
			if err != nil {
				t.Fatal(err)
			}
			documents++
			for _, problem := range append(feedrules.Problems(format, data), feedrules.MissingText(format, data, page.Items)...) {
				t.Errorf("%s, page %q: %s", format, cursor, problem)
			}
			if cursor = page.Page.Older; cursor == "" {
				break
			}
		}
		t.Logf("%s: %d documents", format, documents)
	}
}

func importAll(t *testing.T, s *store.Store, files []string) (stored int) {
	t.Helper()
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		imported, _ := ingest.Import(ingest.File{Name: filepath.Base(name), Data: data}, ingest.Options{BaseURL: "https://go.dev/blog/"})
		for _, one := range imported {
			if one.Article == nil {
				if err := s.PutRedirects(t.Context(), one.Redirects); err != nil {
					t.Fatal(err)
				}
				continue
			}
			if _, err := s.PutArticle(t.Context(), one.Article, one.Redirects, nil); err != nil {
				t.Fatal(err)
			}
			stored++
		}
	}
	return stored
}
