package admin_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

func TestApprovalIsUndoneOnPage(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	for _, engine := range storetest.Engines {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			s := startSite(t, on(engine), undo(10*time.Minute))
			s.addSubscribers(2)
			e := s.owner()
			e.want(e.get("/admin/digests/weekly/send"), "Send this edition to 2 subscribers?", "The first email is sent after 10 minutes. Until then you can undo it.", "The ferry that waited", "No article is left for a later edition.")
			e.want(e.sendWeekly(), "Sending starts in 10 minutes.", `id="undo"`)
			here := e.at
			id := strings.TrimPrefix(here, "/admin/editions/")
			e.want(e.get("/admin/"), "starting", here)
			e.want(e.post(here+"/undo"), "Undone. The edition is a draft again, and no email was sent.", "The approval was undone by ada@gazette.example.", "Approve and send…")
			if s.state(id) != digest.Draft {
				t.Errorf("it is %s", s.state(id))
			}
			e.want(e.post(here+"/undo"), "Not undone", "There is no approval to undo.")
			e.get(here)
			e.post(here+"/approve", "shown", e.hidden("shown"))
			e.want(e.body, "The first email is sent after 10 minutes.")
			e.want(e.post(here+"/approve", "shown", e.hidden("shown"), "sure", "yes"), "Approved. You can still undo it")
			e.post(here + "/undo")
			e.want(e.post(here+"/cancel"), "Cancelled.")
			if n := s.readersMailed(); n != 0 {
				t.Errorf("%d subscribers got mail", n)
			}
		})
	}
}

// TestTwoEditorsSendOnce lets two editors press the button of the same confirmation page, one of them
// twice.
func TestTwoEditorsSendOnce(t *testing.T) {
	t.Parallel()
	s := startSite(t, undo(10*time.Minute))
	s.addSubscribers(2)
	e := s.owner()
	const path = "/admin/digests/weekly/send"
	e.get(path)
	first := []string{"sure", "weekly", "shown", e.hidden("shown"), "request", e.hidden("request")}
	e.get(path)
	second := []string{"sure", "weekly", "shown", e.hidden("shown"), "request", e.hidden("request")}
	e.post(path, first...)
	here := e.at
	if e.post(path, first...); e.at != here {
		t.Errorf("pressed again, the button leads to %s", e.at)
	}
	e.want(e.post(path, second...), "Nothing to send", "ada@gazette.example made an edition of this digest ", here)
	if e.code != http.StatusConflict {
		t.Errorf("the second editor gets %d", e.code)
	}
	if all, err := s.Store.Editions(t.Context(), "", 5); err != nil || len(all) != 1 {
		t.Errorf("editions %+v, %v", all, err)
	}
	e.post(here + "/undo")
	if e.post(path, first...); e.at != here || s.state(strings.TrimPrefix(here, "/admin/editions/")) != digest.Draft {
		t.Errorf("a reloaded request sends an undone edition, at %s", e.at)
	}
}

func TestApprovalByLinkIsUndoneByLink(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	s := startSite(t, undo(10*time.Minute))
	s.addSubscribers(2)
	s.owner()
	draft := s.startDrafting("manual")
	path := s.proofPath(adaEmail)
	if _, err := s.Store.DB().ExecContext(t.Context(), "UPDATE editions SET send_at = 1"); err != nil { // its time has come
		t.Fatal(err)
	}
	s.eventually("the deadline", func() bool { return s.stored(draft.ID).Held != "" })
	person := s.visitor()
	person.get(path)
	person.want(person.post(path+"/approve", "shown", person.hidden("shown")), "Approved. You can still undo it", path+"/undo")
	if e := s.stored(draft.ID); e.State != digest.Approved || e.UndoUntil.IsZero() {
		t.Fatalf("approved: %+v", e)
	}
	person.want(person.post(path+"/undo"), "Undone. The edition is a draft again")
	if e := s.stored(draft.ID); e.State != digest.Draft {
		t.Errorf("undone, it is %s", e.State)
	}
}

func TestDraftMadeByCrashedRequestIsNamedOnSendPage(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	s.addSubscribers(1)
	e := s.owner()
	draft, err := s.newEngine().Draft(t.Context(), "weekly", delivery.SendOptions{By: adaEmail})
	if err != nil {
		t.Fatal(err)
	}
	e.want(e.get("/admin/digests/weekly/send"), "Nothing to send", adaEmail+" made an edition of this digest ", "/admin/editions/"+draft.ID)
}
