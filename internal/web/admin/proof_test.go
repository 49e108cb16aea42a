package admin_test

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit"
)

const bobEmail = "bob@gazette.example"

// startDrafting restarts the site so that its next edition is drafted at once, and returns the
// draft. Its tick is on New Year's Day.
func (s *site) startDrafting(approval string) store.Edition {
	s.t.Helper()
	c := s.Config
	c.Digests[0].Approval, c.Digests[0].DraftBefore, c.Digests[0].AtDeadline = approval, 366*24*time.Hour, "hold"
	s.stop()
	s.start(c)
	var draft store.Edition
	s.eventually("a draft", func() bool {
		all, err := s.Store.Editions(s.t.Context(), "weekly", 1)
		if err != nil || len(all) == 0 || all[0].State != digest.Draft {
			return false
		}
		draft = all[0]
		return true
	})
	return draft
}

// bob creates a second editor and returns their client.
func (s *site) bob() *editor {
	s.t.Helper()
	link := s.invite(bobEmail)
	e := s.visitor()
	e.post(strings.TrimPrefix(link, s.url), "name", "Bob", "password", "four random words here")
	if e.at != "/admin/" {
		s.t.Fatalf("the invitation leads to %s", e.at)
	}
	return e
}

// proofPath returns the path of the link in the proof that an editor got by mail.
func (s *site) proofPath(address string) string {
	s.t.Helper()
	return proofPath(s.t, s.inbox.Mails, address)
}

func proofPath(t *testing.T, mails func() []testkit.Mail, address string) (path string) {
	t.Helper()
	testkit.Eventually(t, "the proof of "+address, func() bool {
		for _, m := range mails() {
			text := strings.ReplaceAll(string(m.Data), "=\r\n", "")
			if found := regexp.MustCompile(`/admin/proofs/[A-Za-z0-9_-]+`).FindString(text); found != "" && slices.Contains(m.To, address) {
				path = found
			}
		}
		return path != ""
	})
	return path
}

// TestScannerThatOpensProofLinksChangesNothing opens every link of a proof as mail scanners do. Then
// a person presses the button, without signing in.
func TestScannerThatOpensProofLinksChangesNothing(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	s := startSite(t)
	s.addSubscribers(2)
	s.owner()
	draft := s.startDrafting("manual")
	path := s.proofPath(adaEmail)
	scanner := s.visitor()
	for _, link := range []string{path, path + "/mail", path + "/approve", path + "/hold", "/admin/editions/" + draft.ID} {
		scanner.get(link)
	}
	now, err := s.Store.Edition(t.Context(), draft.ID)
	if approvals, listErr := s.Store.Approvals(t.Context(), draft.Seq); err != nil || listErr != nil || now.State != digest.Draft || now.Held != "" || len(approvals) != 0 {
		t.Fatalf("a scanner changed it: %s, held %q, approvals %+v", now.State, now.Held, approvals)
	}
	person := s.visitor()
	person.want(person.get(path), "Approve this edition", "Hold it", "selected by the digest", "Otherwise it is held then", "to 2 subscribers")
	if code := person.code; code != http.StatusOK {
		t.Errorf("the page answers %d", code)
	}
	shown := person.hidden("shown")
	person.want(person.post(path+"/hold"), "Held. It is not sent until it is approved.")
	person.want(person.get(path), "held by "+adaEmail)
	person.want(person.post(path+"/approve", "shown", shown), "Approved. It is sent at its time.")
	if now := s.state(draft.ID); now != digest.Approved {
		t.Errorf("it is %s", now)
	}
	person.want(person.get(path), "This edition is no longer a draft")
	owner := s.visitor()
	owner.post("/admin/sign-in", "email", adaEmail, "password", "four random words here")
	owner.want(owner.get("/admin/editions/"+draft.ID), "approved, sent at its time", "approved by "+adaEmail)
	owner.want(owner.get("/admin/"), "approved, sent at its time")
	if text := s.log.String(); strings.Contains(text, strings.TrimPrefix(path, "/admin/proofs/")) {
		t.Error("the log has the token of the link")
	}
	for address := range s.inbox.Received() {
		if strings.HasPrefix(address, "reader") {
			t.Errorf("a subscriber got mail before the tick: %s", address)
		}
	}
}

// TestProofLinkOfDisabledEditorIsRefused also checks broken links, and that the link alone does not
// approve for a digest that needs two editors.
func TestProofLinkOfDisabledEditorIsRefused(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	s := startSite(t)
	s.addSubscribers(1)
	s.owner()
	bob := s.bob()
	draft := s.startDrafting("two")
	path := s.proofPath(bobEmail)
	link := s.visitor()
	body := link.get(path)
	link.want(body, "Sign in to approve", "0 of 2 editors approved this version")
	if strings.Contains(body, `id="approve"`) {
		t.Error("the page offers to approve without signing in")
	}
	bob.get("/admin/editions/" + draft.ID)
	link.want(link.post(path+"/approve", "shown", bob.hidden("shown")), "Sign in to approve", "a link could have been forwarded")
	bob.get(path) // signed in, the same page approves
	bob.want(bob.post(path+"/approve", "shown", bob.hidden("shown")), "Another editor must approve this edition too")
	editor, err := s.Store.EditorByEmail(t.Context(), bobEmail)
	if err != nil {
		t.Fatal(err)
	}
	editor.Disabled = time.Now()
	if err := s.Store.UpdateEditor(t.Context(), editor, ""); err != nil {
		t.Fatal(err)
	}
	for _, try := range []func(){
		func() { link.get(path) }, func() { link.get(path + "/mail") }, func() { link.post(path + "/hold") }, func() { link.post(path+"/approve", "shown", "x") },
		func() { link.get(path[:len(path)-2]) },
	} {
		if try(); link.code != http.StatusGone || !strings.Contains(link.body, "This link no longer works") {
			t.Errorf("a link of a disabled editor answers %d:\n%s", link.code, link.body)
		}
	}
	if e, err := s.Store.Edition(t.Context(), draft.ID); err != nil || e.State != digest.Draft || e.Held != "" {
		t.Errorf("it is %s, held %q, %v", e.State, e.Held, err)
	}
}

// TestOfferedArticleIsAddedOnThePage: an article that came after the draft is listed, and taken.
func TestOfferedArticleIsAddedOnThePage(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	s := startSite(t)
	s.addSubscribers(1)
	e := s.owner()
	draft := s.startDrafting("manual")
	late := s.put("Late news from the harbour")
	e.want(e.get("/admin/editions/"+draft.ID), "Not in this edition", "Late news from the harbour", "came after the draft", "until it is approved", "That is <strong>")
	e.want(e.post("/admin/editions/"+draft.ID+"/add", "article", late.ID), "The article was added to this edition.")
	if now, err := s.Store.Edition(t.Context(), draft.ID); err != nil || !slices.Contains(now.Articles, late.ID) {
		t.Errorf("its articles are %v, %v", now.Articles, err)
	}
	e.want(e.post("/admin/editions/"+draft.ID+"/add", "article", late.ID), "Nothing was sent", "is in this draft already")
	e.want(e.post("/admin/editions/"+draft.ID+"/hold"), "Held. It is not sent until it is approved.", "held by "+adaEmail)
	e.want(e.post("/admin/editions/"+draft.ID+"/release"), "The hold has ended.")
}

// TestTwoEditorsOnOneProofInBrowser lets one editor approve and the other change the draft: both
// must approve the new version.
func TestTwoEditorsOnOneProofInBrowser(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	s := startSite(t)
	s.addSubscribers(3)
	first := testkit.StartBrowser(t)
	s.signUp(first)
	second := testkit.StartBrowser(t)
	second.Open(s.invite(bobEmail))
	second.Type("[name=name]", "Bob")
	second.Type("[name=password]", "four random words here")
	second.Click("button.main")
	second.WaitText("Next editions")
	draft := s.startDrafting("two")
	page := s.url + "/admin/editions/" + draft.ID
	approve := func(b *testkit.Browser, want string) {
		b.Open(page)
		b.Click("#draft form[action$='/approve'] button")
		b.WaitText("Send this edition to 3 subscribers?")
		b.Click("#approve")
		b.WaitText(want)
	}
	approve(first, "Your approval is recorded.")
	first.WaitText("1 of 2 editors approved this version: " + adaEmail)
	first.Screenshot("admin-proof")

	second.Open(page)
	second.WaitText("1 of 2 editors approved this version")
	second.Type("#subject", " and more")
	second.Click("form[action$='/subject'] button")
	second.WaitText("0 of 2 editors approved this version")
	s.eventually("the mail that asks again", func() bool {
		return slices.ContainsFunc(s.inbox.Mails(), func(m testkit.Mail) bool {
			return slices.Contains(m.To, adaEmail) && strings.Contains(string(m.Data), "Subject: Changed, please approve again")
		})
	})
	approve(second, "Your approval is recorded.")
	first.Open(s.url + s.proofPath(adaEmail))
	first.WaitText("1 of 2 editors approved this version: " + bobEmail)
	first.Screenshot("admin-proof-link")
	first.Click("#approve")
	first.WaitText("Approved. It is sent at its time.")
	if now := s.state(draft.ID); now != digest.Approved {
		t.Errorf("it is %s", now)
	}
	for _, b := range []*testkit.Browser{first, second} {
		noProblems(t, b)
	}
	if approvals, err := s.Store.Approvals(t.Context(), draft.Seq); err != nil || len(approvals) != 2 {
		t.Errorf("approvals %s, %v", fmt.Sprint(approvals), err)
	}
}
