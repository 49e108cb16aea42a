package websub_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/feedserver"
	"github.com/tidings-press/tidings/internal/testkit/feedrules"
	"github.com/tidings-press/tidings/internal/websub"
)

// idleHub is a hub whose jobs nobody does.
func idleHub() (*house, *queue) {
	h := &house{source: feedrules.New(time.Now), queue: newQueue(), registry: &registry{all: map[string]websub.Subscription{}}}
	h.hub = &websub.Hub{
		Address: "https://press.example/hub", Site: feedrules.Site().URL, Feeds: feedserver.New(feedserver.Options{Source: h.source, Site: feedrules.Site()}),
		Queue: h.queue, Registry: h.registry, Client: &http.Client{}, Log: slog.New(slog.DiscardHandler),
	}
	return h, h.queue
}

func TestAFullHubLetsItsSubscribersRenew(t *testing.T) {
	t.Parallel()
	h, _ := idleHub()
	s := websub.Subscription{Topic: topic, Callback: "https://old.example/", Expires: time.Now().Add(time.Hour)}
	if err := h.registry.Put(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	for name, full := range map[string]websub.Counts{"topic": {Topic: 10_000}, "server": {Host: 10_000}, "hub": {All: 200_000}} {
		h.registry.full = &full
		if w := h.ask(wish("subscribe", "https://new.example/")); w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "no room") {
			t.Errorf("a full %s: %d %s", name, w.Code, w.Body)
		}
		if w := h.ask(wish("subscribe", s.Callback)); w.Code != http.StatusAccepted {
			t.Errorf("a full %s refuses a renewal: %d %s", name, w.Code, w.Body)
		}
		if w := h.ask(wish("unsubscribe", s.Callback)); w.Code != http.StatusAccepted {
			t.Errorf("a full %s lets nobody go: %d %s", name, w.Code, w.Body)
		}
	}
}

func TestAStrangerCannotHaveManyCallbacksAsked(t *testing.T) {
	t.Parallel()
	h, q := idleHub()
	for i := range 100 {
		if w := h.ask(wish("subscribe", fmt.Sprintf("https://victim.example/?%d", i))); w.Code != http.StatusAccepted {
			t.Fatalf("wish %d: %d %s", i, w.Code, w.Body)
		}
	}
	if w := h.ask(wish("subscribe", "https://Victim.example:8443/")); w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
		t.Errorf("one more of the same server: %d %s", w.Code, w.Body)
	}
	if w := h.ask(wish("subscribe", "https://any.name.victim.example/")); w.Code != http.StatusServiceUnavailable {
		t.Errorf("one more of the same domain: %d %s", w.Code, w.Body)
	}
	if w := h.ask(wish("subscribe", "https://other.example/")); w.Code != http.StatusAccepted {
		t.Errorf("another server has to wait: %d %s", w.Code, w.Body)
	}
	for i := range 899 {
		_ = h.ask(wish("subscribe", fmt.Sprintf("https://host%d.example/", i)))
	}
	if w := h.ask(wish("subscribe", "https://last.example/")); w.Code != http.StatusServiceUnavailable {
		t.Errorf("after a thousand: %d %s", w.Code, w.Body)
	}
	if n, _ := q.Open(t.Context(), "websub.verify", "", 5000); n != 1000 {
		t.Errorf("%d wishes wait, want 1000", n)
	}
}

func TestNetworkThatAsksForManySubscriptionsWaits(t *testing.T) {
	t.Parallel()
	h, _ := idleHub()
	left := 3
	h.hub.Allow = func(*http.Request) bool { left--; return left >= 0 }
	for range 3 {
		if w := h.ask(wish("subscribe", "https://s.example/")); w.Code != http.StatusAccepted {
			t.Fatal(w.Code, w.Body)
		}
	}
	if w := h.ask(wish("subscribe", "https://s.example/")); w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") == "" {
		t.Errorf("one more: %d %s", w.Code, w.Body)
	}
}

func TestTheNewestWishCounts(t *testing.T) {
	t.Parallel()
	h, q := idleHub()
	s := newSubscriber(t, true)
	for _, secret := range []string{"first", "second"} {
		if w := h.ask(wish("subscribe", s.URL, "hub.secret", secret)); w.Code != http.StatusAccepted {
			t.Fatal(w.Code, w.Body)
		}
	}
	work(t, &websub.Worker{Queue: q, Do: h.hub.Jobs()})
	eventually(t, "a subscription", func() bool { return h.subscribed(s.URL) })
	if got, err := h.registry.Find(t.Context(), topic, s.URL); got.Secret != "second" || err != nil {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestLeasesAreGrantedWithinBounds(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for asked, want := range map[string]time.Duration{"1": time.Hour, "": 240 * time.Hour, "nonsense": 240 * time.Hour, "-5": 240 * time.Hour, "7200": 2 * time.Hour, "99999999999": 720 * time.Hour} {
		s := newSubscriber(t, true)
		h.ask(wish("subscribe", s.URL, "hub.lease_seconds", asked))
		eventually(t, "a subscription", func() bool { return h.subscribed(s.URL) })
		s.mu.Lock()
		told := s.asked[0].Get("hub.lease_seconds")
		s.mu.Unlock()
		got, err := h.registry.Find(t.Context(), topic, s.URL)
		left := time.Until(got.Expires)
		if told != fmt.Sprint(int(want.Seconds())) || left > want || left < want-time.Minute || err != nil {
			t.Errorf("asked for %q: told %s s, granted %v, want %v (%v)", asked, told, left, want, err)
		}
	}
}

func TestLongRequestsAreRefused(t *testing.T) {
	t.Parallel()
	h, _ := idleHub()
	long := func(n int) string { return "https://s.example/" + strings.Repeat("x", n) }
	for name, form := range map[string]url.Values{
		"callback": wish("subscribe", long(2000)), "both": wish("unsubscribe", long(1500), "hub.topic", long(1500)),
		"form": wish("subscribe", "https://s.example/", "more", strings.Repeat("x", 20_000)), "no host": wish("subscribe", "https://:80/"),
	} {
		want := http.StatusBadRequest
		if name == "form" {
			want = http.StatusRequestEntityTooLarge
		}
		if w := h.ask(form); w.Code != want {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
}

func TestOnlyPublicAddressesAreCalled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for _, address := range []string{
		"127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "[fe80::1]", "[fd00::1]", "0.0.0.0", "0.1.2.3", "[::]",
		"100.64.0.1", "192.0.0.1", "192.0.2.1", "198.51.100.1", "203.0.113.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255",
		"[64:ff9b::7f00:1]", "[64:ff9b:1::1]", "[2001::1]", "[2001:db8::1]", "[2002:7f00:1::1]", "[fec0::1]", "[ff02::1]",
	} {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+":9/", nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := websub.NewClient().Do(request); err == nil || !strings.Contains(err.Error(), "not public") {
			t.Errorf("%s: %v", address, err)
		}
	}
}

func TestSubscribersAreCalledWhereTheySayAndNowhereElse(t *testing.T) {
	t.Parallel()
	h, q := idleHub()
	client := websub.NewClient()
	client.Transport = http.DefaultTransport // which may call loopback
	h.hub.Client = client
	there := newSubscriber(t, true)
	here := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, there.URL+"/?"+r.URL.RawQuery, http.StatusFound)
	}))
	defer here.Close()
	h.ask(wish("subscribe", here.URL))
	work(t, &websub.Worker{Queue: q, Do: h.hub.Jobs()})
	eventually(t, "the end of the verification", func() bool { return q.ended(here.URL) != "" })
	there.mu.Lock()
	defer there.mu.Unlock()
	if len(there.asked) > 0 || h.subscribed(here.URL) {
		t.Error("the hub followed a redirect")
	}
}

func TestWhoLeftGetsNothingMore(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	answers := make([]int, 1000)
	for i := range answers {
		answers[i] = http.StatusServiceUnavailable
	}
	s := newSubscriber(t, true, answers...)
	h.ask(wish("subscribe", s.URL))
	eventually(t, "a subscription", func() bool { return h.subscribed(s.URL) })
	h.put(feedrules.Article(1))
	tried := func() int { s.mu.Lock(); defer s.mu.Unlock(); return len(s.received) }
	eventually(t, "a delivery to be tried", func() bool { return tried() > 0 })
	if err := h.registry.Drop(t.Context(), topic, s.URL); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the end of the delivery", h.queue.idle)
	if tried() > 15 {
		t.Errorf("it was tried %d times, to the end", tried())
	}
}

func TestTheSameContentIsSentOnce(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	s := newSubscriber(t, true)
	h.ask(wish("subscribe", s.URL))
	eventually(t, "a subscription", func() bool { return h.subscribed(s.URL) })
	a := feedrules.Article(1)
	h.put(a)
	eventually(t, "the article", func() bool { return s.has(a.ID) && h.queue.idle() })
	for range 3 {
		if err := h.hub.Distribute(t.Context(), topic); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "the deliveries", h.queue.idle)
	s.mu.Lock()
	defer s.mu.Unlock()
	if sent := len(s.bodies); sent > 2 || sent == 2 && s.bodies[0] == s.bodies[1] {
		t.Errorf("%d deliveries of the same", sent)
	}
}
