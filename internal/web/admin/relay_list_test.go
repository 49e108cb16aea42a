package admin_test

import (
	"net/http"
	"regexp"
	"testing"

	"github.com/tidings-press/tidings/internal/warmup"
)

func TestOwnerTestsARelay(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	ada := s.owner()
	ada.want(ada.get("/admin/settings/relays"), "inbox", "127.0.0.1")
	page := ada.post("/admin/settings/relays/inbox/test")
	ada.want(page, "accepted the test email to ada@gazette.example", "→ EHLO", "← 250", "→ MAIL FROM", "→ RCPT TO:&lt;ada@gazette.example&gt;", "(the mail,", "→ QUIT")
	s.eventually("the test mail", func() bool { return len(s.inbox.Mails()) == 1 })

	ada.want(ada.post("/admin/settings/relays/inbox/stop"), "stopped for an hour", "Stopped by an editor.")
	ada.want(ada.post("/admin/settings/relays/inbox/resume"), "used again")
	if holds, err := s.Store.Holds(t.Context()); err != nil || len(holds) > 0 {
		t.Errorf("%+v, %v", holds, err)
	}
	if ada.post("/admin/settings/relays/none/stop"); ada.code != http.StatusNotFound {
		t.Error(ada.code)
	}
}

// TestRelayPageShowsWarmupOfDomains looks at a new relay, and again when it has sent mails to a domain.
func TestRelayPageShowsWarmupOfDomains(t *testing.T) {
	t.Parallel()
	s := startSite(t, relayKeys("warmup_per_domain: 200/day x1.5 max 20000"))
	ada := s.owner()
	ada.want(ada.get("/admin/settings/relays"), "Emails per day to each domain (warm-up)", "<code>200/day x1.5 max 20000</code>", "no email today yet")
	plan := warmup.Plan{Start: 200, Factor: 1.5, Max: 20000}
	domains := regexp.MustCompile(`example\.net: [\d,]+ of 200<(?s:.*)example\.org: [\d,]+ of 200<`)
	s.eventually("the domains with the most mails", func() bool { // again if a day ends in between
		for i, domain := range []string{"example.org", "example.net", "example.net", ""} {
			if _, _, err := s.Store.TakeWarmup(t.Context(), "inbox", domain, plan, false); err != nil {
				t.Fatal(i, err)
			}
		}
		return domains.MatchString(ada.get("/admin/settings/relays"))
	})
	ada.want(ada.body, "<code>200/day x1.5 max 20000</code>")
}
