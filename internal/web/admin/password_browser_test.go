package admin_test

import (
	"testing"

	"github.com/tidings-press/tidings/internal/testkit"
)

// TestTypedPasswordIsShownInBrowser checks that an editor can see what they type, and that the browser
// sends the field as a password, so that it does not offer it in other fields.
func TestTypedPasswordIsShownInBrowser(t *testing.T) {
	testkit.Slow(t)
	s := startSite(t)
	link, err := s.FirstOwnerLink(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	b := testkit.StartBrowser(t)
	b.SetViewport(375, 800, true)
	b.Open(link)
	b.Type("[name=name]", "Ada")
	b.Type("[name=email]", "ada@gazette.example")
	b.Type("[name=password]", "four random words here")
	const kind = `document.querySelector("[name=password]").type`
	b.Wait(kind + ` == "password"`)
	b.Click("[data-reveal]")
	b.Wait(kind + ` == "text"`)
	b.Screenshot("admin-password-shown")
	b.Click("[data-reveal]")
	b.Wait(kind + ` == "password"`)
	b.Click("[data-reveal]")
	b.Wait(`document.querySelector("[name=password]").form.addEventListener("submit", () => sessionStorage.setItem("sent", ` + kind + `)) === undefined`)
	b.Click("button.main")
	b.WaitText("Next editions")
	b.Wait(`sessionStorage.getItem("sent") == "password"`)
}
