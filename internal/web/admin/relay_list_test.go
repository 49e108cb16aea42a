package admin_test

import (
	"net/http"
	"testing"
)

func TestOwnerTestsARelay(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	ada := s.owner()
	ada.want(ada.get("/admin/settings/relays"), "inbox", "127.0.0.1")
	page := ada.post("/admin/settings/relays/inbox/test")
	ada.want(page, "accepted the test email to ada@gazette.example", "→ EHLO", "← 250", "→ MAIL FROM", "→ RCPT TO:&lt;ada@gazette.example&gt;", "(the mail,", "→ QUIT")
	s.eventually("the test mail", func() bool { return len(s.inbox.Mails()) == 1 })

	ada.want(ada.post("/admin/settings/relays/inbox/stop"), "stopped for an hour", "stopped by an editor")
	ada.want(ada.post("/admin/settings/relays/inbox/resume"), "used again")
	if holds, err := s.Store.Holds(t.Context()); err != nil || len(holds) > 0 {
		t.Errorf("%+v, %v", holds, err)
	}
	if ada.post("/admin/settings/relays/none/stop"); ada.code != http.StatusNotFound {
		t.Error(ada.code)
	}
}
