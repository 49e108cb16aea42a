package websub_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/testkit/feedrules"
	"github.com/tidings-press/tidings/internal/websub"
)

func TestSubscribersGetNewContentSigned(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	s := newSubscriber(t, true, http.StatusInternalServerError, http.StatusBadGateway)
	if w := h.ask(wish("subscribe", s.URL+"/cb?mine=1", "hub.secret", "s3cret", "hub.lease_seconds", "864000")); w.Code != http.StatusAccepted {
		t.Fatalf("subscribe: %d %s", w.Code, w.Body)
	}
	eventually(t, "a verified subscription", func() bool { return h.subscribed(s.URL + "/cb?mine=1") })
	s.mu.Lock()
	q := s.asked[0]
	s.mu.Unlock()
	if q.Get("mine") != "1" || q.Get("hub.topic") != topic || q.Get("hub.lease_seconds") != "864000" || q.Get("hub.mode") != "subscribe" {
		t.Errorf("verification asks %v", q)
	}
	a := feedrules.Article(1)
	a.Published, a.Updated, a.Ingested = time.Now(), time.Now(), time.Now()
	h.put(a)
	eventually(t, "the new article at the subscriber, after two refusals", func() bool { return s.served() && s.has(a.ID) })
	s.mu.Lock()
	defer s.mu.Unlock()
	last := s.received[len(s.received)-1]
	if got, want := last.Header.Get("X-Hub-Signature"), websub.Signature("s3cret", []byte(s.bodies[len(s.bodies)-1])); got != want {
		t.Errorf("signature %q, want %q", got, want)
	}
	if link := last.Header.Get("Link"); !strings.Contains(link, `<https://press.example/hub>; rel="hub"`) || !strings.Contains(link, "<"+topic+`>; rel="self"`) {
		t.Errorf("Link: %s", link)
	}
	if kind := last.Header.Get("Content-Type"); kind != "application/feed+json" {
		t.Errorf("Content-Type: %s", kind)
	}
}

func TestNobodyIsSubscribedAgainstTheirWill(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	s := newSubscriber(t, false)
	h.ask(wish("subscribe", s.URL))
	eventually(t, "the end of the verification", func() bool { return h.queue.ended(s.URL) != "" })
	if how := h.queue.ended(s.URL); h.subscribed(s.URL) || !strings.Contains(how, "does not confirm") {
		t.Errorf("verification ended: %q", how)
	}
}

func TestUnsubscribingIsVerifiedToo(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	s := newSubscriber(t, true)
	h.ask(wish("subscribe", s.URL))
	eventually(t, "a subscription", func() bool { return h.subscribed(s.URL) })
	h.ask(wish("unsubscribe", s.URL))
	eventually(t, "its end", func() bool { return !h.subscribed(s.URL) })
}

func TestGoneSubscribersAreDropped(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	s := newSubscriber(t, true, http.StatusGone)
	h.ask(wish("subscribe", s.URL))
	eventually(t, "a subscription", func() bool { return h.subscribed(s.URL) })
	h.put(feedrules.Article(1))
	eventually(t, "its end", func() bool { return !h.subscribed(s.URL) })
}

func TestBadWishesAreRefused(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for name, form := range map[string]url.Values{
		"mode":     wish("publish", "https://s.example/"),
		"callback": wish("subscribe", "ftp://s.example/"),
		"secret":   wish("subscribe", "https://s.example/", "hub.secret", strings.Repeat("x", 200)),
		"foreign":  wish("subscribe", "https://s.example/", "hub.topic", "https://other.example/feed.xml"),
		"page":     wish("subscribe", "https://s.example/", "hub.topic", "https://press.example/about"),
		"private":  wish("subscribe", "https://s.example/", "hub.topic", "https://press.example/private/x/feed.xml"),
		"search":   wish("subscribe", "https://s.example/", "hub.topic", "https://press.example/search/feed.xml?q=x"),
		"spelling": wish("subscribe", "https://s.example/", "hub.topic", "https://press.example/rss.xml"),
		"prefix":   wish("subscribe", "https://s.example/", "hub.topic", "https://press.example.evil.example/feed.xml"),
	} {
		if w := h.ask(form); w.Code != http.StatusBadRequest {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
	r := httptest.NewRequest(http.MethodGet, "/hub", nil)
	w := httptest.NewRecorder()
	if h.hub.ServeHTTP(w, r); w.Code != http.StatusMethodNotAllowed {
		t.Errorf("GET: %d", w.Code)
	}
}

func TestSubscribersComeBackWhenTheStoreDoesNotAnswer(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.source.Fail(true)
	if w := h.ask(wish("subscribe", "https://s.example/")); w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
		t.Errorf("%d %s: a subscriber would not ask again", w.Code, w.Body)
	}
}

func TestCallbacksInsideTheNetworkAreNotCalled(t *testing.T) {
	t.Parallel()
	s := newSubscriber(t, true)
	if _, err := websub.NewClient().Get(s.URL); err == nil || !strings.Contains(err.Error(), "not public") {
		t.Errorf("a call to %s: %v", s.URL, err)
	}
}
