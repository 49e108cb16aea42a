package admin_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit"
)

// composed makes a draft and returns its page for composing.
func (s *site) composed() (page string, draft store.Edition) {
	s.t.Helper()
	draft, err := s.newEngine().Draft(s.t.Context(), "weekly", delivery.SendOptions{By: "the schedule"})
	if err != nil {
		s.t.Fatal(err)
	}
	return "/admin/editions/" + draft.ID + "/compose", draft
}

// stored returns an edition as it is stored.
func (s *site) stored(id string) store.Edition {
	s.t.Helper()
	e, err := s.Store.Edition(s.t.Context(), id)
	if err != nil {
		s.t.Fatal(err)
	}
	return e
}

func TestDraftIsComposedWithoutScript(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	s := startSite(t)
	e := s.owner()
	here, draft := s.composed()
	e.want(e.get("/admin/editions/"+draft.ID), here)
	e.get(here)
	do := func(action, article string, more ...string) string {
		t.Helper()
		e.get(here)
		return e.post(here, append([]string{"revision", e.hidden("revision"), "do", action, "article", article}, more...)...)
	}
	first, second, third := draft.Articles[0], draft.Articles[1], draft.Articles[2]
	e.want(do("down", first), "The draft was changed.")
	e.want(do("lead", third), ">lead</span>")
	do("place", second, "section", "On the water", "form", "title")
	e.want(do("exclude", first, "reason", "next week"), "Left out", "back in the queue: next week, by ada@gazette.example")
	got := s.stored(draft.ID)
	if got.Edits.Lead != third || got.Edits.Order[0] != second || got.Edits.Sections[second] != "On the water" || got.Edits.Forms[second] != digest.TitleForm || len(got.Articles) != len(draft.Articles)-1 {
		t.Errorf("stored %+v", got.Edits)
	}
	e.want(do("add", first), "The draft was changed.")
	if got := s.stored(draft.ID); len(got.Articles) != len(draft.Articles) || len(got.Edits.Excluded) > 0 {
		t.Errorf("after it was put back: %d articles, %+v", len(got.Articles), got.Edits)
	}
	e.want(do("add", "", "name", "nothing"), "Nothing was changed.", "unknown article &#34;nothing&#34;")
	if e.code != http.StatusUnprocessableEntity {
		t.Errorf("an unknown article answers %d", e.code)
	}
	e.want(do("texts", "", "subject", "Our words", "preheader", "All about the quay", "intro", "Good *morning*.\r\n\r\nHello.", "sponsor.text", "Buy a boat", "sponsor.url", "boats"),
		`&#34;boats&#34; is not a web address`, "Buy a boat", "Good *morning*.", "All about the quay")
	do("texts", "", "subject", "Our words", "preheader", "All about the quay", "intro", "Good *morning*.\r\n\r\nHello.")
	if got := s.stored(draft.ID); got.Subject != "Our words" || got.Edits.Intro[""] != "Good *morning*.\n\nHello." || got.Edits.Sponsor != nil || got.Edits.By != "ada@gazette.example" {
		t.Errorf("stored %q, %+v", got.Subject, got.Edits)
	}
	if mail := e.get("/admin/editions/" + draft.ID + "/mail"); !strings.Contains(mail, "All about the quay") {
		t.Error("the preview lacks the preheader")
	}
	if do("explode", first); e.code != http.StatusNotFound {
		t.Errorf("an unknown action answers %d", e.code)
	}
	e.want(e.get("/admin/editions/"+draft.ID), "Approve and send…")
	e.post("/admin/editions/"+draft.ID+"/approve", "shown", e.hidden("shown"))
	e.post("/admin/editions/"+draft.ID+"/approve", "shown", e.hidden("shown"), "sure", "yes")
	e.want(e.get(here), "Not possible now", "only a draft can be changed")
	e.want(e.post(here, "revision", "x", "do", "lead", "article", first), "only a draft can be changed")
}

// TestArticlesToAddAreOfferedByTitle reads the list of the field, and adds one of its articles by its title.
func TestArticlesToAddAreOfferedByTitle(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	e := s.owner()
	here, draft := s.composed()
	late := s.put("Late news & more from the harbour")
	offered := `<option value="` + late.Slug + `" label="Late news &amp; more from the harbour"></option>`
	e.want(e.get(here), `name="name" maxlength="2000" required dir="auto" list="addable"`, offered)
	if n := strings.Count(e.body, "<option value="+`"the-`); strings.Contains(e.body, draft.Articles[0]+`" label=`) || n > 0 {
		t.Error("the list has articles that are in the draft")
	}
	e.want(e.post(here, "revision", e.hidden("revision"), "do", "add", "name", late.Title), "The draft was changed.")
	if got := s.stored(draft.ID).Articles; !slices.Contains(got, late.ID) {
		t.Errorf("the draft has %q, not %s", got, late.ID)
	}
	if strings.Contains(e.get(here), offered) {
		t.Error("the list still has the article")
	}
}

// TestSecondEditorKeepsWhatWasTyped checks that a change of a draft that somebody else has changed is
// not stored, and that the page shows both.
func TestSecondEditorKeepsWhatWasTyped(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	ada := s.owner()
	here, draft := s.composed()
	ada.get(here)
	old := ada.hidden("revision")
	ada.post(here, "revision", old, "do", "texts", "intro", "From Ada")
	ada.want(ada.post(here, "revision", old, "do", "texts", "intro", "From Ben", "outro", "Goodbye"),
		"Nothing was changed", "ada@gazette.example changed it at", "From Ben</textarea>", "Goodbye</textarea>", `Stored at present: <span dir="auto">From Ada</span>`)
	if ada.code != http.StatusConflict || s.stored(draft.ID).Edits.Intro[""] != "From Ada" {
		t.Errorf("the answer was %d, the stored intro is %q", ada.code, s.stored(draft.ID).Edits.Intro)
	}
	ada.post(here, "revision", ada.hidden("revision"), "do", "texts", "intro", "From both", "outro", "Goodbye")
	if got := s.stored(draft.ID); got.Edits.Intro[""] != "From both" {
		t.Errorf("after the second try the intro is %q", got.Edits.Intro)
	}
	ada.post(here, "do", "texts", "intro", "Without a revision")
	if ada.code != http.StatusConflict {
		t.Errorf("a form without a revision answers %d", ada.code)
	}
}

func TestDraftIsComposedInBrowser(t *testing.T) {
	testkit.Slow(t)
	s := startSite(t)
	b := testkit.StartBrowser(t)
	b.SetViewport(1280, 900, false)
	s.signUp(b)
	here, draft := s.composed()
	b.Open(s.url + "/admin/editions/" + draft.ID)
	b.Click(`a[href="` + here + `"]`)
	b.WaitText("Add an article")
	b.Click(`.composed li:nth-child(2) button[value=up]`)
	b.WaitText("The draft was changed.")
	b.Type(`[name=intro]`, "Good *morning*.")
	b.Click(`#texts-form button`)
	b.Wait(`document.querySelector("[name=intro]").defaultValue == "Good *morning*."`)
	s.waitForPreviews(b)
	check(t, b, "compose", 1280)
	b.Screenshot("admin-compose")
	got := s.stored(draft.ID)
	if got.Edits.Intro[""] != "Good *morning*." || got.Edits.Order[0] != draft.Articles[1] {
		t.Errorf("stored %+v", got.Edits)
	}
	b.SetViewport(375, 812, false)
	b.Open(s.url + here)
	b.WaitText("Add an article")
	b.Click(".composed li:first-child .confirm summary")
	b.Click(".composed li:first-child .confirm:last-child summary")
	check(t, b, "compose", 375)
	b.Screenshot("admin-compose-phone")
	b.Wait(`(document.querySelector("#add").scrollIntoView(), true)`)
	b.Screenshot("admin-compose-phone-texts")
	noProblems(t, b)
}

// TestOrderOfDraftIsSetAtOnce posts what the script sends after a drag, and once more based on an older
// version of the draft.
func TestOrderOfDraftIsSetAtOnce(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	e := s.owner()
	here, draft := s.composed()
	e.want(e.get(here), `data-order="order-form"`, "compose.js", `data-id="`+draft.Articles[0]+`"`)
	order := slices.Clone(draft.Articles)
	slices.Reverse(order)
	old := e.hidden("revision")
	e.want(e.post(here, "revision", old, "do", "order", "order", strings.Join(order, " ")+" unknown"), "The draft was changed.")
	if got := s.stored(draft.ID).Edits.Order; !slices.Equal(got, order) {
		t.Errorf("the order is %q, want %q", got, order)
	}
	e.want(e.post(here, "revision", old, "do", "order", "order", strings.Join(draft.Articles, " ")), "Nothing was changed", "ada@gazette.example changed it at", "This is the order that you wanted.", `id="wanted"`)
	if got := s.stored(draft.ID).Edits.Order; e.code != http.StatusConflict || !slices.Equal(got, order) {
		t.Errorf("the answer was %d, the order is %q", e.code, got)
	}
}
