package web_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/testkit"
)

// mailTo waits for a mail and returns it as text with its soft line breaks removed.
func (s *site) mailTo(t *testing.T, address, word string) string {
	t.Helper()
	soft := strings.NewReplacer("=\r\n", "", "=3D", "=")
	for deadline := time.Now().Add(testkit.Timeout); time.Now().Before(deadline); <-time.After(20 * time.Millisecond) {
		for _, m := range s.inbox.Mails() {
			if text := soft.Replace(string(m.Data)); strings.Contains(strings.Join(m.To, " "), address) && strings.Contains(text, word) {
				return text
			}
		}
	}
	t.Fatalf("no mail to %s with %q", address, word)
	return ""
}

func linkIn(t *testing.T, mail, page string) string {
	t.Helper()
	found := regexp.MustCompile(`http://localhost:\d+/` + page + `/[\w-]+`).FindString(mail)
	if found == "" {
		t.Fatalf("no link to /%s/ in\n%s", page, mail)
	}
	return found
}

func TestSubscribeConfirmAndUnsubscribeInBrowser(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	b, s := testkit.StartBrowser(t), serve(t, "en")
	b.SetViewport(375, 812, false)
	b.Open(s.url + "/")
	b.Type(`aside input[type=email]`, "ada@example.org")
	b.Click(`aside button[type=submit]`)
	b.WaitText("Check your inbox")
	b.CheckAccessibility("public-inbox-phone")
	b.Screenshot("public-inbox-phone")
	b.Open(linkIn(t, s.mailTo(t, "ada@example.org", "/confirm/"), "confirm"))
	b.WaitText("Confirm your subscription")
	b.CheckAccessibility("public-confirm-phone")
	b.Screenshot("public-confirm-phone")
	b.Click(`form.one button`)
	b.WaitText("You are subscribed")
	who, err := s.store.SubscriberByAddress(t.Context(), subscriber.MustParseAddress("ada@example.org"))
	if err != nil || who.State != subscriber.Active {
		t.Fatalf("after confirming: %+v, %v", who, err)
	}
	welcome := s.mailTo(t, "ada@example.org", "/unsubscribe/")
	b.Open(linkIn(t, welcome, "preferences"))
	b.WaitText("Your subscription")
	b.Screenshot("public-preferences-phone")
	b.SetViewport(1280, 900, false)
	b.CheckAccessibility("public-preferences-desktop")
	b.Screenshot("public-preferences-desktop")
	b.Open(linkIn(t, welcome, "unsubscribe"))
	b.WaitText("One click")
	b.CheckAccessibility("public-unsubscribe-desktop")
	b.Screenshot("public-unsubscribe-desktop")
	b.Click(`form.one button`)
	b.WaitText("You are unsubscribed")
	if who, _ = s.store.Subscriber(t.Context(), who.ID); who.State != subscriber.Unsubscribed {
		t.Errorf("after unsubscribing the subscriber is %s", who.State)
	}
	for _, problem := range b.ConsoleErrors() {
		t.Errorf("console: %s", problem)
	}
}

// contrast returns the lowest contrast of visible text (WCAG 2.2, 1.4.3) and whether the
// page is wider than the screen (1.4.10), or an empty text if both are right.
const contrast = `(() => {
const rgb = c => { const [r, g, b, a] = c.match(/[\d.]+/g).map(Number); return [r, g, b, a ?? 1] };
const light = c => { const [r, g, b] = c.map(v => v / 255).map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4); return .2126 * r + .7152 * g + .0722 * b };
const back = e => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor); if (c[3] == 1) return c } return [255, 255, 255] };
let worst = 21, where = '';
for (const e of document.querySelectorAll('body *')) {
  const text = [...e.childNodes].filter(n => n.nodeType == 3).map(n => n.data.trim()).join('');
  const box = e.getBoundingClientRect();
  if (!text || box.width < 2 || getComputedStyle(e).visibility == 'hidden') continue;
  const [a, b] = [light(rgb(getComputedStyle(e).color)), light(back(e))].sort((x, y) => y - x);
  const ratio = (a + .05) / (b + .05);
  if (ratio < worst) { worst = ratio; where = text }
}
return worst >= 4.5 && document.documentElement.scrollWidth <= innerWidth ? '' : worst.toFixed(1) + ' at ' + where.slice(0, 60) + ', ' + document.documentElement.scrollWidth + ' of ' + innerWidth + ' pixels';
})()`

func TestPagesFitPhoneAndDarkScheme(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	for language, pages := range map[string]map[string]string{
		"en": {
			"front": "/", "article": "/articles/the-ferry-that-waited", "arabic": "/articles/kharitat-al-abar", "feeds": "/feeds", "topics": "/tags/",
			"tag": "/tags/harbour/", "search": "/search?q=harbour", "arabic-list": "/languages/ar/", "subscribe": "/subscribe",
		},
		"ar": {"front": "/", "arabic": "/articles/kharitat-al-abar", "feeds": "/feeds"},
	} {
		t.Run(language, func(t *testing.T) {
			t.Parallel()
			b, s := testkit.StartBrowser(t), serve(t, language)
			for name, path := range pages {
				b.Open(s.url + path)
				fits(t, b, "public-"+language+"-"+name)
			}
			for _, problem := range b.ConsoleErrors() {
				t.Errorf("console: %s", problem)
			}
		})
	}
}

// fits checks the open page at three widths, light and dark.
func fits(t *testing.T, b *testkit.Browser, name string) {
	t.Helper()
	for _, width := range []int64{320, 375, 1280} {
		for scheme, dark := range map[string]bool{"light": false, "dark": true} {
			b.SetViewport(width, 900, dark)
			if got, err := b.Evaluate(contrast); err != nil || got != `""` {
				t.Errorf("%s at %d pixels, %s: %s %v", name, width, scheme, got, err)
			}
			// No format of a feed stands on two lines.
			if got, err := b.Evaluate(`[...document.querySelectorAll('.formats a')].filter(a => a.getClientRects().length != 1 || a.offsetHeight > 40).map(a => a.innerText)`); err != nil || got != "[]" {
				t.Errorf("%s at %d pixels: broken formats %s %v", name, width, got, err)
			}
			if width == 375 && dark || width == 1280 && !dark {
				b.CheckAccessibility(fmt.Sprintf("%s-%d-%s", name, width, scheme))
			}
			if width != 320 {
				b.Screenshot(fmt.Sprintf("%s-%d-%s", name, width, scheme))
			}
		}
	}
}

func TestFeedAndTopicsInBrowser(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	b, s := testkit.StartBrowser(t), serve(t, "en")
	b.Open(s.url + "/tags/harbour/feed.xml")
	b.WaitText("The ferry that waited")
	b.Wait(`document.querySelector('[data-copy]').hidden == false`)
	b.Click(`[data-copy]`) // without the permission for the clipboard, the address is selected
	b.Wait(`document.querySelector('[data-copy]').textContent == 'Copied' || getSelection().toString().endsWith('/tags/harbour/feed.xml')`)
	b.Open(s.url + "/tags/")
	b.WaitText("transport")
	b.Type(`#filter`, "HARB")
	b.Wait(`[...document.querySelectorAll('.cloud li')].filter(li => !li.hidden).map(li => li.dataset.find).join() == 'harbour'`)
	for _, problem := range b.ConsoleErrors() {
		t.Errorf("console: %s", problem)
	}
}

// TestAxeFindsPlantedFault shows that the checks of accessibility in the other tests find
// something, and reports where they do nothing.
func TestAxeFindsPlantedFault(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	testkit.NeedAxe(t)
	b, s := testkit.StartBrowser(t), serve(t, "en")
	b.Open(s.url + "/")
	if _, err := b.Evaluate(`document.querySelector('main').appendChild(new Image()).src = '/favicon.ico'`); err != nil {
		t.Fatal(err)
	}
	if found := b.AccessibilityFindings(); len(found) != 1 || !strings.HasPrefix(found[0], "image-alt: ") {
		t.Errorf("an image without a text alternative is reported as %q", found)
	}
}
