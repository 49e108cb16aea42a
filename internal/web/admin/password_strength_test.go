package admin_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// judged is the answer to the script of the meter.
type judged struct {
	Value int
	Text  string
}

// strength asks the meter of a page about a password.
func (e *editor) strength(path, password string, form ...string) (out judged) {
	e.t.Helper()
	e.post(path, append(form, "password", password)...)
	if e.code != http.StatusOK {
		e.t.Fatalf("%s is answered %d\n%s", path, e.code, e.body)
	}
	if err := json.Unmarshal([]byte(e.body), &out); err != nil {
		e.t.Fatalf("%v\n%s", err, e.body)
	}
	return out
}

// TestPasswordMeterJudgesAsTheFormDoes compares what the meter says about passwords with the answer to the
// form of the same page, for an invitation, a change and a reset.
func TestPasswordMeterJudgesAsTheFormDoes(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	ada := s.owner()
	invitation := strings.TrimPrefix(s.invite(bobEmail), s.url)
	reset, err := s.PasswordLink(t.Context(), adaEmail)
	if err != nil {
		t.Fatal(err)
	}
	visitor := s.visitor()
	pages := []struct {
		e          *editor
		page, form string
		own        string // made of what is known about the person
		fields     []string
	}{
		{visitor, invitation, invitation, "bob-harper-bob!", []string{"name", "Bob Harper", "email", "other@example.org"}},
		{visitor, invitation, invitation, bobEmail, []string{"email", "other@example.org"}},
		{ada, "/admin/account", "/admin/account/password", adaEmail, []string{"current", adaPassword}},
		{visitor, strings.TrimPrefix(reset, s.url), strings.TrimPrefix(reset, s.url), adaEmail, nil},
	}
	for _, p := range pages {
		p.e.want(p.e.get(p.page), `<div class="strength" hidden data-strength="`+p.form+`/strength"><meter `)
		for _, weak := range []string{"short", "aaaaaaaaaaaaaa", "password1234", "TheHarbourGazette", p.own} {
			got := p.e.strength(p.form+"/strength", weak, p.fields...)
			p.e.post(p.form, append(p.fields, "password", weak)...)
			why, found := strings.CutPrefix(got.Text, "Too weak: ")
			if p.e.code != http.StatusUnprocessableEntity || got.Value != 1 || !found || !strings.Contains(p.e.body, why) {
				t.Errorf("%s, %q: the meter says %d, %q; the form answers %d", p.form, weak, got.Value, got.Text, p.e.code)
			}
		}
	}
	for password, want := range map[string]judged{
		"four random words here": {2, "Sufficient; another word makes it stronger"}, "lighthouse kettle meadow quarter": {3, "Strong"}, "lighthouse kettle meadow quarter violin": {4, "Very strong"},
	} {
		if got := ada.strength("/admin/account/password/strength", password); got != want {
			t.Errorf("%q: %+v, want %+v", password, got, want)
		}
	}
	if log := s.log.String(); strings.Contains(log, "TheHarbourGazette") || strings.Contains(log, "lighthouse") {
		t.Errorf("the log has a password:\n%s", log)
	}
}

// TestPasswordMeterIsLimited asks the meter until it answers no more, in German, and with links that do not
// work. The clock of the site stands still, so that no request is granted in between.
func TestPasswordMeterIsLimited(t *testing.T) {
	t.Parallel()
	now := time.Now()
	s := startSite(t, firstStart(func() time.Time { return now }))
	h := s.handler()
	ada := s.member("owner")
	for i := range 61 {
		w := s.as(h, &ada, http.MethodPost, "/admin/account/password/strength", url.Values{"password": {"short"}})
		want := http.StatusOK
		if i == 60 {
			want = http.StatusTooManyRequests
		}
		if cache := w.Header().Get("Cache-Control"); w.Code != want || cache != "no-store" {
			t.Errorf("request %d is answered %d, %s; want %d", i+1, w.Code, cache, want)
		}
	}
	visitor := s.visitor()
	if visitor.post("/admin/welcome/unknown/strength", "password", "short"); visitor.code != http.StatusGone {
		t.Errorf("a link that does not work is answered %d", visitor.code)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+strings.TrimPrefix(s.invite(bobEmail), s.url)+"/strength", strings.NewReader("password=short"))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Accept-Language", "de")
	answer, err := visitor.client.Do(r)
	if body := visitor.read(answer, err); !strings.Contains(body, "Zu schwach: das Passwort") {
		t.Errorf("in German: %s", body)
	}
}
