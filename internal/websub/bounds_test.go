package websub_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/internal/testkit/feedrules"
	"github.com/tidings-press/tidings/internal/websub"
)

func TestFullHubRenewsAndEndsSubscriptions(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	const callback = "https://old.example/"
	c := store.HubSubscription{Topic: topic, URL: callback, Expires: e.clock.now().Add(time.Hour)}
	if err := e.store.PutHubSubscription(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	many := store.HubSubscriptionCounts{Topic: 9, Host: 9, Network: 9, All: 9}
	for name, set := range map[string]func(limits *store.HubSubscriptionCounts){
		"topic": func(l *store.HubSubscriptionCounts) { l.Topic = 1 }, "server": func(l *store.HubSubscriptionCounts) { l.Host = 1 }, "hub": func(l *store.HubSubscriptionCounts) { l.All = 1 },
	} {
		e.hub.Limits = many
		set(&e.hub.Limits)
		if w := e.request(form("subscribe", "https://old.example/new")); w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "limit of subscriptions") {
			t.Errorf("a full %s: %d %s", name, w.Code, w.Body)
		}
		if w := e.request(form("subscribe", callback)); w.Code != http.StatusAccepted {
			t.Errorf("a full %s refuses a renewal: %d %s", name, w.Code, w.Body)
		}
		if w := e.request(form("unsubscribe", callback)); w.Code != http.StatusAccepted {
			t.Errorf("a full %s refuses to end a subscription: %d %s", name, w.Code, w.Body)
		}
	}
}

// Any number of names can resolve to one network, so subscriptions are also counted by the
// network that confirmed them.
func TestSubscriptionsOfNetworkAreBounded(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.hub.Limits = store.HubSubscriptionCounts{Topic: 99, Host: 99, Network: 2, All: 99}
	s := newSubscriber(t, true)
	e.work(t, e.hub.Tasks())
	names := []string{s.URL + "/1", strings.Replace(s.URL, "127.0.0.1", "localhost", 1) + "/2"}
	for _, callback := range append(names, names...) { // the second time they are renewed
		e.request(form("subscribe", callback))
		testkit.Eventually(t, "a subscription", func() bool { return e.subscribed(t, callback) && e.idle(t) })
	}
	e.request(form("subscribe", s.URL+"/3"))
	testkit.Eventually(t, "the end of the verification", func() bool { return e.failures(t) != "" })
	if reason := e.failures(t); e.subscribed(t, s.URL+"/3") || !strings.Contains(reason, "limit of subscriptions") {
		t.Errorf("a third subscription of the network: %q", reason)
	}
}

func TestUnverifiedRequestsAreBounded(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	for i := range 100 {
		if w := e.request(form("subscribe", fmt.Sprintf("https://victim.example/?%d", i))); w.Code != http.StatusAccepted {
			t.Fatalf("request %d: %d %s", i, w.Code, w.Body)
		}
	}
	if w := e.request(form("subscribe", "https://Victim.example:8443/")); w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
		t.Errorf("one more of the same server: %d %s", w.Code, w.Body)
	}
	if w := e.request(form("subscribe", "https://any.name.victim.example/")); w.Code != http.StatusServiceUnavailable {
		t.Errorf("one more of the same domain: %d %s", w.Code, w.Body)
	}
	if w := e.request(form("subscribe", "https://other.example/")); w.Code != http.StatusAccepted {
		t.Errorf("a request for another server is refused: %d %s", w.Code, w.Body)
	}
	for i := range 899 {
		_ = e.request(form("subscribe", fmt.Sprintf("https://host%d.example/", i)))
	}
	if w := e.request(form("subscribe", "https://last.example/")); w.Code != http.StatusServiceUnavailable {
		t.Errorf("after a thousand: %d %s", w.Code, w.Body)
	}
	if n, _ := e.store.OpenJobs(t.Context(), "websub.verify", "", 5000); n != 1000 {
		t.Errorf("%d requests wait, want 1000", n)
	}
}

func TestRequestOverRateLimitGets429(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	left := 3
	e.hub.Allow = func(*http.Request) bool { left--; return left >= 0 }
	for range 3 {
		if w := e.request(form("subscribe", "https://s.example/")); w.Code != http.StatusAccepted {
			t.Fatal(w.Code, w.Body)
		}
	}
	if w := e.request(form("subscribe", "https://s.example/")); w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") == "" {
		t.Errorf("one more: %d %s", w.Code, w.Body)
	}
}

func TestNewerRequestReplacesWaitingOne(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	s := newSubscriber(t, true)
	for _, secret := range []string{"first", "second"} {
		if w := e.request(form("subscribe", s.URL, "hub.secret", secret)); w.Code != http.StatusAccepted {
			t.Fatal(w.Code, w.Body)
		}
	}
	e.work(t, e.hub.Tasks())
	testkit.Eventually(t, "a subscription", func() bool { return e.subscribed(t, s.URL) })
	if got, err := e.store.HubSubscription(t.Context(), topic, s.URL); got.Secret != "second" || err != nil {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestLeasesAreWithinBounds(t *testing.T) {
	t.Parallel()
	e := start(t)
	for asked, want := range map[string]time.Duration{"1": time.Hour, "": 240 * time.Hour, "nonsense": 240 * time.Hour, "-5": 240 * time.Hour, "7200": 2 * time.Hour, "99999999999": 720 * time.Hour} {
		s := newSubscriber(t, true)
		e.request(form("subscribe", s.URL, "hub.lease_seconds", asked))
		testkit.Eventually(t, "a subscription", func() bool { return e.subscribed(t, s.URL) })
		s.mu.Lock()
		confirmed := s.asked[0].Get("hub.lease_seconds")
		s.mu.Unlock()
		got, err := e.store.HubSubscription(t.Context(), topic, s.URL)
		left := time.Until(got.Expires)
		if confirmed != fmt.Sprint(int(want.Seconds())) || left > want || left < want-time.Minute || err != nil {
			t.Errorf("asked for %q: verified with %s s, granted %v, want %v (%v)", asked, confirmed, left, want, err)
		}
	}
}

func TestLongRequestsAreRefused(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	long := func(n int) string { return "https://s.example/" + strings.Repeat("x", n) }
	for name, form := range map[string]url.Values{
		"callback": form("subscribe", long(2000)), "both": form("unsubscribe", long(1500), "hub.topic", long(1500)),
		"form": form("subscribe", "https://s.example/", "more", strings.Repeat("x", 20_000)), "no host": form("subscribe", "https://:80/"),
	} {
		want := http.StatusBadRequest
		if name == "form" {
			want = http.StatusRequestEntityTooLarge
		}
		if w := e.request(form); w.Code != want {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
}

func TestOnlyPublicAddressesAreCalled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
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

func TestHubFollowsNoRedirects(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	client := websub.NewClient()
	client.Transport = http.DefaultTransport // which may call loopback
	e.hub.Client = client
	there := newSubscriber(t, true)
	here := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, there.URL+"/?"+r.URL.RawQuery, http.StatusFound)
	}))
	defer here.Close()
	e.request(form("subscribe", here.URL))
	e.work(t, e.hub.Tasks())
	testkit.Eventually(t, "the end of the verification", func() bool { return e.failures(t) != "" })
	there.mu.Lock()
	defer there.mu.Unlock()
	if len(there.asked) > 0 || e.subscribed(t, here.URL) {
		t.Error("the hub followed a redirect")
	}
}

func TestUnsubscribedCallbackGetsNothingMore(t *testing.T) {
	t.Parallel()
	e := start(t)
	answers := make([]int, 1000)
	for i := range answers {
		answers[i] = http.StatusServiceUnavailable
	}
	s := newSubscriber(t, true, answers...)
	e.request(form("subscribe", s.URL))
	testkit.Eventually(t, "a subscription", func() bool { return e.subscribed(t, s.URL) })
	e.put(t, feedrules.Article(1))
	tried := func() int { s.mu.Lock(); defer s.mu.Unlock(); return len(s.received) }
	testkit.Eventually(t, "a delivery to be tried", func() bool { return tried() > 0 })
	if err := e.store.DropHubSubscription(t.Context(), topic, s.URL); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, "the end of the delivery", func() bool { return e.idle(t) })
	if tried() > 15 {
		t.Errorf("the delivery was tried %d times after the end of the subscription", tried())
	}
}

func TestSameContentIsSentOnce(t *testing.T) {
	t.Parallel()
	e := start(t)
	s := newSubscriber(t, true)
	e.request(form("subscribe", s.URL))
	testkit.Eventually(t, "a subscription", func() bool { return e.subscribed(t, s.URL) })
	a := feedrules.Article(1)
	e.put(t, a)
	testkit.Eventually(t, "the article", func() bool { return s.has(a.Title) && e.idle(t) })
	for range 3 {
		if err := e.hub.Distribute(t.Context(), topic); err != nil {
			t.Fatal(err)
		}
	}
	testkit.Eventually(t, "the deliveries", func() bool { return e.idle(t) })
	s.mu.Lock()
	defer s.mu.Unlock()
	if sent := len(s.bodies); sent > 2 || sent == 2 && s.bodies[0] == s.bodies[1] {
		t.Errorf("the same content was delivered %d times", sent)
	}
}
