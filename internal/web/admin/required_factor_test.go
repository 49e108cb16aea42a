package admin_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/internal/web/admin"
)

// requiring is a site on which some roles must use a second factor.
func requiring(roles string) siteOption {
	return with("admin: {sign_in: {second_factor: [" + roles + "]}}\n")
}

// The routes that are open to an editor who must use a second factor, by hand: with none set up, and with
// one that was not used yet.
var (
	openForSetup = []string{
		"GET /admin/account/factor", "POST /admin/sign-out", "POST /admin/account/provider", "POST /admin/account/factor", "POST /admin/account/factor/confirm",
		"POST /admin/account/passkeys/new", "POST /admin/account/passkeys",
	}
	openForUse = []string{"GET /admin/account/factor", "POST /admin/sign-out", "POST /admin/account/factor/use"}
)

// TestRoutesAreClosedWithoutRequiredFactor asks for every route as each role, in sessions that began before
// the second factor was required: with none set up, with one that was begun, and with one that was not used.
func TestRoutesAreClosedWithoutRequiredFactor(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	s := startSite(t)
	s.owner() // so that there is one besides those below
	c := *s.Config
	c.Admin.SignIn.SecondFactor = []string{"editor", "owner"}
	h, err := admin.New(admin.Deps{Store: s.Store, Engine: s.newEngine(), Config: &c, Log: s.Log})
	if err != nil {
		t.Fatal(err)
	}
	stopped := func(w *httptest.ResponseRecorder) bool {
		return w.Code == http.StatusSeeOther && strings.HasPrefix(w.Header().Get("Location"), "/admin/account/factor?next=") ||
			w.Code == http.StatusForbidden && strings.Contains(w.Body.String(), "A second factor is needed")
	}
	check := func(what string, e *store.Editor, open []string) {
		t.Helper()
		for pattern, least := range h.Routes() {
			if least == "" || !e.Role.Includes(store.Role(least)) {
				continue
			}
			method, path := pathOf(pattern)
			want := open != nil && !slices.Contains(open, pattern)
			if w := s.as(h, e, method, path, nil); stopped(w) != want {
				t.Errorf("%s %s as %s, %s: stopped %t, want %t (%d %s)", method, path, e.Role, what, stopped(w), want, w.Code, w.Header().Get("Location"))
			}
		}
	}
	for _, role := range store.Roles {
		e := s.member(role)
		required := role.Includes(store.EditorRole)
		setup, use := openForSetup, openForUse
		if !required {
			setup, use = nil, nil
		}
		check("without a second factor", &e, setup)
		begin := func() { // again, since an open route removes it
			if err := s.Store.StartSecondFactor(t.Context(), e.ID, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"); err != nil {
				t.Fatal(err)
			}
		}
		begin()
		check("with one that is not confirmed", &e, setup)
		begin()
		if err := s.Store.ConfirmSecondFactor(t.Context(), e.ID, 1, nil, ""); err != nil {
			t.Fatal(err)
		}
		check("with one that was not used", &e, use)
	}
}

func TestRequiredFactorIsSetUpAfterSigningIn(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	s := startSite(t, requiring("owner"))
	link, err := s.FirstOwnerLink(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ada := s.visitor()
	ada.post(strings.TrimPrefix(link, s.url), "name", "Ada", "email", adaEmail, "password", adaPassword)
	ada.want(ada.body, "Your role needs a second factor besides the password", "Set up two-step sign-in")
	for _, path := range []string{"/admin/", "/admin/account", "/admin/subscribers", "/admin/nothing"} {
		if ada.get(path); ada.at != "/admin/account/factor" {
			t.Errorf("before, %s leads to %s", path, ada.at)
		}
	}
	if ada.post("/admin/digests/weekly/test"); ada.code != http.StatusForbidden {
		t.Errorf("before, a test mail is answered %d", ada.code)
	}
	secret, _ := ada.turnOnSecondFactor()
	if ada.get("/admin/"); ada.at != "/admin/" {
		t.Errorf("afterwards the owner is at %s", ada.at)
	}
	if ada.get("/admin/account/factor"); ada.at != "/admin/account" {
		t.Errorf("afterwards the page leads to %s", ada.at)
	}
	if ada.post("/admin/account/factor/remove"); ada.code != http.StatusConflict {
		t.Errorf("the only second factor is removed: %d at %s", ada.code, ada.at)
	}
	there := s.visitor()
	there.post("/admin/sign-in", "email", adaEmail, "password", adaPassword)
	there.post("/admin/sign-in/code", "token", there.hidden("token"), "code", code(t, secret, 30*time.Second))
	if there.at != "/admin/" {
		t.Errorf("password and code lead to %s, %d", there.at, there.code)
	}
	// Without the second factor, which the command line removed, the owner signs in again and sets up another one.
	if err := s.RemoveSecondFactor(t.Context(), adaEmail); err != nil {
		t.Fatal(err)
	}
	if ada.get("/admin/"); ada.at != "/admin/sign-in" {
		t.Errorf("after the removal the browser is still signed in, at %s", ada.at)
	}
	s.wantMail(adaEmail, "Two-step sign-in was turned off")
	ada.post("/admin/sign-in", "email", adaEmail, "password", adaPassword)
	if ada.want(ada.body, "Set up two-step sign-in"); ada.at != "/admin/account/factor" {
		t.Errorf("after the removal the owner is at %s", ada.at)
	}
	reset, err := s.PasswordLink(t.Context(), adaEmail)
	if err != nil {
		t.Fatal(err)
	}
	if there.post(strings.TrimPrefix(reset, s.url), "password", "five other random words"); there.at != "/admin/account/factor" {
		t.Errorf("a link for a new password leads to %s", there.at)
	}
	if bob := s.bob(); bob.at != "/admin/" { // an editor, of whom none is required
		t.Errorf("an editor is at %s", bob.at)
	}
}

func TestRequiredFactorMayBeAPasskey(t *testing.T) {
	t.Parallel()
	s := startSite(t, host("localhost"), requiring("owner, editor, writer, viewer"))
	link, err := s.FirstOwnerLink(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ada := s.visitor()
	ada.post(strings.TrimPrefix(link, s.url), "name", "Ada", "email", adaEmail, "password", adaPassword)
	ada.want(ada.body, "Add a passkey")
	d := newDevice(t, s.url)
	ada.register(d, "Laptop")
	if ada.get("/admin/"); ada.at != "/admin/" {
		t.Errorf("with a new passkey the owner is at %s", ada.at)
	}
	keys, err := s.Store.Passkeys(t.Context(), 1)
	if err != nil || len(keys) != 1 {
		t.Fatalf("%+v, %v", keys, err)
	}
	if ada.post("/admin/account/passkeys/" + keys[0].ID + "/remove"); ada.code != http.StatusConflict {
		t.Errorf("the only passkey is removed: %d at %s", ada.code, ada.at)
	}
	e := s.visitor()
	if e.signInWith(d); e.at != "/admin/account" {
		t.Errorf("the passkey alone leads to %s", e.at)
	}
	// The password alone asks for the passkey, and lets no other factor be set up.
	thief := s.visitor()
	thief.post("/admin/sign-in", "email", adaEmail, "password", adaPassword, "next", "/admin/articles")
	if thief.at != "/admin/account/factor" {
		t.Fatalf("the password alone leads to %s", thief.at)
	}
	token, options := thief.hidden("proof_token"), thief.options()
	for _, path := range []string{"/admin/account/factor", "/admin/account/passkeys/new"} {
		if thief.post(path); thief.code != http.StatusForbidden {
			t.Errorf("with the password alone %s is answered %d", path, thief.code)
		}
	}
	if thief.post("/admin/account/factor/use", "code", "000000"); thief.code == http.StatusOK {
		t.Errorf("a code without an app is answered %d", thief.code)
	}
	stranger := newDevice(t, s.url)
	if thief.post("/admin/account/factor/use", "proof_token", token, "proof_passkey", stranger.get(options)); thief.code != http.StatusUnauthorized {
		t.Errorf("another passkey is answered %d", thief.code)
	}
	thief.get("/admin/articles")
	thief.post("/admin/account/factor/use", "next", thief.hidden("next"), "proof_token", thief.hidden("proof_token"), "proof_passkey", d.get(thief.options()))
	if thief.at != "/admin/articles" || thief.code != http.StatusOK {
		t.Errorf("the passkey leads to %s, %d", thief.at, thief.code)
	}
}

func TestProviderVouchesForRequiredFactor(t *testing.T) {
	t.Parallel()
	p := startFakeProvider(t)
	s := startSite(t, with("admin: {sign_in: {second_factor: [owner], oidc: {issuer: \""+p.url+"\", client_id: tidings, client_secret: secret, label: Example Login}}}\n"))
	link, err := s.FirstOwnerLink(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ada := s.visitor()
	ada.post(strings.TrimPrefix(link, s.url), "name", "Ada", "email", adaEmail, "password", adaPassword)
	for _, one := range []struct {
		methods any
		at      string
	}{
		{nil, "/admin/account/factor"},
		{[]string{"pwd"}, "/admin/account/factor"},
		{"mfa", "/admin/account/factor"}, // no list, against the standard
		{[]string{"pwd", "mfa"}, "/admin/account"},
	} {
		if ada.through(p, func(c map[string]any) { c["amr"] = one.methods }); ada.at != one.at {
			t.Errorf("a provider that says %v leads to %s, want %s", one.methods, ada.at, one.at)
		}
	}
}

func TestLinkAloneDoesNotApproveForRequiredFactor(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	s := startSite(t)
	s.addSubscribers(1)
	s.owner()
	draft := s.startDrafting("manual")
	path := s.proofPath(adaEmail)
	c := *s.Config
	c.Admin.SignIn.SecondFactor = []string{"owner"}
	h, err := admin.New(admin.Deps{Store: s.Store, Engine: s.newEngine(), Config: &c, Log: s.Log})
	if err != nil {
		t.Fatal(err)
	}
	person := s.visitor()
	person.get(path)
	form := map[string][]string{"shown": {person.hidden("shown")}}
	if w := s.as(h, nil, http.MethodGet, path, nil); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "Sign in to approve") {
		t.Errorf("the page is answered %d\n%s", w.Code, w.Body)
	}
	ada, err := s.Store.EditorByEmail(t.Context(), adaEmail)
	if err != nil {
		t.Fatal(err)
	}
	for what, e := range map[string]*store.Editor{"without a session": nil, "in a session without the factor": &ada} {
		if w := s.as(h, e, http.MethodPost, path+"/approve", form); w.Code != http.StatusForbidden {
			t.Errorf("%s: approved with %d", what, w.Code)
		}
	}
	if now := s.state(draft.ID); now != digest.Draft {
		t.Errorf("the edition is %s", now)
	}
	token, err := s.Store.CreateSession(t.Context(), ada, "a browser", time.Hour)
	if err == nil {
		err = s.Store.SetSessionFactor(t.Context(), token, store.ProviderFactor)
	}
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, s.url+path+"/approve", strings.NewReader("shown="+form["shown"][0]))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.AddCookie(&http.Cookie{Name: "tidings", Value: token})
	w := httptest.NewRecorder()
	if h.ServeHTTP(w, r); w.Code != http.StatusOK || s.state(draft.ID) == digest.Draft {
		t.Errorf("in a session with the factor: %d, %s", w.Code, s.state(draft.ID))
	}
}

func TestFactorPageFitsPhone(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	s := startSite(t, host("localhost"), requiring("owner"))
	link, err := s.FirstOwnerLink(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	b := testkit.StartBrowser(t)
	b.Open(link)
	b.Type("[name=email]", adaEmail)
	b.Type("[name=password]", adaPassword)
	b.Click("button.main")
	b.WaitText("Your role needs a second factor besides the password")
	checkPage(t, b, "required-factor", s.url+"/admin/account/factor")
}
