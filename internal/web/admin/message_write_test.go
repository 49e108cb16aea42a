package admin_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/digest"
)

func TestMessageIsWrittenCountedAndSent(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	s.addSubscribers(2)
	e := s.owner()
	e.want(e.get("/admin/messages"), "There are no messages yet")
	e.want(e.get("/admin/messages/new"), "New message", `value="weekly"`)
	form := []string{"digest", "weekly", "subject", "We are moving", "text:", "Our office **moves**.", "public", "yes"}
	e.want(e.post("/admin/messages/new", append(form, "do", "count")...), "2 subscribers would get it now", "Our office **moves**.")
	e.want(e.post("/admin/messages/new", append(form, "do", "count", "segment", "lang:fr")...), "0 subscribers would get it now", "not in the segment")
	e.want(e.post("/admin/messages/new", append(form, "segment", "everyone")...), "Nothing was stored: segment: unknown condition", "Our office **moves**.")
	if e.code != http.StatusUnprocessableEntity {
		t.Errorf("status %d", e.code)
	}
	e.want(e.post("/admin/messages/new", form...), "The message is stored as a draft", "2 subscribers", "Change text and audience")
	if strings.Contains(e.body, "0 articles") || !strings.Contains(e.body, `<p class="trail"><a href="/admin/messages">`) || !strings.Contains(e.body, `href="/admin/messages" aria-current`) {
		t.Errorf("the page of the message is not in the area of messages:\n%s", e.body)
	}
	id := strings.TrimPrefix(e.at, "/admin/editions/")
	shown := e.hidden("shown")
	e.want(e.get("/admin/messages/"+id), "Our office **moves**.", `<select name="template">`, "Preview and test emails…")
	revision := e.hidden("revision")
	e.want(e.post("/admin/messages/"+id, append(form, "subject", "We moved", "revision", revision)...), "We moved")
	e.want(e.post("/admin/messages/"+id, append(form, "subject", "Not stored", "revision", revision)...), "Nothing was stored: the draft changed meanwhile", "Not stored")
	e.want(e.post("/admin/editions/"+id+"/approve", "shown", shown, "sure", "yes"), "We moved")
	if state := s.state(id); state != digest.Draft {
		t.Errorf("a message that changed since it was shown is %s", state)
	}
	e.post("/admin/editions/"+id+"/approve", "shown", e.hidden("shown"), "sure", "yes")
	s.eventually("both mails", func() bool { return len(s.inbox.Mails()) == 2 })
	e.want(e.get("/admin/messages"), "We moved")
	e.want(e.get("/admin/messages/"+id), "Not possible now")
}
