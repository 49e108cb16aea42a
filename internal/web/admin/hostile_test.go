package admin_test

import (
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
	"github.com/tidings-press/tidings/internal/web/admin"
)

// TestRequestsOfOtherSitesAreRefusedOnEveryRoute posts to every route from another site, in the
// session of an owner: as browsers do now, and as those that send no Sec-Fetch-Site did.
func TestRequestsOfOtherSitesAreRefusedOnEveryRoute(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	s.owner()
	h, owner := s.handler(), s.member(store.OwnerRole)
	token, err := s.Store.CreateSession(t.Context(), owner, "a browser", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	posted := 0
	for _, pattern := range slices.Sorted(maps.Keys(h.Routes())) {
		method, path := pathOf(pattern)
		if method == http.MethodGet {
			continue
		}
		posted++
		for _, from := range []http.Header{
			{"Sec-Fetch-Site": {"cross-site"}, "Origin": {"https://evil.example"}}, {"Sec-Fetch-Site": {"same-site"}, "Origin": {"http://other.127.0.0.1"}},
			{"Sec-Fetch-Site": {"cross-site"}, "Origin": {"null"}}, {"Origin": {"https://evil.example"}}, {"Origin": {"null"}},
		} {
			r := httptest.NewRequestWithContext(t.Context(), method, s.url+path, nil)
			maps.Copy(r.Header, from)
			r.AddCookie(&http.Cookie{Name: "tidings", Value: token})
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != http.StatusForbidden || !strings.Contains(w.Body.String(), "Request from another site") {
				t.Errorf("%s %s with %v is answered %d", method, path, from, w.Code)
			}
		}
	}
	if posted < 70 {
		t.Errorf("only %d routes", posted)
	}
}

// TestBodiesThatAreNoFormsAreRefused includes text/plain, which other sites can post without asking.
func TestBodiesThatAreNoFormsAreRefused(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	ada := s.owner()
	for _, kind := range []string{"application/json", "text/plain", "text/xml", ""} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/admin/account/sessions", strings.NewReader(`{"a": 1}`))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", kind)
		if ada.read(ada.client.Do(r)); ada.code != http.StatusUnsupportedMediaType {
			t.Errorf("a body of the type %q is answered %d", kind, ada.code)
		}
	}
}

func TestUnusedMethodsAreRefused(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	ada := s.owner()
	for _, method := range []string{http.MethodPut, http.MethodDelete, http.MethodPatch, http.MethodTrace, "PROPFIND"} {
		for _, path := range []string{"/", "/articles", "/admin/sign-in", "/admin/account", "/admin/articles/new", "/assets/admin.css"} {
			r, err := http.NewRequestWithContext(t.Context(), method, s.url+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			if ada.read(ada.client.Do(r)); ada.code != http.StatusMethodNotAllowed && ada.code != http.StatusNotFound {
				t.Errorf("%s %s is answered %d", method, path, ada.code)
			}
		}
	}
}

// TestNoAccountTakesMoreThanAHundredGuessesInAnHour makes an attempt every two seconds for two hours.
func TestNoAccountTakesMoreThanAHundredGuessesInAnHour(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	now := time.Now()
	s := storetest.Open(t, store.SQLite, store.Options{Clock: func() time.Time { return now }})
	for _, limit := range []store.AttemptLimit{admin.AccountLimit(), admin.CodeLimit()} {
		var taken []time.Time
		for range 3600 {
			wait, err := s.TakeAttempt(t.Context(), limit)
			if err != nil {
				t.Fatal(err)
			}
			if wait == 0 {
				taken = append(taken, now)
			}
			if now = now.Add(2 * time.Second); len(taken) > 100 && taken[len(taken)-1].Sub(taken[len(taken)-101]) < time.Hour {
				t.Fatalf("%s: a hundred and one attempts in %v", limit.Key, taken[len(taken)-1].Sub(taken[len(taken)-101]))
			}
		}
	}
}

func TestRefusalByRoleIsLogged(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	s.owner()
	var logged lines
	h, viewer := s.handlerWithLog(slog.New(slog.NewTextHandler(&logged, nil))), s.member(store.ViewerRole)
	s.as(h, &viewer, http.MethodPost, "/admin/articles/1/remove", url.Values{})
	for _, word := range []string{"request refused by role", "path=/admin/articles/1/remove", "role=viewer", "needed=writer"} {
		if !strings.Contains(logged.String(), word) {
			t.Errorf("the log lacks %q: %s", word, logged.String())
		}
	}
}

// TestErrorOfTheDatabaseIsNotShown hides a table, so that pages, forms and confirmations fail.
func TestErrorOfTheDatabaseIsNotShown(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	ada := s.owner()
	if _, err := s.Store.DB().ExecContext(t.Context(), "ALTER TABLE links RENAME TO hidden"); err != nil {
		t.Fatal(err)
	}
	ada.get("/admin/people")
	wantHidden := func(what string) {
		t.Helper()
		if ada.code != http.StatusInternalServerError || !strings.Contains(ada.body, "under request ") || strings.Contains(ada.body, "SQL") || strings.Contains(ada.body, "links (") {
			t.Errorf("%s is answered %d: %s", what, ada.code, ada.body)
		}
	}
	wantHidden("a page")
	ada.post("/admin/account/invite", "email", "eve@gazette.example")
	wantHidden("a form")
	if text := s.log.String(); !strings.Contains(text, "page failed") || !strings.Contains(text, "links") {
		t.Errorf("the log lacks the cause: %s", text)
	}
}

// hostile is a text that breaks out of elements, attributes, scripts, headers and templates.
const hostile = "\"'></title><script>alert(1)</script><img src=x onerror=alert(1)>{{.}}\r\nBcc: all@example.org"

// TestHostileTextRunsNothingOnPages writes it into every field that people fill in.
func TestHostileTextRunsNothingOnPages(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	s := startSite(t)
	s.addSubscribers(1)
	ada := s.owner()
	a := s.put("Quay", func(a *article.Article) {
		a.Title, a.Summary, a.Authors, a.Tags = hostile, hostile, []article.Author{{Name: hostile}}, []string{hostile}
	})
	ada.post("/admin/articles/new", "title", hostile, "text", hostile, "tags", hostile, "authors", hostile, "summary", hostile, "image_alt", hostile)
	written := ada.at
	ada.get("/admin/subscribers/1")
	ada.post("/admin/subscribers/1/edit", "version", ada.hidden("version"), "name", hostile, "labels", hostile)
	ada.post("/admin/messages/new", "subject", hostile, "text:", hostile, "digest", "weekly", "public", "yes")
	message := ada.at
	if !strings.HasPrefix(message, "/admin/editions/") {
		t.Fatalf("the message was not stored: %s", ada.body)
	}
	ada.get("/admin/settings")
	ada.post("/admin/settings", "revision", ada.hidden("revision"), "site.title@", "The <script>alert(1)</script>")
	link := s.invite("")
	eve := s.visitor()
	eve.post(strings.TrimPrefix(link, s.url), "name", hostile, "email", "eve@gazette.example", "password", "four random words here")
	paths := []string{
		"/admin/", "/admin/articles", "/admin/articles?q=" + url.QueryEscape(hostile), "/admin/articles?match=" + url.QueryEscape(hostile), "/admin/articles/" + a.ID, written, written + "/history", "/admin/articles/" + a.ID + "/where",
		"/admin/subscribers", "/admin/subscribers?q=" + url.QueryEscape(hostile), "/admin/subscribers/1", message, "/admin/messages", "/admin/people", "/admin/audit", "/admin/audit?who=" + url.QueryEscape(hostile),
		"/admin/account", "/admin/digests/weekly", "/admin/digests/weekly/send", "/admin/calendar", "/admin/feeds", "/admin/settings", "/admin/sign-in?next=" + url.QueryEscape(hostile),
		"/", "/articles/" + a.Slug, "/search?q=" + url.QueryEscape(hostile),
	}
	for _, path := range paths {
		page := ada.get(path)
		if ada.code >= http.StatusInternalServerError || strings.Contains(page, "<script>alert") || strings.Contains(page, "<img src=x") {
			t.Errorf("%s is answered %d: %s", path, ada.code, page)
		}
	}
}

// TestHostileSubjectAddsNoHeader sends it as the subject of a message and in the name of an editor.
func TestHostileSubjectAddsNoHeader(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	s.addSubscribers(1)
	ada := s.owner()
	ada.post("/admin/messages/new", "subject", "Storm\r\nBcc: all@example.org\r\n\r\n<p>body</p>", "text:", "Text.", "digest", "weekly")
	if ada.post(ada.at+"/test", "to", "ada@gazette.example"); !strings.Contains(ada.body, "The test email is queued.") {
		t.Fatalf("%d: %s", ada.code, ada.body)
	}
	for _, line := range strings.Split(s.mailTo("ada@gazette.example", "Storm"), "\n") {
		if strings.HasPrefix(strings.ToLower(line), "bcc:") {
			t.Errorf("the mail has the header %q", line)
		}
	}
}

func TestUploadedDrawingRunsNoScript(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	s := startSite(t)
	ada := s.owner()
	answer := ada.upload("/admin/articles/new/images", "file", "../../etc/x.svg", []byte(`<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><script>alert(1)</script></svg>`))
	_, path, found := strings.Cut(answer, `"path":"`)
	if path, _, _ = strings.Cut(path, `"`); !found || strings.Contains(path, "..") || !strings.HasPrefix(path, "/media/") {
		t.Fatalf("the upload is answered %s", answer)
	}
	got, err := http.Get(s.url + path)
	if err != nil {
		t.Fatal(err)
	}
	_ = got.Body.Close()
	if policy := got.Header.Get("Content-Security-Policy"); got.StatusCode != http.StatusOK || !strings.Contains(policy, "sandbox") || !strings.Contains(policy, "default-src 'none'") || got.Header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("%d with %v", got.StatusCode, got.Header)
	}
}

func TestUploadsOfAnEditorAreLimited(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	ada := s.owner()
	limit := store.AttemptLimit{Key: "upload of editor 1", Burst: admin.UploadsAtOnce, Every: time.Minute}
	for range admin.UploadsAtOnce / 100 {
		if wait, err := s.Store.TakeAttempt(t.Context(), slices.Repeat([]store.AttemptLimit{limit}, 100)...); wait != 0 || err != nil {
			t.Fatal(wait, err)
		}
	}
	if ada.upload("/admin/articles/new/images", "file", "boat.png", picture(t)); ada.code != http.StatusUnprocessableEntity || !strings.Contains(ada.body, "very many images") {
		t.Errorf("%d: %s", ada.code, ada.body)
	}
}

func TestSignOutClearsWhatTheBrowserStored(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	s.owner()
	viewer := s.member(store.ViewerRole)
	if w := s.as(s.handler(), &viewer, http.MethodPost, "/admin/sign-out", nil); w.Header().Get("Clear-Site-Data") != `"cache", "storage"` || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("%v", w.Header())
	}
}

// TestDeepExpressionsAreAnswered searches by expressions that nest or repeat as far as an address
// allows.
func TestDeepExpressionsAreAnswered(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	ada := s.owner()
	for _, match := range []string{strings.Repeat("(", 20_000), strings.Repeat("NOT ", 5_000) + "a", strings.Repeat("a OR ", 5_000) + "a", strings.Repeat("(a AND ", 3_000) + "a" + strings.Repeat(")", 3_000)} {
		for _, path := range []string{"/admin/articles?match=", "/admin/articles?q=", "/search?q=", "/search.xml?q="} {
			if ada.get(path + url.QueryEscape(match)); ada.code >= http.StatusInternalServerError {
				t.Errorf("%s%.10s… is answered %d", path, match, ada.code)
			}
		}
	}
	if ada.get("/admin/articles?before=x"); ada.code != http.StatusNotFound {
		t.Errorf("a place in the list that cannot be read is answered %d", ada.code)
	}
}

// TestAddressesLeaveOnlyWithAnAuditEntry exports all that is exported, with and without the table of
// the audit log.
func TestAddressesLeaveOnlyWithAnAuditEntry(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	s := startSite(t)
	s.addSubscribers(1)
	ada := s.owner()
	draft, err := s.newEngine().SendNow(t.Context(), "weekly", adaEmail)
	if err != nil {
		t.Fatal(err)
	}
	s.eventually("the edition to be sent", func() bool { return s.state(draft.ID) == digest.Sent })
	exports := map[string]string{"/admin/subscribers/export": "subscriber.export", "/admin/subscribers/1/export": "subscriber.export", "/admin/editions/" + draft.ID + "/deliveries.csv": "edition.export"}
	for path, action := range exports {
		if body := ada.post(path); !strings.Contains(body, "reader0@example.org") {
			t.Errorf("%s is answered %d: %s", path, ada.code, body)
		}
		found, err := s.Store.AuditLog(t.Context(), store.AuditFilter{Action: action, Limit: 9})
		if err != nil || len(found) == 0 || strings.Contains(found[0].Detail+found[0].Object, "@") {
			t.Errorf("%s: %+v, %v", path, found, err)
		}
	}
	if _, err := s.Store.DB().ExecContext(t.Context(), "ALTER TABLE audit_log RENAME TO hidden"); err != nil {
		t.Fatal(err)
	}
	for path := range exports {
		if body := ada.post(path); ada.code != http.StatusInternalServerError || strings.Contains(body, "@example.org") {
			t.Errorf("without the audit log, %s is answered %d: %s", path, ada.code, body)
		}
	}
}

func TestSessionsEndAsConfigured(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	s := startSite(t, with("admin: {sign_in: {idle: 30m, longest: 12h}}\n"))
	ada := s.owner()
	age := func(idle, since time.Duration) {
		t.Helper()
		if _, err := s.Store.DB().ExecContext(t.Context(), "UPDATE sessions SET seen = seen - $1, expires = expires - $1, created = created - $2", idle.Milliseconds(), since.Milliseconds()); err != nil {
			t.Fatal(err)
		}
	}
	age(29*time.Minute, 11*time.Hour)
	if ada.get("/admin/account"); ada.at != "/admin/account" {
		t.Fatalf("after 29 minutes without use: %s", ada.at)
	}
	age(29*time.Minute, time.Hour) // prolonged until 12 hours after the sign-in only
	if ada.get("/admin/account"); ada.at != "/admin/account" {
		t.Fatalf("after 29 minutes more: %s", ada.at)
	}
	age(2*time.Minute, 0)
	if ada.get("/admin/account"); ada.at != "/admin/sign-in" {
		t.Errorf("twelve hours after the sign-in: %s", ada.at)
	}
}
