package admin_test

import (
	"fmt"
	"testing"

	"github.com/tidings-press/tidings/internal/testkit"
)

// TestTypedPasswordIsJudgedAndShownInBrowser checks that an editor sees how strong a new password is, and can
// see what they type, and that the browser sends the field as a password, so that it does not offer it in
// other fields.
func TestTypedPasswordIsJudgedAndShownInBrowser(t *testing.T) {
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
	strength := func(value int, text, color string) {
		t.Helper()
		b.Wait(fmt.Sprintf(`getComputedStyle(document.querySelector("[data-strength]")).visibility == "visible" && document.querySelector("meter").value == %d && document.querySelector("[data-strength]").innerText.includes(%q)`, value, text))
		for _, dark := range []bool{false, true} {
			b.SetViewport(375, 800, dark)
			check(t, b, "the meter at "+text, 375)
		}
		b.CheckAccessibility("admin-password-strength-" + color)
		b.Screenshot("admin-password-strength-" + color)
	}
	b.Wait(`getComputedStyle(document.querySelector("[data-strength]")).visibility == "hidden"`)
	const rule = `getComputedStyle(document.querySelector("#rule")).visibility`
	b.Wait(rule + ` == "visible"`) // in the place of the meter
	b.Wait(`(window.place = document.querySelector("button.main").offsetTop) > 0`)
	b.Type("[name=password]", "ada@gazette")
	strength(1, "Too weak: the password must have 12 to 128 characters", "red")
	b.Wait(rule + ` == "hidden"`)
	b.Type("[name=password]", ".example")
	strength(1, "Too weak: the password is mostly the name of the site, your name or your address", "red")
	b.Wait(`(document.querySelector("[name=password]").value = "") == ""`)
	b.Type("[name=password]", "four random words here")
	strength(2, "Sufficient", "yellow")
	b.Type("[name=password]", " lighthouse kettle meadow quarter violin")
	strength(4, "Very strong", "green")
	b.Wait(`document.querySelector("button.main").offsetTop == window.place`) // or a click would miss it
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
