package web_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/testkit"
)

// TestEditionIsReadInTheBrowser follows the link "view in browser" of a mail to the page of the
// edition, and from there to the list of editions.
func TestEditionIsReadInTheBrowser(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	b, s := testkit.StartBrowser(t), serveWith(t, "en", func(c *config.Config) {
		c.Digests[0].Form, c.Digests[0].Sections = "summary", []config.DigestSection{{Name: "port", Title: "At the harbour", Tag: "harbour"}, {Name: "rest", Title: "Everything else", Form: "title"}}
		c.Digests[0].Lead = "transport"
	})
	ada := s.subscriber(t, "ada@example.org")
	if err := s.store.Subscribe(t.Context(), ada.ID, "weekly", []string{"harbour"}); err != nil {
		t.Fatal(err)
	}
	s.subscriber(t, "bo@example.org")
	draft, err := s.engine.Draft(t.Context(), "weekly", delivery.SendOptions{By: "ann"})
	if err != nil {
		t.Fatal(err)
	}
	was := draft
	draft.Edits.Intro = map[string]string{"": "The boats are **back**. This is what we wrote about them, and [what else happened](/)."}
	draft.Edits.Sponsor = &digest.Sponsor{Text: "Ropes for every boat.", URL: s.url + "/tags/harbour/"} // no other site is reached
	if err := s.store.EditDraft(t.Context(), was, draft); err != nil {
		t.Fatal(err)
	}
	if _, err := s.engine.Approve(t.Context(), draft.ID); err != nil {
		t.Fatal(err)
	}
	link := regexp.MustCompile(`http://localhost:\d+/digests/weekly/[^"<>\s]+`)
	whole, part := link.FindString(s.mailTo(t, "bo@example.org", "/digests/weekly/1-")), link.FindString(s.mailTo(t, "ada@example.org", "/digests/weekly/1-"))
	if !strings.HasPrefix(part, whole) || part == whole {
		t.Fatalf("the mails lead to %s and %s", whole, part)
	}
	for name, page := range map[string]string{"edition": whole, "edition-part": part, "editions": s.url + "/digests/weekly/", "editions-search": s.url + "/digests/weekly/?q=ferry"} {
		b.Open(page)
		fits(t, b, "public-en-"+name)
		if text, err := b.Evaluate(`document.documentElement.outerHTML.match(/ada@|bo@example|unsubscribe\/|preferences\//)`); err != nil || text != "null" {
			t.Errorf("%s has something personal: %s %v", name, text, err)
		}
	}
	b.SetViewport(375, 812, false)
	b.Open(part)
	b.Click(`.edition header a:last-child`)
	b.Wait(`location.href == '` + whole + `'`)
	b.Click(`.edition .kicker a`)
	b.WaitText("Search the editions")
	b.Type(`#question`, "nothing like it")
	b.Click(`main form.search button`)
	b.WaitText("No editions found.")
	b.Open(whole)
	b.Type(`.after input[type=email]`, "cy@example.org")
	b.Click(`.after button[type=submit]`)
	b.WaitText("Check your inbox")
	for _, problem := range b.ConsoleErrors() {
		t.Errorf("console: %s", problem)
	}
}
