package admin_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/web/admin"
)

// TestCookiesAreBoundToTheHostOverHTTPS signs in on a site with https, and looks for the session in places
// other than its cookie.
func TestCookiesAreBoundToTheHostOverHTTPS(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	s.owner()
	c := *s.Config
	c.Site.URL = "https://news.example"
	h, err := admin.New(admin.Deps{Store: s.Store, Engine: s.newEngine(), Config: &c, Log: s.Log})
	if err != nil {
		t.Fatal(err)
	}
	w := s.as(h, nil, http.MethodPost, "/admin/sign-in", url.Values{"email": {adaEmail}, "password": {adaPassword}, "next": {"/admin/articles"}})
	cookies := w.Result().Cookies()
	if w.Code != http.StatusSeeOther || len(cookies) != 2 {
		t.Fatalf("%d, cookies %v\n%s", w.Code, cookies, w.Body)
	}
	session := ""
	for _, one := range cookies {
		// What the prefix demands: RFC 6265bis, section 4.1.3.2.
		if !strings.HasPrefix(one.Name, "__Host-tidings") || !one.Secure || one.Path != "/" || one.Domain != "" || !one.HttpOnly || one.SameSite != http.SameSiteLaxMode {
			t.Errorf("cookie %v", one)
		}
		if one.Name == "__Host-tidings" {
			session = one.Value
		}
	}
	if at := w.Header().Get("Location"); session == "" || at != "/admin/articles" {
		t.Errorf("session %q, at %s", session, at)
	}
	get := func(query string, set func(*http.Request)) *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "https://news.example/admin/account"+query, nil)
		set(r)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
	for name, set := range map[string]func(*http.Request){
		"the address":           func(*http.Request) {},
		"a header":              func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+session) },
		"a cookie without host": func(r *http.Request) { r.AddCookie(&http.Cookie{Name: "tidings", Value: session}) },
	} {
		if w := get("?tidings="+session+"&__Host-tidings="+session, set); w.Code != http.StatusSeeOther || !strings.HasPrefix(w.Header().Get("Location"), "/admin/sign-in") {
			t.Errorf("a session in %s is answered %d", name, w.Code)
		}
	}
	w = get("", func(r *http.Request) { r.AddCookie(&http.Cookie{Name: "__Host-tidings", Value: session}) })
	if w.Code != http.StatusOK || strings.Contains(w.Body.String(), session) {
		t.Errorf("with its cookie: %d, or the page shows it", w.Code)
	}
}

// TestPasswordsAreNotTruncated signs in with the longest password, and with more, less and other spaces.
func TestPasswordsAreNotTruncated(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	s.owner()
	longest := strings.Repeat("four random words ", 7) + "ab"
	if len(longest) != 128 {
		t.Fatalf("%d characters", len(longest))
	}
	link, err := s.PasswordLink(t.Context(), adaEmail)
	if err != nil {
		t.Fatal(err)
	}
	e := s.visitor()
	path := strings.TrimPrefix(link, s.url)
	if e.post(path, "password", longest+"c"); e.code != http.StatusUnprocessableEntity {
		t.Errorf("a password of 129 characters is answered %d", e.code)
	}
	if e.post(path, "password", longest); e.at != "/admin/" {
		t.Fatalf("a password of 128 characters: %d at %s", e.code, e.at)
	}
	e.post("/admin/sign-out")
	for _, other := range []string{longest + "c", longest[:127], longest + " ", " " + longest, strings.ReplaceAll(longest, " ", "  "), strings.ToUpper(longest), longest + strings.Repeat("c", 4096)} {
		if e.post("/admin/sign-in", "email", adaEmail, "password", other); e.code != http.StatusUnauthorized {
			t.Errorf("%d bytes in place of %d: %d", len(other), len(longest), e.code)
		}
	}
	if e.post("/admin/sign-in", "email", adaEmail, "password", longest); e.at != "/admin/" {
		t.Errorf("the right one: %d at %s", e.code, e.at)
	}
}
