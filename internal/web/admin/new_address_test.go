package admin_test

import (
	"net/http"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/internal/web/admin"
)

// addressLink returns the path of the link that was mailed to a new address.
func (s *site) addressLink(address string) string {
	s.t.Helper()
	mail := s.mailTo(address, "Confirm your new email address")
	link := regexp.MustCompile(`/admin/address/[\w-]+`).FindString(strings.NewReplacer("=\r\n", "", "=3D", "=").Replace(mail))
	if link == "" {
		s.t.Fatalf("no link in\n%s", mail)
	}
	return link
}

func TestNewAddressTakesEffectOnceItIsConfirmed(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	s := startSite(t)
	ada, bob, phone := s.owner(), s.bob(), s.visitor()
	for _, refused := range []string{adaEmail, "ada brook", bobEmail} {
		if ada.post("/admin/account/address", "current", adaPassword, "email", refused); ada.code != http.StatusUnprocessableEntity {
			t.Errorf("%q is answered %d", refused, ada.code)
		}
	}
	ada.want(ada.post("/admin/account/address", "current", adaPassword, "email", "brook@gazette.example"), "on its way to the new address", "brook@gazette.example waits for its confirmation")
	s.mailTo(adaEmail, "A new email address was asked for")
	link := s.addressLink("brook@gazette.example")
	ada.want(ada.get("/admin/people"), "new address</td>", `<span class="under">brook@gazette.example</span>`)

	for range 2 { // a mail scanner opens it too
		phone.want(phone.get(link), "Confirm the address", adaEmail, "brook@gazette.example")
	}
	if phone.get(strings.Replace(link, "/address/", "/welcome/", 1)); phone.code != http.StatusGone {
		t.Errorf("as an invitation it is answered %d", phone.code)
	}
	if editor, err := s.Store.EditorByID(t.Context(), 1); err != nil || editor.Email != adaEmail {
		t.Errorf("before the button the address is %s, %v", editor.Email, err)
	}
	phone.want(phone.post(link), "From now on, sign in with brook@gazette.example")
	if ada.get("/admin/account"); ada.at != "/admin/sign-in" {
		t.Errorf("after the change the other browser is at %s", ada.at)
	}
	s.mailTo(adaEmail, "Your email address was changed")
	s.mailTo("brook@gazette.example", "Your email address was changed")
	if phone.post(link); phone.code != http.StatusGone {
		t.Errorf("the used link is answered %d", phone.code)
	}
	if ada.guess(adaEmail, adaPassword, 1); ada.code != http.StatusUnauthorized {
		t.Errorf("with the old address: %d at %s", ada.code, ada.at)
	}
	ada.guess("brook@gazette.example", adaPassword, 1)
	ada.want(ada.get("/admin/audit"), "asked for brook@gazette.example", "now brook@gazette.example")

	// A newer request voids the older link, and an address that was taken meanwhile is refused.
	bob.post("/admin/account/address", "current", "four random words here", "email", "first@gazette.example")
	older := s.addressLink("first@gazette.example")
	bob.post("/admin/account/address", "current", "four random words here", "email", "second@gazette.example")
	newer := s.addressLink("second@gazette.example")
	if bob.get(older); bob.code != http.StatusGone {
		t.Errorf("the older link is answered %d", bob.code)
	}
	invite, err := admin.InviteLink(t.Context(), s.Store, s.url, admin.Invitation{})
	if err != nil {
		t.Fatal(err)
	}
	s.visitor().post(strings.TrimPrefix(invite, s.url), "email", "second@gazette.example", "password", "four random words here")
	if bob.want(bob.post(newer), "already exists"); bob.code != http.StatusConflict {
		t.Errorf("an address that is taken is answered %d", bob.code)
	}
	for range 4 {
		bob.post("/admin/account/address", "current", "four random words here", "email", "third@gazette.example")
	}
	if bob.code != http.StatusTooManyRequests {
		t.Errorf("after many requests: %d", bob.code)
	}
	ada.post("/admin/editors/2/access") // disables Bob
	if bob.post(newer); bob.code != http.StatusGone {
		t.Errorf("the link of a disabled editor is answered %d", bob.code)
	}
}

func TestLinkForNewAddressEndsAfterADay(t *testing.T) {
	t.Parallel()
	var ahead atomic.Int64
	s := startSite(t, firstStart(func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }))
	ada := s.owner()
	ada.post("/admin/account/address", "current", adaPassword, "email", "brook@gazette.example")
	ada.want(ada.body, "waits for its confirmation")
	links, err := s.Store.Links(t.Context())
	if err != nil || len(links) != 1 || links[0].Expires.Sub(links[0].Created) != 24*time.Hour {
		t.Fatalf("%+v, %v", links, err)
	}
	ahead.Store(int64(24 * time.Hour))
	if links, err := s.Store.Links(t.Context()); err != nil || len(links) != 0 {
		t.Errorf("after a day: %+v, %v", links, err)
	}
	if body := ada.get("/admin/account"); ada.at != "/admin/account" || strings.Contains(body, "waits for its confirmation") {
		t.Errorf("after a day %s still shows the address", ada.at)
	}
}

// TestAddressIsChangedWithoutPassword lets an editor who has no password prove who they are by a passkey, and
// another by the sign-in provider.
func TestAddressIsChangedWithoutPassword(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	p := startFakeProvider(t)
	s := startSite(t, host("localhost"), p.config(""))
	ada, bob := s.owner(), s.visitor()
	mine := newDevice(t, s.url)
	ada.register(mine, "Laptop")
	s.invite(bobEmail)
	asBob := func(c map[string]any) { c["sub"], c["email"], c["name"] = "bob", bobEmail, "Bob" }
	bob.through(p, asBob)
	s.exec("UPDATE editors SET password = ''")
	const path = "/admin/account/address"
	if page := ada.get("/admin/account"); strings.Contains(page, `name="current"`) {
		t.Error("the page asks an editor without a password for one")
	}
	s.forgetProofs(t)
	ada.want(ada.post(path, "email", "brook@gazette.example", "current", ""), "Confirm that it is you", "Continue with a passkey", `name="email" value="brook@gazette.example"`)
	if links, err := s.Store.Links(t.Context()); err != nil || len(links) != 0 {
		t.Fatalf("without a proof: %+v, %v", links, err)
	}
	if ada.post(path, "email", "brook@gazette.example", "proof_password", "x"); ada.code != http.StatusUnauthorized {
		t.Errorf("a password in place of the passkey is answered %d", ada.code)
	}
	ada.post(path, "email", "brook@gazette.example", "proof_token", ada.hidden("proof_token"), "proof_passkey", mine.get(ada.options()))
	ada.want(ada.body, "on its way to the new address")
	ada.post(s.addressLink("brook@gazette.example"))
	ada.want(ada.body, "Your email address was changed", "brook@gazette.example")

	bob.want(bob.post(path, "email", "harper@gazette.example"), "Confirm at Example Login")
	state := bob.ask(p, "/admin/account/provider", asBob)
	bob.get("/admin/sign-in/provider?code=the+code&state=" + state)
	bob.want(bob.body, "Your identity is confirmed.")
	bob.want(bob.post(path, "email", "harper@gazette.example"), "on its way to the new address")
	bob.want(bob.post(s.addressLink("harper@gazette.example")), "Your email address was changed")
}
