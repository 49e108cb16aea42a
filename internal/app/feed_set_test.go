package app_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/testkit/feedrules"
)

// response requests a path from a service's feeds.
func response(t *testing.T, h http.Handler, path string) (http.Header, string) {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	if w.Code != http.StatusOK {
		t.Fatalf("%s: %d", path, w.Code)
	}
	return w.Header(), w.Body.String()
}

func TestAddressesOfInternationalDomainsAreASCII(t *testing.T) {
	t.Parallel()
	p := open(t, "site: {url: \"https://bücher.example/préss\", image: /logo.png}\nfeed_server: {hubs: [\"https://hüb.example/\"]}\n")
	putArticles(t, p.Store, feedrules.FullArticle(1))
	feeds, err := p.Feeds(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	const site, hub = "https://xn--bcher-kva.example/pr%C3%A9ss", "https://xn--hb-xka.example/"
	for path, want := range map[string][]string{
		"/feed.xml":   {site + `/feed.xml" rel="self"`, "<link>" + site + "/</link>", "<link>" + site + "/articles/article-1</link>", "<url>" + site + "/logo.png</url>", site + "/media/a.mp3", `href="` + hub},
		"/atom.xml":   {site + `/atom.xml" rel="self"`, "<uri>" + site + "/</uri>", site + "/articles/article-1", "<logo>" + site + "/logo.png", site + "/media/a.mp3", site + "/media/b.pdf"},
		"/feed.json":  {site + `/feed.json"`, `"home_page_url": "` + site + `/"`, site + "/articles/article-1", site + "/media/a.png", `"url": "` + hub},
		"/feeds.opml": {`xmlUrl="` + site + `/feed.xml"`},
	} {
		header, body := response(t, feeds, path)
		for _, one := range want {
			if !strings.Contains(body, one) {
				t.Errorf("%s has no %s:\n%s", path, one, body)
			}
		}
		if strings.Contains(body, "bücher") && path != "/feeds.opml" || strings.Contains(body, "//xn--bcher-kva.example/media") {
			t.Errorf("%s has the site's address in Unicode, or without its path", path)
		}
		if link := header.Get("Link"); path != "/feeds.opml" && link != "<"+site+path+`>; rel="self", <`+hub+`>; rel="hub"` {
			t.Errorf("%s: Link: %s", path, link)
		}
	}
}

func TestOPMLListsConfiguredFeedsAndDigests(t *testing.T) {
	t.Parallel()
	p := open(t, "site: {url: https://press.example}\nfeeds: [{name: all}, {name: go, title: Go & more, language: fr}]"+twoDigests)
	putArticles(t, p.Store, feedrules.FullArticle(1))
	feeds, err := p.Feeds(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, opml := response(t, feeds, "/feeds.opml")
	for _, problem := range feedrules.OPML([]byte(opml)) {
		t.Error(problem)
	}
	for _, path := range []string{"/feed.xml", "/feeds/go/feed.xml", "/digests/weekly/feed.xml", "/digests/daily/feed.xml", "/tags/C%2FC%2B%2B/feed.xml", "/languages/en/feed.xml"} {
		if strings.Count(opml, `xmlUrl="https://press.example`+path+`"`) != 1 {
			t.Errorf("%s is not listed exactly once in\n%s", path, opml)
		}
		response(t, feeds, path)
	}
}

func TestTombstonesCanBeTurnedOff(t *testing.T) {
	t.Parallel()
	for settings, want := range map[string]bool{"": true, "feed_server: {tombstones: false}\n": false} {
		p := open(t, settings)
		ids := putArticles(t, p.Store, feedrules.Article(1), feedrules.Article(2))
		if err := p.Store.RemoveArticle(t.Context(), ids[0]); err != nil {
			t.Fatal(err)
		}
		feeds, err := p.Feeds(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, atom := response(t, feeds, "/atom.xml"); strings.Contains(atom, ids[0]) != want || strings.Contains(atom, "tombstones") != want {
			t.Errorf("%q: the feed has a tombstone: %v, want %v", settings, !want, want)
		}
	}
}
