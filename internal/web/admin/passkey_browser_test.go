package admin_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/testkit"
)

func TestPasskeyInBrowser(t *testing.T) {
	testkit.Slow(t)
	s := startSite(t, host("localhost"))
	b := testkit.StartBrowser(t)
	b.AddPasskeyDevice()
	b.SetViewport(1280, 900, false)
	s.signUp(b)
	b.Open(s.url + "/admin/account")
	s.checkScreens(b, "account")
	b.Click(`form[action="/admin/account/passkeys/new"] button`)
	b.Wait(`!document.querySelector("form[data-passkey]").hidden`)
	s.checkScreens(b, "passkey-add")
	b.Click(`form[data-passkey] button`)
	b.WaitText("The passkey was added")
	s.checkScreens(b, "account-passkey")
	// The device has a passkey for this account already.
	b.Click(`form[action="/admin/account/passkeys/new"] button`)
	b.Click(`form[data-passkey] button`)
	b.WaitText("This device has a passkey for your account already")
	b.Open(s.url + "/admin/account")
	b.Click(`form[action="/admin/sign-out"] button`)
	b.Wait(`document.querySelector("form[data-passkey]") && !document.querySelector("form[data-passkey]").hidden`)
	s.checkScreens(b, "sign-in")
	b.Click(`form[data-passkey] button`)
	b.WaitText("Next editions")

	s.forgetProofs(t)
	b.Open(s.url + "/admin/account")
	b.Click(`details.confirm:has(form[action$="/remove"]) summary`)
	b.Click(`form[action$="/remove"] button`)
	b.WaitText("Confirm that it is you")
	b.Wait(`!document.querySelector("form[data-passkey]").hidden`)
	s.checkScreens(b, "proof-of-identity")
	b.Click(`form[data-passkey] button`)
	b.WaitText("The passkey was removed")
	b.Click(`form[action="/admin/sign-out"] button`)
	b.Click(`form[data-passkey] button`)
	b.WaitText("This passkey is not known here")
	for _, problem := range b.ConsoleErrors() {
		if !strings.Contains(problem, "401") { // the answer to the removed passkey
			t.Errorf("the browser's console: %s", problem)
		}
	}
	b.Open(s.url + "/admin/forgotten")
	s.checkScreens(b, "forgotten")
}

// checkScreens checks the open page on a phone and a desktop, light and dark, and takes pictures of it.
func (s *site) checkScreens(b *testkit.Browser, name string) {
	s.t.Helper()
	for _, width := range []int64{375, 1280} {
		for _, dark := range []bool{false, true} {
			b.SetViewport(width, 900, dark)
			check(s.t, b, name, width)
			scheme := map[bool]string{true: "-dark"}[dark]
			b.ScreenshotPage(fmt.Sprintf("admin-%s-%d%s", name, width, scheme))
			if dark {
				b.CheckAccessibility(fmt.Sprintf("admin-%s-%d", name, width))
			}
		}
	}
}
