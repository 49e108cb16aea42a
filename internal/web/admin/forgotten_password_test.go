package admin_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/testkit"
)

func TestForgottenPasswordIsReplacedByMailedLink(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	s := startSite(t)
	s.owner()
	e := s.visitor()
	e.get("/admin/forgotten")
	unknown := e.post("/admin/forgotten", "email", "stranger@gazette.example")
	if known := e.post("/admin/forgotten", "email", "Ada@Gazette.example"); known != unknown || e.code != http.StatusOK {
		t.Errorf("an unknown address gets another answer: %d\n%s\n%s", e.code, known, unknown)
	}
	mail := s.mailTo(adaEmail, "Choose a new password")
	link := regexp.MustCompile(`/admin/welcome/[\w-]+`).FindString(strings.NewReplacer("=\r\n", "", "=3D", "=").Replace(mail))
	if link == "" {
		t.Fatalf("no link in\n%s", mail)
	}
	e.get(link) // a mail scanner opens it too
	e.post(link, "password", "another four random words")
	if e.at != "/admin/" {
		t.Fatalf("the new password leads to %s, %d\n%s", e.at, e.code, e.body)
	}
	for range 4 {
		e.post("/admin/forgotten", "email", adaEmail)
	}
	if e.code != http.StatusTooManyRequests {
		t.Errorf("after many requests: %d", e.code)
	}
	if e.post("/admin/forgotten", "email", "not an address"); e.code != http.StatusUnprocessableEntity {
		t.Errorf("for what is no address: %d", e.code)
	}
	for _, m := range s.inbox.Mails() {
		if strings.Contains(strings.Join(m.To, " "), "stranger") {
			t.Error("a stranger got a mail")
		}
	}
}
