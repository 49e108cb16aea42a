package admin_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/testkit"
)

// measure returns the width of the page, the lowest contrast of visible text (WCAG 2.2,
// 1.4.3), controls that are too small (2.5.8: 24 pixels), the number of clipped tables, and that of
// previews of a mail without a visible frame.
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
const over = [...document.querySelectorAll('main *')].filter(e => {
  const box = e.getBoundingClientRect(), edge = e.closest('.scroll')?.getBoundingClientRect().right || innerWidth;
  return box.width && !e.closest('thead, .skip') && (box.right > edge + 1 && !e.querySelector('*') || e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 0 && e.closest('.scroll'));
}).map(e => e.outerHTML.slice(0, 120)).slice(0, 3);
const blank = [...document.querySelectorAll('.frames')].filter(e => ![...e.querySelectorAll('iframe')].some(f => f.offsetWidth > 200 && f.offsetHeight > 200)).length;
return { cut, blank, over, width: document.documentElement.scrollWidth, contrast, faint, small, unnamed, headings: document.querySelectorAll('h1').length };
})()`

// measured is the result of measure.
type measured struct {
	Cut      int      `json:"cut"`
	Blank    int      `json:"blank"`
	Over     []string `json:"over"` // elements beyond the edge, to find the cause
	Width    int      `json:"width"`
	Contrast float64  `json:"contrast"`
	Faint    string   `json:"faint"`
	Small    []string `json:"small"`
	Unnamed  []string `json:"unnamed"`
	Headings int      `json:"headings"`
}

// TestPagesFitPhoneAndDarkScheme opens every page of the admin with long titles on a phone and a desktop, in
// light and dark mode, and looks for faults of accessibility with axe.
func TestPagesFitPhoneAndDarkScheme(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	s := startSite(t)
	s.owner()
	ids := s.fill("Donaudampfschifffahrtsgesellschaft")
	b := testkit.StartBrowser(t)
	visitor := b.NewSession()
	s.signInWith(b)
	opened := 0
	for _, page := range adminPages {
		tab := b
		if page.signedOut {
			tab = visitor
		}
		checkPage(t, tab, page.name, s.url+ids.Replace(page.path))
		opened++
	}
	if opened < 40 {
		t.Errorf("only %d pages were opened", opened)
	}
	s.checkAnswers(b, ids.Replace("/admin/editions/{draft}"))
	s.quarantine()
	checkPage(t, b, "quarantine", s.url+"/admin/quarantine")
	checkPage(t, b, "dashboard-quarantined", s.url+"/admin/")
	for _, tab := range []*testkit.Browser{b, visitor} {
		for _, problem := range tab.ConsoleErrors() {
			if !strings.Contains(problem, "404") { // of the missing page
				t.Errorf("the browser's console: %s", problem)
			}
		}
	}
}

// checkAnswers checks pages that are the response to a POST.
func (s *site) checkAnswers(b *testkit.Browser, draft string) {
	s.t.Helper()
	for _, answer := range []struct{ name, path, button, text string }{
		{"approve", draft, "#draft button", "Send this edition to 3 subscribers?"},
		{"second-factor", "/admin/account", `form[action="/admin/account/factor"] button`, "Code that the app shows"},
	} {
		for _, width := range []int64{375, 1280} {
			b.SetViewport(width, 900, false)
			b.Open(s.url + answer.path)
			b.Click(answer.button)
			b.WaitText(answer.text)
			checkScreens(s.t, b, answer.name, width)
		}
		b.CheckAccessibility("admin-" + answer.name)
	}
}

// checkPage opens a page on a phone and on a desktop.
func checkPage(t *testing.T, b *testkit.Browser, name, url string) {
	t.Helper()
	for _, width := range []int64{375, 1280} {
		b.SetViewport(width, 900, false)
		b.Open(url)
		checkScreens(t, b, name, width)
	}
	b.CheckAccessibility("admin-" + name)
}

// checkScreens checks the open page in dark and light mode; on a phone in two widths.
func checkScreens(t *testing.T, b *testkit.Browser, name string, width int64) {
	t.Helper()
	label := map[int64]string{375: "-phone"}[width]
	check(t, b, name, width)
	b.Screenshot("admin-" + name + label)
	b.SetViewport(width, 900, true)
	check(t, b, name+" in dark mode", width)
	b.Screenshot("admin-" + name + label + "-dark")
	if width == 375 {
		b.SetViewport(320, 900, true)
		check(t, b, name, 320)
	}
	b.SetViewport(width, 900, false)
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
		t.Errorf("%s at %d is %d pixels wide: %q", name, width, got.Width, got.Over)
	}
	if got.Cut > 0 {
		t.Errorf("%s at %d cuts off %d tables: %q", name, width, got.Cut, got.Over)
	}
	if got.Blank > 0 {
		t.Errorf("%s at %d has %d previews without a visible frame", name, width, got.Blank)
	}
	if got.Contrast < 4.5 {
		t.Errorf("%s: %q has a contrast of %.1f", name, got.Faint, got.Contrast)
	}
	if len(got.Small) > 0 || len(got.Unnamed) > 0 || got.Headings != 1 {
		t.Errorf("%s: too small %q, without a label %q, %d main headings", name, got.Small, got.Unnamed, got.Headings)
	}
}
