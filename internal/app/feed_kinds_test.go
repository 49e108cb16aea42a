package app_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/feed"
	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/inbox"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/subscription"
	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/internal/testkit/feedrules"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

// get requests a path from a running service.
func (r *running) get(t *testing.T, path string) (*http.Response, string) {
	t.Helper()
	head, body := r.raw(t, "GET "+path+" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
	response := &http.Response{Header: http.Header{}}
	if _, err := fmt.Sscanf(head, "HTTP/1.1 %d", &response.StatusCode); err != nil {
		t.Fatal(head)
	}
	for _, line := range strings.Split(head, "\r\n")[1:] {
		name, value, _ := strings.Cut(line, ": ")
		response.Header.Add(name, value)
	}
	return response, string(body)
}

// titles returns the titles in a JSON feed, in order.
func titles(t *testing.T, body string) []string {
	t.Helper()
	var doc struct{ Items []struct{ Title string } }
	if err := json.Unmarshal([]byte(body), &doc); err != nil {
		t.Fatalf("%v\n%s", err, body)
	}
	var out []string
	for _, item := range doc.Items {
		out = append(out, item.Title)
	}
	return out
}

func TestConfiguredExpressionsSelectTheirArticles(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		feeds := newFeedServer(t, s, `
site: {url: https://press.example}
feeds:
- {name: no-jobs, filter: {match: golang AND NOT jobs}}
- {name: either, filter: {match: '"C/C++" OR (golang AND author:"Bob Builder")'}, limit: 2}
- {name: french, filter: {tags: [golang], languages: [fr]}}
- {name: words, filter: {match: 'text:"red apples" AND NOT golang'}}
`)
		for i, one := range []struct {
			title, language, author, body string
			tags                          []string
		}{
			{"Plain", "en", "Ann", "green apples", []string{"golang"}},
			{"Job", "en", "Ann", "red apples", []string{"Golang", "jobs"}},
			{"By Bob", "fr", "Bob Builder", "red apples", []string{"GOLANG"}},
			{"C", "fr-CA", "Ann", "red apples", []string{"c/c++"}},
			{"Other", "en", "Bob Builder", "apples red", []string{"owls"}},
			{"C again", "en", "Ann", "pears", []string{"C/C++", "owls"}},
		} {
			a := feedrules.Article(i)
			a.Title, a.Language, a.Authors, a.Tags, a.HTML = one.title, one.language, []article.Author{{Name: one.author}}, one.tags, "<p>"+one.body+"</p>"
			putArticles(t, s, a)
		}
		for name, want := range map[string][]string{
			"no-jobs": {"By Bob", "Plain"}, "either": {"C again", "C"}, "french": {"By Bob"}, "words": {"C"},
		} {
			if _, body := fetch(t, feeds, "/feeds/"+name+"/feed.json"); !slices.Equal(titles(t, body), want) {
				t.Errorf("%s: %q, want %q", name, titles(t, body), want)
			}
		}
		if got := history(t, feeds, "/feeds/either/feed.json"); len(got) != 3 {
			t.Errorf("the history of a feed with a limit of 2 has %d articles, want 3", len(got))
		}
	})
}

func TestAPodcastIsServedWithItsEpisodes(t *testing.T) {
	t.Parallel()
	episode := feedrules.Article(1)
	episode.Enclosure = []article.Enclosure{{URL: "https://media.example/1.mp3", Type: "audio/mpeg", Bytes: 123456, Duration: 95 * time.Second}}
	r := start(t, `
site: {url: http://localhost}
feeds:
- name: cast
  title: The Cast
  podcast: {author: Ann Author, owner: "Ann <ann@press.example>", image: https://press.example/cover.jpg, category: Arts > Design, explicit: true, type: serial}
`, episode)
	response, body := r.get(t, "/feeds/cast/feed.xml")
	if response.StatusCode != http.StatusOK || response.Header.Get("Content-Type") != "application/rss+xml; charset=utf-8" {
		t.Errorf("%d %v", response.StatusCode, response.Header)
	}
	for _, want := range []string{
		`xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd"`, "<itunes:author>Ann Author</itunes:author>", "<itunes:email>ann@press.example</itunes:email>",
		`<itunes:image href="https://press.example/cover.jpg">`, `<itunes:category text="Arts">`, `<itunes:category text="Design">`, "<itunes:type>serial</itunes:type>",
		`<enclosure url="https://media.example/1.mp3" length="123456" type="audio/mpeg">`, "<itunes:duration>95</itunes:duration>",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("no %s in\n%s", want, body)
		}
	}
	for _, problem := range feedrules.Problems(feed.FormatRSS, []byte(body)) {
		t.Error(problem)
	}
	if _, other := r.get(t, "/feed.xml"); strings.Contains(other, "itunes:author") {
		t.Error("a feed that is not a podcast has the elements of a podcast")
	}
}

// editionItem is an edition in a JSON feed.
type editionItem struct {
	ID, URL, Title, Summary string
	HTML                    string `json:"content_html"`
}

func TestFeedOfADigestListsItsEditions(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	smtp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	mails := inbox.New(inbox.Options{})
	defer mails.Close()
	go func() { _ = mails.ServeSMTP(smtp) }()
	r := start(t, fmt.Sprintf(`
site: {url: http://localhost, title: The Press}
digests:
- {name: weekly, title: The Week, schedule: "@yearly", sender: news@example.org, subject: "News of {{.First.Title}}", filter: {tags: [all]}}
relays:
- {name: inbox, host: 127.0.0.1, port: %d, tls: none, auth: none}
`, smtp.Addr().(*net.TCPAddr).Port))
	sub := subscription.NewSubscriber{Address: subscriber.MustParseAddress("ada@example.org")}
	if _, err := r.press.Subscribers().Add(t.Context(), sub); err != nil {
		t.Fatal(err)
	}
	engine, err := r.press.Engine(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if response, body := r.get(t, "/digests/weekly/feed.json"); response.StatusCode != http.StatusOK || len(titles(t, body)) > 0 {
		t.Fatalf("before the first edition: %d\n%s", response.StatusCode, body)
	}
	first, second, hidden := feedrules.Article(1), feedrules.Article(2), feedrules.Article(3)
	hidden.Tags = nil
	first.HTML = `<p>All of the first text, with a <a href="/tags/all/">link</a>.</p><pre>` + strings.Repeat("0123456789\n", 500) + `</pre><script>alert(1)</script>`
	second.HTML = "<p>All of the second text.</p>"
	ids := putArticles(t, r.press.Store, first, second, hidden)
	edition, err := engine.SendNow(t.Context(), "weekly", "ada")
	if err != nil {
		t.Fatal(err)
	}
	var item editionItem
	poll := func(what string, done func() bool) {
		t.Helper()
		for began := time.Now(); !done(); time.Sleep(20 * time.Millisecond) {
			if time.Since(began) > testkit.Timeout {
				t.Fatalf("%s: %+v", what, item)
			}
		}
	}
	read := func() bool {
		_, body := r.get(t, "/digests/weekly/feed.json")
		var doc struct{ Items []editionItem }
		if err := json.Unmarshal([]byte(body), &doc); err != nil {
			t.Fatal(err)
		}
		if len(doc.Items) == 1 {
			item = doc.Items[0]
		}
		return len(doc.Items) == 1
	}
	poll("the edition does not appear", read)
	if item.ID != "urn:uuid:"+edition.ID || item.URL != "http://localhost"+edition.PagePath() || !strings.HasPrefix(item.Title, "News of Article") {
		t.Errorf("%+v", item)
	}
	for _, one := range []article.Article{first, second} {
		if !strings.Contains(item.HTML, one.Title) || !strings.Contains(item.HTML, `href="http://localhost/articles/`+one.Slug+`"`) || !strings.Contains(item.Summary, one.Title) {
			t.Errorf("%s is not in the edition: %+v", one.Title, item)
		}
	}
	for _, want := range []string{`All of the first text, with a <a href="http://localhost/tags/all/">link</a>.`, strings.Repeat("0123456789\n", 500), "<p>All of the second text.</p>"} {
		if !strings.Contains(item.HTML, want) {
			t.Errorf("the edition lacks %q", want)
		}
	}
	if strings.Contains(item.HTML, hidden.Title) || strings.Contains(item.HTML, "alert") || strings.Contains(item.HTML, "ada@") {
		t.Errorf("the feed has more than the articles of the edition: %s", item.HTML)
	}
	if response, _ := r.get(t, strings.TrimPrefix(item.URL, "http://localhost")); response.StatusCode != http.StatusOK {
		t.Errorf("the page of the edition answers %d", response.StatusCode)
	}
	if err := r.press.Store.RemoveArticle(t.Context(), ids[0]); err != nil {
		t.Fatal(err)
	}
	poll("a removed article stays", func() bool {
		return read() && !strings.Contains(item.HTML, first.Title) && !strings.Contains(item.Title, first.Title)
	})
	if item.ID != "urn:uuid:"+edition.ID || item.URL != "http://localhost/digests/weekly/1/" || item.Title != "The Week, No. 1" {
		t.Errorf("without the removed article: %+v", item)
	}
	for _, format := range feed.Formats {
		_, body := r.get(t, "/digests/weekly/"+string(format))
		for _, problem := range feedrules.Problems(format, []byte(body)) {
			t.Errorf("%s: %s", format, problem)
		}
	}
}

func TestOldAddressesOfTheGoBlogRedirect(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	folder := filepath.Join("..", "..", "..", "shared", "corpus", "go-blog")
	files, err := filepath.Glob(filepath.Join(folder, "*.md"))
	if err != nil || len(files) == 0 {
		t.Skip("SKIPPED: the go-blog corpus is not beside this checkout (../shared/corpus/go-blog)")
	}
	targets := map[string]string{} // of the files that only redirect to their article
	wanted := map[string]bool{}
	for _, file := range files {
		if stub, target := redirectOf(t, file); stub {
			targets[file] = target
			wanted[file], wanted[filepath.Join(folder, target+".md")] = true, true
		}
	}
	if len(targets) != 60 {
		t.Errorf("%d old addresses, want 60", len(targets))
	}
	p := open(t, "site: {url: http://localhost}\n")
	importAll(t, p.Store, slices.Sorted(maps.Keys(wanted)))
	r := runOn(t, p)
	for file, target := range targets {
		from := "/articles/" + strings.TrimSuffix(filepath.Base(file), ".md")
		response, _ := r.get(t, from)
		location := response.Header.Get("Location")
		if response.StatusCode != http.StatusMovedPermanently || filepath.Base(location) != target {
			t.Errorf("%s: %d to %q, want 301 to %s", from, response.StatusCode, location, target)
			continue
		}
		if response, _ = r.get(t, location); response.StatusCode != http.StatusOK {
			t.Errorf("%s leads to %s, which answers %d", from, location, response.StatusCode)
		}
	}
}

// redirectOf returns the target of a file that only redirects to its article.
func redirectOf(t *testing.T, file string) (stub bool, target string) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(data), "\nredirect: ")
	line, _, _ := strings.Cut(rest, "\n")
	return found && !strings.Contains(string(data), "\ntitle:"), filepath.Base(strings.TrimSpace(line))
}
