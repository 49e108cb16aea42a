package admin_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/testkit"
)

// measure returns the width of the page, the lowest contrast of visible text (WCAG 2.2,
// 1.4.3), controls that are too small (2.5.8: 24 pixels), and the number of clipped tables.
const measure = `(() => {
const light = c => { const [r, g, b] = c.match(/[\d.]+/g).map(v => v / 255).map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4); return .2126 * r + .7152 * g + .0722 * b };
const back = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor; if (!c.endsWith(', 0)')) return c } return 'rgb(255, 255, 255)' };
let contrast = 21, faint = '', small = [];
for (const e of document.querySelectorAll('body *')) {
  const text = [...e.childNodes].filter(n => n.nodeType == 3).map(n => n.data.trim()).join('');
  if (!text || e.offsetWidth < 2 || e.offsetHeight < 2) continue;
  const [a, b] = [light(getComputedStyle(e).color), light(back(e))].sort((x, y) => y - x);
  const ratio = (a + .05) / (b + .05);
  if (ratio < contrast) { contrast = ratio; faint = text }
}
for (const e of document.querySelectorAll('button, summary, input:not([type=hidden]), select, .button'))
  if (e.offsetHeight && e.offsetHeight < 24 && !['checkbox', 'radio'].includes(e.type)) small.push(e.outerHTML.slice(0, 80));
const unnamed = [...document.querySelectorAll('input:not([type=hidden]), select')].filter(e => !e.labels.length && !e.ariaLabel).map(e => e.outerHTML);
const cut = [...document.querySelectorAll('.scroll')].filter(e => e.scrollWidth > e.clientWidth + 1).length;
return { cut, width: document.documentElement.scrollWidth, contrast, faint, small, unnamed, headings: document.querySelectorAll('h1').length };
})()`

// measured is the result of measure.
type measured struct {
	Cut      int      `json:"cut"`
	Width    int      `json:"width"`
	Contrast float64  `json:"contrast"`
	Faint    string   `json:"faint"`
	Small    []string `json:"small"`
	Unnamed  []string `json:"unnamed"`
	Headings int      `json:"headings"`
}

func TestPagesFitPhoneAndDarkScheme(t *testing.T) {
	if testing.Short() {
		t.Skip("drives a browser")
	}
	s := startSite(t)
	s.addSubscribers(3)
	s.put(strings.Repeat("Donaudampfschifffahrtsgesellschaft", 6))
	b := testkit.StartBrowser(t)
	s.signUp(b)
	e, err := s.newEngine().SendNow(t.Context(), "weekly", "ada@gazette.example")
	if err != nil {
		t.Fatal(err)
	}
	s.put("An article for a draft " + strings.Repeat("Donaudampfschifffahrtsgesellschaft", 6))
	draft, err := s.newEngine().Draft(t.Context(), "weekly", delivery.SendOptions{})
	if err != nil {
		t.Fatal(err)
	}
	message, err := s.newEngine().NewMessage(t.Context(), "ada", delivery.Message{
		Audience: digest.Audience{Digests: []string{"weekly"}, Segment: "lang:en"}, Subject: "We are moving", Text: map[string]string{"": "Our **office** moves.", "fr": "Nous déménageons."},
	})
	if err != nil {
		t.Fatal(err)
	}
	written := s.writtenArticle(strings.Repeat("Donaudampfschifffahrtsgesellschaft", 6))
	imported := s.put("From a file " + strings.Repeat("Donaudampfschifffahrtsgesellschaft", 6))
	pages := map[string]string{
		"article-new": "/admin/articles/new", "article": "/admin/articles/" + written, "article-history": "/admin/articles/" + written + "/history?show=1&with=2", "article-where": "/admin/articles/" + written + "/where", "article-imported": "/admin/articles/" + imported.ID,
		"calendar": "/admin/calendar", "calendar-next": "/admin/calendar?month=" + s.newEngine().NextTicks("weekly", 1)[0].At.Format("2006-01"), "messages": "/admin/messages", "message-new": "/admin/messages/new", "message": "/admin/messages/" + message.ID, "message-draft": "/admin/editions/" + message.ID,
		"draft": "/admin/editions/" + draft.ID, "compose": "/admin/editions/" + draft.ID + "/compose",
		"dashboard": "/admin/", "digest": "/admin/digests/weekly", "send": "/admin/digests/weekly/send", "edition": "/admin/editions/" + e.ID,
		"digests": "/admin/digests", "articles": "/admin/articles", "subscribers": "/admin/subscribers", "subscriber": "/admin/subscribers/1", "subscriber-new": "/admin/subscribers/new", "subscriber-figures": "/admin/subscribers/figures", "account": "/admin/account", "people": "/admin/people", "audit": "/admin/audit", "missing": "/admin/nothing",
	}
	checkPages(t, b, s.url, pages)
	// The confirmation page of an approval is the response to a POST.
	for _, width := range []int64{320, 375, 1280} {
		b.SetViewport(width, 900, false)
		b.Open(s.url + pages["draft"])
		b.Click("#draft button")
		b.WaitText("Send this edition to 3 subscribers?")
		check(t, b, "approve", width)
		b.CheckAccessibility(fmt.Sprint("admin-approve-", width))
		b.Screenshot(fmt.Sprint("admin-approve-", width))
	}
	for _, statement := range []string{
		"INSERT INTO quarantine (id, reason, taken, since, journal, unsubscribed, suppressed, erased) VALUES (1, 'restored', 1764300000000, 1764300000000, 0, 0, 0, 0)",
		"INSERT INTO quarantine_editions (edition, digest, number, scheduled_for, subject, articles, audience, recorded, began, ended, decision) VALUES ('lost', 'weekly', 9, '', 'An edition that the backup does not have', '[]', 3, 3, 1764300000000, 1764300000000, '')",
	} {
		if _, err := s.Store.DB().ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	for name, path := range map[string]string{"quarantine": "/admin/quarantine", "dashboard-quarantined": "/admin/"} {
		for _, width := range []int64{320, 375, 1280} {
			b.SetViewport(width, 900, width == 375)
			b.Open(s.url + path)
			check(t, b, name, width)
			b.CheckAccessibility(fmt.Sprint("admin-", name, "-", width))
			b.Screenshot(fmt.Sprint("admin-", name, "-", width))
		}
	}
	b.SetViewport(375, 900, false)
	b.Open(s.url + "/admin/account")
	b.Click(`form[action="/admin/account/factor"] button`)
	b.WaitText("Code that the app shows")
	check(t, b, "second-factor", 375)
	b.CheckAccessibility("admin-second-factor")
	b.Screenshot("admin-second-factor-phone")
	for _, problem := range b.ConsoleErrors() {
		if !strings.Contains(problem, "404") { // of the missing page
			t.Errorf("the browser's console: %s", problem)
		}
	}
}

// checkPages checks pages, by name, on all screens.
func checkPages(t *testing.T, b *testkit.Browser, url string, pages map[string]string) {
	t.Helper()
	for name, path := range pages {
		for _, screen := range []struct {
			width int64
			dark  bool
			label string
		}{{320, true, ""}, {375, false, "-phone"}, {375, true, "-phone-dark"}, {1280, false, ""}, {1280, true, "-dark"}} {
			b.SetViewport(screen.width, 900, screen.dark)
			b.Open(url + path)
			check(t, b, name, screen.width)
			if screen.label != "" || !screen.dark {
				b.Screenshot("admin-" + name + screen.label)
			}
			if screen.width == 375 && screen.dark || screen.width == 1280 && !screen.dark {
				b.CheckAccessibility("admin-" + name + screen.label)
			}
		}
	}
}

func TestProofPagesFitPhoneAndDarkScheme(t *testing.T) {
	if testing.Short() {
		t.Skip("drives a browser")
	}
	s := startSite(t)
	s.put("TODO: the harbour " + strings.Repeat("Donaudampfschifffahrtsgesellschaft", 6))
	s.addSubscribers(3)
	s.owner()
	s.startDrafting("two")
	path := s.proofPath(adaEmail)
	checkPages(t, testkit.StartBrowser(t), s.url, map[string]string{"proof": path})
}

func check(t *testing.T, b *testkit.Browser, name string, width int64) {
	t.Helper()
	text, err := b.Evaluate(measure)
	if err != nil {
		t.Fatal(err)
	}
	var got measured
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatal(err)
	}
	if got.Width > int(width) {
		t.Errorf("%s at %d is %d pixels wide", name, width, got.Width)
	}
	if got.Cut > 0 {
		t.Errorf("%s at %d cuts off %d tables", name, width, got.Cut)
	}
	if got.Contrast < 4.5 {
		t.Errorf("%s: %q has a contrast of %.1f", name, got.Faint, got.Contrast)
	}
	if len(got.Small) > 0 || len(got.Unnamed) > 0 || got.Headings != 1 {
		t.Errorf("%s: too small %q, without a label %q, %d main headings", name, got.Small, got.Unnamed, got.Headings)
	}
}
