package testkit

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// cacheFolder returns a folder in the .cache of the project, into which `make tools` installs
// programs that tests use.
func cacheFolder(t testing.TB, name string) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return filepath.Join(dir, ".cache", name)
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod in the working directory or above it")
		}
		dir = filepath.Dir(dir)
	}
}

// axe returns the script of axe-core, or "" where it is not installed.
func axe(t testing.TB) string {
	t.Helper()
	script, err := os.ReadFile(filepath.Join(cacheFolder(t, "axe"), "node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		return ""
	}
	return string(script)
}

// NeedAxe skips a test where axe-core is not installed.
func NeedAxe(t testing.TB) {
	t.Helper()
	if axe(t) == "" {
		t.Skip("SKIPPED: axe-core is not installed (make tools); the pages of all browser tests were not checked with it")
	}
}

// CheckAccessibility fails the test for each rule of axe-core (WCAG 2.2 AA and its best
// practices) that the open page breaks. Where axe-core is not installed it does nothing; a test
// with NeedAxe reports that.
func (b *Browser) CheckAccessibility(name string) {
	b.t.Helper()
	for _, finding := range b.AccessibilityFindings() {
		b.t.Errorf("%s: axe: %s", name, finding)
	}
}

// AccessibilityFindings returns the rules of axe-core that the open page breaks, each with the
// elements that break it.
func (b *Browser) AccessibilityFindings() []string {
	b.t.Helper()
	script := axe(b.t)
	if script == "" {
		return nil
	}
	if _, err := b.Evaluate("(() => {" + script + "\nreturn 1 })()"); err != nil {
		b.t.Fatalf("load axe: %v", err)
	}
	const run = `axe.run(document, {resultTypes: ['violations']}).
then(r => { window.axeFindings = r.violations.map(v => v.id + ': ' + v.help + ': ' + v.nodes.map(n => n.html.slice(0, 200)).join(', ')) }).
catch(e => { window.axeFindings = [String(e)] }) && 1`
	if _, err := b.Evaluate(run); err != nil {
		b.t.Fatalf("run axe: %v", err)
	}
	b.Wait("window.axeFindings")
	got, err := b.Evaluate("window.axeFindings")
	var findings []string
	if err == nil {
		err = json.Unmarshal([]byte(got), &findings)
	}
	if err != nil {
		b.t.Fatalf("read the findings of axe: %v", err)
	}
	return findings
}
