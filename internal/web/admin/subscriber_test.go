package admin_test

import (
	"context"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/internal/web/admin"
)

func TestSubscriberIsFoundUnsubscribedAndErased(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	s.addSubscribers(60)
	e := s.owner()
	e.want(e.get("/admin/subscribers"), "reader9@example.org", "60 subscribers", "/admin/subscribers?before=11")
	e.want(e.get("/admin/subscribers?state=active&before=11"), "reader0@example.org")
	e.want(e.get("/admin/subscribers?q=READER7@"), "1 subscriber<", "reader7@example.org")
	here := regexp.MustCompile(`/admin/subscribers/\d+`).FindString(e.body)
	e.want(e.get("/admin/subscribers?q=unknown"), "No subscriber matches")
	e.want(e.get("/admin/subscribers?q=a"), "Enter at least two characters")
	e.want(e.get(here), "reader7@example.org", "Unsubscribe from all digests…")
	e.want(e.post(here+"/unsubscribe"), "This subscriber was unsubscribed from all digests", "unsubscribed")
	e.want(e.post(here+"/erase"), "Nothing was erased")
	e.want(e.post(here+"/erase", "sure", "yes"), "This subscriber was erased")
	sub, err := s.Store.SubscriberByAddress(context.Background(), subscriber.MustParseAddress("reader7@example.org"))
	if err == nil {
		t.Errorf("the erased subscriber is still %+v", sub)
	}
}

func TestEditorsCannotErase(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	s.addSubscribers(1)
	invite, err := admin.InviteLink(t.Context(), s.Store, s.url, admin.Invitation{})
	if err != nil {
		t.Fatal(err)
	}
	bob := s.visitor()
	bob.post(strings.TrimPrefix(invite, s.url), "email", "bob@gazette.example", "password", "four random words here")
	if body := bob.get("/admin/subscribers/1"); bob.code != http.StatusOK || !strings.Contains(body, "reader0@example.org") || strings.Contains(body, "Erase") {
		t.Errorf("status %d: the page offers erasure to an editor who is not an owner", bob.code)
	}
	if bob.want(bob.post("/admin/subscribers/1/erase", "sure", "yes"), "Only owners can do this."); bob.code != http.StatusForbidden {
		t.Errorf("status %d", bob.code)
	}
	if sub, err := s.Store.Subscriber(t.Context(), 1); err != nil || sub.State != subscriber.Active {
		t.Errorf("the subscriber is %s, %v", sub.State, err)
	}
}

func TestBounceIsShownAndLifted(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	s.addSubscribers(1)
	e := s.owner()
	fresh, err := s.Store.RecordFeedback(t.Context(), store.Feedback{
		Key: "test", Subscriber: 1, Kind: store.FeedbackBounced, Code: 550, Text: "5.1.1 <b>no such user</b>", Source: "smtp", At: time.Now(),
	}, store.SoftRule{})
	if err != nil || !fresh {
		t.Fatal(fresh, err)
	}
	e.want(e.get("/admin/subscribers/1"), "bounced", "550", "5.1.1 &lt;b&gt;no such user&lt;/b&gt;", "Suppressed")
	e.want(e.post("/admin/subscribers/1/lift"), "This subscriber is active again", "active")
	e.want(e.post("/admin/subscribers/1/lift"), "This subscriber is active again")
	e.post("/admin/subscribers/1/erase", "sure", "yes")
	e.want(e.post("/admin/subscribers/1/lift"), "Not possible now")
}

// TestUnsubscribedIsInvitedToSubscribeAgain checks that an editor can invite an unsubscribed
// person, and that only the link in the mail subscribes them again.
func TestUnsubscribedIsInvitedToSubscribeAgain(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	s := startSite(t)
	s.addSubscribers(1)
	e := s.owner()
	const here = "/admin/subscribers/1"
	e.want(e.get(here), "Unsubscribe from all digests…", "gets no more emails")
	e.want(e.post(here+"/invite", "digest", "weekly"), "Not possible now")
	e.want(e.post(here+"/unsubscribe"), "unsubscribed from all digests", "Invite to subscribe again…")
	e.want(e.post(here+"/invite"), "Choose at least one digest")
	e.want(e.post(here+"/invite", "digest", "weekly"), "The invitation is queued")
	mail := strings.NewReplacer("=\r\n", "", "=3D", "=").Replace(s.mailTo("reader0@example.org", "/confirm/"))
	state := func() subscriber.State {
		sub, err := s.Store.Subscriber(t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		return sub.State
	}
	if got := state(); got == subscriber.Active {
		t.Errorf("before the confirmation the subscriber is %s", got)
	}
	link := regexp.MustCompile(`/confirm/[\w-]+`).FindString(mail)
	s.visitor().post(link)
	if got := state(); got != subscriber.Active {
		t.Errorf("after the confirmation the subscriber is %s", got)
	}
}

func TestSubscriberIsEditedAndConflictsShowBothVersions(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	s.addSubscribers(1)
	e := s.owner()
	const here = "/admin/subscribers/1"
	e.get(here)
	version := e.hidden("version")
	e.want(e.post(here+"/edit", "version", version, "name", "Ada L.", "mail_language", "French", "labels", "donor, press,donor", "digests", "yes", "digest", "weekly"),
		"The changes were saved", "Ada L.", "donor", "press", "Details changed", "by ada@gazette.example")
	e.want(e.post(here+"/edit", "version", version, "name", "Another name"), "Someone else changed this subscriber", "Ada L.", `value="Another name"`)
	if e.code != http.StatusConflict {
		t.Errorf("status %d", e.code)
	}
	e.get(here)
	for _, bad := range [][]string{{"timezone", "Mars"}, {"language", "xx-?"}, {"digests", "yes"}, {"digests", "yes", "digest", "weekly", "topics-weekly", "nothing at all"}} {
		form := append([]string{"version", e.hidden("version"), "name", "Lost?"}, bad...)
		if e.want(e.post(here+"/edit", form...), `role="alert"`, `value="Lost?"`); e.code != http.StatusUnprocessableEntity {
			t.Errorf("%v: status %d", bad, e.code)
		}
	}
	if sub, err := s.Store.Subscriber(t.Context(), 1); err != nil || sub.Name != "Ada L." || sub.MailLanguage != "fr" || strings.Join(sub.Labels, "|") != "donor|press" {
		t.Errorf("stored %+v, %v", sub, err)
	}
	e.post(here + "/export")
	e.want(e.body, `"address": "reader0@example.org"`, `"donor"`, `"what": "details"`)
}

// TestUnsubscribedReturnsOnlyWithLaterConsent checks that an editor must record what a person agreed
// to, and that an agreement from before they left counts for nothing.
func TestUnsubscribedReturnsOnlyWithLaterConsent(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	s.addSubscribers(1)
	e := s.owner()
	const here = "/admin/subscribers/1"
	today := time.Now().UTC().Format(time.DateOnly)
	e.want(e.post(here+"/reinstate", "words", "yes", "source", "letter", "consented", today, "digest", "weekly"), "Not possible now")
	e.post(here + "/unsubscribe")
	for _, one := range []struct {
		want string
		form []string
	}{
		{"a consent needs", []string{"source", "letter", "consented", today, "digest", "weekly"}},
		{"a consent needs", []string{"words", "yes", "source", "letter", "digest", "weekly"}},
		{"a consent needs", []string{"words", "yes", "consented", today, "digest", "weekly"}},
		{"choose at least one digest", []string{"words", "yes", "source", "letter", "consented", today}},
		{"a later consent is needed", []string{"words", "yes", "source", "letter", "consented", "2020-01-02", "digest", "weekly"}},
		{"dated in the future", []string{"words", "yes", "source", "letter", "consented", "2999-01-02", "digest", "weekly"}},
	} {
		e.want(e.post(here+"/reinstate", one.form...), one.want)
		if sub, err := s.Store.Subscriber(t.Context(), 1); err != nil || sub.State != subscriber.Unsubscribed {
			t.Fatalf("%v: the subscriber is %s, %v", one.form, sub.State, err)
		}
	}
	e.want(e.post(here+"/reinstate", "words", "Please send it to me again", "source", "letter of today", "consented", today, "digest", "weekly"),
		"The consent is recorded", "Please send it to me again (letter of today; recorded by ada@gazette.example)", "Consent replaced")
	sub, err := s.Store.Subscriber(t.Context(), 1)
	if err != nil || sub.State != subscriber.Active || sub.Consent.Source != "editor" {
		t.Errorf("%+v, %v", sub, err)
	}
	e.want(e.post(here+"/suppress", "reason", "asked by phone"), "This address is suppressed", "asked by phone", "Lift the suppression…")
	e.want(e.post(here+"/reinstate", "words", "yes", "source", "letter", "consented", today, "digest", "weekly"), "An editor has suppressed this address")
	e.want(e.post(here+"/lift"), "The suppression was lifted", "unsubscribed")
}

func TestSubscriberIsAddedByConfirmationOrWithConsent(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	s := startSite(t)
	e := s.owner()
	const form = "/admin/subscribers/new"
	e.want(e.get(form), "Ask the person to confirm by email")
	for want, bad := range map[string][]string{
		`value="nobody"`:          {"address", "nobody", "digest", "weekly"},
		"choose at least one":     {"address", "ada@example.org"},
		"a consent needs":         {"address", "ada@example.org", "digest", "weekly", "how", "agreed", "words", "yes"},
		"is not a language":       {"address", "ada@example.org", "digest", "weekly", "mail_language", "?"},
		"dated in the future":     {"address", "ada@example.org", "digest", "weekly", "how", "agreed", "words", "yes", "source", "letter", "consented", "2999-01-01"},
		`value="letter of 3 May"`: {"address", "ada@example.org", "digest", "weekly", "how", "agreed", "source", "letter of 3 May"},
	} {
		if e.want(e.post(form, bad...), want, `role="alert"`); e.code != http.StatusUnprocessableEntity {
			t.Errorf("%v: status %d", bad, e.code)
		}
	}
	e.want(e.post(form, "address", "ada@example.org", "name", "Ada", "digest", "weekly"), "gets an email to confirm", "pending")
	s.mailTo("ada@example.org", "/confirm/")
	e.want(e.post(form, "address", "ADA@example.org", "digest", "weekly"), "in the list already")
	e.want(e.post(form, "address", "bob@example.org", "name", "Bob", "digest", "weekly", "how", "agreed", "words", "Send me the week", "source", "letter", "consented", "2026-01-02"),
		"The consent is recorded", "active", "Send me the week (letter; recorded by ada@gazette.example)", "weekly")
	if sub, err := s.Store.SubscriberByAddress(t.Context(), subscriber.MustParseAddress("bob@example.org")); err != nil || sub.State != subscriber.Active || sub.Consent.At.Format(time.DateOnly) != "2026-01-02" {
		t.Errorf("%+v, %v", sub, err)
	}
	e.want(e.get("/admin/subscribers/figures"), "New subscribers by source", time.Now().UTC().Format(">Jan<"))
}

func TestFilteredListIsExportedWithoutFormulas(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	s.addSubscribers(600)
	e := s.owner()
	sub, err := s.Store.SubscriberByAddress(t.Context(), subscriber.MustParseAddress("reader7@example.org"))
	if err != nil {
		t.Fatal(err)
	}
	sub.Name = `=HYPERLINK("http://evil.example")`
	if err := s.Store.UpdateSubscriber(t.Context(), sub); err != nil {
		t.Fatal(err)
	}
	if list := e.post("/admin/subscribers/export"); strings.Count(list, "@example.org") != 600 || !strings.Contains(list, `'=HYPERLINK`) {
		t.Errorf("%d subscribers are exported, status %d", strings.Count(list, "@example.org"), e.code)
	}
	list := e.post("/admin/subscribers/export", "q", "reader7@", "digest", "weekly")
	if lines := strings.Split(strings.TrimSpace(list), "\n"); len(lines) != 2 || !strings.HasPrefix(lines[1], "reader7@example.org,") {
		t.Errorf("exported %q", list)
	}
}
