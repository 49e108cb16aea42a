package admin_test

import (
	"context"
	"html"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/internal/testkit/sink"
	"github.com/tidings-press/tidings/internal/web/admin"
)

// want fails the test when the page lacks some words.
func (e *editor) want(body string, words ...string) {
	e.t.Helper()
	for _, word := range words {
		if !strings.Contains(body, word) {
			e.t.Errorf("%s lacks %q:\n%s", e.at, word, body)
		}
	}
}

func TestDashboardShowsNextEditions(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	s.addSubscribers(1204)
	e := s.owner()
	e.want(e.get("/admin/"), "The week at the harbour", "Fri 1 Jan, 08:00", "1,204 subscribers", "No edition has been sent yet")
	e.want(e.get("/admin/digests/weekly"), "Fri 1 Jan 2027, 08:00 UTC", "The ferry that waited", "16 articles")
	e.want(e.get("/admin/digests/weekly/send"), "Send it to 1,204 subscribers?", "Send to 1,204 subscribers")
	e.want(e.get("/admin/digests/weekly/text"), "The ferry that waited")
	if e.get("/admin/digests/none"); e.code != http.StatusNotFound {
		t.Errorf("an unknown digest answers %d", e.code)
	}
}

func TestGetRequestsChangeNothing(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	s.addSubscribers(2)
	e := s.owner()
	sent, err := s.newEngine().SendNow(t.Context(), "weekly", "ada@gazette.example")
	if err != nil {
		t.Fatal(err)
	}
	s.eventually("the edition to be sent", func() bool { return s.state(sent.ID) == digest.Sent })
	before := s.dump()
	for _, path := range []string{
		"/admin/", "/admin/digests/weekly", "/admin/digests/weekly/mail", "/admin/digests/weekly/text", "/admin/digests/weekly/send", "/admin/digests/weekly/test",
		"/admin/editions/" + sent.ID, "/admin/editions/" + sent.ID + "/mail", "/admin/editions/" + sent.ID + "/events", "/admin/editions/" + sent.ID + "/cancel",
		"/admin/editions/" + sent.ID + "/resend", "/admin/articles", "/admin/subscribers", "/admin/subscribers/1", "/admin/subscribers/1/erase", "/admin/subscribers/1/unsubscribe",
		"/admin/account", "/admin/account/invite", "/admin/sign-out", "/admin/sign-in",
	} {
		e.get(path)
	}
	if after := s.dump(); after != before {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
	if e.get("/admin/"); e.at != "/admin/" {
		t.Error("a GET signed the editor out")
	}
}

func (s *site) state(edition string) digest.State {
	s.t.Helper()
	found, err := s.Store.Edition(s.t.Context(), edition)
	if err != nil {
		s.t.Fatal(err)
	}
	return found.State
}

// dump is what editors can change, in words.
func (s *site) dump() string {
	s.t.Helper()
	var out strings.Builder
	for _, query := range []string{
		"SELECT id || state || revision FROM articles ORDER BY seq", "SELECT id || state || changed FROM subscribers ORDER BY id",
		"SELECT id || state || finished FROM editions ORDER BY seq", "SELECT COUNT(*) FROM sessions", "SELECT COUNT(*) FROM links", "SELECT COUNT(*) FROM jobs",
	} {
		rows, err := s.Store.DB().QueryContext(s.t.Context(), strings.Replace(query, "id || state || revision FROM articles", "id || status || revision FROM articles", 1))
		if err != nil {
			s.t.Fatal(err)
		}
		for rows.Next() {
			var line string
			if err := rows.Scan(&line); err != nil {
				s.t.Fatal(err)
			}
			out.WriteString(line + "\n")
		}
		if err := rows.Close(); err != nil {
			s.t.Fatal(err)
		}
	}
	return out.String()
}

func TestDigestWithoutArticlesIsNotSent(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	if err := s.Store.SetDigestSince(t.Context(), "weekly", time.Now()); err != nil {
		t.Fatal(err)
	}
	e := s.owner()
	e.want(e.get("/admin/digests/weekly"), "There is nothing to send now", "every article that fits has a date before")
	e.want(e.get("/admin/digests/weekly/send"), "There is nothing to send")
	e.want(e.post("/admin/digests/weekly/send", "sure", "weekly", "shown", delivery.Fingerprint{}.Token()), "Nothing was sent")
	e.want(e.post("/admin/digests/weekly/test", "to", "ada@gazette.example"), "No test mail was sent")
	e.want(e.post("/admin/digests/weekly/test", "to", "nonsense"), "No test mail was sent")
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

func TestDraftIsReviewedAndApproved(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	s.addSubscribers(2)
	e := s.owner()
	draft, err := s.newEngine().Draft(t.Context(), "weekly", "the schedule")
	if err != nil {
		t.Fatal(err)
	}
	here := "/admin/editions/" + draft.ID
	e.want(e.get("/admin/"), "waiting for approval", here)
	e.want(e.get(here), "Approve and send", here+"/mail")
	if mail := e.get(here + "/mail"); !strings.Contains(mail, "The ferry that waited") {
		t.Errorf("the draft's mail: %.200s", mail)
	}
	e.want(e.post(here+"/subject", "subject", " A better\r\nBcc: eve@example.org\tsubject "), "The subject is changed", "A better Bcc: eve@example.org subject")
	e.want(e.post(here+"/subject", "subject", " \n "), "The subject was not changed")
	e.want(e.post(here+"/test", "to", "ada@gazette.example"), "The test mail is queued")
	s.eventually("the test mail", func() bool { return s.inbox.Received()["ada@gazette.example"] == 1 })
	e.want(e.get(here), "It goes to <strong>2 subscribers</strong>", "16 articles", "Approve and send…")
	shown := e.hidden("shown")
	asked := e.post(here+"/approve", "shown", shown)
	e.want(asked, "Send it to 2 subscribers?", "A better Bcc: eve@example.org subject", "The ferry that waited", "Send to 2 subscribers")
	if s.state(draft.ID) != digest.Draft {
		t.Error("the edition was sent before the question was answered")
	}
	e.want(e.post(here+"/approve", "shown", e.hidden("shown"), "sure", "yes"), "Approved. Sending begins.")
	s.eventually("both mails", func() bool { return len(s.inbox.Mails()) == 3 })
	for _, mail := range s.inbox.Mails() {
		if !strings.Contains(string(mail.Data), "\r\nSubject: A better Bcc: eve@example.org subject\r\n") {
			t.Errorf("the mail has another subject:\n%.800s", mail.Data)
		}
	}
	e.want(e.post(here+"/subject", "subject", "Too late"), "The subject was not changed")
	s.eventually("the edition to be sent", func() bool { return s.state(draft.ID) == digest.Sent })
	e.want(e.post(here+"/cancel"), "Not possible now")
	if e.post(here + "/explode"); e.code != http.StatusNotFound {
		t.Errorf("an unknown action answers %d", e.code)
	}
}

func TestUncertainMailsAreResentOrDropped(t *testing.T) {
	t.Parallel()
	for action, want := range map[string]store.DeliveryCounts{"resend": {Total: 3, Sent: 3}, "drop": {Total: 3, Sent: 2, Skipped: 1}} {
		wire := testkit.StartWire(t, sink.Options{Faults: []sink.Fault{{At: sink.AfterDot, Do: sink.Cut, Times: 1}}})
		s := startSite(t, over(wire))
		s.addSubscribers(3)
		e := s.owner()
		e.sendWeekly()
		here := e.at
		s.eventually("the mail in doubt", func() bool { return strings.Contains(e.get(here), `id="resend"`) })
		e.want(e.get(here), "1 mail is uncertain", "@example.org")
		e.want(e.get("/admin/"), "1 uncertain")
		e.want(e.post(here+"/"+action), "The uncertain mails are")
		id := strings.TrimPrefix(here, "/admin/editions/")
		s.eventually("the edition to be sent", func() bool { return s.state(id) == digest.Sent })
		found, err := s.Store.Edition(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := s.Store.EditionCounts(t.Context(), found.Seq); got != want || err != nil {
			t.Errorf("after %s: %+v, %v", action, got, err)
		}
	}
}

func TestRefusedDeliveriesAreListed(t *testing.T) {
	t.Parallel()
	wire := testkit.StartWire(t, sink.Options{Faults: []sink.Fault{{At: sink.AtRcpt, Reply: "550 5.1.1 <b>nobody</b> of that name", Match: "reader1@"}}})
	s := startSite(t, over(wire))
	s.addSubscribers(3)
	e := s.owner()
	e.sendWeekly()
	here := e.at
	s.eventually("the edition to be sent", func() bool { return s.state(strings.TrimPrefix(here, "/admin/editions/")) == digest.Sent })
	e.want(e.get(here), "Show refused mails", "reader1@example.org", "550", "&lt;b&gt;nobody&lt;/b&gt; of that name")
	e.want(e.get("/admin/"), `<td class="num bad" data-label="Refused">1</td>`)
}

func TestRemovedArticleIsRestored(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	a := s.put("An article to take down")
	e := s.owner()
	e.want(e.get("/admin/articles"), a.Title)
	e.want(e.get("/admin/articles?match=NOT+("), "class=\"problem\"")
	e.want(e.get("/admin/articles?match=tag:no-such-tag"), "No article matches")
	e.want(e.post("/admin/articles/"+a.ID+"/remove"), "The article is taken down")
	s.wantStatus(a.ID, article.Removed)
	e.want(e.post("/admin/articles/"+a.ID+"/restore"), "The article is restored")
	s.wantStatus(a.ID, article.Published)
}

func TestRemovedDraftIsRestoredAsDraft(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	a := s.put("A draft to take down", func(a *article.Article) { a.Status = article.Draft })
	e := s.owner()
	e.post("/admin/articles/" + a.ID + "/remove")
	s.wantStatus(a.ID, article.Withdrawn)
	e.want(e.get("/admin/articles"), a.Title, "withdrawn", "Restore")
	e.post("/admin/articles/" + a.ID + "/restore")
	s.wantStatus(a.ID, article.Draft)
}

func (s *site) wantStatus(id string, want article.Status) {
	s.t.Helper()
	a, err := s.Store.Article(s.t.Context(), id)
	if err != nil || a.Status != want {
		s.t.Errorf("the article is %s, %v", a.Status, err)
	}
}

func TestSubscriberIsFoundUnsubscribedAndErased(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	s.addSubscribers(60)
	e := s.owner()
	e.want(e.get("/admin/subscribers"), "reader0@example.org", "/admin/subscribers?after=50")
	e.want(e.get("/admin/subscribers?state=active&after=50"), "reader59@example.org")
	e.want(e.get("/admin/subscribers?find=READER7@example.org"), "reader7@example.org", "Unsubscribe from all digests…")
	here := e.at
	e.want(e.get("/admin/subscribers?find=unknown@example.org"), "no subscriber has this address")
	e.want(e.post(here+"/unsubscribe"), "This subscriber is unsubscribed from all digests", "unsubscribed")
	e.want(e.post(here+"/erase"), "Nothing was erased")
	e.want(e.post(here+"/erase", "sure", "yes"), "This subscriber is erased")
	who, err := s.Store.SubscriberByAddress(context.Background(), subscriber.MustParseAddress("reader7@example.org"))
	if err == nil {
		t.Errorf("the erased reader is still %+v", who)
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
		t.Errorf("status %d: an editor who is no owner is offered to erase", bob.code)
	}
	if bob.want(bob.post("/admin/subscribers/1/erase", "sure", "yes"), "Only an owner"); bob.code != http.StatusForbidden {
		t.Errorf("status %d", bob.code)
	}
	if who, err := s.Store.Subscriber(t.Context(), 1); err != nil || who.State != subscriber.Active {
		t.Errorf("the subscriber is %s, %v", who.State, err)
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
	e.want(e.post("/admin/subscribers/1/lift"), "This subscriber gets mail again", "active")
	e.want(e.post("/admin/subscribers/1/lift"), "This subscriber gets mail again")
	e.post("/admin/subscribers/1/erase", "sure", "yes")
	e.want(e.post("/admin/subscribers/1/lift"), "Not possible now")
}

func TestEditionBeingRetriedIsListedAsSent(t *testing.T) {
	t.Parallel()
	wire := testkit.StartWire(t, sink.Options{Faults: []sink.Fault{{At: sink.AtRcpt, Reply: "452 4.2.2 mailbox full", Match: "reader1@"}}})
	s := startSite(t, over(wire))
	s.addSubscribers(3)
	e := s.owner()
	e.sendWeekly()
	here := e.at
	s.eventually("the retry", func() bool { return strings.Contains(e.get(here), "sent, 1 being retried") })
	desk := e.get("/admin/")
	e.want(desk, "sent, 1 being retried")
	if strings.Contains(desk, "No edition has been sent yet") || strings.Contains(desk, `id="now"`) {
		t.Errorf("the dashboard does not list the edition as sent:\n%s", desk)
	}
}

func TestSkippedSubscribersAreShownBeforeAndAfterSending(t *testing.T) {
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

// sendWeekly presses the button on the page that asks before a send.
func (e *editor) sendWeekly() string {
	e.t.Helper()
	e.get("/admin/digests/weekly/send")
	return e.post("/admin/digests/weekly/send", "sure", "weekly", "shown", e.hidden("shown"))
}

// hidden is the value of a hidden field of the page that was answered last.
func (e *editor) hidden(name string) string {
	e.t.Helper()
	found := regexp.MustCompile(`name="` + name + `" value="([^"]*)"`).FindStringSubmatch(e.body)
	if found == nil {
		e.t.Fatalf("%s has no field %s:\n%s", e.at, name, e.body)
	}
	return html.UnescapeString(found[1])
}

// TestChangedDraftIsShownAgain on either page, and sent only when it is
// approved as it is then.
func TestChangedDraftIsShownAgain(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	s.addSubscribers(2)
	first := s.put("The first article")
	e := s.owner()
	draft, err := s.newEngine().Draft(t.Context(), "weekly", "")
	if err != nil {
		t.Fatal(err)
	}
	here := "/admin/editions/" + draft.ID
	e.get(here)
	shown := e.hidden("shown")
	s.put("The first article", func(a *article.Article) { a.HTML, a.Hash = "<p>Edited</p>", "edited" })
	for _, sure := range []string{"", "yes"} {
		page := e.post(here+"/approve", "shown", shown, "sure", sure)
		e.want(page, "The edition changed since it was shown", "edited: “The first article”", "Send it as it is now, to 2 subscribers")
		if e.code != http.StatusConflict {
			t.Errorf("the page answers %d", e.code)
		}
	}
	again := e.hidden("shown")
	if err := s.Store.RemoveArticle(t.Context(), first.ID); err != nil {
		t.Fatal(err)
	}
	e.want(e.post(here+"/approve", "shown", again, "sure", "yes"), "withdrawn or left out: “The first article”", "Left out because they were withdrawn")
	if s.state(draft.ID) != digest.Draft {
		t.Fatal("the draft was approved though it had changed")
	}
	e.want(e.post(here+"/approve", "shown", e.hidden("shown"), "sure", "yes"), "Approved. Sending begins.")
	if e.post(here + "/approve"); e.at != here {
		t.Errorf("approving without having been shown anything leads to %s", e.at)
	}
}

// TestChangedEditionIsShownAgainBeforeSend and makes no edition.
func TestChangedEditionIsShownAgainBeforeSend(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	s.addSubscribers(1)
	e := s.owner()
	e.get("/admin/digests/weekly/send")
	shown := e.hidden("shown")
	s.put("A late article")
	e.want(e.post("/admin/digests/weekly/send", "sure", "weekly", "shown", shown), "the edition changed since it was shown", "added: “A late article”")
	if all, err := s.Store.Editions(t.Context(), "", 1); err != nil || len(all) != 0 {
		t.Errorf("editions %+v, %v", all, err)
	}
	e.post("/admin/digests/weekly/send", "sure", "weekly", "shown", e.hidden("shown"))
	s.eventually("the mail", func() bool { return len(s.inbox.Mails()) == 1 })
}

// TestArticleWithdrawnFromSendingEditionOffersPause on the edition's page.
func TestArticleWithdrawnFromSendingEditionOffersPause(t *testing.T) {
	t.Parallel()
	wire := testkit.StartWire(t, sink.Options{Faults: []sink.Fault{{At: sink.AtRcpt, Reply: "452 4.2.2 mailbox full", Match: "reader1@"}}})
	s := startSite(t, over(wire))
	s.addSubscribers(3)
	gone := s.put("An article to regret")
	e := s.owner()
	e.sendWeekly()
	here := e.at
	s.eventually("the retry", func() bool { return strings.Contains(e.get(here), "sent, 1 being retried") })
	e.want(e.post("/admin/articles/"+gone.ID+"/remove"), "this edition still holds it", "Withdrawn after the approval", "An article to regret", "Pause the edition")
	if e.at != here {
		t.Errorf("the removal leads to %s", e.at)
	}
	e.want(e.post(here+"/pause"), "Paused", "The edition is paused. Cancel it, or resume it as it is.")
	if s.state(strings.TrimPrefix(here, "/admin/editions/")) != digest.Paused {
		t.Error("the edition is not paused")
	}
}
