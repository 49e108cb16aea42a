package admin_test

import (
	"fmt"
	"testing"

	"github.com/tidings-press/tidings/internal/testkit"
)

// TestSettingsFitPhoneAndDarkScheme opens the pages of settings on a phone in the dark and on a desktop.
func TestSettingsFitPhoneAndDarkScheme(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	s := startSite(t)
	b := testkit.StartBrowser(t)
	b.SetViewport(1280, 900, false)
	s.signUp(b)
	for name, path := range map[string]string{
		"digest-settings": "/admin/digests/weekly/settings", "digest-new": "/admin/digests/new", "settings": "/admin/settings",
		"settings-look": "/admin/settings/look", "relays": "/admin/settings/relays", "feeds": "/admin/feeds", "feed": "/admin/feeds/all",
	} {
		for _, width := range []int64{375, 1280} {
			b.SetViewport(width, 900, width == 375)
			b.Open(s.url + path)
			check(t, b, name, width)
			b.CheckAccessibility(fmt.Sprint("admin-", name, "-", width))
			b.ScreenshotPage(fmt.Sprint("admin-", name, "-", width))
		}
	}
	noProblems(t, b)
}
