package admin_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/internal/testkit/sink"
)

func TestDraftIsReviewedAndApproved(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	s := startSite(t)
	s.addSubscribers(2)
	e := s.owner()
	draft, err := s.newEngine().Draft(t.Context(), "weekly", delivery.SendOptions{By: "the schedule"})
	if err != nil {
		t.Fatal(err)
	}
	here := "/admin/editions/" + draft.ID
	e.want(e.get("/admin/"), "Needs a decision", here)
	e.want(e.get(here), "Approve and send", here+"/mail")
	if mail := e.get(here + "/mail"); !strings.Contains(mail, "The ferry that waited") {
		t.Errorf("the draft's mail: %.200s", mail)
	}
	e.want(e.post(here+"/subject", "subject", " A better\r\nBcc: eve@example.org\tsubject "), "The subject was changed", "A better Bcc: eve@example.org subject")
	e.want(e.post(here+"/subject", "subject", " \n "), "The subject was not changed")
	e.want(e.post(here+"/test", "to", "ada@gazette.example"), "The test email is queued")
	s.eventually("the test mail", func() bool { return s.inbox.Received()["ada@gazette.example"] == 1 })
	e.want(e.get(here), "2 subscribers</strong>", "16 articles", "Approve and send…")
	shown := e.hidden("shown")
	confirmation := e.post(here+"/approve", "shown", shown)
	e.want(confirmation, "Send this edition to 2 subscribers?", "A better Bcc: eve@example.org subject", "The ferry that waited", "Send to 2 subscribers")
	if s.state(draft.ID) != digest.Draft {
		t.Error("the edition was sent before the confirmation")
	}
	e.want(e.post(here+"/approve", "shown", e.hidden("shown"), "sure", "yes"), "Approved. Sending starts now.")
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

func TestErrorOfDraftIsShownAndWaived(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	s := startSite(t)
	s.addSubscribers(1)
	e := s.owner()
	draft, err := s.newEngine().Draft(t.Context(), "weekly", delivery.SendOptions{})
	if err != nil {
		t.Fatal(err)
	}
	here := "/admin/editions/" + draft.ID
	e.post(here+"/subject", "subject", "Hello {{name}}")
	e.want(e.get(here), "Error", "leftover-text", "the subject contains “{{”", "Reason to send it anyway")
	approve := func() string {
		t.Helper()
		e.get(here)
		e.post(here+"/approve", "shown", e.hidden("shown"))
		return e.post(here+"/approve", "shown", e.hidden("shown"), "sure", "yes")
	}
	e.want(approve(), "Nothing was sent", "leftover-text", "fix or waive them first")
	e.get(here)
	e.want(e.post(here+"/approve", "shown", e.hidden("shown")), "neither fixed nor waived: 1 error", `<a href="`+here+`#check">Review the check</a>`)
	e.want(e.post(here+"/waive", "finding", "leftover-text", "reason", " "), "Nothing was changed", "needs a reason")
	e.want(e.post(here+"/waive", "finding", "leftover-text", "reason", "It is <meant> so"), "Waived. The edition may be sent", "It is &lt;meant&gt; so (ada@gazette.example, ", "Remove the waiver")
	e.want(e.post(here+"/waive", "finding", "leftover-text", "undo", "yes"), "The waiver was removed", "Reason to send it anyway")
	e.post(here+"/waive", "finding", "leftover-text", "reason", "meant so")
	e.want(e.post(here+"/check"), "The links and images were checked", "Waived: ")
	if text := e.post(here+"/approve", "shown", e.hidden("shown")); strings.Contains(text, "error") {
		t.Error("the confirmation counts a waived error")
	}
	e.want(approve(), "Approved. Sending starts now.")
}

func TestUncertainMailsAreResentOrDropped(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	for action, want := range map[string]store.DeliveryCounts{"resend": {Total: 3, Sent: 3}, "drop": {Total: 3, Sent: 2, Skipped: 1}} {
		wire := testkit.StartSMTPServer(t, sink.Options{Faults: []sink.Fault{{At: sink.AfterDot, Do: sink.Cut, Times: 1}}})
		s := startSite(t, over(wire))
		s.addSubscribers(3)
		e := s.owner()
		e.sendWeekly()
		here := e.at
		s.eventually("the mail in doubt", func() bool { return strings.Contains(e.get(here), `id="resend"`) })
		e.want(e.get(here), "1 email is uncertain", "@example.org")
		e.want(e.get("/admin/"), "Uncertain emails: 1")
		e.want(e.post(here+"/"+action), "The uncertain emails are")
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
	testkit.Slow(t)
	t.Parallel()
	wire := testkit.StartSMTPServer(t, sink.Options{Faults: []sink.Fault{{At: sink.AtRcpt, Reply: "550 5.1.1 <b>nobody</b> of that name", Match: "reader1@"}}})
	s := startSite(t, over(wire))
	s.addSubscribers(3)
	e := s.owner()
	e.sendWeekly()
	here := e.at
	s.eventually("the edition to be sent", func() bool { return s.state(strings.TrimPrefix(here, "/admin/editions/")) == digest.Sent })
	e.want(e.get(here), "Show refused emails", "reader1@example.org", "550", "&lt;b&gt;nobody&lt;/b&gt; of that name")
	e.want(e.get("/admin/"), `<td class="num bad" data-label="Refused">1</td>`)
}

// TestChangedDraftIsShownAgain checks that both pages show a changed draft again, and that it is
// sent only after the new version is approved.
func TestChangedDraftIsShownAgain(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	s := startSite(t)
	s.addSubscribers(2)
	first := s.put("The first article")
	e := s.owner()
	draft, err := s.newEngine().Draft(t.Context(), "weekly", delivery.SendOptions{})
	if err != nil {
		t.Fatal(err)
	}
	here := "/admin/editions/" + draft.ID
	e.get(here)
	shown := e.hidden("shown")
	s.put("The first article", func(a *article.Article) { a.HTML, a.Hash = "<p>Edited</p>", "edited" })
	for _, sure := range []string{"", "yes"} {
		page := e.post(here+"/approve", "shown", shown, "sure", sure)
		e.want(page, "The edition has changed since it was shown", "edited: “The first article”", "Send the changed edition to 2 subscribers")
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
	e.want(e.post(here+"/approve", "shown", e.hidden("shown"), "sure", "yes"), "Approved. Sending starts now.")
	if e.post(here + "/approve"); e.at != here {
		t.Errorf("approving without a fingerprint leads to %s", e.at)
	}
}

func TestArticleWithdrawnFromSendingEditionOffersPause(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	wire := testkit.StartSMTPServer(t, sink.Options{Faults: []sink.Fault{{At: sink.AtRcpt, Reply: "452 4.2.2 mailbox full", Match: "reader1@"}}})
	s := startSite(t, over(wire))
	s.addSubscribers(3)
	gone := s.put("An article to regret")
	e := s.owner()
	e.sendWeekly()
	here := e.at
	s.eventually("the retry", func() bool { return strings.Contains(e.get(here), "sent, 1 retrying") })
	e.want(e.post("/admin/articles/"+gone.ID+"/remove"), "this edition still contains it", "Withdrawn after approval", "An article to regret", "Pause the edition")
	if e.at != here {
		t.Errorf("the removal leads to %s", e.at)
	}
	e.want(e.post(here+"/pause"), "Paused", "The edition is paused. Cancel it, or resume it with these articles.")
	if s.state(strings.TrimPrefix(here, "/admin/editions/")) != digest.Paused {
		t.Error("the edition is not paused")
	}
}
