package app_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
	"github.com/tidings-press/tidings/internal/websub"
)

// subscribe requests a topic from a hub and waits until the hub has verified it.
func (r *hubSubscriber) subscribe(t *testing.T, hub, topic string) {
	t.Helper()
	form := url.Values{"hub.mode": {"subscribe"}, "hub.topic": {topic}, "hub.callback": {r.URL + "/cb"}, "hub.secret": {"s3cret"}, "hub.lease_seconds": {"86400"}}
	response, err := http.PostForm(hub, form)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusAccepted {
		t.Fatalf("the hub answers %s", response.Status)
	}
	testkit.Eventually(t, "the hub to verify the subscription", func() bool { r.mu.Lock(); defer r.mu.Unlock(); return r.asked > 0 })
}

// last returns the last delivery, with its signature.
func (r *hubSubscriber) last() (body, signature string, header http.Header) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.bodies) == 0 {
		return "", "", nil
	}
	i := len(r.bodies) - 1
	return r.bodies[i], r.signed[i], r.headers[i]
}

// TestForeignHubDeliversChangedFeeds uses a third-party hub over real HTTP: it verifies a
// subscriber, is notified of a change, fetches our feed and delivers it.
func TestForeignHubDeliversChangedFeeds(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		var feeds http.Handler
		site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { feeds.ServeHTTP(w, r) }))
		defer site.Close()
		everything, tag := newHubSubscriber(t), newHubSubscriber(t)
		servers := []string{site.Listener.Addr().String(), everything.Listener.Addr().String(), tag.Listener.Addr().String()}
		hub := testkit.StartHub(t, servers...)
		putArticles(t, s, edited(0, tags("C/C++")))
		n := startPublisherAt(t, s, site.URL, hub)
		feeds = n.feeds
		testkit.Eventually(t, "the announcement at the start", n.settled)
		for r, path := range map[*hubSubscriber]string{everything: "/atom.xml", tag: "/tags/C%2FC%2B%2B/feed.json"} {
			r.subscribe(t, hub, site.URL+path)
		}
		a := edited(1, tags("C/C++"))
		id := putArticles(t, s, a)[0]
		for _, step := range []struct {
			name, atom, json string
			do               func()
		}{
			{"a new article", "<title>Article 1</title>", `"title":"Article 1"`, func() {}},
			{"an edit", "<title>Corrected</title>", `"title":"Corrected"`, func() { a.Title = "Corrected"; putArticles(t, s, a) }},
			{"a removal", `<at:deleted-entry ref="urn:uuid:` + id, `"title":"Article 0"`, func() {
				if err := s.RemoveArticle(t.Context(), id); err != nil {
					t.Fatal(err)
				}
			}},
		} {
			step.do()
			testkit.Eventually(t, step.name, func() bool {
				atom, _, _ := everything.last()
				json, _, _ := tag.last()
				gone := step.name == "a removal" && strings.Contains(json, id)
				return strings.Contains(atom, step.atom) && strings.Contains(strings.ReplaceAll(json, `": "`, `":"`), step.json) && !gone
			})
			everything.wantTheFeed(t, site.URL+"/atom.xml", hub)
			tag.wantTheFeed(t, site.URL+"/tags/C%2FC%2B%2B/feed.json", hub)
		}
	})
}

// wantTheFeed checks that the last delivery is the served feed, signed.
func (r *hubSubscriber) wantTheFeed(t *testing.T, topic, hub string) {
	t.Helper()
	response, err := http.Get(topic)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	want, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	body, signature, header := r.last()
	if body != string(want) || signature != websub.Signature("s3cret", []byte(body)) {
		t.Errorf("%s: delivered, signed %q:\n%.300s\nserved:\n%.300s", topic, signature, body, want)
	}
	if header.Get("Content-Type") != response.Header.Get("Content-Type") {
		t.Errorf("%s: delivered as %s", topic, header.Get("Content-Type"))
	}
	if link := header.Get("Link"); !strings.Contains(link, "<"+topic+`>; rel="self"`) || !strings.Contains(link, "<"+hub+`>; rel="hub"`) {
		t.Errorf("%s: Link: %s", topic, link)
	}
	if link := response.Header.Get("Link"); !strings.Contains(link, "<"+topic+`>; rel="self"`) || !strings.Contains(link, "<"+hub+`>; rel="hub"`) {
		t.Errorf("%s is served with Link: %s", topic, link)
	}
}
