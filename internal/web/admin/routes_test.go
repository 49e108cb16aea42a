package admin_test

import (
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/internal/testkit/sink"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
	"github.com/tidings-press/tidings/internal/web/admin"
)

// permitted says who may use which route: those with the role of the list and those with more
// rights. It is written by hand, so that a slip in the authorisation table makes the test fail.
var permitted = map[store.Role][]string{
	// Without a session: signing in, one-time links, and the links of proofs, which name their editor.
	"": {
		"GET /admin/sign-in", "POST /admin/sign-in", "POST /admin/sign-in/code", "POST /admin/sign-in/passkey", "POST /admin/sign-in/options", "POST /admin/sign-in/provider", "GET /admin/sign-in/provider", "GET /admin/forgotten", "POST /admin/forgotten",
		"GET /admin/welcome/{token}", "POST /admin/welcome/{token}", "POST /admin/welcome/{token}/strength", "GET /admin/address/{token}", "POST /admin/address/{token}",
		"GET /admin/proofs/{token}", "GET /admin/proofs/{token}/mail", "POST /admin/proofs/{token}/{action}",
	},
	// Viewers read what names no subscriber, and look after their own account.
	store.ViewerRole: {
		"/admin/", "GET /admin/{$}", "GET /admin/calendar", "GET /admin/articles", "GET /admin/articles/{id}", "GET /admin/articles/{id}/preview", "GET /admin/articles/{id}/where", "GET /admin/messages", "GET /admin/feeds", "GET /admin/feeds/{name}",
		"GET /admin/digests", "GET /admin/digests/{name}", "GET /admin/digests/{name}/mail", "GET /admin/digests/{name}/text",
		"GET /admin/editions/{id}", "GET /admin/editions/{id}/events", "GET /admin/editions/{id}/mail",
		"GET /admin/editions/{id}/preview", "GET /admin/editions/{id}/frame", "GET /admin/digests/{name}/preview", "GET /admin/digests/{name}/frame",
		"POST /admin/sign-out", "GET /admin/account", "POST /admin/account/password", "POST /admin/account/password/strength", "POST /admin/account/address",
		"POST /admin/account/language", "POST /admin/account/sessions", "POST /admin/account/sessions/{id}",
		"GET /admin/account/factor", "POST /admin/account/factor/use", "POST /admin/account/factor", "POST /admin/account/factor/confirm", "POST /admin/account/factor/codes", "POST /admin/account/factor/remove",
		"POST /admin/account/passkeys", "POST /admin/account/passkeys/new", "POST /admin/account/passkeys/{id}/remove", "POST /admin/account/passkeys/{id}/rename",
		"POST /admin/account/provider", "POST /admin/account/identities/{id}/remove",
	},
	// Writers change articles and drafts.
	store.WriterRole: {
		"POST /admin/articles/{id}/remove", "POST /admin/articles/{id}/restore",
		"GET /admin/articles/new", "POST /admin/articles/{id}", "POST /admin/articles/{id}/autosave", "POST /admin/articles/{id}/preview",
		"POST /admin/articles/{id}/publish", "POST /admin/articles/{id}/unpublish",
		"POST /admin/articles/{id}/images", "GET /admin/articles/{id}/history", "POST /admin/articles/{id}/history",
		"GET /admin/editions/{id}/compose", "POST /admin/editions/{id}/compose", "POST /admin/editions/{id}/subject",
		"POST /admin/editions/{id}/check", "POST /admin/editions/{id}/add",
		"GET /admin/messages/new", "POST /admin/messages/new", "GET /admin/messages/{id}", "POST /admin/messages/{id}",
	},
	// Editors decide what is sent, and see subscribers.
	store.EditorRole: {
		"POST /admin/checklist/dismiss",
		"POST /admin/digests/{name}/test", "POST /admin/digests/{name}/seen", "POST /admin/digests/{name}/unseen", "POST /admin/digests/{name}/begin",
		"GET /admin/digests/{name}/send", "POST /admin/digests/{name}/send", "POST /admin/digests/{name}/draft",
		"GET /admin/digests/{name}/settings", "POST /admin/digests/{name}/settings", "GET /admin/digests/new", "POST /admin/digests/new",
		"POST /admin/feeds", "POST /admin/feeds/{name}",
		"GET /admin/editions/{id}/deliveries", "POST /admin/editions/{id}/deliveries.csv",
		"GET /admin/editions/{id}/deliveries/{subscriber}", "POST /admin/editions/{id}/deliveries/{action}",
		"POST /admin/editions/{id}/test", "POST /admin/editions/{id}/approve", "POST /admin/editions/{id}/waive", "POST /admin/editions/{id}/{action}",
		"GET /admin/subscribers", "GET /admin/subscribers/{id}", "POST /admin/subscribers/{id}/unsubscribe",
		"POST /admin/subscribers/{id}/invite", "POST /admin/subscribers/{id}/lift", "POST /admin/subscribers/{id}/edit", "POST /admin/subscribers/{id}/reinstate",
		"POST /admin/subscribers/{id}/suppress", "POST /admin/subscribers/{id}/export",
		"GET /admin/subscribers/new", "POST /admin/subscribers/new", "GET /admin/subscribers/figures", "POST /admin/subscribers/export",
		"GET /admin/subscribers/import", "POST /admin/subscribers/import", "GET /admin/imports/{id}", "POST /admin/imports/{id}", "GET /admin/imports/{id}/events", "GET /admin/imports/{id}/refused.csv",
		"POST /admin/imports/{id}/start", "POST /admin/imports/{id}/remove",
	},
	// Owners manage people, and do what cannot be undone.
	store.OwnerRole: {
		"POST /admin/subscribers/{id}/erase",
		"GET /admin/settings", "POST /admin/settings", "GET /admin/settings/appearance", "POST /admin/settings/appearance", "GET /admin/settings/appearance/mail",
		"GET /admin/settings/relays", "POST /admin/settings/relays/{name}/test", "POST /admin/settings/relays/{name}/stop", "POST /admin/settings/relays/{name}/resume",
		"GET /admin/settings/doctor", "GET /admin/settings/doctor/events", "POST /admin/settings/doctor/run", "POST /admin/settings/doctor/accept",
		"GET /admin/people", "POST /admin/account/invite", "POST /admin/links/{id}/revoke",
		"POST /admin/editors/{id}/reset", "POST /admin/editors/{id}/sign-in-methods", "POST /admin/editors/{id}/access", "POST /admin/editors/{id}/role",
		"GET /admin/audit",
		"GET /admin/quarantine", "POST /admin/quarantine/editions/{id}", "POST /admin/quarantine/release",
	},
}

// handler returns the admin of a site as a handler.
func (s *site) handler() *admin.Handler { return s.handlerWithLog(s.Log) }

// handlerWithLog is handler with another log.
func (s *site) handlerWithLog(log *slog.Logger) *admin.Handler {
	s.t.Helper()
	h, err := admin.New(admin.Deps{Store: s.Store, Engine: s.newEngine(), Config: s.Config, Log: log})
	if err != nil {
		s.t.Fatal(err)
	}
	return h
}

// member returns an editor with a role.
func (s *site) member(role store.Role) store.Editor {
	s.t.Helper()
	return storetest.Editor(s.t, s.Store, store.Editor{Email: string(role) + "@gazette.example", Name: "Mo", Role: role, Password: "$argon2id$none"})
}

// as returns the response to a request of an editor in a new session; without one if it is nil.
func (s *site) as(h http.Handler, e *store.Editor, method, path string, form url.Values) *httptest.ResponseRecorder {
	s.t.Helper()
	r := httptest.NewRequestWithContext(s.t.Context(), method, s.url+path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if e != nil {
		token, err := s.Store.CreateSession(s.t.Context(), *e, "a browser", time.Hour)
		if err != nil {
			s.t.Fatal(err)
		}
		r.AddCookie(&http.Cookie{Name: "tidings", Value: token})
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// pathOf returns a path that a pattern matches, with nothing behind it.
func pathOf(pattern string) (method, path string) {
	method, path, found := strings.Cut(pattern, " ")
	if !found {
		method, path = http.MethodGet, pattern+"nothing"
	}
	return method, regexp.MustCompile(`\{[a-z]+\}`).ReplaceAllString(strings.TrimSuffix(path, "{$}"), "99")
}

// refused is the title of the page that refuses a request by role.
const refused = "Your role does not permit this"

// TestRoutesAreOpenToTheirRolesOnly asks for every route as every role and without a session, and
// compares the answers, and the authorisation table, with the list permitted.
func TestRoutesAreOpenToTheirRolesOnly(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	s.owner() // so that there is one besides those below
	h := s.handler()
	want := map[string]string{}
	for role, patterns := range permitted {
		for _, pattern := range patterns {
			want[pattern] = string(role)
		}
	}
	have := h.Routes()
	for pattern, role := range have {
		if least, listed := want[pattern]; !listed {
			t.Errorf("%q is not in the list permitted of this test; write there who may use it (the table has %q)", pattern, role)
		} else if least != role {
			t.Errorf("%q: the table has the role %q, the list %q", pattern, role, least)
		}
	}
	for pattern := range want {
		if _, found := have[pattern]; !found {
			t.Errorf("%q is in the list permitted of this test, and not in the table", pattern)
		}
	}
	members := []*store.Editor{nil}
	for _, role := range append([]store.Role{"intern"}, store.Roles...) { // a role that this version does not know
		e := s.member(role)
		members = append(members, &e)
	}
	for _, pattern := range slices.Sorted(maps.Keys(want)) {
		method, path := pathOf(pattern)
		for _, e := range members {
			least := store.Role(want[pattern])
			if least == "" && e != nil {
				continue
			}
			w := s.as(h, e, method, path, nil)
			// Signing out leads to the sign-in page too, and removes the cookie.
			signIn := w.Code == http.StatusSeeOther && strings.HasPrefix(w.Header().Get("Location"), "/admin/sign-in") && len(w.Result().Cookies()) == 0
			byRole := w.Code == http.StatusForbidden && strings.Contains(w.Body.String(), refused)
			switch {
			case least == "", e != nil && e.Role.Includes(least):
				if byRole || signIn {
					t.Errorf("%s %s as %s is answered %d, %s", method, path, who(e), w.Code, w.Header().Get("Location"))
				}
			case e == nil && !signIn:
				t.Errorf("%s %s without a session is answered %d", method, path, w.Code)
			case e != nil && !byRole:
				t.Errorf("%s %s as %s is answered %d: %s", method, path, who(e), w.Code, w.Body)
			}
		}
	}
}

func who(e *store.Editor) string {
	if e == nil {
		return "a visitor"
	}
	return string(e.Role)
}

// TestPagesShowOnlyWhatTheRolePermits follows the forms and links of all pages with each role: none
// leads to a route that would be refused.
func TestPagesShowOnlyWhatTheRolePermits(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	s := startSite(t)
	s.addSubscribers(2)
	draft := s.startDrafting("manual")
	s.put("Late news from the harbour")
	h := s.handler()
	table := h.Routes()
	mux := http.NewServeMux()
	for pattern := range table {
		mux.HandleFunc(pattern, func(http.ResponseWriter, *http.Request) {})
	}
	ids := strings.NewReplacer("/digests/{name}", "/digests/weekly", "/editions/{id}", "/editions/"+draft.ID, "/subscribers/{id}", "/subscribers/1", "/messages/{id}", "/messages/"+draft.ID)
	for _, role := range []store.Role{store.ViewerRole, store.WriterRole, store.EditorRole} {
		e := s.member(role)
		shown := 0
		for pattern, least := range table {
			path, isPage := strings.CutPrefix(pattern, "GET ")
			if !isPage || least == "" || !role.Includes(store.Role(least)) || strings.HasSuffix(path, "/events") || strings.HasSuffix(path, "/mail") || strings.HasSuffix(path, "/text") {
				continue
			}
			path = strings.TrimSuffix(ids.Replace(path), "{$}")
			w := s.as(h, &e, http.MethodGet, path, nil)
			for _, target := range targets(w.Body.String()) {
				request := httptest.NewRequest(target.method, s.url+target.path, nil)
				_, leads := mux.Handler(request)
				if least, known := table[leads]; known && !role.Includes(store.Role(least)) {
					t.Errorf("%s shows %s the target %s %s, which needs the role %s", path, role, target.method, target.path, least)
				}
				shown++
			}
		}
		if shown < 20 {
			t.Errorf("the pages of %s have %d targets in the admin", role, shown)
		}
	}
}

type target struct{ method, path string }

// targets returns what the forms, buttons and links of a page lead to within the admin.
func targets(page string) []target {
	var out []target
	for _, tag := range regexp.MustCompile(`<(?:form|a|button|iframe)\s[^>]*>`).FindAllString(page, -1) {
		method := http.MethodGet
		if strings.Contains(tag, `method="post"`) || strings.HasPrefix(tag, "<button") {
			method = http.MethodPost
		}
		if found := regexp.MustCompile(`(?:action|href|src)="(/admin/[^"#]*)`).FindStringSubmatch(tag); found != nil {
			out = append(out, target{method, strings.ReplaceAll(found[1], "&amp;", "&")})
		}
	}
	return out
}

// TestAddressesOfSubscribersAreHiddenFromViewersAndWriters sends an edition of which one mail is
// refused, and looks for the address on all pages of these roles.
func TestAddressesOfSubscribersAreHiddenFromViewersAndWriters(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	wire := testkit.StartSMTPServer(t, sink.Options{Faults: []sink.Fault{{At: sink.AtRcpt, Reply: "550 5.1.1 no such user", Match: "reader1@"}}})
	s := startSite(t, over(wire))
	s.addSubscribers(3)
	e := s.owner()
	e.sendWeekly()
	id := strings.TrimPrefix(e.at, "/admin/editions/")
	s.eventually("the edition to be sent", func() bool { return s.state(id) == digest.Sent })
	e.want(e.get("/admin/editions/"+id), "reader1@example.org")
	h := s.handler()
	ids := strings.NewReplacer("/digests/{name}", "/digests/weekly", "/editions/{id}", "/editions/"+id, "/subscribers/{id}", "/subscribers/1")
	for _, role := range []store.Role{store.ViewerRole, store.WriterRole} {
		member := s.member(role)
		for pattern := range h.Routes() {
			if path, isPage := strings.CutPrefix(pattern, "GET "); isPage {
				path = strings.TrimSuffix(ids.Replace(path), "{$}")
				if w := s.as(h, &member, http.MethodGet, path, nil); regexp.MustCompile(`reader\d@`).MatchString(w.Body.String()) {
					t.Errorf("%s shows a %s the address of a subscriber", path, role)
				}
			}
		}
	}
}

// TestRolesAreChangedByOwners changes roles on the page, and keeps the last owner.
func TestRolesAreChangedByOwners(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	ada, bob := s.owner(), s.bob()
	page := ada.post("/admin/editors/2/role", "role", "viewer")
	ada.want(page, "The role was changed.", `<option value="viewer" selected>Viewer</option>`)
	if bob.get("/admin/"); bob.at != "/admin/sign-in" {
		t.Errorf("after the change the session still shows %s", bob.at)
	}
	bob.post("/admin/sign-in", "email", bobEmail, "password", "four random words here")
	bob.want(bob.get("/admin/account"), bobEmail, "Viewer")
	if body := bob.get("/admin/subscribers"); bob.code != http.StatusForbidden || !strings.Contains(body, "Editors and owners can do this.") {
		t.Errorf("a viewer who asks for the subscribers is answered %d: %s", bob.code, body)
	}
	if body := ada.post("/admin/editors/1/role", "role", "editor"); ada.code != http.StatusConflict || !strings.Contains(body, "the only owner") {
		t.Errorf("the last owner's role is changed: %d, %s", ada.code, body)
	}
	if body := ada.post("/admin/editors/2/role", "role", "emperor"); ada.code != http.StatusUnprocessableEntity || !strings.Contains(body, "viewer, writer, editor, owner") {
		t.Errorf("an unknown role is answered %d: %s", ada.code, body)
	}
	ada.post("/admin/editors/2/role", "role", "owner")
	if ada.post("/admin/editors/1/role", "role", "editor"); ada.at != "/admin/sign-in" {
		t.Errorf("an owner who gave the role up is at %s", ada.at)
	}
	if body := ada.welcomeLink(s.invitePage("writer")); body == "" {
		t.Error("no invitation for a writer")
	}
}

// invitePage returns the page on which Bob, an owner, has invited someone with a role.
func (s *site) invitePage(role string) string {
	bob := s.visitor()
	bob.post("/admin/sign-in", "email", bobEmail, "password", "four random words here")
	page := bob.post("/admin/account/invite", "email", "kim@gazette.example", "role", role)
	bob.want(page, fmt.Sprintf("%s invitation", role))
	return page
}
