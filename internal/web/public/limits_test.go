package public_test

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
	"github.com/tidings-press/tidings/internal/token"
)

// askFrom sends the form from a network address and processes the queued request.
func (b *env) askFrom(ip, address string) *httptest.ResponseRecorder {
	b.t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/subscribe", strings.NewReader(form("email", address, "digest", "weekly").Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.RemoteAddr = net.JoinHostPort(ip, "40000")
	w := b.do(r)
	if err := b.pages.HandleRequests(b.t.Context()); err != nil {
		b.t.Fatal(err)
	}
	return w
}

func TestConfirmationsPerMailboxAreLimitedAcrossSpellings(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		nodes := []*env{setup(t, s), setup(t, s)} // and a restart keeps the counts
		answer := ""
		for i := range 40 {
			b := nodes[i%2]
			address := fmt.Sprintf("%s+%d@%s", []string{"ada.b", "A.d.a.b", "adab"}[i%3], i, []string{"gmail.com", "GoogleMail.com"}[i%2])
			w := b.askFrom(fmt.Sprintf("2001:db8:%x::1", i), address)
			b.want(w, http.StatusOK, "inbox")
			page := strings.ReplaceAll(w.Body.String(), subscriber.MustParseAddress(address).String(), "")
			page = strings.ReplaceAll(page, strings.ReplaceAll(subscriber.MustParseAddress(address).String(), "+", "&#43;"), "")
			if answer == "" {
				answer = page
			}
			if page != answer {
				t.Fatalf("request %d is answered otherwise:\n%s\nwant\n%s", i, page, answer)
			}
		}
		if n := len(nodes[0].sent()) + len(nodes[1].sent()); n != 3 {
			t.Errorf("%d mails to one mailbox", n)
		}
		nodes[0].askFrom("2001:db8:ffff::1", "eve@gmail.com")
		if n := len(nodes[0].sent()) + len(nodes[1].sent()); n != 4 {
			t.Errorf("another mailbox waits: %d mails", n)
		}
	})
}

func TestConfirmationsPerNetworkAreLimited(t *testing.T) {
	t.Parallel()
	b := onSQLite(t)
	for i := range 90 {
		b.want(b.askFrom(fmt.Sprintf("198.51.100.%d", i), fmt.Sprintf("victim%d@example.org", i)), http.StatusOK, "inbox")
	}
	if n := len(b.sent()); n != 60 {
		t.Errorf("%d mails for one network", n)
	}
	b.askFrom("203.0.113.9", "ada@example.org")
	if n := len(b.sent()); n != 61 {
		t.Errorf("another network waits: %d mails", n)
	}
	if waiting, err := b.store.OpenJobs(t.Context(), "subscribe", "", 100); waiting != 30 || err != nil {
		t.Errorf("%d requests wait for their turn, %v; want 30", waiting, err)
	}
}

func TestConfirmationsPerHourAreLimited(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		b := setup(t, s)
		for range 999 { // requests of earlier subscribers, from many networks and to many mailboxes
			if _, err := s.CountRequest(t.Context(), store.RequestLimit{Name: "all", Key: "all", Max: 1000}); err != nil {
				t.Fatal(err)
			}
		}
		for i := range 3 {
			b.want(b.askFrom(fmt.Sprintf("2001:db8:%x::1", i), fmt.Sprintf("ada%d@example%d.org", i, i)), http.StatusOK, "inbox")
		}
		if n := len(b.sent()); n != 1 {
			t.Errorf("%d mails over the limit of 1000 an hour, want 1 below it", n)
		}
		if waiting, err := s.OpenJobs(t.Context(), "subscribe", "", 100); waiting != 2 || err != nil {
			t.Errorf("%d requests wait, %v; want 2", waiting, err)
		}
	})
}

func TestSubscribeFormSetsNoLanguage(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		b := setup(t, s)
		b.config.Site.Language = "en"
		r := httptest.NewRequest(http.MethodPost, "/subscribe", strings.NewReader(form("email", "ada@example.org", "digest", "weekly").Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Accept-Language", "fr-CH, fr;q=0.9")
		b.do(r)
		if err := b.pages.HandleRequests(t.Context()); err != nil {
			t.Fatal(err)
		}
		b.want(b.post(link(t, b.sent()[0], "confirm"), nil), http.StatusOK)
		sub, err := s.SubscriberByAddress(t.Context(), subscriber.MustParseAddress("ada@example.org"))
		if err != nil || sub.Language != "" {
			t.Errorf("language %q, %v; none was chosen", sub.Language, err)
		}
		preferences := link(t, b.sent()[1], "preferences")
		b.want(b.get(preferences), http.StatusOK, "all languages")
		b.want(b.post(preferences, form("do", "save", "language", "", "digest", "weekly")), http.StatusOK)
		if sub, err = s.Subscriber(t.Context(), sub.ID); err != nil || sub.Language != "" {
			t.Errorf("saving the form chose language %q, %v", sub.Language, err)
		}
	})
}

func TestPreferencesTakeOnlyTopicsOfTheDigest(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		b := setupWith(t, s, func(c *config.Config) { c.Digests[0].Filter.Match = "harbour" })
		importSamples(t, s)
		sub := b.person("ada@example.org", subscriber.Active)
		path := "/preferences/" + b.keys.Sign(token.Preferences, sub.UID, "", "")
		page := b.get(path).Body.String()
		if !strings.Contains(page, `name="topic-weekly" value="harbour"`) || strings.Contains(page, `name="topic-weekly" value="cuisine"`) || !strings.Contains(page, `name="topic-daily" value="cuisine"`) {
			t.Errorf("topics that are offered:\n%s", page)
		}
		b.want(b.post(path, form("do", "save", "digest", "weekly", "some-weekly", "yes", "topic-weekly", "cuisine")), http.StatusUnprocessableEntity, "cuisine")
		b.want(b.post(path, form("do", "save", "digest", "weekly", "some-weekly", "yes", "topic-weekly", "harbour")), http.StatusOK, "Saved")
		// What somebody chose before stays, though no article has it any more.
		if err := s.Subscribe(t.Context(), sub.ID, "weekly", []string{"old news"}); err != nil {
			t.Fatal(err)
		}
		b.want(b.post(path, form("do", "save", "digest", "weekly", "some-weekly", "yes", "topic-weekly", "old news")), http.StatusOK, "Saved")
		b.want(b.post(path, form("do", "save", "digest", "weekly", "some-weekly", "yes")), http.StatusUnprocessableEntity, "Nothing was changed", "Choose at least one topic")
	})
}
