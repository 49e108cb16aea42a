package websub_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/internal/testkit/feedrules"
	"github.com/tidings-press/tidings/internal/websub"
)

func TestSubscriberGetsNewContentSigned(t *testing.T) {
	t.Parallel()
	e := start(t)
	s := newSubscriber(t, true, http.StatusInternalServerError, http.StatusBadGateway)
	if w := e.request(form("subscribe", s.URL+"/cb?mine=1", "hub.secret", "s3cret", "hub.lease_seconds", "864000")); w.Code != http.StatusAccepted {
		t.Fatalf("subscribe: %d %s", w.Code, w.Body)
	}
	testkit.Eventually(t, "a verified subscription", func() bool { return e.subscribed(t, s.URL+"/cb?mine=1") })
	s.mu.Lock()
	q := s.asked[0]
	s.mu.Unlock()
	if q.Get("mine") != "1" || q.Get("hub.topic") != topic || q.Get("hub.lease_seconds") != "864000" || q.Get("hub.mode") != "subscribe" {
		t.Errorf("verification asks %v", q)
	}
	a := feedrules.Article(1)
	e.put(t, a)
	testkit.Eventually(t, "the new article at the subscriber, after two refusals", func() bool { return s.answered() && s.has(a.Title) })
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

func TestUnconfirmedSubscriptionIsRejected(t *testing.T) {
	t.Parallel()
	e := start(t)
	s := newSubscriber(t, false)
	e.request(form("subscribe", s.URL))
	testkit.Eventually(t, "the end of the verification", func() bool { return e.failures(t) != "" })
	if how := e.failures(t); e.subscribed(t, s.URL) || !strings.Contains(how, "does not confirm") {
		t.Errorf("verification ended: %q", how)
	}
}

func TestUnsubscribingIsVerified(t *testing.T) {
	t.Parallel()
	e := start(t)
	s := newSubscriber(t, true)
	e.request(form("subscribe", s.URL))
	testkit.Eventually(t, "a subscription", func() bool { return e.subscribed(t, s.URL) })
	e.request(form("unsubscribe", s.URL))
	testkit.Eventually(t, "its end", func() bool { return !e.subscribed(t, s.URL) })
}

func TestSubscriberThatAnswersGoneIsDropped(t *testing.T) {
	t.Parallel()
	e := start(t)
	s := newSubscriber(t, true, http.StatusGone)
	e.request(form("subscribe", s.URL))
	testkit.Eventually(t, "a subscription", func() bool { return e.subscribed(t, s.URL) })
	e.put(t, feedrules.Article(1))
	testkit.Eventually(t, "its end", func() bool { return !e.subscribed(t, s.URL) })
}

func TestBadRequestsAreRefused(t *testing.T) {
	t.Parallel()
	e := start(t)
	for name, form := range map[string]url.Values{
		"mode":     form("publish", "https://s.example/"),
		"callback": form("subscribe", "ftp://s.example/"),
		"secret":   form("subscribe", "https://s.example/", "hub.secret", strings.Repeat("x", 200)),
		"foreign":  form("subscribe", "https://s.example/", "hub.topic", "https://other.example/feed.xml"),
		"page":     form("subscribe", "https://s.example/", "hub.topic", "https://press.example/about"),
		"private":  form("subscribe", "https://s.example/", "hub.topic", "https://press.example/private/x/feed.xml"),
		"search":   form("subscribe", "https://s.example/", "hub.topic", "https://press.example/search/feed.xml?q=x"),
		"spelling": form("subscribe", "https://s.example/", "hub.topic", "https://press.example/rss.xml"),
		"prefix":   form("subscribe", "https://s.example/", "hub.topic", "https://press.example.evil.example/feed.xml"),
	} {
		if w := e.request(form); w.Code != http.StatusBadRequest {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
	r := httptest.NewRequest(http.MethodGet, "/hub", nil)
	w := httptest.NewRecorder()
	if e.hub.ServeHTTP(w, r); w.Code != http.StatusMethodNotAllowed {
		t.Errorf("GET: %d", w.Code)
	}
}

func TestPrivateCallbackIsNotCalled(t *testing.T) {
	t.Parallel()
	s := newSubscriber(t, true)
	if _, err := websub.NewClient().Get(s.URL); err == nil || !strings.Contains(err.Error(), "not public") {
		t.Errorf("a call to %s: %v", s.URL, err)
	}
}
