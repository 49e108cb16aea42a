package admin_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/testkit"
)

// measure finds how wide the page is, the lowest contrast of any visible text by WCAG
// 2.2, 1.4.3, and the controls that a thumb misses (2.5.8: 24 pixels).
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
  if (e.offsetHeight && e.offsetHeight < 24 && e.type != 'checkbox') small.push(e.outerHTML.slice(0, 80));
const unnamed = [...document.querySelectorAll('input:not([type=hidden]), select')].filter(e => !e.labels.length && !e.ariaLabel).map(e => e.outerHTML);
return { width: document.documentElement.scrollWidth, contrast, faint, small, unnamed, headings: document.querySelectorAll('h1').length };
})()`

type look struct {
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
	s.enter(b)
	e, err := s.newEngine().SendNow(t.Context(), "weekly", "ada@gazette.example")
	if err != nil {
		t.Fatal(err)
	}
	s.put("An article for a draft " + strings.Repeat("Donaudampfschifffahrtsgesellschaft", 6))
	draft, err := s.newEngine().Draft(t.Context(), "weekly", "")
	if err != nil {
		t.Fatal(err)
	}
	pages := map[string]string{
		"draft":     "/admin/editions/" + draft.ID,
		"dashboard": "/admin/", "digest": "/admin/digests/weekly", "send": "/admin/digests/weekly/send", "edition": "/admin/editions/" + e.ID,
		"articles": "/admin/articles", "readers": "/admin/subscribers", "reader": "/admin/subscribers/1", "you": "/admin/account", "missing": "/admin/nothing",
	}
	for name, path := range pages {
		for _, screen := range []struct {
			width int64
			dark  bool
			label string
		}{{320, true, ""}, {375, false, "-phone"}, {375, true, "-phone-dark"}, {1280, false, ""}, {1280, true, "-dark"}} {
			b.Screen(screen.width, 900, screen.dark)
			b.Open(s.url + path)
			check(t, b, name, screen.width)
			if screen.label != "" || !screen.dark {
				b.Shoot("admin-" + name + screen.label)
			}
		}
	}
	// The question before the approval answers a post.
	for _, width := range []int64{320, 375, 1280} {
		b.Screen(width, 900, false)
		b.Open(s.url + pages["draft"])
		b.Click("#draft button")
		b.WaitText("Send it to 3 subscribers?")
		check(t, b, "approve", width)
		b.Shoot(fmt.Sprint("admin-approve-", width))
	}
	for _, problem := range b.Problems() {
		if !strings.Contains(problem, "404") { // of the page that is missing
			t.Errorf("the browser's console: %s", problem)
		}
	}
}

func check(t *testing.T, b *testkit.Browser, name string, width int64) {
	t.Helper()
	text, err := b.Value(measure)
	if err != nil {
		t.Fatal(err)
	}
	var got look
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatal(err)
	}
	if got.Width > int(width) {
		t.Errorf("%s at %d is %d pixels wide", name, width, got.Width)
	}
	if got.Contrast < 4.5 {
		t.Errorf("%s: %q has a contrast of %.1f", name, got.Faint, got.Contrast)
	}
	if len(got.Small) > 0 || len(got.Unnamed) > 0 || got.Headings != 1 {
		t.Errorf("%s: too small %q, without a label %q, %d main headings", name, got.Small, got.Unnamed, got.Headings)
	}
}

// put keeps an article with a title.
func (s *site) put(title string, change ...func(*article.Article)) article.Article {
	s.t.Helper()
	now := time.Now().Add(-time.Hour).UTC()
	a := article.Article{Source: "test/" + title, Slug: article.Slugify(title), Title: title, HTML: "<p>Text</p>", Published: now, Updated: now, Status: article.Published, Hash: title}
	for _, f := range change {
		f(&a)
	}
	kept, err := s.Store.PutArticle(s.t.Context(), &a, nil, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	a.ID = kept.ID
	return a
}
