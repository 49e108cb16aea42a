package digest

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/tidings-press/tidings/internal/testkit"
)

// browser opens a headless Chromium, or skips the test where there is none.
func browser(t *testing.T) context.Context {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("SKIPPED: chromium is not installed (apt-get install chromium)")
	}
	ctx, cancel := context.WithTimeout(t.Context(), testkit.Timeout)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.ExecPath(path), chromedp.WSURLReadTimeout(testkit.Timeout))...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	return ctx
}

// serve serves each variant under its name and returns the server's URL.
func serve(t *testing.T, pages map[string]string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprint(w, pages[strings.Trim(r.URL.Path, "/")])
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// measuredPage holds measurements of a mail in the browser.
type measuredPage struct {
	Width    int     `json:"width"`    // of the page, pixels
	Contrast float64 `json:"contrast"` // the lowest of any text
	Faint    string  `json:"faint"`    // that text
	Paper    string  `json:"paper"`    // background colour of the sheet
	Photo    int     `json:"photo"`    // space that the first picture leaves beside it, pixels
}

// measure finds the lowest contrast of any visible text by WCAG 2.2, 1.4.3.
const measure = `(() => {
const light = c => { const [r, g, b] = c.match(/[\d.]+/g).map(v => v / 255).map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4); return .2126 * r + .7152 * g + .0722 * b };
const back = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor; if (!c.endsWith(', 0)')) return c } return 'rgb(255, 255, 255)' };
let contrast = 21, faint = '';
for (const e of document.querySelectorAll('h1, h2, h3, p, a, td, span, strong, div, li, blockquote')) {
  const text = [...e.childNodes].filter(n => n.nodeType == 3).map(n => n.data.trim()).join('');
  if (!text || e.offsetWidth == 0) continue;
  const [a, b] = [light(getComputedStyle(e).color), light(back(e))].sort((x, y) => y - x);
  const ratio = (a + .05) / (b + .05);
  if (ratio < contrast) { contrast = ratio; faint = text }
}
const photo = document.querySelector('.photo'), cell = photo && photo.closest('td'), box = cell && getComputedStyle(cell);
const column = cell ? cell.clientWidth - parseFloat(box.paddingLeft) - parseFloat(box.paddingRight) : 0;
return { photo: cell ? Math.round(column - photo.clientWidth) : 0, width: document.documentElement.scrollWidth, contrast, faint, paper: getComputedStyle(document.querySelector('.sheet')).backgroundColor };
})()`

func TestMailsFitPhonesAndDarkMode(t *testing.T) {
	t.Parallel()
	testkit.Slow(t)
	pages := map[string]string{}
	for _, tmpl := range designs {
		for _, lang := range []string{"en", "ar"} {
			in := sampleInput()
			in.Definition.Template, in.Definition.Language = tmpl, lang
			in.Articles[1].Title = strings.Repeat("Donaudampfschifffahrt", 15)
			in.Articles[2].Summary = strings.Repeat("قسطنطينية", 40)
			pages[tmpl+"-"+lang] = mustRender(t, in, Preferences{}).HTML
		}
	}
	for _, tmpl := range designs {
		for _, lang := range []string{"en", "ar", "ja"} {
			pages[tmpl+"-whole-"+lang] = mustRender(t, designInput(tmpl, lang, "https://post.example", true), Preferences{}).HTML
		}
	}
	ctx, base := browser(t), serve(t, pages)
	for name := range pages {
		if err := chromedp.Do(ctx, chromedp.Navigate(base+"/"+name)); err != nil {
			t.Fatal(err)
		}
		for _, width := range []int64{320, 375, 600, 700} {
			for scheme, paper := range map[string]string{"light": "rgb(255, 255, 255)", "dark": "rgb(26, 30, 29)"} {
				got := measurePage(t, ctx, width, scheme)
				if got.Width > int(width) {
					t.Errorf("%s at %d is %d pixels wide", name, width, got.Width)
				}
				if got.Photo != 0 {
					t.Errorf("%s at %d: the first picture is %d pixels narrower than its column", name, width, got.Photo)
				}
				if got.Contrast < 4.5 || got.Paper != paper {
					t.Errorf("%s in the %s: %q has a contrast of %.1f, the sheet is %s", name, scheme, got.Faint, got.Contrast, got.Paper)
				}
			}
		}
	}
}

// measurePage measures the open page at a screen width and colour scheme.
func measurePage(t *testing.T, ctx context.Context, width int64, scheme string) measuredPage {
	t.Helper()
	media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(width, 800)); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, media); err != nil {
		t.Fatal(err)
	}
	got, err := chromedp.Run(ctx, chromedp.Evaluate[measuredPage](measure))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d pixels, %s: %+v", width, scheme, got)
	return got
}
