package admin_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/testkit"
)

func TestPreviewShowsVariantsAndSubscribers(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	s := startSite(t)
	s.addSubscribers(1)
	s.put("Le bac attend", func(a *article.Article) { a.Language = "fr" })
	e := s.owner()
	draft, err := s.newEngine().Draft(t.Context(), "weekly", delivery.SendOptions{By: adaEmail})
	if err != nil {
		t.Fatal(err)
	}
	here := "/admin/editions/" + draft.ID
	e.want(e.get(here+"/preview"), here+"/frame?view=desktop", `<option value="text">`, "As the subscriber", `id="check"`, "In each language")
	e.want(e.get(here+"/preview?view=phone&dark=yes&images=off"), "dark=yes&amp;images=off&amp;view=phone", `width="375"`)
	before, err := s.Store.SubscriberTotals(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	answer, err := e.client.Get(s.url + here + "/frame?images=off&dark=yes")
	if err != nil {
		t.Fatal(err)
	}
	policy := answer.Header.Get("Content-Security-Policy")
	frame := e.read(answer, nil)
	if !strings.Contains(policy, "img-src 'none'") || !strings.Contains(policy, "sandbox") || strings.Contains(frame, "prefers-color-scheme: dark") || !strings.Contains(frame, "Le bac attend") {
		t.Errorf("the frame has the policy %q", policy)
	}
	if text := e.get(here + "/frame?view=text"); strings.Contains(text, "<p") || !strings.Contains(text, "Le bac attend") {
		t.Errorf("the text: %.300s", text)
	}
	e.want(e.get(here+"/preview?as=reader0%40example.org"), "Nothing about this preview is stored", "as=reader0%40example.org")
	e.want(e.get(here+"/frame?as=reader0%40example.org&view=text"), "Le bac attend")
	e.want(e.get(here+"/preview?as=stranger%40example.org"), "There is no preview", "there is no subscriber stranger@example.org")
	if e.get(here + "/frame?as=stranger%40example.org"); e.code != http.StatusConflict {
		t.Errorf("the frame of a stranger answers %d", e.code)
	}
	if after, err := s.Store.SubscriberTotals(t.Context()); err != nil || after.States["active"] != before.States["active"] {
		t.Errorf("totals %+v, %v", after, err)
	}
	e.want(e.post(here+"/test", "to", adaEmail, "all", "yes"), "The test email is queued")
	s.eventually("a test mail in each language", func() bool { return s.inbox.Received()[adaEmail] >= 2 })
	if s.state(draft.ID) != digest.Draft || s.readersMailed() != 0 {
		t.Errorf("the draft is %s, %d subscribers have mail", s.state(draft.ID), s.readersMailed())
	}
}
