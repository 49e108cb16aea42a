package feedserver_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/feed"
	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/feedserver"
	"github.com/tidings-press/tidings/internal/testkit/feedrules"
)

func TestFutureArticleAppearsAfterStoreFailure(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	later := feedrules.Article(9)
	later.Published = feedrules.Noon.Add(time.Hour)
	b.source.Put(later)
	b.get(t, "/feed.xml")
	b.pass(time.Hour + time.Second)
	b.source.Fail(true)
	b.get(t, "/feed.xml")
	b.source.Fail(false)
	b.pass(time.Second)
	if !strings.Contains(read(t, b.get(t, "/feed.xml")), later.ID) {
		t.Error("an article whose time has come is not in the feed")
	}
}

func TestFutureArticleRendersOnlyItsFeeds(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	b.source.Put(feedrules.FullArticle(20))
	later := feedrules.Article(9)
	later.Published = feedrules.Noon.Add(time.Hour)
	b.source.Put(later)
	b.get(t, "/tags/C%2FC%2B%2B/feed.xml")
	b.pass(time.Hour + time.Second)
	before := b.source.Selects.Load()
	b.get(t, "/tags/C%2FC%2B%2B/feed.xml")
	if after := b.source.Selects.Load(); after != before {
		t.Error("a feed was rendered again although the article that appeared is not in it")
	}
}

func TestClockSetBackHidesNoArticle(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	later := feedrules.Article(9)
	later.Published = feedrules.Noon.Add(time.Hour)
	b.source.Put(later)
	b.get(t, "/feed.xml")
	b.pass(time.Hour)
	b.get(t, "/feeds/short/feed.xml") // finds that the article has appeared
	b.pass(-time.Second)
	if !strings.Contains(read(t, b.get(t, "/feed.xml")), later.ID) {
		t.Error("a feed that was rendered after the clock was set back does not show the article")
	}
}

// fresh returns another node with the same articles and an empty cache.
func (b *env) fresh(feeds []feed.Definition) *env {
	return &env{server: feedserver.New(feedserver.Options{Source: b.source, Site: feedrules.Site(), Feeds: feeds, Now: b.now, Limits: feedrules.PatientLimits})}
}

func TestArchivePageFollowsItsNeighbours(t *testing.T) {
	t.Parallel()
	short := []feed.Definition{{Kind: feed.Named, Name: "t", Limit: 10, Filter: article.Filter{Expr: article.Tag{Key: "t"}}}}
	b := setup(t, func(o *feedserver.Options) { o.Feeds = short })
	var all []article.Article
	for i := range 120 {
		a := feedrules.Article(i)
		a.Tags = []string{"t"}
		all = append(all, a)
	}
	b.source.PutAll(all)
	b.server.Changed()
	_, paths := b.pages(t, "/feeds/t/feed.json")
	if len(paths) < 8 {
		t.Fatalf("%d pages", len(paths))
	}
	for i := 0; i < 110; i += 2 {
		for _, path := range paths {
			b.get(t, path)
		}
		all[i].Tags = nil
		b.source.Put(all[i])
		b.server.Changed()
		there := b.fresh(short)
		for _, path := range paths {
			if read(t, b.get(t, path)) != read(t, there.get(t, path)) {
				t.Errorf("article %d lost its tag, and %s differs from what another node renders", i, path)
			}
		}
	}
}

func TestExportHasNewestArticles(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	for n := range 3 {
		a := feedrules.Article(60 + n)
		a.Title = fmt.Sprintf("Export %d", n)
		b.source.Put(a)
		dir := t.TempDir()
		if _, err := b.server.Write(t.Context(), dir, feedserver.Export{}); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"feed.xml", "atom.xml", "feed.json"} {
			data, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil || !strings.Contains(string(data), a.Title) {
				t.Errorf("export %d: %s does not have the newest article, %v", n, name, err)
			}
		}
	}
}

func TestExportedArchiveIsCompleteWhileArticlesArrive(t *testing.T) {
	t.Parallel()
	b, d := setupHooked(t, nil)
	var all []article.Article
	for i := range 400 {
		all = append(all, feedrules.Article(i))
	}
	b.source.PutAll(all)
	b.server.Changed()
	n := 400
	arrive := func() {
		b.source.Put(feedrules.Article(n))
		n++
	}
	d.do.Store(&arrive)
	dir := t.TempDir()
	if _, err := b.server.Write(t.Context(), dir, feedserver.Export{Archives: true}); err != nil {
		t.Fatal(err)
	}
	for path := "/feed.json"; path != ""; {
		data, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(path)))
		if err != nil {
			t.Fatalf("a link leads to a page that was not written: %v", err)
		}
		_, rest, _ := strings.Cut(string(data), `"next_url"`)
		_, rest, _ = strings.Cut(rest, "https://press.example")
		path, _, _ = strings.Cut(rest, `"`)
		if !strings.Contains(string(data), `"next_url"`) {
			break
		}
	}
}

func TestCacheControlIsPerFeed(t *testing.T) {
	t.Parallel()
	b := setup(t, func(o *feedserver.Options) {
		o.MaxAge = 10 * time.Minute
		o.Feeds = append(o.Feeds,
			feed.Definition{Kind: feed.Named, Name: "quick", MaxAge: 20 * time.Second},
			feed.Definition{Kind: feed.Named, Name: "slow", MaxAge: 48 * time.Hour})
		o.Private = func(context.Context, string) (feed.Definition, error) { return feed.Definition{}, nil }
	})
	for path, want := range map[string]string{
		"/feed.xml":                         "public, max-age=600, s-maxage=60, stale-while-revalidate=600",
		"/feeds/quick/atom.xml":             "public, max-age=20, s-maxage=20, stale-while-revalidate=20",
		"/feeds/slow/feed.json":             "public, max-age=172800, s-maxage=60, stale-while-revalidate=172800",
		"/archive/zzzzzzz.1/feed.xml":       "public, max-age=3600, s-maxage=60, stale-while-revalidate=3600",
		"/feeds/slow/archive/z.1/feed.xml":  "public, max-age=172800, s-maxage=60, stale-while-revalidate=172800",
		"/feeds/quick/archive/z.1/feed.xml": "public, max-age=3600, s-maxage=60, stale-while-revalidate=3600",
		"/feeds.opml":                       "public, max-age=600, s-maxage=60, stale-while-revalidate=600",
		"/private/x/feed.xml":               "private, max-age=600",
	} {
		r := b.get(t, path)
		if got := r.Header.Get("Cache-Control"); r.StatusCode != http.StatusOK || got != want {
			t.Errorf("%s: %s, Cache-Control %q, want %q", path, r.Status, got, want)
		}
		if again := b.get(t, path, "If-None-Match", r.Header.Get("ETag")); again.Header.Get("Cache-Control") != want {
			t.Errorf("%s, 304: Cache-Control %q", path, again.Header.Get("Cache-Control"))
		}
	}
}

func TestSparseFeedIsReadCompletely(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	var all []article.Article
	want := 0
	for i := range 3000 {
		a := feedrules.Article(i)
		if i%400 == 7 || i > 1200 && i < 1400 {
			a.Tags = append(a.Tags, "rare")
			want++
		}
		all = append(all, a)
	}
	b.source.PutAll(all)
	b.server.Changed()
	b.source.Within.Store(150)
	ids, paths := b.pages(t, "/filter/feed.json?match=all+AND+rare")
	seen := map[string]bool{}
	for _, id := range ids {
		seen[id] = true
	}
	if len(seen) != want || len(ids) != want || len(paths) < 10 {
		t.Errorf("%d ids, %d different, on %d pages; want each of %d once, on many pages", len(ids), len(seen), len(paths), want)
	}
	for _, path := range paths {
		for _, format := range feed.Formats {
			path := strings.Replace(path, "feed.json", string(format), 1)
			for _, problem := range feedrules.Problems(format, []byte(read(t, b.get(t, path)))) {
				t.Errorf("%s: %s", path, problem)
			}
		}
	}
}
