package admin_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/doctor"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/internal/web/admin"
)

// adminPage is a page and how to open it.
type adminPage struct {
	route, name, path string
	signedOut         bool
}

// adminPages are the pages that TestPagesFitPhoneAndDarkScheme opens and TestAdminScreenshots draws, at
// least one of each route. {draft} and the like are replaced with what fill returns.
var adminPages = []adminPage{
	{"/sign-in", "sign-in", "/admin/sign-in", true},
	{"/forgotten", "forgotten", "/admin/forgotten", true},
	{"/welcome/{token}", "welcome", "{invitation}", true},
	{"/address/{token}", "new-address", "{address}", true},
	{"/proofs/{token}", "proof", "{proof}", true},
	{"/{$}", "dashboard", "/admin/", false},
	{"/", "missing", "/admin/nothing", false},
	{"/calendar", "calendar", "/admin/calendar", false},
	{"/calendar", "calendar-week", "/admin/calendar?week=now", false},
	{"/calendar", "calendar-next", "/admin/calendar?month={next}", false},
	{"/digests", "digests", "/admin/digests", false},
	{"/digests/{name}", "digest", "/admin/digests/weekly", false},
	{"/digests/{name}/preview", "digest-preview", "/admin/digests/weekly/preview", false},
	{"/digests/{name}/send", "send", "/admin/digests/weekly/send", false},
	{"/digests/{name}/settings", "digest-settings", "/admin/digests/weekly/settings", false},
	{"/digests/new", "digest-new", "/admin/digests/new", false},
	{"/editions/{id}", "edition-draft", "/admin/editions/{draft}", false},
	{"/editions/{id}", "edition-sent", "/admin/editions/{sent}", false},
	{"/editions/{id}/preview", "preview", "/admin/editions/{draft}/preview", false},
	{"/editions/{id}/compose", "compose", "/admin/editions/{draft}/compose", false},
	{"/editions/{id}/deliveries", "deliveries", "/admin/editions/{sent}/deliveries", false},
	{"/editions/{id}/deliveries/{subscriber}", "delivery", "/admin/editions/{sent}/deliveries/{subscriber}", false},
	{"/messages", "messages", "/admin/messages", false},
	{"/messages/new", "message-new", "/admin/messages/new", false},
	{"/messages/{id}", "message", "/admin/messages/{message}", false},
	{"/editions/{id}", "message-draft", "/admin/editions/{message}", false},
	{"/articles", "articles", "/admin/articles", false},
	{"/articles/new", "article-new", "/admin/articles/new", false},
	{"/articles/{id}", "article", "/admin/articles/{written}", false},
	{"/articles/{id}", "article-imported", "/admin/articles/{imported}", false},
	{"/articles/{id}/where", "article-where", "/admin/articles/{written}/where", false},
	{"/articles/{id}/history", "article-history", "/admin/articles/{written}/history?show=1&with=2", false},
	{"/subscribers", "subscribers", "/admin/subscribers", false},
	{"/subscribers/new", "subscriber-new", "/admin/subscribers/new", false},
	{"/subscribers/import", "subscriber-import", "/admin/subscribers/import", false},
	{"/imports/{id}", "import", "/admin/imports/{list}", false},
	{"/subscribers/figures", "subscriber-figures", "/admin/subscribers/figures", false},
	{"/subscribers/{id}", "subscriber", "/admin/subscribers/{subscriber}", false},
	{"/feeds", "feeds", "/admin/feeds", false},
	{"/feeds/{name}", "feed", "/admin/feeds/all", false},
	{"/people", "people", "/admin/people", false},
	{"/account", "account", "/admin/account", false},
	{"/audit", "audit", "/admin/audit", false},
	{"/settings", "settings", "/admin/settings", false},
	{"/settings/appearance", "settings-appearance", "/admin/settings/appearance", false},
	{"/settings/relays", "relays", "/admin/settings/relays", false},
	{"/settings/doctor", "doctor", "/admin/settings/doctor", false},
}

// notInPages are the routes that show no page of the list above, with the reason.
var notInPages = map[string]string{
	"/sign-in/provider":         "redirects to another page",
	"/account/factor":           "only for editors who lack a second factor; TestFactorPageFitsPhone opens it",
	"/editions/{id}/events":     "a stream of events",
	"/imports/{id}/events":      "a stream of events",
	"/settings/doctor/events":   "a stream of events",
	"/imports/{id}/refused.csv": "a file",
	"/digests/{name}/text":      "plain text",
	"/digests/{name}/mail":      "an email, in a frame of digest",
	"/digests/{name}/frame":     "an email, in a frame of digest-preview",
	"/editions/{id}/mail":       "an email, in a frame of compose",
	"/editions/{id}/frame":      "an email, in a frame of preview",
	"/proofs/{token}/mail":      "an email, in a frame of proof",
	"/settings/appearance/mail": "an email, in a frame of settings-appearance",
	"/articles/{id}/preview":    "a page of the public site, in a frame of article-imported",
	"/quarantine":               "shown at the end of TestPagesFitPhoneAndDarkScheme, since it stops all emails",
}

func TestEveryPageIsInTheListOfPages(t *testing.T) {
	t.Parallel()
	listed := map[string]bool{}
	for _, page := range adminPages {
		listed[page.route] = true
	}
	routes := map[string]bool{"/": true} // of the page of an unknown path
	for pattern := range new(admin.Handler).Routes() {
		if path, found := strings.CutPrefix(pattern, "GET /admin"); found {
			routes[path] = true
		}
	}
	for path := range routes {
		if excepted := notInPages[path] != ""; listed[path] == excepted {
			t.Errorf("GET /admin%s: in adminPages %t, in notInPages %t; add it to one of them, and what the page shows to fill", path, listed[path], excepted)
		}
	}
	for path := range listed {
		if !routes[path] {
			t.Errorf("no route has the pattern GET /admin%s, which is in adminPages", path)
		}
	}
	for path := range notInPages {
		if !routes[path] {
			t.Errorf("no route has the pattern GET /admin%s, which is in notInPages", path)
		}
	}
}

// fill adds articles, subscribers, a sent edition, a draft, a message and an invitation, all with a long
// word in their titles. It returns what replaces the placeholders in the paths of adminPages.
func (s *site) fill(word string) *strings.Replacer {
	s.t.Helper()
	long := strings.Repeat(word, 6)
	s.addSubscribers(3)
	s.put(long)
	sent, err := s.newEngine().SendNow(s.t.Context(), "weekly", adaEmail)
	if err != nil {
		s.t.Fatal(err)
	}
	s.eventually("the edition to be sent", func() bool { return s.state(sent.ID) == digest.Sent })
	imported := s.put("TODO: from a file " + long)
	written := s.writtenArticle(long)
	draft := s.startDrafting("two")
	message, err := s.newEngine().NewMessage(s.t.Context(), "ada", delivery.Message{
		Audience: digest.Audience{Digests: []string{"weekly"}, Segment: "lang:en"}, Subject: "We are moving " + long, Text: map[string]string{"": "Our **office** moves.", "fr": "Nous déménageons."},
	})
	if err != nil {
		s.t.Fatal(err)
	}
	address, err := s.Store.CreateLink(s.t.Context(), store.Link{Purpose: store.AddressLink, Editor: 1, Email: strings.ToLower(word) + "@gazette.example"}, time.Hour)
	if err != nil {
		s.t.Fatal(err)
	}
	s.recordDiagnosis()
	return strings.NewReplacer("{draft}", draft.ID, "{sent}", sent.ID, "{message}", message.ID, "{written}", written, "{imported}", imported.ID, "{subscriber}", "1", "{list}", s.uploadedList(),
		"{proof}", s.proofPath(adaEmail), "{address}", "/admin/address/"+address, "{invitation}", strings.TrimPrefix(s.invite(""), s.url), "{next}", draft.SendAt.Format("2006-01"))
}

// recordDiagnosis stores a run of doctor with an error, a warning, and a check without fault.
func (s *site) recordDiagnosis() {
	s.t.Helper()
	report := doctor.Report{At: time.Now(), Findings: []doctor.Finding{
		{Check: "dmarc", Severity: doctor.Error, What: "there is no DMARC record for gazette.example", Why: "Gmail and Yahoo ask senders of many mails for a DMARC record; Outlook.com refuses their mail without one by 550 5.7.515.", Fix: `Add a TXT record at _dmarc.gazette.example, such as "v=DMARC1; p=none; rua=mailto:dmarc@gazette.example".`},
		{Check: "spf", Severity: doctor.Warning, What: "the SPF record of gazette.example needs 10 look-ups, the most that are allowed", Why: "When a service that it includes adds one more, receivers give up with permerror.", Fix: "Remove terms for services that send no mail for you any more."},
		{Check: "store", Severity: doctor.OK, What: "the store can be written to"},
	}}
	text, err := json.Marshal(report)
	if err == nil {
		err = s.Store.RecordDiagnosis(s.t.Context(), store.Diagnosis{At: report.At, Errors: 1, Warnings: 1, Report: text})
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

// uploadedList returns the id of a list of subscribers that was uploaded and not imported yet.
func (s *site) uploadedList() string {
	s.t.Helper()
	const list = "Email Address,First Name,Last Name,OPTIN_TIME\nines@example.org,Ines,Okafor,2024-05-03 10:12:00\njonah@example.org,Jonah,Reyes,2025-01-19 08:00:00\n"
	manager := s.Subscribers()
	uploaded, err := manager.Upload(s.t.Context(), "subscribed_members.csv", adaEmail, strings.NewReader(list))
	if err != nil {
		s.t.Fatal(err)
	}
	return uploaded.ID
}

// quarantine makes the store one that was restored from a backup.
func (s *site) quarantine() {
	s.t.Helper()
	for _, statement := range []string{
		"INSERT INTO quarantine (id, reason, taken, since, journal, unsubscribed, suppressed, erased) VALUES (1, 'restored', 1764300000000, 1764300000000, 0, 0, 0, 0)",
		"INSERT INTO quarantine_editions (edition, digest, number, scheduled_for, subject, articles, audience, recorded, began, ended, decision) VALUES ('lost', 'weekly', 9, '', 'An edition that the backup does not have', '[]', 3, 3, 1764300000000, 1764300000000, '')",
	} {
		if _, err := s.Store.DB().ExecContext(s.t.Context(), statement); err != nil {
			s.t.Fatal(err)
		}
	}
}

// signInWith signs the owner in.
func (s *site) signInWith(b *testkit.Browser) {
	s.t.Helper()
	b.Open(s.url + "/admin/sign-in")
	b.Type("[name=email]", adaEmail)
	b.Type("[name=password]", "four random words here")
	b.Click("form[action='/admin/sign-in'] button.main")
	b.WaitText("Next editions")
}
