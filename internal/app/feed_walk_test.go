package app_test

import (
	"encoding/json"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/tidings-press/tidings/feed"
	"github.com/tidings-press/tidings/internal/app"
	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/article/ingest"
	"github.com/tidings-press/tidings/internal/feedserver"
	"github.com/tidings-press/tidings/internal/samples"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/internal/testkit/feedrules"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

// publish serves the feeds of a store at the site's address.
func publish(t *testing.T, s *store.Store, feeds ...feed.Definition) *httptest.Server {
	t.Helper()
	var handler http.Handler
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) }))
	t.Cleanup(server.Close)
	site := feedrules.Site()
	site.URL = server.URL
	handler = feedserver.New(feedserver.Options{Source: app.NewFeedSource(s), Site: site, Feeds: feeds, Now: s.Now, Named: (&app.Service{Store: s}).NamedFeeds, Limits: feedrules.PatientLimits})
	return server
}

// page holds the parts of a document that a reader needs to follow a history.
type page struct {
	ids         []string
	self        string
	links       map[string]string // by relation
	isArchive   bool
	identity    string // of the feed, as the document says
	description string // of the document, for errors
}

func get(t *testing.T, address string) []byte {
	t.Helper()
	response, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s, %v", address, response.Status, err)
	}
	return data
}

func read(t *testing.T, f feed.Format, address string) page {
	t.Helper()
	data := get(t, address)
	for _, problem := range feedrules.Problems(f, data) {
		t.Errorf("%s: %s", address, problem)
	}
	if f == feed.FormatJSON {
		return readJSON(t, data, address)
	}
	root, err := feedrules.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	p := page{links: map[string]string{}, description: address, identity: root.Value("atom:id")}
	entries, id := root.All("atom:entry"), "atom:id"
	if f == feed.FormatRSS {
		root = root.All("channel")[0]
		entries, id = root.All("item"), "guid"
	}
	p.isArchive = len(root.All("fh:archive")) == 1
	for _, link := range root.All("atom:link") {
		p.links[link.Attributes["rel"]] = link.Attributes["href"]
	}
	p.self = p.links["self"]
	for _, entry := range entries {
		p.ids = append(p.ids, entry.Value(id))
	}
	return p
}

func readJSON(t *testing.T, data []byte, address string) page {
	t.Helper()
	var doc struct {
		FeedURL string `json:"feed_url"`
		NextURL string `json:"next_url"`
		Items   []struct{ ID string }
	}
	if err := json.Unmarshal(data, &doc); err != nil {
		t.Fatal(err)
	}
	p := page{self: address, identity: doc.FeedURL, description: address, links: map[string]string{}}
	if doc.NextURL != "" {
		p.links["prev-archive"] = doc.NextURL
	}
	for _, item := range doc.Items {
		p.ids = append(p.ids, item.ID)
	}
	return p
}

// followHistory follows a feed's history by the links in its documents.
func followHistory(t *testing.T, f feed.Format, address string) (pages []page) {
	t.Helper()
	for address != "" && len(pages) < 200 {
		p := read(t, f, address)
		if p.self != address {
			t.Errorf("%s has the self link %s", address, p.self)
		}
		pages, address = append(pages, p), p.links["prev-archive"]
	}
	return pages
}

func TestHistoriesAreFollowedByTheirLinks(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	s := storetest.Open(t, store.SQLite, store.Options{})
	var articles []article.Article
	for i := range 260 {
		articles = append(articles, feedrules.Article(i))
	}
	var want []string
	for _, id := range putArticles(t, s, articles...) {
		want = append(want, feed.EntryID(id))
	}
	server := publish(t, s, feed.Definition{Kind: feed.Named, Name: "short", Limit: 20})
	slices.Sort(want)
	for _, folder := range []string{"/", "/feeds/short/", "/tags/all/"} {
		for _, f := range feed.Formats {
			newest := server.URL + folder + string(f)
			pages := followHistory(t, f, newest)
			var got []string
			for i, p := range pages {
				got = append(got, p.ids...)
				checkPage(t, f, pages, i)
				if p.identity != pages[0].identity {
					t.Errorf("%s belongs to the feed %s, want %s", p.description, p.identity, pages[0].identity)
				}
			}
			if slices.Sort(got); !slices.Equal(got, want) || len(pages) < 3 {
				t.Errorf("%s: %d articles on %d pages, want each of %d once", newest, len(got), len(pages), len(want))
			}
		}
	}
}

// checkPage checks an archive's links by RFC 5005, section 4.
func checkPage(t *testing.T, f feed.Format, pages []page, i int) {
	t.Helper()
	p := pages[i]
	if f == feed.FormatJSON {
		if p.identity != pages[0].self {
			t.Errorf("%s has %s as its feed", p.self, p.identity)
		}
		return
	}
	if p.isArchive != (i > 0) || i > 0 && p.links["current"] != pages[0].self || i == 0 && p.links["current"] != "" {
		t.Errorf("%s: archive %v, current %q", p.description, p.isArchive, p.links["current"])
	}
	if (p.links["hub"] != "") != (i == 0) {
		t.Errorf("%s has the hub %q", p.description, p.links["hub"])
	}
	if last := i == len(pages)-1; last && i > 1 && p.links["next-archive"] != pages[i-1].self {
		t.Errorf("the oldest page links to %q as the next one, want %s", p.links["next-archive"], pages[i-1].self)
	}
}

// openLibrary returns a store with the samples, and with the articles of a real blog if they are
// available.
func openLibrary(t *testing.T) *store.Store {
	t.Helper()
	s := storetest.Open(t, store.SQLite, store.Options{})
	if files, err := filepath.Glob(filepath.Join("..", "..", "..", "shared", "corpus", "go-blog", "*.md")); err == nil {
		importAll(t, s, files)
	}
	importSamples(t, s)
	return s
}

func importSamples(t *testing.T, s *store.Store) {
	t.Helper()
	folder := samples.Articles()
	media := func(name string) ([]byte, error) { return fs.ReadFile(folder, name) }
	names, err := fs.Glob(folder, "*.md")
	if err != nil || len(names) == 0 {
		t.Fatal("no samples", err)
	}
	for _, name := range names {
		data, err := fs.ReadFile(folder, name)
		if err != nil {
			t.Fatal(err)
		}
		imported, problems := ingest.Import(ingest.File{Name: name, Data: data, Modified: time.Now()}, ingest.Options{Site: "https://press.example", Media: media})
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		for _, one := range imported {
			if _, err := s.PutArticle(t.Context(), one.Article, one.Redirects, one.Media); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestRealArticlesPassExternalValidator validates feeds of real articles with a program that is not
// ours.
func TestRealArticlesPassExternalValidator(t *testing.T) {
	t.Parallel()
	validate := feedrules.Validator(t)
	server := publish(t, openLibrary(t),
		feed.Definition{Kind: feed.Named, Name: "brief", SummaryOnly: true, Limit: 1000},
		feed.Definition{Kind: feed.Named, Name: "talks", Podcast: &feed.Podcast{Author: "Ann & Bob", Category: "Society & Culture > Documentary", Type: "episodic"}})
	if complaint := validate(server.URL + "/feeds.opml"); complaint != "" {
		t.Error(complaint)
	}
	for _, folder := range []string{"/", "/feeds/brief/", "/feeds/talks/", "/languages/fr/", "/languages/ar/", "/search/"} {
		for _, f := range []feed.Format{feed.FormatRSS, feed.FormatAtom} {
			address := server.URL + folder + string(f)
			if folder == "/search/" {
				address += "?q=the"
			}
			for _, p := range followHistory(t, f, address) {
				if complaint := validate(p.self); complaint != "" {
					t.Error(complaint)
				}
			}
		}
	}
}
