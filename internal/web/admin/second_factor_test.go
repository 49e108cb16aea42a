package admin_test

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/tidings-press/tidings/internal/testkit"
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
	if recovery = regexp.MustCompile(`\b[A-Z2-7]{4}-[A-Z2-7]{4}-[A-Z2-7]{4}-[A-Z2-7]{4}\b`).FindAllString(e.body, -1); len(recovery) != 10 {
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

// codeOf computes a code by hand, as RFC 6238 has it: of HMAC-SHA-1, for steps of 30 seconds.
func codeOf(t *testing.T, secret string, at time.Time) string {
	t.Helper()
	key, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(secret)
	if err != nil || len(key) < 16 {
		t.Fatalf("a secret of %d bytes, %v", len(key), err)
	}
	mac := hmac.New(sha1.New, key)
	if err := binary.Write(mac, binary.BigEndian, at.Unix()/30); err != nil {
		t.Fatal(err)
	}
	sum := mac.Sum(nil)
	return fmt.Sprintf("%06d", binary.BigEndian.Uint32(sum[sum[19]&15:])&0x7fffffff%1_000_000)
}

// TestCodesEndWithTheirTime enters a code one step early and late, and two steps early and late.
func TestCodesEndWithTheirTime(t *testing.T) {
	t.Parallel()
	start := time.Now()
	var passed atomic.Int64
	now := func() time.Time { return start.Add(time.Duration(passed.Load())) }
	s := startSite(t, clock(now))
	e := s.owner()
	e.post("/admin/account/factor")
	factor, err := s.Store.SecondFactor(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	e.want(e.post("/admin/account/factor/confirm", "code", codeOf(t, factor.Secret, now())), "Recovery codes")
	for steps, want := range map[int]int{-2: http.StatusUnauthorized, -1: http.StatusOK, 0: http.StatusOK, 1: http.StatusOK, 2: http.StatusUnauthorized} {
		passed.Add(int64(10 * time.Minute))
		e.post("/admin/sign-out")
		e.post("/admin/sign-in", "email", adaEmail, "password", adaPassword)
		if e.post("/admin/sign-in/code", "token", e.hidden("token"), "next", "/admin/account", "code", codeOf(t, factor.Secret, now().Add(time.Duration(steps)*30*time.Second))); e.code != want {
			t.Errorf("a code of %d steps later is answered %d, want %d", steps, e.code, want)
		}
	}
}

// TestResetAsksForCodeOfSecondFactor uses a link for a new password, which alone does not sign in.
func TestResetAsksForCodeOfSecondFactor(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	s.owner().turnOnSecondFactor()
	link, err := s.PasswordLink(t.Context(), adaEmail)
	if err != nil {
		t.Fatal(err)
	}
	e := s.visitor()
	e.want(e.post(strings.TrimPrefix(link, s.url), "password", "five other random words"), "Enter your code")
	if e.get("/admin/account"); e.at != "/admin/sign-in" {
		t.Errorf("the link alone opens %s", e.at)
	}
}

// TestPasswordsDoNotExpire signs in ten years later, and chooses a password that was used before.
func TestPasswordsDoNotExpire(t *testing.T) {
	t.Parallel()
	var passed atomic.Int64
	s := startSite(t, firstStart(func() time.Time { return time.Now().Add(time.Duration(passed.Load())) }))
	e := s.owner()
	passed.Store(int64(10 * 365 * 24 * time.Hour))
	e.post("/admin/sign-in", "email", adaEmail, "password", adaPassword)
	if e.at != "/admin/" {
		t.Fatalf("after ten years the password leads to %s, %d", e.at, e.code)
	}
	e.want(e.post("/admin/account/password", "current", adaPassword, "password", "five other random words"), "Your password was changed.")
	e.want(e.post("/admin/account/password", "current", "five other random words", "password", adaPassword), "Your password was changed.")
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
	if e.code != http.StatusUnauthorized || !strings.Contains(e.body, "The password is wrong.") {
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
	if e.code != http.StatusUnauthorized {
		t.Errorf("without a code: %d", e.code)
	}
	e.post("/admin/account/factor/remove", "proof_password", adaPassword, "proof_code", code(t, secret, 30*time.Second))
	e.want(e.body, "Two-step sign-in is off")
	// To sign out other browsers is one of these acts: a thief would keep the editor out.
	age()
	other := s.visitor()
	other.post("/admin/sign-in", "email", adaEmail, "password", adaPassword)
	e.post("/admin/account/sessions")
	e.want(e.body, "Confirm that it is you")
	if other.get("/admin/account"); other.at != "/admin/account" {
		t.Errorf("another browser was signed out without a proof: %s", other.at)
	}
	e.post("/admin/account/sessions", "proof_password", adaPassword)
	e.want(e.body, "All other browsers were signed out.")
	if other.get("/admin/account"); other.at != "/admin/sign-in" {
		t.Errorf("after the proof the other browser is at %s", other.at)
	}
}

// TestChangesOfSecondFactorAreMailed turns the second factor on, makes new codes, enters a used code again,
// and turns it off, which signs out the other browser. Meanwhile the clock of the site stands still, so that
// the codes stay right however long a step takes.
func TestChangesOfSecondFactorAreMailed(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	now := time.Now()
	var goesOn atomic.Bool
	s := startSite(t, clock(func() time.Time {
		if goesOn.Load() {
			return time.Now()
		}
		return now
	}))
	e, other := s.owner(), s.visitor()
	e.post("/admin/account/factor")
	factor, err := s.Store.SecondFactor(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	e.want(e.post("/admin/account/factor/confirm", "code", codeOf(t, factor.Secret, now)), "Recovery codes")
	recovery := regexp.MustCompile(`\b[A-Z2-7]{4}(-[A-Z2-7]{4}){3}\b`).FindString(e.post("/admin/account/factor/codes"))

	right := codeOf(t, factor.Secret, now.Add(30*time.Second))
	for _, want := range []int{http.StatusOK, http.StatusUnauthorized, http.StatusUnauthorized} {
		other.post("/admin/sign-out")
		other.post("/admin/sign-in", "email", adaEmail, "password", adaPassword)
		if other.post("/admin/sign-in/code", "token", other.hidden("token"), "next", "/admin/account", "code", right); other.code != want {
			t.Fatalf("the code is answered %d, want %d", other.code, want)
		}
	}
	if log := s.log.String(); !strings.Contains(log, `msg="code refused" editor=1 client=127.0.0.1 used_before=true`) {
		t.Errorf("the log does not tell that the code was used before:\n%s", log)
	}
	other.post("/admin/sign-in", "email", adaEmail, "password", adaPassword)
	other.post("/admin/sign-in/code", "token", other.hidden("token"), "next", "/admin/account", "code", strings.ToLower(recovery))
	if other.at != "/admin/account" {
		t.Fatalf("a recovery code leads to %s, %d", other.at, other.code)
	}
	e.want(e.post("/admin/account/factor/remove"), "All other browsers were signed out.")
	if other.get("/admin/account"); other.at != "/admin/sign-in" {
		t.Errorf("after the app was removed, the other browser is at %s", other.at)
	}
	goesOn.Store(true)
	for _, subject := range []string{"Two-step sign-in was turned on", "Your recovery codes were replaced", "A code was entered again", "Two-step sign-in was turned off"} {
		s.mailTo(adaEmail, subject)
	}
	again := 0
	for _, m := range s.inbox.Mails() {
		if strings.Contains(string(m.Data), "A code was entered again") {
			again++
		}
	}
	if again != 1 {
		t.Errorf("%d mails about a code that was entered again, want one in ten minutes", again)
	}
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
