package admin_test

import (
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit"
)

func TestProviderSignsInEditorWithVerifiedAddress(t *testing.T) {
	t.Parallel()
	p := startFakeProvider(t)
	s := startSite(t, p.config(""))
	e := s.owner()
	e.post("/admin/sign-out")
	e.want(e.get("/admin/sign-in"), "Sign in with Example Login")
	e.through(p, nil)
	if e.at != "/admin/account" || e.code != http.StatusOK {
		t.Fatalf("%s, %d\n%s", e.at, e.code, e.body)
	}
	// From then on the account counts, whatever its address.
	e = s.visitor()
	if e.through(p, func(c map[string]any) { c["email"] = "new@elsewhere.example" }); e.at != "/admin/account" {
		t.Errorf("with another address: %s, %d", e.at, e.code)
	}
	found, err := s.Store.Identities(t.Context(), 1)
	if err != nil || len(found) != 1 || found[0].Email != "new@elsewhere.example" {
		t.Errorf("%+v, %v", found, err)
	}
	e.post("/admin/sign-out")
	if e.get("/admin/account"); e.at != "/admin/sign-in" {
		t.Errorf("after signing out: %s", e.at)
	}
	s.eventually("a mail about the new way to sign in", func() bool { return s.inbox.Received()[adaEmail] >= 1 })
}

// TestProviderIsLinkedOnlyWhereEditorSignedIn covers an editor who took the address of someone else.
func TestProviderIsLinkedOnlyWhereEditorSignedIn(t *testing.T) {
	t.Parallel()
	p := startFakeProvider(t)
	s := startSite(t, p.config(""))
	s.owner()
	eve, boss := s.bob(), s.visitor()
	claimed, err := s.Store.EditorByEmail(t.Context(), bobEmail)
	if err != nil {
		t.Fatal(err)
	}
	token, err := s.Store.CreateLink(t.Context(), store.Link{Purpose: store.AddressLink, Editor: claimed.ID, Email: "boss@gazette.example"}, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	eve.post("/admin/address/" + token)
	asBoss := func(c map[string]any) { c["email"], c["sub"] = "boss@gazette.example", "subject of boss" }
	if boss.through(p, asBoss); boss.code != http.StatusUnauthorized || !strings.Contains(boss.body, "is not linked to Example Login yet") {
		t.Errorf("in another browser: %d at %s", boss.code, boss.at)
	}
	if found, err := s.Store.Identities(t.Context(), 2); len(found) != 0 || err != nil {
		t.Errorf("linked: %+v, %v", found, err)
	}
	if eve.through(p, asBoss); eve.at != "/admin/account" {
		t.Errorf("in the editor's own browser: %d at %s", eve.code, eve.at)
	}
}

func TestProviderIsRefused(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	p, other := startFakeProvider(t), startFakeProvider(t)
	s := startSite(t, p.config(", allowed_domains: [gazette.example]"))
	s.owner()
	for name, change := range map[string]func(map[string]any){
		"for another sign-in":           func(c map[string]any) { c["nonce"] = "another" },
		"without a nonce":               func(c map[string]any) { delete(c, "nonce") },
		"for another site":              func(c map[string]any) { c["aud"] = "elsewhere" },
		"that has expired":              func(c map[string]any) { c["exp"] = time.Now().Add(-time.Hour).Unix() },
		"with an unverified address":    func(c map[string]any) { c["email_verified"] = false },
		"that says nothing about it":    func(c map[string]any) { delete(c, "email_verified") },
		"without an address":            func(c map[string]any) { delete(c, "email") },
		"without a subject":             func(c map[string]any) { delete(c, "sub") },
		"of another issuer":             func(c map[string]any) { c["iss"] = other.url },
		"of a domain not allowed":       func(c map[string]any) { c["email"] = "ada@elsewhere.example" },
		"of an address like a domain":   func(c map[string]any) { c["email"] = "ada@x@gazette.example.evil.example" },
		"of someone without an account": func(c map[string]any) { c["email"] = "eve@gazette.example" },
	} {
		e := s.visitor()
		if e.through(p, change); e.code != http.StatusUnauthorized || !strings.Contains(e.body, `class="problem"`) {
			t.Errorf("a token %s: %d at %s\n%s", name, e.code, e.at, e.body)
		}
		if e.get("/admin/account"); e.at != "/admin/sign-in" {
			t.Errorf("a token %s signs in", name)
		}
	}
	e := s.visitor()
	state := e.ask(p, "/admin/sign-in/provider", nil)
	p.key = other.key // the keys that the site read are the provider's own
	if e.get("/admin/sign-in/provider?code=the+code&state=" + state); e.code != http.StatusUnauthorized && e.at != "/admin/account" {
		t.Errorf("with changed keys: %d at %s", e.code, e.at)
	}
	if found, err := s.Store.Editors(t.Context()); err != nil || len(found) != 1 {
		t.Errorf("editors: %v, %v", found, err)
	}
}

func TestProviderResponseIsUsedOnceInItsBrowser(t *testing.T) {
	t.Parallel()
	p := startFakeProvider(t)
	s := startSite(t, p.config(""))
	e, thief := s.owner(), s.visitor()
	state := e.ask(p, "/admin/sign-in/provider", nil)
	response := "/admin/sign-in/provider?code=the+code&state=" + state
	if thief.get(response); thief.code != http.StatusUnauthorized {
		t.Errorf("in another browser: %d", thief.code)
	}
	for name, query := range map[string]string{
		"of another issuer":  "code=the+code&iss=https://elsewhere.example&state=STATE",
		"with an error":      "error=access_denied&state=STATE",
		"with another code":  "code=x&state=STATE",
		"without a state":    "code=the+code",
		"with a wrong state": "code=the+code&state=x",
	} {
		e := s.visitor()
		state := e.ask(p, "/admin/sign-in/provider", nil)
		if e.get("/admin/sign-in/provider?" + strings.Replace(query, "STATE", state, 1)); e.code != http.StatusUnauthorized {
			t.Errorf("a response %s: %d at %s", name, e.code, e.at)
		}
	}
	state = e.ask(p, "/admin/sign-in/provider", nil)
	response = "/admin/sign-in/provider?code=the+code&state=" + state
	if e.get(response); e.at != "/admin/account" {
		t.Fatalf("the response: %d at %s\n%s", e.code, e.at, e.body)
	}
	if e.get(response); e.code != http.StatusUnauthorized {
		t.Errorf("a second time: %d", e.code)
	}
}

func TestProviderCreatesInvitedEditorsOnly(t *testing.T) {
	t.Parallel()
	p := startFakeProvider(t)
	s := startSite(t, p.config(""))
	s.owner()
	bob := func(c map[string]any) { c["email"], c["sub"] = "bob@gazette.example", "subject of bob" }
	e := s.visitor()
	if e.through(p, bob); e.code != http.StatusUnauthorized {
		t.Errorf("without an invitation: %d", e.code)
	}
	s.invite("")
	if e.through(p, bob); e.code != http.StatusUnauthorized {
		t.Errorf("with an invitation for anyone: %d", e.code)
	}
	s.invite("bob@gazette.example")
	if e.through(p, bob); e.at != "/admin/account" {
		t.Fatalf("with an invitation: %d at %s\n%s", e.code, e.at, e.body)
	}
	found, err := s.Store.EditorByEmail(t.Context(), "bob@gazette.example")
	if err != nil || found.Role != store.EditorRole || found.Password != "" || found.Name != "Ada L." {
		t.Fatalf("%+v, %v", found, err)
	}
	found.Disabled = s.Store.Now()
	if err := s.Store.UpdateEditor(t.Context(), found, ""); err != nil {
		t.Fatal(err)
	}
	if e.through(p, bob); e.code != http.StatusUnauthorized {
		t.Errorf("a disabled editor: %d", e.code)
	}
}

func TestProviderSignInAsksForCodeOfSecondFactor(t *testing.T) {
	t.Parallel()
	p := startFakeProvider(t)
	s := startSite(t, p.config(""))
	e := s.owner()
	e.turnOnSecondFactor()
	e.through(p, nil)
	e.want(e.body, "Enter your code")
}

func TestProviderProvesIdentity(t *testing.T) {
	t.Parallel()
	p := startFakeProvider(t)
	s := startSite(t, p.config(""))
	ada := s.owner()
	ada.through(p, nil)
	s.forgetProofs(t)
	ada.want(ada.post("/admin/account/factor"), "Confirm at Example Login")
	prove := func(change func(map[string]any)) {
		state := ada.ask(p, "/admin/account/provider", change)
		if query := ada.link().Query(); query.Get("prompt") != "login" || query.Get("max_age") != "0" {
			t.Errorf("the provider is not asked to sign the editor in again: %v", query)
		}
		ada.get("/admin/sign-in/provider?code=the+code&state=" + state)
	}
	prove(func(c map[string]any) { c["sub"] = "someone else" })
	if ada.code != http.StatusUnprocessableEntity {
		t.Errorf("another account: %d", ada.code)
	}
	prove(func(c map[string]any) { c["auth_time"] = time.Now().Add(-time.Hour).Unix() })
	if ada.code != http.StatusUnprocessableEntity {
		t.Errorf("an old sign-in: %d", ada.code)
	}
	ada.want(ada.post("/admin/account/factor"), "Confirm that it is you")
	prove(func(c map[string]any) { c["auth_time"] = time.Now().Unix() })
	ada.want(ada.body, "Your identity is confirmed")
	ada.want(ada.post("/admin/account/factor"), "Code that the app shows")
}

func TestPasswordIsOffOnceOwnerHasAnotherWay(t *testing.T) {
	t.Parallel()
	p := startFakeProvider(t)
	s := startSite(t, with("admin: {sign_in: {password: false, oidc: {issuer: \""+p.url+"\", client_id: tidings, client_secret: secret}}}\n"))
	s.owner()
	e := s.visitor()
	if e.post("/admin/sign-in", "email", adaEmail, "password", adaPassword); e.at != "/admin/" {
		t.Fatalf("before an owner has another way: %d at %s", e.code, e.at)
	}
	if e.through(p, nil); e.at != "/admin/account" {
		t.Fatalf("%d at %s\n%s", e.code, e.at, e.body)
	}
	e = s.visitor()
	if strings.Contains(e.get("/admin/sign-in"), `type="password"`) {
		t.Error("the sign-in page asks for a password")
	}
	for _, path := range []string{"/admin/sign-in", "/admin/forgotten"} {
		if e.post(path, "email", adaEmail, "password", adaPassword); e.code != http.StatusForbidden {
			t.Errorf("%s: %d", path, e.code)
		}
	}
	if err := s.RemoveSignInMethods(t.Context(), adaEmail); err != nil {
		t.Fatal(err)
	}
	if e.post("/admin/sign-in", "email", adaEmail, "password", adaPassword); e.at != "/admin/" {
		t.Errorf("after the reset of the owner: %d at %s", e.code, e.at)
	}
}

// TestDexSignsInEditor signs in at a provider that others wrote.
func TestDexSignsInEditor(t *testing.T) {
	testkit.Slow(t) // starts dex
	t.Parallel()
	s := startSite(t)
	e := s.owner()
	s.bob()
	if _, err := s.Store.SetRole(t.Context(), 2, store.OwnerRole); err != nil { // so that the first may lose the role
		t.Fatal(err)
	}
	dex := testkit.StartDex(t, s.url+"/admin/sign-in/provider", adaEmail)
	s.stop()
	c := *s.Config
	c.Admin.SignIn.OIDC.Issuer, c.Admin.SignIn.OIDC.ClientID, c.Admin.SignIn.OIDC.Label = dex.Issuer, dex.ClientID, "dex"
	c.Admin.SignIn.OIDC.ClientSecret = "a-secret-of-the-client"
	c.Admin.SignIn.OIDC.Roles.Editor, c.Admin.SignIn.OIDC.GroupsClaim, c.Admin.SignIn.OIDC.Scopes = []string{"newsroom"}, "groups", []string{"groups"}
	s.start(&c)
	e.post("/admin/sign-in/provider", "next", "/admin/account")
	answer, err := e.client.Get(e.link().String())
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(answer.Body)
	_ = answer.Body.Close()
	form := regexp.MustCompile(`action="([^"]*)"`).FindSubmatch(body)
	if err != nil || form == nil {
		t.Fatalf("the page of dex: %v\n%s", err, body)
	}
	target, err := answer.Request.URL.Parse(strings.ReplaceAll(string(form[1]), "&amp;", "&"))
	if err != nil {
		t.Fatal(err)
	}
	answer, err = e.client.PostForm(target.String(), url.Values{"login": {dex.Email}, "password": {dex.Password}})
	if e.read(answer, err); e.at != "/admin/account" || e.code != http.StatusOK {
		t.Fatalf("%d at %s\n%s", e.code, e.at, e.body)
	}
	found, err := s.Store.Identities(t.Context(), 1)
	if err != nil || len(found) != 1 || found[0].Issuer != dex.Issuer || found[0].Email != adaEmail {
		t.Errorf("%+v, %v", found, err)
	}
	s.wantRole(1, store.EditorRole) // of the group at dex
}
