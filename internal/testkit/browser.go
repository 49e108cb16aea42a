package testkit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
)

// browserTimeout is how long a Browser waits for each step.
const browserTimeout = Timeout

// Browser is a tab of a headless Chromium. Its methods fail the test when a step does not
// succeed in time.
type Browser struct {
	t   testing.TB
	ctx context.Context

	mu       sync.Mutex
	problems []string
	drags    chan *input.DragData // gets the data of the drag that began
}

// StartBrowser opens a tab, or skips the test where Chromium is not installed.
func StartBrowser(t testing.TB) *Browser {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("SKIPPED: chromium is not installed (apt-get install chromium)")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.DisableGPU, chromedp.ExecPath(path), chromedp.WSURLReadTimeout(browserTimeout),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true))
	ctx, cancel := context.WithTimeout(context.Background(), 4*Timeout)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	return startTab(t, ctx)
}

// NewSession opens a tab of the same Chromium without the cookies of b, as that of another person.
func (b *Browser) NewSession() *Browser {
	b.t.Helper()
	b.Open("about:blank") // starts Chromium
	ctx, cancel := chromedp.NewContext(b.ctx, chromedp.WithNewBrowserContext())
	b.t.Cleanup(cancel)
	return startTab(b.t, ctx)
}

func startTab(t testing.TB, ctx context.Context) *Browser {
	t.Helper()
	b := &Browser{t: t, ctx: ctx}
	if err := chromedp.Listen(ctx, b.listen); err != nil {
		t.Fatalf("start chromium: %v", err)
	}
	return b
}

// listen records the errors in the browser's console: script errors, violations of the
// content security policy, and missing resources.
func (b *Browser) listen(event any) {
	problem := ""
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		problem = e.ExceptionDetails.Text + " " + e.ExceptionDetails.URL
	case *cdplog.EventEntryAdded:
		if e.Entry.Level == cdplog.EntryLevelError {
			problem = e.Entry.Text + " " + e.Entry.URL
		}
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError {
			for _, arg := range e.Args {
				problem += string(arg.Value) + " " + arg.Description + " "
			}
		}
	case *input.EventDragIntercepted:
		b.mu.Lock()
		defer b.mu.Unlock()
		select {
		case b.drags <- e.Data:
		default: // only the first one is waited for
		}
		return
	}
	if problem != "" {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.problems = append(b.problems, problem)
	}
}

// ConsoleErrors returns the errors in the console so far.
func (b *Browser) ConsoleErrors() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]string(nil), b.problems...)
}

// SetViewport sets the size of the window in pixels and the preferred color scheme.
func (b *Browser) SetViewport(width, height int64, dark bool) {
	b.t.Helper()
	b.SetScaledViewport(width, height, dark, 1)
}

// SetScaledViewport is SetViewport for screenshots that are larger or smaller by that factor.
func (b *Browser) SetScaledViewport(width, height int64, dark bool, scale float64) {
	b.t.Helper()
	scheme := "light"
	if dark {
		scheme = "dark"
	}
	media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}
	b.run("set the viewport", chromedp.EmulateViewport(width, height, chromedp.EmulateScale(scale)))
	if _, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, media); err != nil {
		b.t.Fatalf("set the %s color scheme: %v", scheme, err)
	}
}

// AddPasskeyDevice gives the browser a virtual device that keeps passkeys and verifies its user at once.
func (b *Browser) AddPasskeyDevice() {
	b.t.Helper()
	_, err1 := chromedp.Call(b.ctx, webauthn.Enable, webauthn.EnableParams{})
	_, err2 := chromedp.Call(b.ctx, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: &webauthn.VirtualAuthenticatorOptions{
		Protocol: webauthn.AuthenticatorProtocolCtap2, Transport: webauthn.AuthenticatorTransportInternal,
		HasResidentKey: true, HasUserVerification: true, IsUserVerified: true, AutomaticPresenceSimulation: true,
	}})
	if err := errors.Join(err1, err2); err != nil {
		b.t.Fatalf("add a passkey device: %v", err)
	}
}

// Open navigates to an address.
func (b *Browser) Open(url string) {
	b.t.Helper()
	b.run("open "+url, chromedp.Navigate(url))
}

// Click clicks the element that a CSS selector finds.
func (b *Browser) Click(selector string) {
	b.t.Helper()
	click := chromedp.Click(chromedp.CSS(selector), chromedp.NodeVisible)
	// A live page may replace the element between finding and clicking it. The click
	// then fails and is tried again.
	for deadline := time.Now().Add(browserTimeout); time.Now().Before(deadline); {
		ctx, cancel := context.WithTimeout(b.ctx, browserTimeout)
		err := chromedp.Do(ctx, click)
		cancel()
		if err == nil {
			return
		}
		if !strings.Contains(err.Error(), "Could not find node") {
			b.t.Fatalf("click %s: %v", selector, err)
		}
	}
	b.t.Fatalf("click %s: the page kept replacing the element for %v", selector, browserTimeout)
}

// Type types into the field that a CSS selector finds.
func (b *Browser) Type(selector, text string) {
	b.t.Helper()
	b.run("type into "+selector, chromedp.SendKeys(chromedp.CSS(selector), text, chromedp.NodeVisible))
}

// Choose puts a file into the field for files that a CSS selector finds.
func (b *Browser) Choose(selector, file string) {
	b.t.Helper()
	b.run("choose "+file, chromedp.SetUploadFiles(chromedp.CSS(selector), []string{file}))
}

// Press presses keys as they are on the element that has the focus, such as kb.Enter.
func (b *Browser) Press(keys string) {
	b.t.Helper()
	b.run("press "+keys, chromedp.KeyEvent(keys))
}

// Drag drags an element by its middle and drops it in another: place 0 is the upper edge of that, 1 its lower
// edge. CSS selectors find the elements. The mouse begins the drag, and the events after it are those of
// the protocol, because Chromium loses the drop of a mouse that is faster than a person's.
func (b *Browser) Drag(from, to string, place float64) {
	b.t.Helper()
	intercept := func(enabled bool) {
		if _, err := chromedp.Call(b.ctx, input.SetInterceptDrags, input.SetInterceptDragsParams{Enabled: enabled}); err != nil {
			b.t.Fatalf("intercept drags: %v", err)
		}
	}
	started := make(chan *input.DragData, 1)
	b.mu.Lock()
	b.drags = started
	b.mu.Unlock()
	intercept(true)
	defer intercept(false)
	x1, y1 := b.point(from, .5)
	x2, y2 := b.point(to, place)
	mouse := func(kind input.DispatchMouseEventType, x, y float64) {
		b.t.Helper()
		b.run("drag with the mouse", chromedp.MouseEvent(kind, x, y, chromedp.ButtonLeft, chromedp.ClickCount(1)))
	}
	mouse(chromedp.MousePressed, x1, y1)
	mouse(chromedp.MouseMoved, x1, y1-20)
	var data *input.DragData
	select {
	case data = <-started:
	case <-time.After(browserTimeout):
		b.t.Fatalf("dragging %s did not begin", from)
	}
	for _, kind := range []input.DispatchDragEventType{input.DispatchDragEventTypeDragEnter, input.DispatchDragEventTypeDragOver, input.DispatchDragEventTypeDrop} {
		if _, err := chromedp.Call(b.ctx, input.DispatchDragEvent, input.DispatchDragEventParams{Type: kind, X: x2, Y: y2, Data: data}); err != nil {
			b.t.Fatalf("%s of %s: %v", kind, from, err)
		}
	}
	mouse(chromedp.MouseReleased, x2, y2)
}

// point returns a place in the window, near the left edge of an element.
func (b *Browser) point(selector string, place float64) (x, y float64) {
	b.t.Helper()
	name, _ := json.Marshal(selector)
	got, err := b.Evaluate(fmt.Sprintf("(e => { const box = e.getBoundingClientRect(); return [box.left + 12, box.top + box.height * %g] })(document.querySelector(%s))", place, name))
	var at [2]float64
	if err == nil {
		err = json.Unmarshal([]byte(got), &at)
	}
	if err != nil {
		b.t.Fatalf("find %s: %v", selector, err)
	}
	return at[0], at[1]
}

func (b *Browser) run(what string, step chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, browserTimeout)
	defer cancel()
	if err := chromedp.Do(ctx, step); err != nil {
		b.t.Fatalf("%s: %v\nat %s\nconsole: %s", what, err, b.Text("html"), strings.Join(b.ConsoleErrors(), "\n"))
	}
}

// Evaluate returns the value of a JavaScript expression on the page as JSON.
func (b *Browser) Evaluate(expression string) (string, error) {
	ctx, cancel := context.WithTimeout(b.ctx, browserTimeout)
	defer cancel()
	return chromedp.Run(ctx, chromedp.Evaluate[string]("JSON.stringify("+expression+")"))
}

// Text returns the text of the first element that a CSS selector finds; empty when there
// is none.
func (b *Browser) Text(selector string) string {
	name, _ := json.Marshal(selector)
	got, err := b.Evaluate(fmt.Sprintf("(document.querySelector(%s) || {innerText: ''}).innerText", name))
	if err != nil {
		return ""
	}
	var text string
	_ = json.Unmarshal([]byte(got), &text)
	return text
}

// Wait waits until a JavaScript expression is true. The page may load again meanwhile.
func (b *Browser) Wait(expression string) {
	b.t.Helper()
	got := ""
	for deadline := time.Now().Add(browserTimeout); time.Now().Before(deadline); {
		var err error
		if got, err = b.Evaluate("!!(" + expression + ")"); err == nil && got == "true" {
			return
		}
		time.Sleep(25 * time.Millisecond)
	}
	b.t.Fatalf("%s did not become true\non the page: %s\nconsole: %s", expression, b.Text("body"), strings.Join(b.ConsoleErrors(), "\n"))
}

// WaitText waits until the page shows a text.
func (b *Browser) WaitText(text string) {
	b.t.Helper()
	quoted, _ := json.Marshal(text)
	b.Wait(fmt.Sprintf("document.body && document.body.innerText.includes(%s)", quoted))
}

// Screenshot saves a picture of the window as NAME.png in the folder of the environment
// variable TIDINGS_SCREENSHOTS. Without the variable it does nothing.
func (b *Browser) Screenshot(name string) {
	b.t.Helper()
	b.saveScreenshot(name, chromedp.CaptureScreenshot())
}

// ScreenshotPage is Screenshot for the whole page, beyond the window.
func (b *Browser) ScreenshotPage(name string) {
	b.t.Helper()
	b.saveScreenshot(name, chromedp.FullScreenshot(100))
}

func (b *Browser) saveScreenshot(name string, capture chromedp.Action[[]byte]) {
	b.t.Helper()
	folder := os.Getenv("TIDINGS_SCREENSHOTS")
	if folder == "" {
		return
	}
	ctx, cancel := context.WithTimeout(b.ctx, browserTimeout)
	defer cancel()
	picture, err := chromedp.Run(ctx, capture)
	if err == nil {
		err = os.WriteFile(filepath.Join(folder, name+".png"), picture, 0o644)
	}
	if err != nil {
		b.t.Fatalf("screenshot %s: %v", name, err)
	}
}
