package app_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/tidings-press/tidings/feed"
	"github.com/tidings-press/tidings/internal/app"
	"github.com/tidings-press/tidings/internal/feedserver"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit/feedrules"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

func TestServicesOnOneMachineShareTheirCounts(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
		for service := range 3 { // the third is the first service after a restart
			polls := feedserver.Polls{Feed: "/", Day: "2026-03-02", Requests: 10, Subscribers: map[string]int{fmt.Sprint("reader ", service): 5}}
			polls.Pollers.Add(uint64(service+1) * 0x9E3779B97F4A7C15)
			other := feedserver.Polls{Feed: "/tags/go/", Day: "2026-03-01", Requests: 1}
			recorder := app.NewFeedPolls(s, "one-host")
			if err := recorder.RecordPolls(t.Context(), []feedserver.Polls{polls, other}); err != nil {
				t.Fatal(err)
			}
		}
		elsewhere := feedserver.Polls{Feed: "/", Day: "2026-03-02", Requests: 100, NotModified: 50}
		if err := app.NewFeedPolls(s, "other-host").RecordPolls(t.Context(), []feedserver.Polls{elsewhere}); err != nil {
			t.Fatal(err)
		}
		got, err := app.NewFeedPolls(s, "").Readers(t.Context(), now)
		want := map[string]feed.Readers{"/": {Subscribers: 15, Pollers: 3, Polls: 130}, "/tags/go/": {Polls: 3}}
		if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%v, %v; want %v", got, err, want)
		}
	})
}

// requestThrough sends a request of a client that comes through proxies.
func requestThrough(h http.Handler, proxy, client, agent string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, "/feed.xml", nil)
	r.RemoteAddr = proxy
	r.Header.Set("User-Agent", agent)
	if client != "" {
		r.Header.Set("X-Forwarded-For", client)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestClientsBehindATrustedProxyAreCountedSeparately(t *testing.T) {
	t.Parallel()
	p := openAt(t, storetest.Open(t, store.SQLite, store.Options{}),
		"site: {url: https://press.example}\nserver: {trusted_proxies: [10.0.0.0/8]}\nfeed_server: {retry_after: 1h}\n")
	putArticles(t, p.Store, feedrules.Article(1))
	feeds, err := p.Feeds(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range []struct {
		proxy, client string
		want          int
	}{
		{"10.1.1.1:1000", "192.0.2.1", 200}, {"10.1.1.1:1000", "192.0.2.2", 200}, {"10.1.1.2:1001", "192.0.2.1", 429},
		{"10.1.1.1:1000", "203.0.113.9, 192.0.2.2, 10.9.9.9", 429}, {"10.1.1.1:1000", "2001:db8::1", 200},
		{"198.51.100.1:1000", "192.0.2.3", 200}, {"198.51.100.1:1000", "192.0.2.4", 429}, // an untrusted proxy
	} {
		if w := requestThrough(feeds, one.proxy, one.client, "Reader/1"); w.Code != one.want {
			t.Errorf("%s for %q: %d, want %d", one.proxy, one.client, w.Code, one.want)
		}
	}
	if err := feeds.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	readers, err := app.NewFeedPolls(p.Store, "").Readers(t.Context(), p.Store.Now())
	if got := readers["/"]; err != nil || got.Pollers != 4 || got.Polls != 7 {
		t.Errorf("%+v, %v; want 4 pollers", got, err)
	}
}
