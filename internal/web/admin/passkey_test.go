package admin_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/testkit"
)

func TestPasskeySignsInWithoutPasswordAndCode(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	s := startSite(t, host("localhost"))
	ada := s.owner()
	ada.turnOnSecondFactor()
	laptop, phone := newDevice(t, s.url), newDevice(t, s.url)
	phone.flags &^= backupEligible | backedUp
	ada.register(laptop, "Laptop")
	ada.register(phone, "Phone")
	ada.want(ada.get("/admin/account"), "Laptop", "Phone", "on one device", "not yet")
	e := s.visitor()
	e.want(e.get("/admin/sign-in"), `data-passkey="get"`, "Sign in with a passkey")
	for _, d := range []*device{laptop, phone} {
		e = s.visitor()
		if e.signInWith(d); e.at != "/admin/account" || e.code != http.StatusOK {
			t.Fatalf("%s, %d\n%s", e.at, e.code, e.body)
		}
	}
	keys, err := s.Store.Passkeys(t.Context(), 1)
	if err != nil || len(keys) != 2 || keys[0].Used.IsZero() || keys[1].Used.IsZero() {
		t.Errorf("%+v, %v", keys, err)
	}
	s.eventually("mails about the passkeys", func() bool { return s.inbox.Received()["ada@gazette.example"] >= 2 })
}

func TestPasskeyIsRefused(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	s := startSite(t, host("localhost"))
	ada := s.owner()
	good := newDevice(t, s.url)
	ada.register(good, "Laptop")
	for name, change := range map[string]func(*device){
		"of another origin":         func(d *device) { d.origin = "http://localhost.example" },
		"of another port":           func(d *device) { d.origin = "http://localhost:1" },
		"of another site":           func(d *device) { d.party = "elsewhere.example" },
		"without user verification": func(d *device) { d.flags &^= userVerified },
		"with another key":          func(d *device) { d.key = newDevice(t, s.url).key },
		"that is not known":         func(d *device) { d.id = []byte("another") },
		"of another user":           func(d *device) { d.handle = []byte("another") },
		"without a user":            func(d *device) { d.handle = nil },
		"that became unsynced":      func(d *device) { d.flags &^= backupEligible | backedUp },
		"with an old counter":       func(d *device) { d.counter -= 5 },
	} {
		e := s.visitor()
		good.counter += 10
		e.signInWith(good)
		if e.at != "/admin/account" {
			t.Fatalf("the right passkey: %s, %d\n%s", e.at, e.code, e.body)
		}
		bad := *good
		change(&bad)
		e = s.visitor()
		e.signInWith(&bad)
		if e.code != http.StatusUnauthorized || e.at == "/admin/account" || !strings.Contains(e.body, "passkey") {
			t.Errorf("a passkey %s: %s, %d\n%s", name, e.at, e.code, e.body)
		}
		if e.get("/admin/account"); e.at != "/admin/sign-in" {
			t.Errorf("a passkey %s signs in", name)
		}
	}
}

func TestPasskeyAnswerIsUsedOnce(t *testing.T) {
	t.Parallel()
	s := startSite(t, host("localhost"))
	ada := s.owner()
	d := newDevice(t, s.url)
	ada.register(d, "Laptop")
	e := s.visitor()
	token, options := e.askToSignIn()
	answer := d.get(options)
	for i, want := range []int{http.StatusOK, http.StatusUnauthorized} {
		e := s.visitor()
		if e.post("/admin/sign-in/passkey", "token", token, "credential", answer); e.code != want {
			t.Errorf("use %d of an answer: %d", i+1, e.code)
		}
	}
	// An answer to one question does not fit another, nor does a question for another purpose.
	other, _ := e.askToSignIn()
	if e.post("/admin/sign-in/passkey", "token", other, "credential", d.get(options)); e.code != http.StatusUnauthorized {
		t.Errorf("an answer to another question: %d", e.code)
	}
	ada.post("/admin/account/passkeys/new")
	if e.post("/admin/sign-in/passkey", "token", ada.hidden("token"), "credential", d.get(ada.options())); e.code != http.StatusUnauthorized {
		t.Errorf("the question for a new passkey signs in: %d", e.code)
	}
	for _, answer := range []string{"", "{}", "no JSON", strings.Repeat("x", 70<<10)} {
		token, _ := e.askToSignIn()
		if e.post("/admin/sign-in/passkey", "token", token, "credential", answer); e.code != http.StatusUnauthorized {
			t.Errorf("%.20q: %d", answer, e.code)
		}
	}
}

func TestPasskeyOfDisabledEditorIsRefused(t *testing.T) {
	t.Parallel()
	s := startSite(t, host("localhost"))
	s.owner()
	bob := s.editorWith(t, "bob@gazette.example")
	d := newDevice(t, s.url)
	bob.register(d, "Laptop")
	found, err := s.Store.EditorByEmail(t.Context(), "bob@gazette.example")
	if err != nil {
		t.Fatal(err)
	}
	found.Disabled = s.Store.Now()
	if err := s.Store.UpdateEditor(t.Context(), found, ""); err != nil {
		t.Fatal(err)
	}
	e := s.visitor()
	if e.signInWith(d); e.code != http.StatusUnauthorized {
		t.Errorf("%s, %d", e.at, e.code)
	}
}

// editorWith accepts an invitation to an address and returns the client of the new editor.
func (s *site) editorWith(t *testing.T, address string) *editor {
	t.Helper()
	e := s.visitor()
	e.post(strings.TrimPrefix(s.invite(address), s.url), "name", "Bob", "password", adaPassword)
	if e.at != "/admin/" {
		t.Fatalf("the invitation leads to %s, %d\n%s", e.at, e.code, e.body)
	}
	return e
}

func TestPasskeyProvesIdentity(t *testing.T) {
	t.Parallel()
	s := startSite(t, host("localhost"))
	ada := s.owner()
	bob := s.editorWith(t, "bob@gazette.example")
	mine, theirs := newDevice(t, s.url), newDevice(t, s.url)
	ada.register(mine, "Laptop")
	bob.register(theirs, "Phone")
	keys, err := s.Store.Passkeys(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	remove := "/admin/account/passkeys/" + keys[0].ID + "/remove"
	rename := "/admin/account/passkeys/" + keys[0].ID + "/rename"
	ada.want(ada.post(rename, "name", " The <old> laptop "), "The passkey was renamed.", "The &lt;old&gt; laptop")
	if ada.post(rename, "name", " "); ada.code != http.StatusUnprocessableEntity {
		t.Errorf("a passkey without a name: %d", ada.code)
	}
	if bob.post(rename, "name", "Mine"); bob.code != http.StatusNotFound {
		t.Errorf("another editor renames it: %d", bob.code)
	}
	s.forgetProofs(t)
	ada.want(ada.post(remove), "Continue with a passkey", "Continue with your password")
	if ada.post(remove, "proof_token", ada.hidden("proof_token"), "proof_passkey", theirs.get(ada.options())); ada.code != http.StatusUnauthorized {
		t.Errorf("another editor's passkey: %d", ada.code)
	}
	token, options := ada.hidden("proof_token"), ada.options()
	if bob.post(remove, "proof_token", token, "proof_passkey", mine.get(options)); bob.code != http.StatusUnauthorized {
		t.Errorf("another editor's question: %d", bob.code)
	}
	ada.post(remove)
	ada.post(remove, "proof_token", ada.hidden("proof_token"), "proof_passkey", mine.get(ada.options()))
	if ada.at != "/admin/account" || ada.code != http.StatusOK {
		t.Fatalf("%s, %d\n%s", ada.at, ada.code, ada.body)
	}
	ada.want(ada.body, "The passkey was removed")
	e := s.visitor()
	if e.signInWith(mine); e.code != http.StatusUnauthorized {
		t.Errorf("a removed passkey: %s, %d", e.at, e.code)
	}
}

// forgetProofs makes all editors sign in too long ago to prove who they are.
func (s *site) forgetProofs(t *testing.T) {
	t.Helper()
	if _, err := s.Store.DB().ExecContext(t.Context(), "UPDATE sessions SET proved = $1", time.Now().Add(-time.Hour).UnixMilli()); err != nil {
		t.Fatal(err)
	}
}

func TestPasskeyIsNotAdded(t *testing.T) {
	t.Parallel()
	s := startSite(t, host("localhost"))
	ada := s.owner()
	bob := s.editorWith(t, "bob@gazette.example")
	ada.post("/admin/account/passkeys/new")
	token, options := ada.hidden("token"), ada.options()
	if bob.post("/admin/account/passkeys", "token", token, "credential", newDevice(t, s.url).create(options)); bob.code != http.StatusUnprocessableEntity {
		t.Errorf("another editor's question: %d", bob.code)
	}
	for name, change := range map[string]func(*device){
		"of another origin":         func(d *device) { d.origin = "http://elsewhere.example" },
		"without user verification": func(d *device) { d.flags &^= userVerified },
		"of another site":           func(d *device) { d.party = "elsewhere.example" },
	} {
		d := newDevice(t, s.url)
		change(d)
		ada.post("/admin/account/passkeys/new")
		if ada.post("/admin/account/passkeys", "token", ada.hidden("token"), "credential", d.create(ada.options()), "name", "x"); ada.code != http.StatusUnprocessableEntity {
			t.Errorf("a passkey %s: %d", name, ada.code)
		}
	}
	if keys, err := s.Store.Passkeys(t.Context(), 1); len(keys) > 0 || err != nil {
		t.Errorf("%v, %v", keys, err)
	}
	s.forgetProofs(t)
	ada.want(ada.post("/admin/account/passkeys/new"), "Confirm that it is you")
}

// TestPasskeysUseApprovedAlgorithms looks at what a browser is asked when a passkey is added: the algorithms
// (RFC 8812, RFC 9053), and a new challenge each time.
func TestPasskeysUseApprovedAlgorithms(t *testing.T) {
	t.Parallel()
	s := startSite(t, host("localhost"))
	ada := s.owner()
	approved := map[int]string{-7: "ES256", -8: "EdDSA", -35: "ES384", -36: "ES512", -37: "PS256", -38: "PS384", -39: "PS512", -257: "RS256", -258: "RS384", -259: "RS512"}
	seen := map[string]bool{}
	for range 5 {
		ada.post("/admin/account/passkeys/new")
		var asked struct {
			Challenge        string
			PubKeyCredParams []struct{ Alg int }
		}
		if err := json.Unmarshal([]byte(ada.options()), &asked); err != nil || len(asked.PubKeyCredParams) == 0 {
			t.Fatalf("%v\n%s", err, ada.options())
		}
		for _, one := range asked.PubKeyCredParams {
			if approved[one.Alg] == "" {
				t.Errorf("the algorithm %d is not approved", one.Alg)
			}
		}
		if challenge, err := base64.RawURLEncoding.DecodeString(asked.Challenge); err != nil || len(challenge) < 16 {
			t.Errorf("the challenge %q has %d bytes, %v", asked.Challenge, len(challenge), err)
		}
		seen[asked.Challenge] = true
	}
	if len(seen) != 5 {
		t.Errorf("five questions have %d challenges", len(seen))
	}
}

func TestPasskeysNeedHostName(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	ada := s.owner()
	ada.want(ada.get("/admin/account"), "only on a site with a host name")
	for _, path := range []string{"/admin/sign-in/options", "/admin/sign-in/passkey", "/admin/account/passkeys/new", "/admin/account/passkeys"} {
		if ada.post(path); ada.code != http.StatusNotFound {
			t.Errorf("%s: %d", path, ada.code)
		}
	}
	if e := s.visitor(); strings.Contains(e.get("/admin/sign-in"), "passkey\"") {
		t.Error("the sign-in page offers passkeys")
	}
}

func TestSignInMethodsAreRemovedByReset(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	s := startSite(t, host("localhost"))
	ada := s.owner()
	d := newDevice(t, s.url)
	ada.register(d, "Laptop")
	if err := s.RemoveSignInMethods(t.Context(), adaEmail); err != nil {
		t.Fatal(err)
	}
	if ada.get("/admin/account"); ada.at != "/admin/sign-in" {
		t.Errorf("the session goes on: %s", ada.at)
	}
	e := s.visitor()
	if e.signInWith(d); e.code != http.StatusUnauthorized {
		t.Errorf("the passkey signs in: %d", e.code)
	}
	s.wantMail(adaEmail, "Your sign-in methods were removed")
	if err := s.RemoveSignInMethods(t.Context(), "nobody@gazette.example"); err == nil {
		t.Error("an unknown address is accepted")
	}
}
