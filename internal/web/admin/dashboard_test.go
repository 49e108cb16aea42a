package admin_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/feed"
	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/internal/testkit/sink"
	"github.com/tidings-press/tidings/internal/web/admin"
)

// nextNewYear returns the next tick of the digest.
func nextNewYear() time.Time {
	now := time.Now().UTC()
	next := time.Date(now.Year(), 1, 1, 8, 0, 0, 0, time.UTC)
	if !next.After(now) {
		next = next.AddDate(1, 0, 0)
	}
	return next
}

func TestDashboardShowsNextEditions(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	s.addSubscribers(1204)
	e := s.owner()
	next := nextNewYear()
	e.want(e.get("/admin/"), "The week at the harbour", next.Format("Mon 2 Jan 2006, 15:04"), "1,204 subscribers", "No editions have been sent yet", `data-zone="UTC" data-time="`+next.Format(time.RFC3339)+`"`)
	e.want(e.get("/admin/digests/weekly"), next.Format("Mon 2 Jan 2006, 15:04 MST"), "The ferry that waited", "16 articles")
	e.want(e.get("/admin/digests/weekly/send"), "Send this edition to 1,204 subscribers?", "Send to 1,204 subscribers")
	e.want(e.get("/admin/digests/weekly/text"), "The ferry that waited")
	e.want(e.get("/admin/digests"), `<a href="/admin/digests" aria-current="page">`, "The week at the harbour", next.Format("Mon 2 Jan 2006, 15:04 MST"), "On schedule", "1,204", `href="/admin/digests/weekly/send"`)
	if e.get("/admin/digests/none"); e.code != http.StatusNotFound {
		t.Errorf("an unknown digest answers %d", e.code)
	}
}

func TestDashboardShowsDraftOfNextEdition(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	s := startSite(t)
	s.addSubscribers(3)
	e := s.owner()
	card := func() string {
		_, rest, _ := strings.Cut(e.get("/admin/"), `id="next-editions"`)
		next, _, _ := strings.Cut(rest, "</section>")
		return next
	}
	e.want(card(), "16 articles", `href="/admin/digests/weekly">Preview`, `href="/admin/digests/weekly/send"`)
	draft := s.startDrafting("manual")
	path := `href="/admin/editions/` + draft.ID + `"`
	next := card()
	e.want(next, "16 articles", "needs approval", path+">Open the draft")
	if strings.Contains(next, "Send now") {
		t.Errorf("the card of a digest with a draft offers to send what is left:\n%s", next)
	}
	if err := s.Store.HoldDraft(t.Context(), draft.ID, "wait"); err != nil {
		t.Fatal(err)
	}
	e.want(card(), "16 articles", "held", path)
	if err := s.Store.ReleaseDraft(t.Context(), draft.ID); err != nil {
		t.Fatal(err)
	}
	e.get("/admin/editions/" + draft.ID)
	e.post("/admin/editions/"+draft.ID+"/approve", "shown", e.hidden("shown"), "sure", "yes")
	e.want(card(), "16 articles", "approved, sent at its time", path+">Open the edition")
}

func TestGetRequestsChangeNothing(t *testing.T) {
	testkit.Slow(t)
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
		"/admin/editions/" + sent.ID + "/resend", "/admin/articles", "/admin/subscribers", "/admin/subscribers/1", "/admin/subscribers/1/erase", "/admin/subscribers/1/unsubscribe", "/admin/subscribers/1/invite", "/admin/quarantine", "/admin/quarantine/release",
		"/admin/account", "/admin/account/invite", "/admin/sign-out", "/admin/sign-in",
	} {
		e.get(path)
	}
	if after := s.dump(); after != before {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
	if e.get("/admin/"); e.at != "/admin/" {
		t.Error("a GET request signed the editor out")
	}
}

// dump returns the rows that editors can change, as text.
func (s *site) dump() string {
	s.t.Helper()
	var out strings.Builder
	for _, query := range []string{
		"SELECT id || state || revision FROM articles ORDER BY seq", "SELECT id || state || changed FROM subscribers ORDER BY id",
		"SELECT id || state || finished FROM editions ORDER BY seq", "SELECT COUNT(*) FROM sessions", "SELECT COUNT(*) FROM links", "SELECT COUNT(*) FROM jobs",
		"SELECT email || role || disabled FROM editors ORDER BY id", "SELECT COUNT(*) FROM ledger",
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

func TestEditionBeingRetriedIsListedAsSent(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	wire := testkit.StartSMTPServer(t, sink.Options{Faults: []sink.Fault{{At: sink.AtRcpt, Reply: "452 4.2.2 mailbox full", Match: "reader1@"}}})
	s := startSite(t, over(wire))
	s.addSubscribers(3)
	e := s.owner()
	e.sendWeekly()
	here := e.at
	s.eventually("the retry", func() bool { return strings.Contains(e.get(here), "sent, 1 retrying") })
	dashboard := e.get("/admin/")
	e.want(dashboard, "sent, 1 retrying")
	if strings.Contains(dashboard, "No editions have been sent yet") || strings.Contains(dashboard, `id="now"`) {
		t.Errorf("the dashboard does not list the edition as sent:\n%s", dashboard)
	}
}

// TestMailsThatWaitForWarmupAreNoRetries: no server has deferred them, and they may be most of the mails of
// an edition, which is not sent yet. The plan lets through so few that the edition is not finished
// on the next day either.
func TestMailsThatWaitForWarmupAreNoRetries(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	s := startSite(t, relayKeys("warmup: 1000/day x2, warmup_per_domain: 1/day x1.001"))
	s.addSubscribers(20)
	e := s.owner()
	e.sendWeekly()
	here := e.at
	s.eventually("the warm-up of the domain", func() bool {
		page := e.get(here)
		return strings.Contains(page, "sending, ") && strings.Contains(page, " waiting for warm-up</span>")
	})
	e.want(e.body, `<dt>Waiting for warm-up</dt>`, `<h2 id="warming">`, "<dt>Retrying</dt><dd>0</dd>", "warm-up: the mails of today to example.org are used up")
	if strings.Contains(e.body, `id="deferred"`) {
		t.Errorf("the page lists retries:\n%s", e.body)
	}
	e.want(e.get("/admin/"), " of 1,000 emails today.", `id="now"`, " waiting for warm-up</span>")
	e.want(e.get("/admin/digests/weekly"), " waiting for warm-up</span>")
	e.want(e.get(here+"/deliveries?state=deferred"), ">waiting for warm-up</span>")
}

func TestDashboardShowsWhatNeedsAPersonFirst(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	s.addSubscribers(3)
	e := s.owner()
	if page := e.get("/admin/"); strings.Contains(page, `id="tasks"`) {
		t.Errorf("a quiet site needs a decision:\n%s", page)
	}
	draft, err := s.newEngine().Draft(t.Context(), "weekly", delivery.SendOptions{})
	if err == nil {
		err = s.Store.PutHold(t.Context(), store.Hold{Relay: "inbox", Kind: store.RelayHeld, Until: time.Now().Add(time.Hour), Reason: "550 blocked"})
	}
	if err != nil {
		t.Fatal(err)
	}
	page := e.get("/admin/")
	e.want(page, `<span class="badge warn">2</span>`, "No email is sent over the mail server “inbox”: 550 blocked.", "“"+draft.Subject+"” waits for your approval.",
		`<a class="button small" href="/admin/editions/`+draft.ID+`">Review and approve</a>`)
	if strings.Index(page, "550 blocked") > strings.Index(page, "waits for your approval") {
		t.Error("a draft stands before a stopped mail server")
	}
	if e.want(e.get("/admin/editions/"+draft.ID), "550 blocked"); e.code != http.StatusOK {
		t.Errorf("the page of an edition answers %d while a mail server is stopped", e.code)
	}
	e.post("/admin/editions/" + draft.ID + "/cancel")
	if page := e.get("/admin/"); strings.Contains(page, "waits for your approval") {
		t.Error("a cancelled draft waits for an approval")
	}
}

func TestDashboardShowsResultsAndGrowth(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	wire := testkit.StartSMTPServer(t, sink.Options{Faults: []sink.Fault{{At: sink.AtRcpt, Reply: "550 5.1.1 unknown user", Match: "reader1@"}}})
	s := startSite(t, over(wire))
	s.addSubscribers(4)
	sent, err := s.newEngine().SendNow(t.Context(), "weekly", adaEmail)
	if err != nil {
		t.Fatal(err)
	}
	s.eventually("the edition to be sent", func() bool { return s.state(sent.ID) == digest.Sent })
	sub, err := s.Store.SubscriberByAddress(t.Context(), subscriber.MustParseAddress("reader2@example.org"))
	if err == nil {
		err = s.Store.NoteUnsubscription(t.Context(), sent.ID, sub.ID)
	}
	if err == nil {
		_, err = s.Store.DB().ExecContext(t.Context(), "DELETE FROM leases")
	}
	if err == nil {
		err = s.Store.UpdateSubscriberFigures(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	e := s.owner()
	e.want(e.get("/admin/"), `aria-label="Result of “`+sent.Subject+`”: delivered 2, unsubscribed 1, refused 1"`, `data-label="Unsubscribed">1</td>`,
		"<dd>+4</dd>", "<dd>−1</dd>", "<caption>Subscribers in the last twelve months</caption>", "No feed was read since yesterday.")
}

func TestChecklistLeadsToTheFirstEdition(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	s := startSite(t)
	e := s.owner()
	e.want(e.get("/admin/"), "From here to your first edition", "4 of 6 steps done", `<a class="button primary" href="/admin/subscribers`, `<a class="button" href="/admin/digests/weekly">Preview and send</a>`)
	s.addSubscribers(2)
	e.want(e.get("/admin/"), "5 of 6 steps done", `<a class="button primary" href="/admin/digests/weekly">Preview and send</a>`)
	e.want(e.post("/admin/checklist/dismiss"), "The checklist is hidden.")
	if strings.Contains(e.get("/admin/"), "From here to your first edition") {
		t.Error("the dismissed checklist is shown")
	}
	if _, err := s.Store.DB().ExecContext(t.Context(), "DELETE FROM dismissed_hints"); err != nil {
		t.Fatal(err)
	}
	e.want(e.get("/admin/"), "5 of 6 steps done")
	sent, err := s.newEngine().SendNow(t.Context(), "weekly", adaEmail)
	if err != nil {
		t.Fatal(err)
	}
	s.eventually("the edition to be sent", func() bool { return s.state(sent.ID) == digest.Sent })
	if strings.Contains(e.get("/admin/"), "From here to your first edition") {
		t.Error("the checklist is shown after the first edition")
	}
}

func TestDashboardNamesFilesThatWereNotImported(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	folder := t.TempDir()
	s := startSite(t, with(fmt.Sprintf("import: {sources: [{path: %q, watch: true}]}\n", folder)))
	e := s.owner()
	file := filepath.Join(folder, "broken.md")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("---\ntitle: [\n---\nText\n")
	s.eventually("the problem to be shown", func() bool { return strings.Contains(e.get("/admin/"), "A file was not imported: "+file) })
	write("---\ntitle: Mended\ndate: 2026-01-01\n---\nText\n")
	s.eventually("the problem to go", func() bool { return !strings.Contains(e.get("/admin/"), "A file was not imported") })
}

// TestDashboardNamesFeedsByTheirTitles counts readers of feeds of all kinds.
func TestDashboardNamesFeedsByTheirTitles(t *testing.T) {
	t.Parallel()
	s := startSite(t, with("feeds:\n  - {name: all}\n  - {name: harbour, title: From the harbour, filter: {tags: [harbour]}}\n"))
	s.owner()
	readers := map[string]feed.Readers{
		"/": {Subscribers: 50}, "/feeds/harbour/": {Subscribers: 40}, "/tags/C%2FC%2B%2B/": {Subscribers: 30}, "/digests/weekly/": {Subscribers: 20}, "/private//": {Subscribers: 10},
	}
	h, err := admin.New(admin.Deps{
		Store: s.Store, Engine: s.newEngine(), Config: s.Config, Log: s.Log,
		Readers: func(context.Context) (map[string]feed.Readers, error) { return readers, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	viewer := s.member(store.ViewerRole)
	page := s.as(h, &viewer, http.MethodGet, "/admin/", nil).Body.String()
	for _, want := range []string{
		`<a href="/admin/feeds/all" dir="auto">The Harbour Gazette</a>`, `<a href="/admin/feeds/harbour" dir="auto">From the harbour</a>`,
		`<a href="/tags/C%2FC%2B%2B/" dir="auto">C/C&#43;&#43;</a>`, `<a href="/digests/weekly/" dir="auto">The week at the harbour</a>`, "<span>Private feeds</span>",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the dashboard lacks %s:\n%s", want, page)
		}
	}
}
