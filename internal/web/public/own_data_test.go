package public_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
	"github.com/tidings-press/tidings/internal/token"
)

// mailedLink returns the path of the link in the newest mail to an address.
func (b *env) mailedLink(to, kind string) string {
	b.t.Helper()
	all := b.sent()
	if len(all) == 0 || all[len(all)-1].To != to {
		b.t.Fatalf("no mail to %s among %d", to, len(all))
	}
	found := regexp.MustCompile(regexp.QuoteMeta(siteURL) + `(/` + kind + `/[\w-]+)`).FindStringSubmatch(all[len(all)-1].Text)
	if found == nil {
		b.t.Fatalf("no link to %s in\n%s", kind, all[len(all)-1].Text)
	}
	return found[1]
}

// TestForwardedMailCannotShowOrEraseData checks that a person with a forwarded mail can unsubscribe
// its recipient, but cannot see the address, or erase or export data.
func TestForwardedMailCannotShowOrEraseData(t *testing.T) {
	t.Parallel()
	b := onSQLite(t)
	sub := b.person("annabel@quistgaard.example", subscriber.Active)
	sub.Name = "Annabel Quistgaard"
	if err := b.store.UpdateSubscriber(t.Context(), sub); err != nil {
		t.Fatal(err)
	}
	preferences, unsubscribe := "/preferences/"+b.keys.Sign(token.Preferences, sub.UID, "", ""), "/unsubscribe/"+b.keys.Sign(token.Unsubscribe, sub.UID, "weekly", "")
	confirm := "/confirm/" + b.keys.SignConfirm(sub.UID, "weekly", b.store.Now())
	for _, w := range []interface{ String() string }{
		b.get(preferences).Body, b.get(unsubscribe).Body, b.get(confirm).Body,
		b.post(preferences, form("do", "erase")).Body, b.post(preferences, form("do", "erase", "sure", "yes")).Body, b.post(preferences, form("do", "export")).Body,
		b.post(preferences, form("do", "save", "digest", "weekly")).Body,
	} {
		if page := w.String(); strings.Contains(strings.ToLower(page), "annabel") || strings.Contains(page, "uistgaard") {
			t.Errorf("the page shows who it is:\n%s", page)
		}
	}
	got, err := b.store.Subscriber(t.Context(), sub.ID)
	if err != nil || got.State != subscriber.Active || got.Name != sub.Name {
		t.Errorf("%+v, %v", got, err)
	}
	long := b.keys.Sign(token.Erase, sub.UID, "", "") // not by the keys of these links
	for _, path := range []string{"/erase/" + strings.TrimPrefix(preferences, "/preferences/"), "/export/" + strings.TrimPrefix(unsubscribe, "/unsubscribe/"), "/erase/" + long} {
		b.want(b.get(path), http.StatusNotFound)
		b.want(b.post(path, nil), http.StatusNotFound)
	}
	if mails := b.sent(); len(mails) != 3 || mails[0].To != "annabel@quistgaard.example" {
		t.Errorf("%d mails", len(mails))
	}
	b.want(b.post(preferences, form("do", "erase")), http.StatusTooManyRequests)
}

func TestErasureNeedsFreshLink(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		b := setup(t, s)
		sub := b.person("a@example.org", subscriber.Active)
		preferences := "/preferences/" + b.keys.Sign(token.Preferences, sub.UID, "", "")
		b.want(b.post(preferences, form("do", "erase")), http.StatusOK, "We have sent you an email")
		link := b.mailedLink("a@example.org", "erase")
		b.want(b.get(link), http.StatusOK, "deleted permanently", "Delete my data")
		if got, err := s.Subscriber(t.Context(), sub.ID); err != nil || got.State != subscriber.Active {
			t.Fatalf("a look at the page erased: %+v, %v", got, err)
		}
		b.want(b.post(link, nil), http.StatusOK, "Your data has been deleted")
		if _, err := s.SubscriberByAddress(t.Context(), subscriber.MustParseAddress("a@example.org")); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("the address is still there: %v", err)
		}
		b.want(b.post(link, nil), http.StatusGone)
		b.want(b.get(preferences), http.StatusGone, "Your data has been deleted")
	})
}

func TestExportNeedsFreshLink(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		b := setup(t, s)
		sub := b.person("a@example.org", subscriber.Active)
		if _, err := s.RecordFeedback(t.Context(), store.Feedback{Key: "k", Subscriber: sub.ID, Kind: store.FeedbackSoft, Text: "452 full", At: s.Now()}, store.SoftRule{}); err != nil {
			t.Fatal(err)
		}
		b.want(b.post("/preferences/"+b.keys.Sign(token.Preferences, sub.UID, "", ""), form("do", "export")), http.StatusOK, "We have sent you an email")
		link := b.mailedLink("a@example.org", "export")
		b.want(b.get(link), http.StatusOK, "Get my data")
		w := b.post(link, nil)
		var got struct {
			Address, State string
			Subscriptions  []struct{ Digest string }
			CameBack       []struct{ Kind, Words string } `json:"came_back"`
		}
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		if got.Address != "a@example.org" || got.State != "active" || len(got.Subscriptions) != 2 || len(got.CameBack) != 1 || got.CameBack[0].Words != "452 full" {
			t.Errorf("the copy is %s", w.Body)
		}
		if disposition := w.Header().Get("Content-Disposition"); !strings.Contains(disposition, "attachment") || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("headers %v", w.Header())
		}
	})
}

func TestOwnDataLinksExpire(t *testing.T) {
	t.Parallel()
	b := onSQLite(t)
	sub := b.person("a@example.org", subscriber.Active)
	keys, err := b.store.ShortLivedKeys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{
		"/erase/" + keys.SignUntil(token.Erase, sub.UID, "", b.store.Now().Add(-time.Second)),
		"/export/" + keys.SignUntil(token.Export, sub.UID, "", b.store.Now().Add(-time.Second)),
	} {
		b.want(b.get(path), http.StatusGone, "expired")
		b.want(b.post(path, nil), http.StatusGone)
	}
}

// TestOldLinkDoesNotOpenOthersPage checks tokens of earlier versions, which have the number of a
// row that a restored store may give to another person.
func TestOldLinkDoesNotOpenOthersPage(t *testing.T) {
	t.Parallel()
	b := onSQLite(t)
	alice := b.person("alice@example.org", subscriber.Active)
	bob := token.Person{Row: alice.ID}
	for _, purpose := range []token.Purpose{token.Preferences, token.Unsubscribe, token.Confirm} {
		text := b.keys.Token(token.Claim{Purpose: purpose, Person: bob, Digest: "weekly"})
		for kind, path := range map[string]string{"GET": "", "POST": ""} {
			path = map[token.Purpose]string{token.Preferences: "/preferences/", token.Unsubscribe: "/unsubscribe/", token.Confirm: "/confirm/"}[purpose] + text
			w := b.get(path)
			if kind == "POST" {
				w = b.post(path, form("do", "leave"))
			}
			if strings.Contains(w.Body.String(), "a…@") || strings.Contains(w.Body.String(), "/preferences/") || w.Code == http.StatusOK && !(kind == "POST" && purpose == token.Unsubscribe) {
				t.Errorf("%s %s: status %d\n%s", kind, path, w.Code, w.Body)
			}
		}
	}
	if on, state := b.subscribed(alice.ID); on != "daily weekly" && on != "weekly daily" || state != subscriber.Active {
		t.Errorf("Alice is %s on %q", state, on)
	}
}
