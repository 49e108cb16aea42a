package admin_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"
)

// turnOnSecondFactor sets up an authenticator app and returns its secret and the recovery codes.
func (e *editor) turnOnSecondFactor() (secret string, recovery []string) {
	e.t.Helper()
	e.post("/admin/account/factor")
	found := regexp.MustCompile(`<code>([A-Z2-7 ]+)</code>`).FindStringSubmatch(e.body)
	if found == nil {
		e.t.Fatalf("no key on the page:\n%s", e.body)
	}
	secret = strings.ReplaceAll(found[1], " ", "")
	e.post("/admin/account/factor/confirm", "code", "000000")
	if e.code != http.StatusUnprocessableEntity || !strings.Contains(e.body, found[1]) {
		e.t.Errorf("a wrong code: %d\n%s", e.code, e.body)
	}
	e.post("/admin/account/factor/confirm", "code", code(e.t, secret, 0))
	if recovery = regexp.MustCompile(`\b[A-Z2-7]{5}-[A-Z2-7]{5}\b`).FindAllString(e.body, -1); len(recovery) != 10 {
		e.t.Fatalf("%d recovery codes:\n%s", len(recovery), e.body)
	}
	return secret, recovery
}

// code returns the code that an app shows at a time from now.
func code(t *testing.T, secret string, later time.Duration) string {
	t.Helper()
	out, err := totp.GenerateCode(secret, time.Now().Add(later))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestSignInAsksForCodeOfSecondFactor(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	secret, recovery := s.owner().turnOnSecondFactor()
	e := s.visitor()
	signIn := func() {
		e.post("/admin/sign-in", "email", "ada@gazette.example", "password", adaPassword, "next", "/admin/account")
		if e.code != http.StatusOK || !strings.Contains(e.body, "Enter your code") {
			t.Fatalf("%d\n%s", e.code, e.body)
		}
	}
	signIn()
	if e.get("/admin/account"); e.at != "/admin/sign-in" {
		t.Fatalf("the password alone opens %s", e.at)
	}
	signIn()
	token := e.hidden("token")
	e.get("/admin/welcome/" + token)
	if e.code != http.StatusGone {
		t.Errorf("the token of the code opens the page of a link: %d", e.code)
	}
	e.post("/admin/sign-in/code", "token", token, "next", "/admin/account", "code", "000000")
	if e.code != http.StatusUnauthorized {
		t.Errorf("a wrong code: %d", e.code)
	}
	right := code(t, secret, 30*time.Second)
	e.post("/admin/sign-in/code", "token", token, "next", "/admin/account", "code", right)
	if e.code != http.StatusOK || e.at != "/admin/account" {
		t.Fatalf("a right code leads to %s, %d\n%s", e.at, e.code, e.body)
	}
	e.want(e.body, "10 recovery codes are left", "this browser")
	// A code that someone saw does not work again, nor does the token.
	thief := s.visitor()
	thief.post("/admin/sign-in/code", "token", token, "next", "/admin/account", "code", code(t, secret, 30*time.Second))
	if thief.at == "/admin/account" {
		t.Error("the token works twice")
	}
	e.post("/admin/sign-out")
	signIn()
	e.post("/admin/sign-in/code", "token", e.hidden("token"), "next", "/admin/account", "code", right)
	if e.code != http.StatusUnauthorized {
		t.Errorf("a code works twice: %d", e.code)
	}
	signIn()
	e.post("/admin/sign-in/code", "token", e.hidden("token"), "next", "/admin/account", "code", strings.ToLower(recovery[0]))
	if e.at != "/admin/account" {
		t.Fatalf("a recovery code leads to %s, %d\n%s", e.at, e.code, e.body)
	}
	e.want(e.body, "9 recovery codes are left")
	e.post("/admin/account/factor/remove")
	e.want(e.body, "Two-step sign-in is off")
	e.post("/admin/sign-out")
	if e.post("/admin/sign-in", "email", "ada@gazette.example", "password", adaPassword); e.at != "/admin/" {
		t.Errorf("without a second factor the password leads to %s", e.at)
	}
}

func TestCodesCannotBeGuessed(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	secret, _ := s.owner().turnOnSecondFactor()
	e := s.visitor()
	e.post("/admin/sign-in", "email", "ada@gazette.example", "password", adaPassword)
	token := e.hidden("token")
	for range 5 {
		e.post("/admin/sign-in/code", "token", token, "code", "000000")
	}
	e.post("/admin/sign-in/code", "token", token, "code", code(t, secret, 0))
	if e.code != http.StatusTooManyRequests {
		t.Errorf("after five wrong codes: %d", e.code)
	}
}

func TestDangerousActsNeedRecentProof(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	e := s.owner()
	age := func() {
		if _, err := s.Store.DB().ExecContext(t.Context(), "UPDATE sessions SET proved = proved - 900000"); err != nil {
			t.Fatal(err)
		}
	}
	age()
	e.post("/admin/account/invite", "email", "bob@gazette.example", "role", "owner")
	e.want(e.body, "Confirm that it is you", `name="email" value="bob@gazette.example"`)
	if links, err := s.Store.Links(t.Context()); len(links) != 0 || err != nil {
		t.Fatalf("it was done without a proof: %v, %v", links, err)
	}
	e.post("/admin/account/invite", "email", "bob@gazette.example", "role", "owner", "proof_password", "a wrong password")
	if e.code != http.StatusUnprocessableEntity || !strings.Contains(e.body, "The password is wrong.") {
		t.Errorf("%d\n%s", e.code, e.body)
	}
	e.post("/admin/account/invite", "email", "bob@gazette.example", "role", "owner", "proof_password", adaPassword)
	e.want(e.body, "/admin/welcome/")
	e.post("/admin/account/invite", "email", "eve@gazette.example", "role", "editor")
	e.want(e.body, "/admin/welcome/") // the proof is recent
	// With a second factor, the password alone is no proof.
	secret, _ := e.turnOnSecondFactor()
	age()
	e.post("/admin/account/factor/remove", "proof_password", adaPassword)
	if e.code != http.StatusUnprocessableEntity {
		t.Errorf("without a code: %d", e.code)
	}
	e.post("/admin/account/factor/remove", "proof_password", adaPassword, "proof_code", code(t, secret, 30*time.Second))
	e.want(e.body, "Two-step sign-in is off")
}

func TestSignedInBrowsersAreListedAndSignedOut(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	here, there := s.owner(), s.visitor()
	there.post("/admin/sign-in", "email", "ada@gazette.example", "password", adaPassword)
	here.get("/admin/account")
	found := regexp.MustCompile(`action="(/admin/account/sessions/[0-9a-f]+)"`).FindAllStringSubmatch(here.body, -1)
	if len(found) != 1 {
		t.Fatalf("%d other browsers:\n%s", len(found), here.body)
	}
	here.post(found[0][1])
	here.want(here.body, "This browser was signed out.")
	if there.get("/admin/account"); there.at != "/admin/sign-in" {
		t.Errorf("the other browser still opens %s", there.at)
	}
	if here.get("/admin/account"); here.at != "/admin/account" {
		t.Errorf("this browser was signed out: %s", here.at)
	}
}
