package admin_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit"
)

// notAudited are the routes that leave no entry in the audit log, and why.
var notAudited = map[string]string{
	"POST /admin/sign-in/provider":          "leads to the provider; coming back leaves an entry",
	"POST /admin/account/provider":          "leads to the provider, for a proof of identity",
	"POST /admin/sign-in/options":           "returns a challenge",
	"POST /admin/account/passkeys/new":      "returns a challenge",
	"POST /admin/account/password/strength": "stores nothing",
	"POST /admin/welcome/{token}/strength":  "stores nothing",
	"POST /admin/articles/{id}/preview":     "stores nothing",
	"POST /admin/articles/{id}/autosave":    "the history of the article has every automatic save, with its author",
	"POST /admin/forgotten":                 "a visitor asks for a mail; the new password leaves an entry",
}

// TestEveryChangingRouteIsAudited reads the code of the handlers: each handler of a route that is no
// GET calls auditing, audit or auditBefore, itself or by a function that it calls.
func TestEveryChangingRouteIsAudited(t *testing.T) {
	t.Parallel()
	handlers := handlerCode(t)
	routes := 0
	for pattern, used := range handlers.routes {
		if strings.HasPrefix(pattern, "GET ") || pattern == "/admin/" {
			continue
		}
		routes++
		found := false
		for _, name := range used {
			for _, function := range []string{"auditing", "audit", "auditBefore"} {
				found = found || handlers.reaches(name, function, map[string]bool{})
			}
		}
		if reason := notAudited[pattern]; found == (reason != "") {
			t.Errorf("%s: its handler adds an entry: %v; listed as not audited: %q. Make the change with the context of h.auditing", pattern, found, reason)
		}
	}
	if routes < 40 {
		t.Errorf("the table has %d routes that change something", routes)
	}
}

// handlerCalls is what the files of the package call.
type handlerCalls struct {
	routes map[string][]string // names in the lines of the authorisation table, by pattern
	calls  map[string][]string // names of functions and methods that a function names
}

func (c handlerCalls) reaches(from, to string, seen map[string]bool) bool {
	if seen[from] {
		return false
	}
	seen[from] = true
	for _, name := range c.calls[from] {
		if name == to || c.reaches(name, to, seen) {
			return true
		}
	}
	return false
}

func handlerCode(t *testing.T) handlerCalls {
	t.Helper()
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	out := handlerCalls{map[string][]string{}, map[string][]string{}}
	for _, file := range files {
		if !strings.HasSuffix(file.Name(), ".go") || strings.HasSuffix(file.Name(), "_test.go") {
			continue
		}
		tree, err := parser.ParseFile(token.NewFileSet(), file.Name(), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range tree.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok || f.Body == nil {
				continue
			}
			if f.Name.Name == "routes" {
				out.addRoutes(f)
				continue
			}
			out.calls[f.Name.Name] = append(out.calls[f.Name.Name], names(f.Body)...)
		}
	}
	return out
}

// addRoutes adds the lines of the table: the literals whose first value is a pattern.
func (c handlerCalls) addRoutes(f *ast.FuncDecl) {
	ast.Inspect(f, func(n ast.Node) bool {
		line, ok := n.(*ast.CompositeLit)
		if !ok || len(line.Elts) != 3 {
			return true
		}
		if first, ok := line.Elts[0].(*ast.BasicLit); ok && first.Kind == token.STRING {
			pattern, _ := strconv.Unquote(first.Value)
			c.routes[pattern] = names(line.Elts[2])
		}
		return true
	})
}

// names returns the methods and functions that a piece of code names.
func names(n ast.Node) (out []string) {
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			if x, ok := n.X.(*ast.Ident); ok && x.Name == "h" {
				out = append(out, n.Sel.Name)
			}
		case *ast.CallExpr:
			if f, ok := n.Fun.(*ast.Ident); ok {
				out = append(out, f.Name)
			}
		}
		return true
	})
	return out
}

// TestAuditLogShowsWhoDidWhat changes things as two people and reads the page.
func TestAuditLogShowsWhoDidWhat(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	s.addSubscribers(2)
	ada, bob := s.owner(), s.bob()
	bob.post("/admin/digests/weekly/begin", "since", "2026-01-31")
	bob.post("/admin/subscribers/1/unsubscribe")
	ada.post("/admin/editors/2/role", "role", "writer")
	ada.post("/admin/subscribers/1/erase", "sure", "yes")
	page := ada.get("/admin/audit")
	ada.want(page, "people.role", "bob@gazette.example: writer", "subscriber.erase", `href="/admin/subscribers/1"`, "digest.start", "2026-01-31", "session.start", "people.join", "127.0.0.0/24")
	if strings.Contains(page, "reader0@") {
		t.Error("the audit log names a subscriber by address")
	}
	for query, want := range map[string]string{
		"who=bob%40gazette.example&action=digest.start": "digest.start", "object=subscriber+1": "subscriber.unsubscribe",
		"from=2020-01-01&to=2099-12-31&action=people.role": "people.role",
	} {
		body := ada.get("/admin/audit?" + query)
		if table, _, _ := strings.Cut(body[strings.Index(body, "<tbody>")+1:], "</tbody>"); !strings.Contains(table, want) || strings.Contains(table, "session.start") {
			t.Errorf("%s: %s", query, table)
		}
	}
	ada.want(ada.get("/admin/audit?to=2020-01-01"), "No entry matches these filters.")
	if body := ada.get("/admin/audit?from=yesterday"); ada.code != http.StatusUnprocessableEntity || !strings.Contains(body, "Enter a date such as 2026-01-31.") {
		t.Errorf("a date that cannot be read is answered %d", ada.code)
	}
	bob.post("/admin/sign-in", "email", bobEmail, "password", "four random words here")
	if bob.get("/admin/audit"); bob.code != http.StatusForbidden {
		t.Errorf("a writer who asks for the audit log is answered %d", bob.code)
	}
}

func TestAuditLogIsPaged(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	ada := s.owner()
	for i := range 60 {
		if err := s.Store.AddAudit(t.Context(), store.AuditEntry{Who: store.AuditCommandLine, Action: "article.remove", Kind: "article", Object: fmt.Sprint("a", i)}); err != nil {
			t.Fatal(err)
		}
	}
	page := ada.get("/admin/audit?action=article.remove")
	_, more, found := strings.Cut(page, `rel="next" href="`)
	if !found || strings.Count(page, "<code>article.remove</code>") != 50 {
		t.Fatalf("the first page has %d entries", strings.Count(page, "<code>article.remove</code>"))
	}
	more, _, _ = strings.Cut(more, `"`)
	if page = ada.get(strings.ReplaceAll(more, "&amp;", "&")); strings.Count(page, "<code>article.remove</code>") != 10 || strings.Contains(page, `rel="next"`) {
		t.Errorf("the second page has %d entries", strings.Count(page, "<code>article.remove</code>"))
	}
}

// TestChangesWithoutAuditEntryAreNotMade hides the table of the audit log while an owner uses the
// buttons of many pages.
func TestChangesWithoutAuditEntryAreNotMade(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	s := startSite(t)
	s.addSubscribers(2)
	ada := s.owner()
	s.bob()
	draft, err := s.newEngine().Draft(t.Context(), "weekly", delivery.SendOptions{By: "ada@gazette.example"})
	if err != nil {
		t.Fatal(err)
	}
	id := draft.Articles[0]
	ada.get("/admin/editions/" + draft.ID)
	shown := ada.hidden("shown")
	rename := func(from, to string) {
		if _, err := s.Store.DB().ExecContext(t.Context(), "ALTER TABLE "+from+" RENAME TO "+to); err != nil {
			t.Fatal(err)
		}
	}
	rename("audit_log", "hidden")
	before := s.dump()
	for _, form := range [][]string{
		{"/admin/editors/2/role", "role", "viewer"}, {"/admin/editors/2/access"}, {"/admin/editors/2/reset"}, {"/admin/account/invite", "email", "eve@gazette.example"},
		{"/admin/account/sessions"}, {"/admin/articles/" + id + "/remove"}, {"/admin/articles/new", "title", "A new one", "text", "Text."},
		{"/admin/digests/weekly/begin", "since", "2026-01-31"},
		{"/admin/editions/" + draft.ID + "/approve", "shown", shown, "sure", "yes"}, {"/admin/editions/" + draft.ID + "/cancel"}, {"/admin/editions/" + draft.ID + "/subject", "subject", "Other"},
		{"/admin/subscribers/1/unsubscribe"}, {"/admin/subscribers/1/suppress", "reason", "asked"}, {"/admin/subscribers/1/erase", "sure", "yes"}, {"/admin/subscribers/1/export"}, {"/admin/subscribers/export"},
		{"/admin/subscribers/new", "address", "new@example.org", "digest", "weekly", "how", "agreed", "words", "I agree", "source", "on paper", "consented", "2026-01-31"},
		{"/admin/settings/relays/inbox/stop"}, {"/admin/sign-out"},
	} {
		if ada.post(form[0], form[1:]...); ada.code != http.StatusInternalServerError || strings.Contains(ada.body, "@example.org") || strings.Contains(ada.body, "audit_log") {
			t.Errorf("%s is answered %d: %s", form[0], ada.code, ada.body)
		}
	}
	if after := s.dump(); after != before {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
	rename("hidden", "audit_log")
	if ada.post("/admin/subscribers/1/unsubscribe"); ada.code != http.StatusOK {
		t.Errorf("with the audit log, the subscriber is answered %d", ada.code)
	}
}
