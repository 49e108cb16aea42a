package public_test

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
	"github.com/tidings-press/tidings/internal/token"
)

func form(pairs ...string) url.Values {
	v := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		v.Add(pairs[i], pairs[i+1])
	}
	return v
}

// link finds the address of a page in a mail's text.
func link(t *testing.T, m mail, page string) string {
	t.Helper()
	found := regexp.MustCompile(regexp.QuoteMeta(siteURL) + `(/` + page + `/[\w-]+)`).FindStringSubmatch(m.Text)
	if found == nil {
		t.Fatalf("the mail has no link to /%s/:\n%s", page, m.Text)
	}
	return found[1]
}

func TestSubscribeConfirmAndUnsubscribe(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		b := setup(t, s)
		b.want(b.post("/subscribe", form("email", "Ada@example.org", "name", "Ada", "digest", "weekly", "digest", "daily", "digest", "nonsense")), http.StatusOK, "inbox")
		sub, err := s.SubscriberByAddress(t.Context(), subscriber.MustParseAddress("ada@example.org"))
		if err != nil || sub.State != subscriber.Pending {
			t.Fatalf("after the form: %+v, %v", sub, err)
		}
		confirm := link(t, b.sent()[0], "confirm")
		b.want(b.get(confirm), http.StatusOK, "The Week and The Day", `method="post"`)
		if on, state := b.subscribed(sub.ID); on != "" || state != subscriber.Pending {
			t.Fatalf("opening the link made them %s on %q", state, on)
		}
		for range 2 { // people press buttons twice
			b.want(b.post(confirm, nil), http.StatusOK, "You are subscribed")
		}
		if on, state := b.subscribed(sub.ID); on != "daily weekly" || state != subscriber.Active {
			t.Fatalf("after confirming they are %s on %q", state, on)
		}
		if sub, _ = s.Subscriber(t.Context(), sub.ID); sub.Consent.Source != "form" || sub.Consent.IP != "192.0.2.1" || !strings.Contains(sub.Consent.Text, "The Week") {
			t.Errorf("consent %+v", sub.Consent)
		}
		if mails := b.sent(); len(mails) != 2 {
			t.Fatalf("%d mails, want a request and one welcome", len(mails))
		}
		leave := link(t, b.sent()[1], "unsubscribe")
		if got := b.sent()[1].Unsubscribe; !strings.HasSuffix(got, leave) || b.sent()[0].Unsubscribe != "" {
			t.Errorf("one click leads to %q in the welcome and %q in the request, want %q and nothing", got, b.sent()[0].Unsubscribe, leave)
		}
		b.want(b.get(leave), http.StatusOK, "Unsubscribe")
		if _, state := b.subscribed(sub.ID); state != subscriber.Active {
			t.Fatal("opening the link unsubscribed")
		}
		b.want(b.post(leave, nil), http.StatusOK, "You are unsubscribed")
		if on, state := b.subscribed(sub.ID); on != "" || state != subscriber.Unsubscribed {
			t.Errorf("after leaving they are %s on %q", state, on)
		}
	})
}

func TestSubscribeFormDoesNotRevealSubscribers(t *testing.T) {
	t.Parallel()
	b := onSQLite(t)
	active := b.person("active@example.org", subscriber.Active)
	bounced := b.person("bounced@example.org", subscriber.Active)
	if err := b.store.SetState(t.Context(), bounced.ID, subscriber.Bounced, "550"); err != nil {
		t.Fatal(err)
	}
	if err := b.store.Suppress(t.Context(), subscriber.MustParseAddress("never@example.org"), store.ComplainedReason, ""); err != nil {
		t.Fatal(err)
	}
	number := regexp.MustCompile(`[a-z]+@example\.org`)
	answers := map[string]bool{}
	for _, name := range []string{"unknown", "active", "bounced", "never"} {
		w := b.post("/subscribe", form("email", name+"@example.org", "digest", "weekly"))
		b.want(w, http.StatusOK)
		answers[number.ReplaceAllString(w.Body.String(), "")] = true
	}
	if len(answers) != 1 {
		t.Errorf("%d different answers", len(answers))
	}
	var to []string
	for _, m := range b.sent() {
		to = append(to, m.To)
	}
	if got := strings.Join(to, " "); got != "unknown@example.org active@example.org" {
		t.Errorf("mails went to %s", got)
	}
	if on, state := b.subscribed(active.ID); on != "daily weekly" || state != subscriber.Active {
		t.Errorf("the form changed someone: %s on %q", state, on)
	}
}

func TestSubscribeFormRefusesInvalidInputAndBots(t *testing.T) {
	t.Parallel()
	b := onSQLite(t)
	b.want(b.post("/subscribe", form("email", "nobody", "digest", "weekly")), http.StatusUnprocessableEntity, "name@example.org", `value="nobody"`, `role="alert"`)
	b.want(b.post("/subscribe", form("email", "a@example.org")), http.StatusUnprocessableEntity, "at least one")
	b.want(b.post("/subscribe", form("email", "a@example.org", "digest", "weekly", "website", "http://spam.example")), http.StatusOK, "inbox")
	b.want(b.post("/subscribe", form("email", strings.Repeat("a", 20<<10))), http.StatusRequestEntityTooLarge, "too large")
	if n := len(b.sent()); n != 0 {
		t.Errorf("%d mails were sent", n)
	}
	var last int
	for range 12 {
		last = b.post("/subscribe", form("email", "b@example.org", "digest", "weekly")).Code
	}
	if last != http.StatusTooManyRequests {
		t.Errorf("the twelfth request: %d", last)
	}
	if n := len(b.sent()); n != 3 {
		t.Errorf("%d mails to one address, want 3 at most", n)
	}
}

func TestArchivedDigestTakesNoSubscriptions(t *testing.T) {
	t.Parallel()
	b := setupWith(t, storetest.Open(t, store.SQLite, store.Options{}), func(c *config.Config) { c.Digests[1].Status = "archived" })
	if w := b.get("/subscribe?digest=daily"); strings.Contains(w.Body.String(), "The Day") {
		t.Error("the form offers it")
	}
	b.want(b.post("/subscribe", form("email", "a@example.org", "digest", "daily")), http.StatusUnprocessableEntity, "at least one")
	if n := len(b.sent()); n != 0 {
		t.Errorf("%d mails were sent", n)
	}
}

// A mail program sends this years later, with no cookie, and expects 200
// (RFC 8058, sections 3.1 and 3.2).
func TestOneClickUnsubscribe(t *testing.T) {
	t.Parallel()
	b := onSQLite(t)
	sub := b.person("a@example.org", subscriber.Active)
	target := "/unsubscribe/" + b.keys.Sign(token.Unsubscribe, sub.UID, "weekly", "4b4e3b0c-3f5c-4f7e-9a3e-0d6b2f1f5f11")
	for range 3 {
		w := b.post(target, form("List-Unsubscribe", "One-Click"))
		b.want(w, http.StatusOK)
		if w.Header().Get("Location") != "" || len(w.Result().Cookies()) != 0 {
			t.Errorf("headers %v", w.Header())
		}
	}
	if on, state := b.subscribed(sub.ID); on != "daily" || state != subscriber.Active {
		t.Errorf("after one click they are %s on %q", state, on)
	}
	if counts, err := b.store.CountFeedback(t.Context(), "4b4e3b0c-3f5c-4f7e-9a3e-0d6b2f1f5f11"); err != nil || counts[store.FeedbackUnsubscribed] != 1 {
		t.Errorf("the edition counts %v, %v", counts, err)
	}
	var body bytes.Buffer
	parts := multipart.NewWriter(&body)
	_ = parts.WriteField("List-Unsubscribe", "One-Click")
	_ = parts.Close()
	r := httptest.NewRequest(http.MethodPost, "/unsubscribe/"+b.keys.Sign(token.Unsubscribe, sub.UID, "daily", ""), &body)
	r.Header.Set("Content-Type", parts.FormDataContentType())
	r.Header.Set("Origin", "https://mail.example.net")
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	b.want(b.do(r), http.StatusOK)
	if _, state := b.subscribed(sub.ID); state != subscriber.Unsubscribed {
		t.Errorf("after the last one they are %s", state)
	}
	if err := b.store.Erase(t.Context(), sub.ID); err != nil {
		t.Fatal(err)
	}
	b.want(b.post(target, form("List-Unsubscribe", "One-Click")), http.StatusOK)
}

func TestTokensAreBoundToTheirPurpose(t *testing.T) {
	t.Parallel()
	b := onSQLite(t)
	sub := b.person("a@example.org", subscriber.Active)
	good := b.keys.Sign(token.Preferences, sub.UID, "", "")
	for _, path := range []string{"/confirm/" + good, "/unsubscribe/" + good, "/editions/x/" + good, "/preferences/" + good[:len(good)-1], "/preferences/x"} {
		b.want(b.get(path), http.StatusNotFound, "does not work")
	}
	b.want(b.post("/unsubscribe/"+good, nil), http.StatusNotFound)
	expired := b.keys.SignConfirm(sub.UID, "weekly", b.store.Now().Add(-token.ConfirmFor-time.Hour))
	b.want(b.get("/confirm/"+expired), http.StatusGone, "expired")
	b.want(b.post("/confirm/"+expired, nil), http.StatusGone)
}

func TestPreferencesAreSaved(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		b := setup(t, s)
		importSamples(t, s)
		sub := b.person("a@example.org", subscriber.Active)
		path := "/preferences/" + b.keys.Sign(token.Preferences, sub.UID, "", "")
		b.want(b.get(path), http.StatusOK, "a…@e….org", "Only some topics")
		b.want(b.post(path, form("do", "save", "name", " Ada\r\nBcc: x ", "language", "fr", "digest", "weekly", "some-weekly", "yes", "topic-weekly", "harbour", "topic-weekly", "cuisine")), http.StatusOK, "Saved", "checked")
		subscription, err := s.Subscription(t.Context(), sub.ID, "weekly")
		if err != nil || strings.Join(subscription.Topics, " ") != "harbour cuisine" && strings.Join(subscription.Topics, " ") != "cuisine harbour" {
			t.Errorf("topics %v, %v", subscription.Topics, err)
		}
		if on, _ := b.subscribed(sub.ID); on != "weekly" {
			t.Errorf("on %q", on)
		}
		sub, _ = s.Subscriber(t.Context(), sub.ID)
		if sub.Language != "fr" || strings.ContainsAny(sub.Name, "\r\n") {
			t.Errorf("kept %+v", sub)
		}
		made := b.post(path, form("do", "feed:weekly"))
		b.want(made, http.StatusOK, siteURL+"/private/")
		b.want(b.post(path, form("do", "close:weekly")), http.StatusOK)
		b.want(b.post(path, form("do", "pause")), http.StatusOK, "paused", `value="resume"`)
		b.want(b.post(path, form("do", "save", "digest", "weekly")), http.StatusOK, "paused")
		if _, state := b.subscribed(sub.ID); state != subscriber.Paused {
			t.Errorf("saving preferences made a paused subscriber %s", state)
		}
		b.want(b.post(path, form("do", "resume")), http.StatusOK, `value="pause"`)
		if on, state := b.subscribed(sub.ID); on != "weekly" || state != subscriber.Active {
			t.Errorf("resuming: %s on %q", state, on)
		}
		b.want(b.post(path, form("do", "leave")), http.StatusOK, "not subscribed to any digest")
		b.want(b.post(path, form("do", "save", "digest", "daily")), http.StatusOK)
		if on, state := b.subscribed(sub.ID); on != "daily" || state != subscriber.Active {
			t.Errorf("taking it back: %s on %q", state, on)
		}
	})
}

func TestPauseAndResumeOfUnconfirmedSubscriberChangeNothing(t *testing.T) {
	t.Parallel()
	b := onSQLite(t)
	sub := b.person("a@example.org", subscriber.Pending)
	path := "/preferences/" + b.keys.Sign(token.Preferences, sub.UID, "", "")
	b.want(b.post(path, form("do", "pause")), http.StatusConflict, "confirm your subscription first")
	b.want(b.post(path, form("do", "resume")), http.StatusOK)
	if _, state := b.subscribed(sub.ID); state != subscriber.Pending {
		t.Errorf("an unconfirmed subscriber became %s", state)
	}
}

func TestOldLinksDoNotReactivateBouncedSubscribers(t *testing.T) {
	t.Parallel()
	b := onSQLite(t)
	for state, address := range map[subscriber.State]string{subscriber.Bounced: "b@example.org", subscriber.Complained: "c@example.org"} {
		sub := b.person(address, subscriber.Active)
		if err := b.store.SetState(t.Context(), sub.ID, state, "550"); err != nil {
			t.Fatal(err)
		}
		b.want(b.post("/confirm/"+b.keys.SignConfirm(sub.UID, "weekly", b.store.Now()), nil), http.StatusConflict, "cannot send")
		b.want(b.post("/preferences/"+b.keys.Sign(token.Preferences, sub.UID, "", ""), form("do", "save", "digest", "weekly")), http.StatusConflict)
		if _, now := b.subscribed(sub.ID); now != state {
			t.Errorf("%s became %s", state, now)
		}
	}
}
