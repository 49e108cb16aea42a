package admin_test

import (
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/internal/web/admin"
)

const (
	adaEmail    = "ada@gazette.example"
	adaPassword = "four random words here"
)

// guess sends n sign-in attempts and returns the last status.
func (e *editor) guess(account, password string, n int) int {
	e.t.Helper()
	for range n {
		e.post("/admin/sign-in", "email", account, "password", password)
	}
	return e.code
}

// mailTo waits for a mail to the address that contains the text subject, and returns it.
func (s *site) mailTo(address, subject string) string {
	s.t.Helper()
	var text string
	s.eventually("a mail to "+address+": "+subject, func() bool {
		for _, m := range s.inbox.Mails() {
			if slices.Contains(m.To, address) && strings.Contains(string(m.Data), subject) {
				text = string(m.Data)
			}
		}
		return text != ""
	})
	return text
}

func TestGuessesOfOthersDoNotLockOutKnownBrowser(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	owner, guesser := s.owner(), s.visitor()
	owner.post("/admin/sign-out")
	if code := guesser.guess(adaEmail, "a wrong guess", 60); code != http.StatusTooManyRequests {
		t.Errorf("the sixtieth wrong attempt is answered %d", code)
	}
	if code := guesser.guess(adaEmail, adaPassword, 1); code != http.StatusTooManyRequests {
		t.Errorf("after that the right password from an unknown browser is answered %d", code)
	}
	if owner.post("/admin/sign-in", "email", adaEmail, "password", adaPassword); owner.at != "/admin/" {
		t.Errorf("the owner's browser is at %s with %d", owner.at, owner.code)
	}
	// The known browser has a limit of its own.
	owner.post("/admin/sign-out")
	if code := owner.guess(adaEmail, "a wrong guess", 11); code != http.StatusTooManyRequests {
		t.Errorf("the eleventh wrong attempt of a known browser is answered %d", code)
	}
}

func TestKnownBrowserIsBoundToItsAccount(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	owner, bob := s.owner(), s.visitor()
	invite, err := admin.InviteLink(t.Context(), s.Store, s.url, admin.Invitation{Email: "bob@gazette.example"})
	if err != nil {
		t.Fatal(err)
	}
	bob.post(strings.TrimPrefix(invite, s.url), "password", adaPassword)
	bob.want(bob.get("/admin/account"), "bob@gazette.example")
	bob.post("/admin/sign-out")
	if code := bob.guess(adaEmail, "a wrong guess", 11); code != http.StatusTooManyRequests {
		t.Errorf("bob's browser guesses ada's password: %d", code)
	}
	site, err := url.Parse(s.url + "/admin/")
	if err != nil {
		t.Fatal(err)
	}
	forge := func(change func(value string) string) *editor {
		forged := s.visitor()
		var cookies []*http.Cookie
		for _, cookie := range owner.client.Jar.Cookies(site) {
			if strings.HasSuffix(cookie.Name, "-browser") {
				cookie.Value = change(cookie.Value)
				cookies = append(cookies, cookie)
			}
		}
		if len(cookies) != 1 {
			t.Fatalf("the owner's browser has the cookies %v", cookies)
		}
		jar, _ := cookiejar.New(nil)
		jar.SetCookies(site, cookies)
		forged.client.Jar = jar
		return forged
	}
	// other returns a different character.
	other := func(c byte) string {
		if c == '8' {
			return "9"
		}
		return "8"
	}
	for what, change := range map[string]func(string) string{
		"another id": func(v string) string { return other(v[0]) + v[1:] },
		"another time": func(v string) string {
			return regexp.MustCompile(`\.\d`).ReplaceAllStringFunc(v, func(s string) string { return "." + other(s[1]) })
		},
		"no signature": func(v string) string { return v[:strings.LastIndex(v, ".")+1] },
	} {
		if code := forge(change).guess(adaEmail, adaPassword, 1); code != http.StatusTooManyRequests {
			t.Errorf("a cookie with %s is accepted: %d", what, code)
		}
	}
	copied := forge(func(v string) string { return v })
	// A change of password makes copies of the cookie invalid.
	owner.post("/admin/account/password", "current", adaPassword, "password", "five other random words")
	if code := copied.guess(adaEmail, "five other random words", 1); code != http.StatusTooManyRequests {
		t.Errorf("a cookie from before the password change is accepted: %d", code)
	}
	owner.post("/admin/sign-out")
	if owner.post("/admin/sign-in", "email", adaEmail, "password", "five other random words"); owner.at != "/admin/" {
		t.Errorf("the browser that changed the password is at %s, %d", owner.at, owner.code)
	}
}

func TestSignInEndsEarlierSession(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	e := s.owner()
	site, _ := url.Parse(s.url + "/admin/")
	session := func() (value string) {
		for _, cookie := range e.client.Jar.Cookies(site) {
			if cookie.Name == "tidings" {
				value = cookie.Value
			}
		}
		return value
	}
	before := session()
	e.post("/admin/sign-in", "email", adaEmail, "password", adaPassword)
	if after := session(); after == before || after == "" {
		t.Errorf("the session is %q, and was %q", after, before)
	}
	if _, err := s.Store.Session(t.Context(), before); err == nil {
		t.Error("the earlier session is still valid")
	}
}

func TestRefusedSignInIsLoggedWithoutPassword(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	s.owner()
	e := s.visitor()
	e.guess("Eve@gazette.example", "a wrong guess", 1)
	e.guess("a wrong guess", "in the wrong field", 1)
	e.guess(adaEmail, "a wrong guess", 11)
	log := s.log.String()
	for _, want := range []string{
		`msg="sign-in refused" account=unknown client=127.0.0.1 network=127.0.0.1/32 reason="wrong address or password"`,
		`msg="sign-in refused" editor=1 client=127.0.0.1`, `reason="too many attempts"`,
	} {
		if !strings.Contains(log, want) {
			t.Errorf("the log lacks %s\n%s", want, log)
		}
	}
	for _, secret := range []string{"a wrong guess", "in the wrong field", adaEmail, "Eve@", "eve@"} {
		if strings.Contains(log, secret) {
			t.Errorf("the log contains %q\n%s", secret, log)
		}
	}
}

func TestAccountChangesAreMailed(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	s := startSite(t)
	here, there := s.owner(), s.visitor()
	there.guess(adaEmail, adaPassword, 1)
	if mail := s.mailTo(adaEmail, "New sign-in to your account"); !strings.Contains(mail, "127.0.0.1") {
		t.Errorf("the mail lacks the client's address:\n%s", mail)
	}
	here.post("/admin/account/password", "current", adaPassword, "password", "five other random words")
	s.mailTo(adaEmail, "Your password was changed")
	if here.post("/admin/account/address", "current", adaPassword, "email", "brook@gazette.example"); here.code != http.StatusUnprocessableEntity {
		t.Errorf("an address is changed with a wrong password: %d", here.code)
	}
	here.post("/admin/account/address", "current", "five other random words", "email", "brook@gazette.example")
	here.want(here.post(s.addressLink("brook@gazette.example")), "Your email address was changed", "brook@gazette.example")
	s.mailTo(adaEmail, "Your email address was changed")
	s.mailTo("brook@gazette.example", "Your email address was changed")
	if there.guess("brook@gazette.example", "five other random words", 1); there.at != "/admin/" {
		t.Errorf("with the new address the editor is at %s", there.at)
	}
	s.mailTo("brook@gazette.example", "New sign-in to your account")
	link, err := s.PasswordLink(t.Context(), "brook@gazette.example")
	if err != nil {
		t.Fatal(err)
	}
	here.post(strings.TrimPrefix(link, s.url), "password", "six more words at random")
	s.mailTo("brook@gazette.example", "Your password was changed")
	if there.get("/admin/"); there.at != "/admin/sign-in" {
		t.Errorf("after a reset the other browser is at %s", there.at)
	}
}

// welcomeLink returns the one-time link on a page.
func (e *editor) welcomeLink(page string) string {
	e.t.Helper()
	found := regexp.MustCompile(`/admin/welcome/[\w-]+`).FindString(page)
	if found == "" {
		e.t.Fatalf("no link on the page\n%s", page)
	}
	return found
}

func TestLinksOfDisabledOwnerStopWorking(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	ada, eve := s.owner(), s.visitor()
	invitation := ada.welcomeLink(ada.post("/admin/account/invite", "email", "eve@gazette.example", "role", "owner"))
	later := ada.welcomeLink(ada.post("/admin/account/invite", "email", "eve@gazette.example", "role", "owner"))
	if eve.get(invitation); eve.code != http.StatusGone {
		t.Errorf("an invitation that was replaced by a newer one is answered %d", eve.code)
	}
	eve.post(later, "name", "Eve", "email", "somebody@else.example", "password", adaPassword)
	eve.want(eve.get("/admin/account"), "eve@gazette.example", "Owner")
	var saved []string
	for _, email := range []string{"", "friend@gazette.example"} {
		saved = append(saved, eve.welcomeLink(eve.post("/admin/account/invite", "email", email, "role", "owner")))
	}
	saved = append(saved, eve.welcomeLink(eve.post("/admin/editors/1/reset")))
	page := ada.get("/admin/people")
	ada.want(page, "Pending links", "friend@gazette.example", "anyone with the link", "owner invitation", "new password", "Revoke")
	if n := strings.Count(page, "/revoke"); n != 3 {
		t.Errorf("%d links can be revoked, want 3", n)
	}
	ada.want(ada.post("/admin/editors/2/access"), "This editor was disabled", "There are no pending links")
	for _, link := range saved {
		if eve.get(link); eve.code != http.StatusGone {
			t.Errorf("the disabled owner opens %s: %d", link, eve.code)
		}
		if eve.post(link, "email", "eve2@gazette.example", "password", adaPassword); eve.code != http.StatusGone {
			t.Errorf("the disabled owner signs up with %s: %d", link, eve.code)
		}
	}
	link := ada.welcomeLink(ada.post("/admin/account/invite", "email", "bob@gazette.example"))
	id := regexp.MustCompile(`/admin/links/\d+/revoke`).FindString(ada.get("/admin/people"))
	ada.want(ada.post(id), "The link was revoked", "There are no pending links")
	if eve.get(link); eve.code != http.StatusGone {
		t.Errorf("a revoked invitation is answered %d", eve.code)
	}
}

func TestEditorsCannotManageEditors(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	s.owner()
	bob := s.visitor()
	invite, err := admin.InviteLink(t.Context(), s.Store, s.url, admin.Invitation{Email: "bob@gazette.example"})
	if err != nil {
		t.Fatal(err)
	}
	bob.post(strings.TrimPrefix(invite, s.url), "password", adaPassword)
	for _, path := range []string{"/admin/account/invite", "/admin/editors/1/reset", "/admin/editors/1/access", "/admin/links/1/revoke"} {
		if bob.post(path, "role", "owner", "email", "x@gazette.example"); bob.code != http.StatusForbidden {
			t.Errorf("an editor posts to %s: %d", path, bob.code)
		}
	}
	if page := bob.get("/admin/account"); strings.Contains(page, adaEmail) || strings.Contains(page, "Pending links") {
		t.Errorf("an editor sees the other editors:\n%s", page)
	}
	if links, err := s.Store.Links(t.Context()); err != nil || len(links) != 0 {
		t.Errorf("links %+v, %v", links, err)
	}
}

func TestOnlyNewestSetupLinkWorks(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	var links []string
	for range 3 {
		link, err := s.FirstOwnerLink(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		links = append(links, strings.TrimPrefix(link, s.url))
	}
	for i, link := range slices.Backward(links) {
		want := http.StatusGone
		if i == 2 {
			want = http.StatusOK
		}
		if e := s.visitor(); true {
			if e.post(link, "email", fmt.Sprintf("owner%d@gazette.example", i), "password", adaPassword); e.code != want {
				t.Errorf("the link of start %d is answered %d, want %d", i+1, e.code, want)
			}
		}
	}
	if n, err := s.Store.CountEditors(t.Context()); n != 1 || err != nil {
		t.Errorf("%d editors, %v", n, err)
	}
}
