package admin_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/testkit"
)

// giveImage lets the text area receive an image, as a paste or a drop of a file does.
const giveImage = `(() => {
const bytes = Uint8Array.from(atob("%s"), c => c.charCodeAt(0)), data = new DataTransfer();
data.items.add(new File([bytes], "boat.png", {type: "image/png"}));
const event = "%s" == "paste" ? new ClipboardEvent("paste", {clipboardData: data, bubbles: true, cancelable: true}) : new DragEvent("drop", {dataTransfer: data, bubbles: true, cancelable: true});
document.querySelector("#text").dispatchEvent(event);
return true })()`

// setField sets a field of the editor as typing does, but faster.
const setField = `(() => { const f = document.querySelector(%q); f.value = %q; f.dispatchEvent(new Event("input", {bubbles: true})); return true })()`

func TestArticleIsWrittenInBrowser(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	s := startSite(t)
	b := testkit.StartBrowser(t)
	b.SetViewport(1280, 900, false)
	s.signUp(b)
	b.Open(s.url + "/admin/articles")
	b.Click(`a[href="/admin/articles/new"]`)
	b.WaitText("Not saved yet")
	b.Wait(`!document.querySelector("#article-checks").offsetHeight && !document.querySelector("#checks-title").offsetHeight`) // there is nothing to check
	b.Type("#title", "The lighthouse")
	b.Wait(fmt.Sprintf(setField, "#text", "It is *white*.\n"))
	b.Wait(`location.pathname.length > "/admin/articles/new".length && !document.querySelector("form#article").action.includes("/new")`) // saved by itself
	b.WaitText("Draft")
	b.Wait(`document.querySelector(".preview-frame iframe:not(.loading)").contentDocument.querySelector("em")?.innerText == "white"`)
	for _, way := range []string{"paste", "drop"} {
		b.Wait(`(document.querySelector("#text").setSelectionRange(1e6, 1e6), true)`)
		b.Wait(fmt.Sprintf(giveImage, base64.StdEncoding.EncodeToString(picture(t)), way))
		b.Wait(fmt.Sprintf(`document.querySelector("#text").value.split("![](/media/").length == %d`, map[string]int{"paste": 2, "drop": 3}[way]))
	}
	b.WaitText("Write between the square brackets")
	b.Wait(`document.querySelector(".preview-frame iframe:not(.loading)").contentDocument.querySelectorAll("img[src^='/media/']").length >= 2`)
	b.WaitText("Images without alternative text: 2")
	b.Wait(`document.querySelector("#checks-title").offsetHeight > 0`)
	b.CheckAccessibility("admin-article-edit")
	b.Screenshot("admin-article-edit")
	for _, kind := range []string{"feed", "mail"} {
		b.Click(`.preview-tabs button[value="` + kind + `"]`)
		b.Wait(`document.querySelector(".preview-tabs button[value=` + kind + `]").ariaPressed == "true" && !document.querySelector("iframe.loading")`)
		b.Wait(`document.querySelector(".preview-frame iframe").contentDocument.body.innerText.includes("The lighthouse")`)
		b.Screenshot("admin-article-edit-" + kind)
	}
	b.Click("#publish")
	b.WaitText("Published.")
	s.eventually("the page of the article", func() bool { return strings.Contains(s.public("/articles/the-lighthouse"), "It is <em>white</em>.") })
	b.SetViewport(375, 812, true)
	b.ScreenshotPage("admin-article-edit-phone-dark")
	noProblems(t, b)
}

func TestTwoEditorsOfAnArticleSeeBothVersionsInBrowser(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	s := startSite(t)
	b := testkit.StartBrowser(t)
	b.SetViewport(1280, 900, false)
	s.signUp(b)
	other := s.visitor()
	other.post("/admin/sign-in", "email", "ada@gazette.example", "password", "four random words here")
	other.post("/admin/articles/new", "title", "Tides", "text", "High at nine.")
	path := other.at
	b.Open(s.url + path)
	b.WaitText("Draft")
	other.post(path, "title", "Tides", "text", "High at ten.", "base", other.hidden("base"))
	b.Wait(fmt.Sprintf(setField, "#text", "High at eleven."))
	b.WaitText("Another editor saved this article meanwhile")
	b.Click("#save")
	b.Wait(`document.querySelectorAll(".diff mark").length == 2`)
	b.Screenshot("admin-article-conflict")
	b.CheckAccessibility("admin-article-conflict")
	b.Click("#save") // after both were compared
	b.WaitText("Saved.")
	if page := other.get(path); !strings.Contains(page, "High at eleven.</textarea>") {
		t.Error("the chosen version was not stored")
	}
	for _, problem := range b.ConsoleErrors() {
		if !strings.Contains(problem, "409") { // of the refused saves
			t.Errorf("the browser's console: %s", problem)
		}
	}
}
