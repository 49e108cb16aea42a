package admin_test

import (
	"net/http"
	"path"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/testkit"
)

// uploadList uploads a list, and returns the page after it.
func (e *editor) uploadList(name, data string) string {
	e.t.Helper()
	return e.upload("/admin/subscribers/import", "file", name, []byte(data))
}

// waitFor reads a page of the editor until it has a text.
func (e *editor) waitFor(s *site, path, text string) string {
	e.t.Helper()
	s.eventually(path+" shows "+text, func() bool { return strings.Contains(e.get(path), text) })
	return e.body
}

const strangeList = "Email,Name,Mail OK? (accept)\nnew@example.org,New,yes\nreader0@example.org,,yes\nleft@example.org,,no\nnobody,\"=HYPERLINK(\"\"x\"\")\",yes\n"

// importForm are the fields of a list with three columns, as a browser sends them.
func (e *editor) importForm(third string) []string {
	return []string{
		"revision", e.hidden("revision"), "column-1", "email", "column-2", "name", "column-3", third,
		"digest", "weekly", "labels", "fair 2026", "consent", "signed up at the fair", "agreed", "yes",
	}
}

func TestListIsImportedInTheBrowser(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	s := startSite(t)
	s.addSubscribers(1)
	e := s.owner()
	e.want(e.get("/admin/subscribers"), `href="/admin/subscribers/import"`)
	e.want(e.uploadList(`C:\lists\fair.csv`, strangeList), "fair.csv", "Mail OK? (accept)", "decide what it means", "new@example.org", `value="fair `)
	here := e.at
	e.want(e.post(here, e.importForm("")...), "say what the column “Mail OK? (accept)” holds")
	if e.code != http.StatusUnprocessableEntity {
		t.Errorf("status %d", e.code)
	}
	form := e.importForm("stays")
	e.want(e.post(here, form[:len(form)-2]...), "confirm that the people on this list agreed")
	e.want(e.post(here, form...), "line")
	e.waitFor(s, here, "This is what would happen. Nothing is stored yet.")
	e.want(e.body, `id="added">1<`, `id="refused-count">1<`, "address not valid", "Write one address on each line", "“no” means that the person left", "(chosen by an editor)")
	if _, err := s.Store.SubscriberByAddress(t.Context(), subscriber.MustParseAddress("new@example.org")); err == nil {
		t.Error("the dry run stored a subscriber")
	}
	e.want(e.post(here+"/start", "revision", "1"), "This list was changed, imported or removed")
	e.get(here)
	revision := e.hidden("revision")
	e.post(here+"/start", "revision", revision)
	e.waitFor(s, here, "The list was imported")
	e.want(e.body, `id="added">1<`, `href="/admin/subscribers?label=fair&#43;2026"`)
	e.want(e.get("/admin/subscribers?label=fair+2026"), "3 subscribers", "new@example.org", "reader0@example.org")
	e.want(e.post(here+"/start", "revision", revision), "This list was changed, imported or removed")
	e.want(e.get(here+"/refused.csv"), "Line,Reason,Column,Value\n", "5,address not valid,Email,nobody\n")
	e.want(e.get("/admin/subscribers/import"), "fair.csv", "imported")
	e.want(e.get("/admin/audit?action=subscriber.import"), "4 lines, digests: weekly")
	left, err := s.Store.SubscriberByAddress(t.Context(), subscriber.MustParseAddress("left@example.org"))
	if err != nil || left.State != subscriber.Unsubscribed {
		t.Errorf("who left is %s, %v", left.State, err)
	}
}

func TestListThatIsNoneIsRefusedOnThePage(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	e := s.owner()
	for data, want := range map[string]string{
		"": "the file is empty", "PK\x03\x04": "is a spreadsheet or archive", "email\x00\n": "cannot be read as a list",
		strings.Repeat("x", 1<<20): "cannot be read as a list",
	} {
		if e.want(e.uploadList("x.csv", data), want); e.code != http.StatusUnprocessableEntity || e.at != "/admin/subscribers/import" {
			t.Errorf("%s: status %d", want, e.code)
		}
	}
	e.want(e.post("/admin/subscribers/import"), "Choose a file.")
	e.uploadList("x.csv", "email\na@example.org\n")
	e.want(e.post(e.at+"/remove"), "The list was removed")
	if e.get("/admin/imports/99"); e.code != http.StatusNotFound {
		t.Errorf("an unknown list: %d", e.code)
	}
}

// TestImportContinuesAfterARestart stops the server between the check and the import.
func TestImportContinuesAfterARestart(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	s := startSite(t)
	e := s.owner()
	e.uploadList("list.csv", "email,name\nnew@example.org,New\n")
	here := e.at
	e.post(here, "revision", e.hidden("revision"), "digest", "weekly", "consent", "at the fair", "agreed", "yes")
	e.waitFor(s, here, "This is what would happen")
	list, err := s.Store.Upload(t.Context(), path.Base(here))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Store.StartUpload(t.Context(), list.ID, list.Revision, "ada@gazette.example"); err != nil {
		t.Fatal(err)
	}
	s.stop()
	s.start(s.Config)
	e.waitFor(s, here, "The list was imported")
	if people, err := s.Store.CountSubscribers(t.Context()); err != nil || people[subscriber.Active] != 1 {
		t.Errorf("subscribers %v, %v", people, err)
	}
}

// TestProgressOfAListIsStreamed reads the events of a list until its end.
func TestProgressOfAListIsStreamed(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	s := startSite(t)
	e := s.owner()
	e.uploadList("list.csv", "email,name\nnew@example.org,New\n")
	here := e.at
	e.post(here, "revision", e.hidden("revision"), "digest", "weekly", "consent", "at the fair", "agreed", "yes")
	e.want(e.get(here+"/events"), "event: list-state\n", "This is what would happen", "event: end\n")
}

func TestTwoEditorsImportOneListOnce(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	s := startSite(t)
	e := s.owner()
	e.uploadList("list.csv", "email,name\nnew@example.org,New\n")
	here := e.at
	form := []string{"revision", e.hidden("revision"), "digest", "weekly", "consent", "at the fair", "agreed", "yes"}
	e.post(here, form...)
	if e.want(e.post(here, form...), "This list was changed"); e.code != http.StatusConflict {
		t.Errorf("the second settings: %d", e.code)
	}
	e.waitFor(s, here, "This is what would happen")
	h, revision := s.handler(), e.hidden("revision")
	first, second := s.member(store.EditorRole), s.member(store.OwnerRole)
	codes := map[int]int{}
	for _, one := range []store.Editor{first, second} {
		codes[s.as(h, &one, http.MethodPost, here+"/start", map[string][]string{"revision": {revision}}).Code]++
	}
	if codes[http.StatusSeeOther] != 1 || codes[http.StatusConflict] != 1 {
		t.Errorf("status codes %v", codes)
	}
}

// TestListIsImportedInChromium imports a list with the page's script, and checks its pages on all screens.
func TestListIsImportedInChromium(t *testing.T) {
	testkit.Slow(t)
	s := startSite(t)
	s.addSubscribers(1)
	b := testkit.StartBrowser(t)
	s.signUp(b)
	b.Open(s.url + "/admin/subscribers/import")
	s.checkScreens(b, "import")
	client := s.visitor()
	client.post("/admin/sign-in", "email", "ada@gazette.example", "password", "four random words here")
	client.uploadList("fair.csv", strangeList)
	b.Open(s.url + client.at)
	s.checkScreens(b, "list-form")
	if _, err := b.Evaluate(`document.querySelector('[name=column-3]').value = 'stays'`); err != nil {
		t.Fatal(err)
	}
	b.Type("[name=consent]", "signed up at the fair")
	b.Click("[name=agreed]")
	b.Click(".list-form button.main")
	b.WaitText("Nothing is stored yet.")
	b.WaitText("Import the list")
	s.checkScreens(b, "list-checked")
	b.Click(`form[action$="/start"] button`)
	b.WaitText("The list was imported")
	s.checkScreens(b, "list-imported")
	for _, problem := range b.ConsoleErrors() {
		t.Errorf("the browser's console: %s", problem)
	}
}
