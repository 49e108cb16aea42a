package admin_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/testkit"
)

func TestDigestWithoutArticlesIsNotSent(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	if err := s.Store.SetDigestSince(t.Context(), "weekly", time.Now()); err != nil {
		t.Fatal(err)
	}
	e := s.owner()
	e.want(e.get("/admin/digests/weekly"), "Nothing to send now", "every article that fits has a date before")
	e.want(e.get("/admin/digests/weekly/send"), "Nothing to send")
	e.want(e.post("/admin/digests/weekly/send", "sure", "weekly", "shown", delivery.Fingerprint{}.Token()), "Nothing to send")
	e.want(e.post("/admin/digests/weekly/test", "to", "ada@gazette.example"), "No test email was sent")
	e.want(e.post("/admin/digests/weekly/test", "to", "nonsense"), "No test email was sent")
}

// TestDraftOfAnAutomaticDigestIsMadeInTheBrowser makes a draft with the button, and tries to make a second one.
func TestDraftOfAnAutomaticDigestIsMadeInTheBrowser(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	e := s.owner()
	const button = `<form method="post" action="/admin/digests/weekly/draft"><button>Create a draft</button></form>`
	e.want(e.get("/admin/digests/weekly"), button)
	e.want(e.post("/admin/digests/weekly/draft"), "Compose “", "Save the texts")
	all, err := s.Store.Editions(t.Context(), "weekly", 5)
	if err != nil || len(all) != 1 || all[0].State != digest.Draft || all[0].Author != adaEmail || e.at != "/admin/editions/"+all[0].ID+"/compose" {
		t.Fatalf("at %s: %+v, %v", e.at, all, err)
	}
	s.put("Late news from the harbour")
	if strings.Contains(e.get("/admin/digests/weekly"), button) {
		t.Error("beside a draft, the page has the button for another one")
	}
	e.want(e.body, `href="/admin/editions/`+all[0].ID+`">Open the draft`)
	e.post("/admin/digests/weekly/draft")
	if again, err := s.Store.Editions(t.Context(), "weekly", 5); err != nil || len(again) != 1 || e.at != "/admin/editions/"+all[0].ID+"/compose" {
		t.Errorf("the second request leads to %s: %d editions, %v", e.at, len(again), err)
	}
	e.want(e.get("/admin/audit?action=digest.draft"), "digest.draft", all[0].ID)
	if n := strings.Count(e.body, "<code>digest.draft</code>"); n != 1 {
		t.Errorf("the audit log has %d entries of the draft", n)
	}
	if err := s.Store.SetEditionState(t.Context(), all[0].ID, digest.Cancelled, "not needed"); err != nil {
		t.Fatal(err)
	}
	if err := s.Store.SetDigestSince(t.Context(), "weekly", time.Now()); err != nil {
		t.Fatal(err)
	}
	e.want(e.post("/admin/digests/weekly/draft"), "No draft was created", "every article that fits")
	if e.code != http.StatusConflict {
		t.Errorf("without an article, the answer is %d", e.code)
	}
}

func TestSendWithoutConfirmationIsAskedFor(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	s.addSubscribers(1)
	e := s.owner()
	for _, form := range [][]string{nil, {"sure", "weekly"}, {"shown", delivery.Fingerprint{}.Token()}, {"sure", "weekly", "shown", "nonsense"}} {
		if e.post("/admin/digests/weekly/send", form...); e.at != "/admin/digests/weekly/send" {
			t.Errorf("sending with %q leads to %s", form, e.at)
		}
	}
	if all, err := s.Store.Editions(t.Context(), "", 1); err != nil || len(all) != 0 {
		t.Errorf("editions %+v, %v", all, err)
	}
}

func TestSkippedSubscribersAreShownBeforeAndAfterSending(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	s := startSite(t)
	s.addSubscribers(2)
	ctx := t.Context()
	lost, err := s.Store.AddSubscriber(ctx, subscriber.Subscriber{Address: subscriber.MustParseAddress("fair@example.org"), State: subscriber.Active})
	if err == nil {
		err = s.Store.Subscribe(ctx, lost.ID, "weekly", []string{"Fair 2024"})
	}
	if err != nil {
		t.Fatal(err)
	}
	e := s.owner()
	for _, page := range []string{"/admin/digests/weekly", "/admin/digests/weekly/send"} {
		e.want(e.get(page), "2 subscribers", "no article in their topics")
	}
	e.sendWeekly()
	s.eventually("both mails", func() bool { return len(s.inbox.Mails()) == 2 })
	e.want(e.get(e.at), "1: no article in their topics")
}

func TestChangedEditionIsShownAgainBeforeSend(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	s := startSite(t)
	s.addSubscribers(1)
	e := s.owner()
	e.get("/admin/digests/weekly/send")
	shown := e.hidden("shown")
	s.put("A late article")
	e.want(e.post("/admin/digests/weekly/send", "sure", "weekly", "shown", shown), "the edition has changed since the preview was shown", "added: “A late article”")
	if all, err := s.Store.Editions(t.Context(), "", 1); err != nil || len(all) != 0 {
		t.Errorf("editions %+v, %v", all, err)
	}
	e.post("/admin/digests/weekly/send", "sure", "weekly", "shown", e.hidden("shown"))
	s.eventually("the mail", func() bool { return len(s.inbox.Mails()) == 1 })
}
