package admin_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/testkit"
)

// signUp creates the owner with the one-time link and leaves the browser on the dashboard.
func (s *site) signUp(b *testkit.Browser) {
	s.t.Helper()
	link, err := s.FirstOwnerLink(s.t.Context())
	if err != nil || link == "" {
		s.t.Fatalf("link %q, %v", link, err)
	}
	b.Open(link)
	b.Screenshot("admin-welcome")
	b.Type("[name=name]", "Ada")
	b.Type("[name=email]", "ada@gazette.example")
	b.Type("[name=password]", "four random words here")
	b.Click("button.main")
	b.WaitText("Next editions")
	if again := status(s.t, link); again != http.StatusGone {
		s.t.Errorf("the one-time link answers %d after its use", again)
	}
}

func TestEditionIsSentInBrowser(t *testing.T) {
	testkit.Slow(t)
	const people = 120
	s := startSite(t, perSecond(30))
	s.addSubscribers(people)
	b := testkit.StartBrowser(t)
	b.SetViewport(1280, 900, false)
	s.signUp(b)
	b.Screenshot("admin-dashboard")

	b.Click(`a.button[href="/admin/digests/weekly"]`)
	b.WaitText("Preview")
	b.Wait(`document.querySelectorAll("iframe").length == 2`)
	s.waitForPreviews(b)
	b.Screenshot("admin-preview")
	b.Click(`form[action$="/test"] button`)
	b.WaitText("The test email is queued")
	s.eventually("the test mail", func() bool { return s.inbox.Received()["ada@gazette.example"] == 1 })

	b.Click(`a.main[href="/admin/digests/weekly/send"]`)
	b.WaitText("Send this edition to 120 subscribers?")
	b.Screenshot("admin-send")
	b.Click("#send")
	b.Wait(`document.querySelector("#count-sent") && +document.querySelector("#count-sent").innerText > 5`)
	b.Wait(`!performance.getEntriesByType("navigation").some(n => n.type == "reload")`) // the script updated the page
	b.Screenshot("admin-sending")

	s.pauseAndResume(b, people)
	b.SetViewport(375, 812, true)
	b.Open(s.url + "/admin/")
	b.WaitText("Last editions")
	b.Screenshot("admin-dashboard-phone-dark")
	noProblems(t, b)
}

// waitForPreviews waits until all frames are loaded. The page has no access to sandboxed
// frames, but to the timing of their requests.
func (s *site) waitForPreviews(b *testkit.Browser) {
	b.Wait(`performance.getEntriesByType("resource").filter(r => r.initiatorType == "iframe" && r.responseEnd > 0).length == document.querySelectorAll("iframe").length`)
}

func (s *site) pauseAndResume(b *testkit.Browser, people int) {
	s.t.Helper()
	b.Click("#pause")
	b.WaitText("Paused. Emails that were already sent")
	b.Wait(`document.querySelector("#resume")`)
	b.Screenshot("admin-paused")
	all, err := s.Store.Editions(s.t.Context(), "weekly", 1)
	if err != nil || len(all) != 1 || all[0].State != digest.Paused {
		s.t.Fatalf("editions %+v, %v", all, err)
	}
	b.Click("#resume")
	b.WaitText("Resumed.")
	b.Wait(fmt.Sprintf(`document.querySelector("#count-sent").innerText == "%d"`, people))
	b.Wait(`document.querySelector(".status .state.sent")`)
	b.Wait(`!document.querySelector("#pause")`)
	b.Screenshot("admin-sent")
	for i := range people {
		address := fmt.Sprintf("reader%d@example.org", i)
		if n := s.inbox.Received()[address]; n != 1 {
			s.t.Errorf("%s got %d mails", address, n)
		}
	}
}

// TestDashboardIsRefreshedInBrowser checks that an edition in progress moves to the recent ones
// while the page stays open.
func TestDashboardIsRefreshedInBrowser(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	s := startSite(t, perSecond(1)) // slow enough for the browser to see it being sent
	s.addSubscribers(20)
	b := testkit.StartBrowser(t)
	s.signUp(b)
	if _, err := s.newEngine().SendNow(t.Context(), "weekly", adaEmail); err != nil {
		t.Fatal(err)
	}
	b.Open(s.url + "/admin/")
	b.Wait(`document.querySelector("#under-way .card")`)
	b.Wait(`(window.stayedOpen = true)`)
	b.Wait(`!document.querySelector("#under-way .card") && document.querySelector("#recent table")`)
	b.Wait(`window.stayedOpen && !document.querySelector("#under-way[data-refresh], #recent[data-refresh]")`)
	noProblems(t, b)
}

func TestSendingWorksWithoutScript(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	s := startSite(t)
	s.addSubscribers(3)
	e := s.owner()
	e.sendWeekly()
	if !strings.HasPrefix(e.at, "/admin/editions/") {
		t.Fatalf("after sending the editor is at %s", e.at)
	}
	s.eventually("three mails", func() bool { return len(s.inbox.Mails()) == 3 })
	s.eventually("the page to show it", func() bool { return strings.Contains(e.get(e.at), `class="state sent"`) })
}
