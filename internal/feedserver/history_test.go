package feedserver_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tidings-press/tidings/feed"
	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/feedserver"
	"github.com/tidings-press/tidings/internal/testkit/feedrules"
)

// pages follows next_url from a JSON document and returns the ids it saw.
func (b *env) pages(t *testing.T, path string) (ids []string, paths []string) {
	t.Helper()
	for path != "" {
		paths = append(paths, path)
		var doc struct {
			NextURL string `json:"next_url"`
			Items   []struct{ ID string }
		}
		r := b.get(t, path)
		if err := json.Unmarshal([]byte(read(t, r)), &doc); err != nil {
			t.Fatalf("%s: %s: %v", path, r.Status, err)
		}
		for _, item := range doc.Items {
			ids = append(ids, item.ID)
		}
		path = strings.TrimPrefix(doc.NextURL, "https://press.example")
	}
	return ids, paths
}

func TestArchiveIsReadOverHTTP(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	var all []article.Article
	for i := range 400 {
		all = append(all, feedrules.Article(i))
	}
	b.source.PutAll(all)
	b.server.Changed()
	ids, paths := b.pages(t, "/feed.json")
	seen := map[string]bool{}
	for _, id := range ids {
		seen[id] = true
	}
	if len(seen) != 400 || len(ids) != 400 || len(paths) < 4 {
		t.Errorf("%d ids, %d different, on %d pages; want each of 400 once", len(ids), len(seen), len(paths))
	}
	page := strings.TrimSuffix(paths[2], "feed.json") + "atom.xml"
	body := read(t, b.get(t, page))
	for _, want := range []string{"<fh:archive>", `rel="prev-archive"`, `rel="current"`, `href="https://press.example` + page + `" rel="self"`} {
		if !strings.Contains(body, want) {
			t.Errorf("%s has no %s:\n%.900s", page, want, body)
		}
	}
	if ids, _ := b.pages(t, "/search/feed.json?q=Article+says"); len(ids) != 400 {
		t.Errorf("a search's history has %d articles, want 400", len(ids))
	}
}

func TestSearchFeedsHaveSelfLink(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	a := feedrules.Article(40)
	a.Tags = []string{"golang"}
	b.source.Put(a)
	jobs := feedrules.Article(41)
	jobs.Tags = []string{"golang", "jobs"}
	b.source.Put(jobs)
	path := "/filter/feed.xml?match=golang+AND+NOT+jobs"
	body := read(t, b.get(t, path))
	if !strings.Contains(body, a.ID) || strings.Contains(body, jobs.ID) || !strings.Contains(body, `href="https://press.example`+path+`" rel="self"`) {
		t.Errorf("%s:\n%s", path, body)
	}
	for path, status := range map[string]int{
		"/filter/feed.xml?match=golang+AND": 404, "/filter/feed.xml": 404, "/search/feed.xml?q=": 404, "/search/feed.xml?q=" + strings.Repeat("x", 600): 404,
		"/search/feed.xml?q=" + strings.Repeat("a+", 20) + "a": 404, "/search/feed.xml?q=" + strings.Repeat("a+", 19) + "a": 200,
		"/search/feed.xml?q=a%20%3Cb%3E": 200, "/authors/Ann%20Author/atom.xml": 404, "/feeds/short/feed.json": 200, "/feeds/none/feed.xml": 404,
	} {
		if r := b.get(t, path); r.StatusCode != status {
			t.Errorf("%s: %d, want %d", path, r.StatusCode, status)
		}
	}
}

func TestPrivateFeedIsServedForItsTokenOnly(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	tokens := map[string]article.Filter{"t0ken": {Expr: article.Tag{Key: "all"}}}
	b := setup(t, func(o *feedserver.Options) {
		o.Private = func(_ context.Context, token string) (feed.Definition, error) {
			mu.Lock()
			defer mu.Unlock()
			filter, known := tokens[token]
			if !known {
				return feed.Definition{}, feedserver.ErrUnknown
			}
			return feed.Definition{Title: "Mine", Filter: filter}, nil
		}
	})
	r := b.get(t, "/private/t0ken/feed.xml")
	body := read(t, r)
	if r.StatusCode != 200 || !strings.Contains(body, `href="https://press.example/private/t0ken/feed.xml" rel="self"`) || strings.Contains(body, "hub.example") {
		t.Errorf("%s:\n%.600s", r.Status, body)
	}
	if got := r.Header.Get("Cache-Control"); !strings.HasPrefix(got, "private") {
		t.Errorf("Cache-Control: %s", got)
	}
	if got := r.Header.Get("X-Robots-Tag"); !strings.Contains(got, "noindex") {
		t.Errorf("X-Robots-Tag: %s", got)
	}
	mu.Lock()
	tokens["t0ken"] = article.Filter{Expr: article.Tag{Key: "none"}}
	mu.Unlock()
	if strings.Contains(read(t, b.get(t, "/private/t0ken/feed.xml")), "<item") {
		t.Error("the feed still shows a topic that its subscriber has removed")
	}
	mu.Lock()
	delete(tokens, "t0ken")
	mu.Unlock()
	if r := b.get(t, "/private/t0ken/feed.xml", "If-None-Match", r.Header.Get("ETag")); r.StatusCode != 404 {
		t.Errorf("a revoked feed: %s", r.Status)
	}
	if err := b.server.Flush(context.Background()); err != nil {
		t.Fatal(err)
	}
	for name := range b.polls.polls {
		if strings.Contains(name, "t0ken") {
			t.Errorf("the statistics have the token: %s", name)
		}
	}
}

func TestPollsAreCounted(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	etag := b.get(t, "/feed.xml", "User-Agent", "Reader/1.0").Header.Get("ETag")
	b.get(t, "/atom.xml", "User-Agent", "Reader/1.0")
	b.get(t, "/feed.xml", "User-Agent", "Other/2.0", "If-None-Match", etag)
	b.get(t, "/feed.xml", "User-Agent", "Feedly/1.0 (+http://www.feedly.com/fetcher.html; 12 subscribers; like FeedFetcher)")
	b.get(t, "/feed.xml", "User-Agent", "Feedly/1.0 (+http://www.feedly.com/fetcher.html; 14 subscribers; like FeedFetcher)")
	b.polls.fail = errors.New("down")
	if b.server.Flush(context.Background()) == nil {
		t.Error("a failing recorder is not reported")
	}
	b.polls.fail = nil
	if err := b.server.Flush(context.Background()); err != nil {
		t.Fatal(err)
	}
	p := b.polls.polls["/"]
	if p == nil || p.Requests != 5 || p.NotModified != 1 || len(p.Subscribers) != 1 {
		t.Fatalf("polls: %+v", p)
	}
	if got := p.Readers(); got.Polls != 5 || got.Pollers != 4 || got.Subscribers != 14+3 {
		t.Errorf("readers: %+v", got)
	}
}

func TestHyperLogLogEstimatesAndMerges(t *testing.T) {
	t.Parallel()
	var a, b feedserver.HyperLogLog
	for i := range uint64(20_000) {
		hash := i*0x9E3779B97F4A7C15 ^ i<<31*0xBF58476D1CE4E5B9
		a.Add(hash)
		if i%2 == 0 {
			b.Add(hash)
		}
	}
	before := a.Estimate()
	if a.Merge(&b); a.Estimate() != before {
		t.Error("merging values that were added before changes the estimate")
	}
	if before < 17_000 || before > 23_000 {
		t.Errorf("20,000 values are estimated at %d", before)
	}
	text, err := a.MarshalText()
	var c feedserver.HyperLogLog
	if err != nil || c.UnmarshalText(text) != nil || c != a {
		t.Error("UnmarshalText does not restore what MarshalText wrote")
	}
}

func TestUnconditionalPollsGet429(t *testing.T) {
	t.Parallel()
	b := setup(t, func(o *feedserver.Options) { o.RetryAfter = time.Hour })
	first := b.get(t, "/feed.xml", "User-Agent", "Rude/1")
	if first.StatusCode != 200 {
		t.Fatal(first.Status)
	}
	b.pass(20 * time.Minute)
	second := b.get(t, "/feed.xml", "User-Agent", "Rude/1")
	if second.StatusCode != 429 || second.Header.Get("Retry-After") != "2400" {
		t.Errorf("second request: %s, Retry-After %q, want 429 and 2400", second.Status, second.Header.Get("Retry-After"))
	}
	if r := b.get(t, "/feed.xml", "User-Agent", "Rude/1", "If-None-Match", first.Header.Get("ETag")); r.StatusCode != 304 {
		t.Errorf("a conditional request: %s", r.Status)
	}
	if r := b.get(t, "/feed.xml", "User-Agent", "Another/1"); r.StatusCode != 200 {
		t.Errorf("another client: %s", r.Status)
	}
	b.pass(41 * time.Minute)
	if r := b.get(t, "/feed.xml", "User-Agent", "Rude/1"); r.StatusCode != 200 {
		t.Errorf("after the wait: %s", r.Status)
	}
}

func TestChangedDocumentIsNeverRefused(t *testing.T) {
	t.Parallel()
	b := setup(t, func(o *feedserver.Options) { o.RetryAfter = time.Hour })
	for i := range 3 {
		if r := b.get(t, "/feed.xml", "User-Agent", "Hub/1"); r.StatusCode != 200 {
			t.Errorf("after change %d a client gets %s", i, r.Status)
		}
		if r := b.get(t, "/feed.xml", "User-Agent", "Hub/1"); r.StatusCode != 429 {
			t.Errorf("a second request for the same document: %s", r.Status)
		}
		b.source.Put(feedrules.Article(100 + i))
		b.server.Changed()
	}
}

func TestOnlyBrowsersGetPage(t *testing.T) {
	t.Parallel()
	b := setup(t, func(o *feedserver.Options) {
		o.Browser = func(w http.ResponseWriter, _ *http.Request, d feed.Definition) {
			w.Header().Set("Content-Type", "text/html")
			_, _ = w.Write([]byte("page of " + string(d.Kind)))
		}
	})
	accept := "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
	r := b.get(t, "/feed.xml", "Accept", accept, "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document")
	if read(t, r) != "page of all" || r.Header.Get("Cache-Control") != "private, no-store" {
		t.Errorf("a browser gets %s", r.Header)
	}
	for name, headers := range map[string][]string{
		"a feed reader with a browser's Accept and User-Agent": {"Accept", accept, "User-Agent", "Mozilla/5.0"},
		"a script in a page": {"Accept", "*/*", "Sec-Fetch-Mode", "cors", "Sec-Fetch-Dest", "empty"},
	} {
		if r := b.get(t, "/feed.xml", headers...); !strings.HasPrefix(r.Header.Get("Content-Type"), "application/rss+xml") {
			t.Errorf("%s gets %s", name, r.Header.Get("Content-Type"))
		}
	}
}

func TestExportHasSameBytesAsServer(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	a := feedrules.FullArticle(30)
	a.Tags = []string{"C/C++", "..", "../../etc/passwd", "été"}
	b.source.Put(a)
	var more []feed.Definition
	for _, tag := range a.Tags {
		d, err := feedserver.LabelFeed(feed.ByTag, tag)
		if err != nil {
			t.Fatal(err)
		}
		more = append(more, d)
	}
	dir := filepath.Join(t.TempDir(), "out")
	n, err := b.server.Write(context.Background(), dir, feedserver.Export{More: more, Archives: true, Compressed: true})
	if err != nil || n < 1+3*6 {
		t.Fatalf("%d documents, %v", n, err)
	}
	for file, path := range map[string]string{
		"feed.xml": "/feed.xml", "atom.xml": "/atom.xml", "feed.json": "/feed.json", "feeds.opml": "/feeds.opml", "feeds/short/feed.xml": "/feeds/short/feed.xml",
		"tags/C/C++/feed.xml": "/tags/C%2FC%2B%2B/feed.xml", "tags/~../atom.xml": "/tags/~../atom.xml", "tags/été/feed.json": "/tags/%C3%A9t%C3%A9/feed.json",
	} {
		for ending, accept := range map[string]string{"": "", ".gz": "gzip", ".br": "br"} {
			data, err := os.ReadFile(filepath.Join(dir, file+ending))
			if err != nil {
				t.Error(err)
				continue
			}
			if string(data) != read(t, b.get(t, path, "Accept-Encoding", accept)) {
				t.Errorf("%s differs from %s, %q", file+ending, path, accept)
			}
		}
	}
	if _, err := os.Stat(filepath.Join(filepath.Dir(dir), "etc")); err == nil {
		t.Error("a file was written outside of the folder")
	}
}
