package admin_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/internal/web/admin"
)

func TestVisitorsAreSentToSignIn(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	visitor := s.visitor()
	if body := visitor.get("/admin/"); visitor.code != http.StatusNotFound || !strings.Contains(body, "one-time link") {
		t.Errorf("without an editor the admin answers %d", visitor.code)
	}
	s.owner()
	for _, path := range []string{
		"/admin/", "/admin/digests/weekly", "/admin/digests/weekly/mail", "/admin/digests/weekly/text", "/admin/digests/weekly/send", "/admin/editions/x",
		"/admin/editions/x/events", "/admin/editions/x/mail", "/admin/articles", "/admin/subscribers", "/admin/subscribers/1", "/admin/account", "/admin/quarantine", "/admin/nothing",
	} {
		if visitor.get(path); visitor.at != "/admin/sign-in" {
			t.Errorf("a visitor who asks for %s is led to %s, %d", path, visitor.at, visitor.code)
		}
	}
	for _, path := range []string{
		"/admin/digests/weekly/send", "/admin/digests/weekly/test", "/admin/editions/x/cancel", "/admin/articles/x/remove", "/admin/subscribers/1/erase", "/admin/subscribers/1/invite", "/admin/quarantine/release", "/admin/account/invite", "/admin/account/password",
	} {
		if visitor.post(path, "sure", "weekly"); visitor.at != "/admin/sign-in" {
			t.Errorf("a visitor who posts to %s is led to %s, %d", path, visitor.at, visitor.code)
		}
	}
	if all, err := s.Store.Editions(t.Context(), "", 1); err != nil || len(all) != 0 {
		t.Errorf("editions %+v, %v", all, err)
	}
}

func TestSignInAndOut(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	e := s.owner()
	e.post("/admin/sign-out")
	if e.at != "/admin/sign-in" {
		t.Fatalf("signing out leads to %s", e.at)
	}
	if e.get("/admin/articles"); e.at != "/admin/sign-in" {
		t.Fatalf("signed out, the editor still sees %s", e.at)
	}
	wrong := e.post("/admin/sign-in", "email", "ada@gazette.example", "password", "not the password")
	unknown := e.post("/admin/sign-in", "email", "eve@gazette.example", "password", "not the password")
	if e.code != http.StatusUnauthorized || strings.ReplaceAll(unknown, "eve@", "ada@") != wrong {
		t.Errorf("the answer reveals whether an address has an account: %s\n%s", wrong, unknown)
	}
	e.post("/admin/sign-in", "email", "ADA@gazette.example", "password", "four random words here", "next", "/admin/articles")
	if e.at != "/admin/articles" {
		t.Errorf("signing in leads to %s", e.at)
	}
	for _, next := range []string{"https://evil.example/", "//evil.example", "/admin//evil.example", `/admin/\evil.example`, "/admin/../x", ""} {
		e.post("/admin/sign-out")
		if e.post("/admin/sign-in", "email", "ada@gazette.example", "password", "four random words here", "next", next); e.at != "/admin/" {
			t.Errorf("next %q leads to %s", next, e.at)
		}
	}
}

func TestPasswordGuessesAreThrottled(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	s.owner()
	e := s.visitor()
	for range 10 {
		if e.post("/admin/sign-in", "email", "ada@gazette.example", "password", "a wrong guess"); e.code != http.StatusUnauthorized {
			t.Fatalf("a wrong guess is answered %d", e.code)
		}
	}
	if e.post("/admin/sign-in", "email", "ada@gazette.example", "password", "four random words here"); e.code != http.StatusTooManyRequests {
		t.Errorf("the eleventh guess is answered %d", e.code)
	}
}

func TestCrossSiteRequestIsRefused(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	s.addSubscribers(1)
	e := s.owner()
	form := strings.NewReader(url.Values{"sure": {"weekly"}}.Encode())
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/admin/digests/weekly/send", form)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", "https://evil.example")
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	body := e.read(e.client.Do(r))
	if e.code != http.StatusForbidden || !strings.Contains(body, "Request from another site") {
		t.Errorf("answered %d: %s", e.code, body)
	}
	if all, err := s.Store.Editions(t.Context(), "", 1); err != nil || len(all) != 0 {
		t.Errorf("editions %+v, %v", all, err)
	}
}

func TestCookieAttributesAndContentPolicy(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	link, err := s.FirstOwnerLink(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := client.PostForm(link, url.Values{"email": {"ada@gazette.example"}, "password": {"four random words here"}})
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	cookies := answer.Cookies()
	if len(cookies) != 2 || cookies[0].SameSite != http.SameSiteLaxMode || cookies[1].SameSite != http.SameSiteLaxMode {
		t.Fatalf("cookies %v", cookies)
	}
	for _, cookie := range cookies {
		if !cookie.HttpOnly || cookie.Path != "/admin/" || cookie.Domain != "" {
			t.Errorf("cookie %v", cookie)
		}
	}
	policy := answer.Header.Get("Content-Security-Policy")
	for _, part := range []string{"default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "form-action 'self'"} {
		if !strings.Contains(policy, part) {
			t.Errorf("the policy %q lacks %q", policy, part)
		}
	}
	if strings.Contains(policy, "unsafe") {
		t.Errorf("the policy %q allows inline code", policy)
	}
}

func TestOneTimeLinkWorksOnce(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	early, err := s.FirstOwnerLink(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	e := s.visitor()
	path := strings.TrimPrefix(early, s.url)
	for _, form := range [][]string{
		{"email", "ada@gazette.example", "password", "short"},
		{"email", "not an address", "password", "four random words here"},
		{"email", "ada@gazette.example", "password", "aaaaaaaaaaaa"},
		{"email", "ada@gazette.example", "password", "ada@gazette.example"},
		{"email", "ada@gazette.example", "password", "TheHarbourGazette"},
		{"email", "ada@gazette.example", "password", "Password1234!"},
	} {
		if e.post(path, form...); e.code != http.StatusUnprocessableEntity {
			t.Errorf("%q is answered %d", form, e.code)
		}
	}
	owner := s.owner() // by a later link
	if e.get(path); e.code != http.StatusGone {
		t.Errorf("an owner's link still answers %d when there is an owner", e.code)
	}
	if link, err := s.FirstOwnerLink(t.Context()); link != "" || err != nil {
		t.Errorf("there is another owner's link: %q, %v", link, err)
	}
	invite, err := admin.InviteLink(t.Context(), s.Store, s.url, admin.Invitation{})
	if err != nil {
		t.Fatal(err)
	}
	path = strings.TrimPrefix(invite, s.url)
	if e.post(path, "email", "ADA@gazette.example", "password", "four random words here"); e.code != http.StatusUnprocessableEntity {
		t.Errorf("an address that is taken is answered %d", e.code)
	}
	if e.post(path, "email", "bob@gazette.example", "password", "four random words here"); e.at != "/admin/" {
		t.Errorf("the invitation leads to %s", e.at)
	}
	if e.get(path); e.code != http.StatusGone {
		t.Errorf("the invitation answers %d after its use", e.code)
	}
	if e.post("/admin/account/invite"); e.code != http.StatusForbidden {
		t.Errorf("an editor who is no owner invites: %d", e.code)
	}
	if body := owner.post("/admin/account/invite"); owner.code != http.StatusOK || !strings.Contains(body, s.url+"/admin/welcome/") {
		t.Errorf("an owner cannot invite: %d", owner.code)
	}
}

func TestPasswordChangeSignsOutOtherBrowsers(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	here, there := s.owner(), s.visitor()
	there.post("/admin/sign-in", "email", "ada@gazette.example", "password", "four random words here")
	if here.post("/admin/account/password", "current", "a wrong one here", "password", "five other random words"); here.code != http.StatusUnprocessableEntity {
		t.Errorf("a wrong present password is answered %d", here.code)
	}
	if body := here.post("/admin/account/password", "current", "four random words here", "password", "five other random words"); !strings.Contains(body, "Your password was changed") {
		t.Errorf("not changed: %s", body)
	}
	if there.get("/admin/"); there.at != "/admin/sign-in" {
		t.Errorf("the other browser is still at %s", there.at)
	}
	if there.post("/admin/sign-in", "email", "ada@gazette.example", "password", "five other random words"); there.at != "/admin/" {
		t.Errorf("the new password leads to %s", there.at)
	}
}

func TestDisabledEditorIsSignedOut(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	e := s.owner()
	ada, err := s.Store.EditorByEmail(t.Context(), "ada@gazette.example")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(ada.Password, "$argon2id$v=19$m=") {
		t.Errorf("the password is kept as %.40s", ada.Password)
	}
	ada.Disabled = time.Now()
	if err := s.Store.UpdateEditor(t.Context(), ada, ""); err != nil {
		t.Fatal(err)
	}
	if e.get("/admin/"); e.at == "/admin/" {
		t.Error("a disabled editor still sees the dashboard")
	}
	if e.post("/admin/sign-in", "email", "ada@gazette.example", "password", "four random words here"); e.code != http.StatusUnauthorized && e.code != http.StatusNotFound {
		t.Errorf("a disabled editor signs in: %d", e.code)
	}
}

func TestOwnerResetsPasswordsAndDisablesEditors(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	s := startSite(t)
	owner, bob := s.owner(), s.visitor()
	invite, err := admin.InviteLink(t.Context(), s.Store, s.url, admin.Invitation{})
	if err != nil {
		t.Fatal(err)
	}
	bob.post(strings.TrimPrefix(invite, s.url), "email", "bob@gazette.example", "password", "four random words here")
	if bob.post("/admin/editors/1/reset"); bob.code != http.StatusForbidden {
		t.Errorf("an editor resets the owner's password: %d", bob.code)
	}
	if bob.post("/admin/editors/1/access"); bob.code != http.StatusForbidden {
		t.Errorf("an editor disables the owner: %d", bob.code)
	}
	if owner.post("/admin/editors/1/access"); owner.code != http.StatusNotFound {
		t.Errorf("the owner disables their own account: %d", owner.code)
	}
	page := owner.post("/admin/editors/2/reset")
	_, rest, _ := strings.Cut(page, s.url+"/admin/welcome/")
	token, _, _ := strings.Cut(rest, `"`)
	owner.want(page, "New password for bob@gazette.example")
	again := s.visitor()
	again.want(again.get("/admin/welcome/"+token), "Choose a new password for bob@gazette.example")
	again.post("/admin/welcome/"+token, "email", "ada@gazette.example", "password", "five other random words")
	again.want(again.get("/admin/account"), "bob@gazette.example")
	if bob.get("/admin/"); bob.at != "/admin/sign-in" {
		t.Errorf("with the old password the other browser is at %s", bob.at)
	}
	if again.get("/admin/welcome/" + token); again.code != http.StatusGone {
		t.Errorf("the link answers %d after its use", again.code)
	}
	if again.post("/admin/editors/1/sign-in-methods"); again.code != http.StatusForbidden {
		t.Errorf("an editor removes the owner's sign-in methods: %d", again.code)
	}
	if owner.post("/admin/editors/1/sign-in-methods"); owner.code != http.StatusNotFound {
		t.Errorf("the owner removes their own sign-in methods here: %d", owner.code)
	}
	if err := s.Store.AddPasskey(t.Context(), store.Passkey{ID: "key", Editor: 2, Name: "Phone"}); err != nil {
		t.Fatal(err)
	}
	owner.want(owner.post("/admin/editors/2/sign-in-methods"), "New password for bob@gazette.example", s.url+"/admin/welcome/")
	if keys, err := s.Store.Passkeys(t.Context(), 2); err != nil || len(keys) > 0 {
		t.Errorf("after the removal: %+v, %v", keys, err)
	}
	if again.get("/admin/"); again.at != "/admin/sign-in" {
		t.Errorf("after the removal the editor is at %s", again.at)
	}
	s.mailTo("bob@gazette.example", "Your sign-in methods were removed")
	owner.want(owner.get("/admin/audit"), "people.sign-in-methods")
	owner.want(owner.post("/admin/editors/2/access"), "This editor was disabled", ">Enable<")
	if again.get("/admin/"); again.at != "/admin/sign-in" {
		t.Errorf("the disabled editor is at %s", again.at)
	}
	if again.post("/admin/sign-in", "email", "bob@gazette.example", "password", "five other random words"); again.code != http.StatusUnauthorized {
		t.Errorf("the disabled editor signs in: %d", again.code)
	}
	owner.want(owner.post("/admin/editors/2/access"), "This editor can sign in again")
	if again.post("/admin/sign-in", "email", "bob@gazette.example", "password", "five other random words"); again.at != "/admin/" {
		t.Errorf("the enabled editor is at %s", again.at)
	}
}
