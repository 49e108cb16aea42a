package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

func TestSubscribersAreListedAndExportedByState(t *testing.T) {
	t.Parallel()
	s := newSite(t, "")
	for _, args := range [][]string{
		{"add", "Ada <ada@example.org>", "--digest", "weekly"}, {"add", "bob@example.org", "--name", "Bob\x1b[31m"}, {"add", "cy@example.org", "--digest", "daily"},
		{"remove", "cy@example.org"}, {"remove", "bob@example.org", "--digest", "weekly"}, {"suppress", "dora@example.org", "--reason", "asked by phone"},
	} {
		s.ok(append([]string{"subscriber"}, args...)...)
	}
	for _, test := range []struct {
		flags string
		want  []string
	}{
		{"", []string{"ada@example.org", "bob@example.org", "cy@example.org"}},
		{"--state active", []string{"ada@example.org", "bob@example.org"}},
		{"--state unsubscribed", []string{"cy@example.org"}},
		{"--state bounced", nil},
		{"--digest weekly", []string{"ada@example.org"}},
		{"--digest daily --state active", []string{"bob@example.org"}},
		{"--limit 1", []string{"ada@example.org"}},
		{"--limit 0", []string{"ada@example.org", "bob@example.org", "cy@example.org"}},
	} {
		var list []struct{ Address string }
		s.decode(&list, words("subscriber list "+test.flags)...)
		var got []string
		for _, one := range list {
			got = append(got, one.Address)
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("list %s: %v, want %v", test.flags, got, test.want)
		}
		if strings.Contains(test.flags, "limit") {
			continue
		}
		exported := s.ok(words("subscriber export " + test.flags)...)
		if lines := strings.Count(exported, "\n"); lines != len(test.want)+1 {
			t.Errorf("export %s: %d lines, want a heading and %d\n%s", test.flags, lines, len(test.want), exported)
		}
	}
	out := s.ok("subscriber", "list")
	if !strings.Contains(out, "3 shown; total: 2 active 1 unsubscribed") || strings.Contains(out, "\x1b") {
		t.Errorf("%q", out)
	}
	shown := s.ok("subscriber", "show", "ada@example.org")
	for _, want := range []string{"ada@example.org", "active", "on weekly", "added by an editor"} {
		if !strings.Contains(shown, want) {
			t.Errorf("show lacks %q:\n%s", want, shown)
		}
	}
	s.want(exitFailed, words("subscriber add dora@example.org"), "dora@example.org")
	s.want(exitDone, words("subscriber suppress --lift dora@example.org"), "dora@example.org may be mailed again")
	s.ok("subscriber", "add", "dora@example.org")
}

func TestExportedListIsReadableByItsOwnerOnly(t *testing.T) {
	t.Parallel()
	s := newSite(t, "")
	s.ok("subscriber", "add", "ada@example.org")
	path := s.write("list.csv", strings.Repeat("an earlier and longer list\n", 1000))
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	s.ok("subscriber", "export", path)
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the list is %v, %v", info.Mode(), err)
	}
	data, err := os.ReadFile(path)
	if err != nil || !strings.Contains(string(data), "ada@example.org") || strings.Contains(string(data), "earlier") {
		t.Errorf("%s, %v", data, err)
	}
	if out := s.ok("subscriber", "export", "-"); out != string(data) {
		t.Errorf("on standard output it is\n%s\nin the file\n%s", out, data)
	}
	s.want(exitFailed, []string{"subscriber", "export", filepath.Join(s.folder, "no", "x.csv")}, "no such file")
}

// TestCommandsThatChangeSomethingAreAudited, and dry runs are not.
func TestCommandsThatChangeSomethingAreAudited(t *testing.T) {
	t.Parallel()
	s := newSite(t, "")
	s.ok("subscriber", "add", "ada@example.org")
	s.ok("subscriber", "clear-language", "en", "--dry-run")
	s.ok("subscriber", "clear-language", "EN", "--dry-run=false")
	s.ok("subscriber", "list")
	s.ok("editor", "invite", "bob@example.org")
	s.ok("config", "set", "site.title", "Post")
	s.ok("subscriber", "erase", "ada@example.org")
	var log []shownAudit
	s.decode(&log, "audit", "list")
	var got []string
	for _, e := range slices.Backward(log) {
		got = append(got, strings.TrimSpace(e.Action+" "+e.Object))
		if e.Who != "command line" || e.At.IsZero() || strings.Contains(fmt.Sprint(e), "ada@example.org") {
			t.Errorf("%+v", e)
		}
	}
	if len(got) < 4 || !strings.HasPrefix(got[0], "subscriber.add") || !slices.ContainsFunc(got, func(line string) bool { return strings.Contains(line, "language") }) {
		t.Errorf("the log has %q", got)
	}
	var some []shownAudit
	if s.decode(&some, "audit", "list", "--limit", "1"); len(some) != 1 || some[0] != log[0] {
		t.Errorf("the newest entry is %+v", some)
	}
	if s.decode(&some, "audit", "list", "--action", log[0].Action); len(some) != 1 {
		t.Errorf("of the action %s: %+v", log[0].Action, some)
	}
	if s.decode(&some, "audit", "list", "--person", "nobody"); len(some) != 0 {
		t.Errorf("of nobody: %+v", some)
	}
}

func TestImportOfAListReportsEachColumnAndRefusal(t *testing.T) {
	t.Parallel()
	s := newSite(t, "")
	list := s.write("old.csv", "Mail,Mail OK? (accept),Shoe size\nada@example.org,yes,38\nbob@example.org,no,44\nnobody,yes,40\nada@example.org,yes,38\n")
	s.want(exitUsage, []string{"subscriber", "import", list, "--column", "Mail OK? (accept)=stays", "--digest", "monthly"}, "monthly")
	code, stdout, stderr := s.run("subscriber", "import", list, "--column", "Mail OK? (accept)=stays", "--dry-run")
	if code != exitPartial || !strings.Contains(stdout, "Nothing was stored: this was a dry run.") || !strings.Contains(stderr, "old.csv:4: ") {
		t.Errorf("a dry run: %d\n%s%s", code, stdout, stderr)
	}
	var people []struct{ Address, State string }
	if s.decode(&people, "subscriber", "list"); len(people) != 0 {
		t.Errorf("the dry run stored %v", people)
	}
	code, stdout, stderr = s.run("subscriber", "import", list, "--column", "Mail OK? (accept)=stays", "--quiet", "--json")
	var summary struct{ Lines, Added, Repeated, Refused int }
	if err := json.Unmarshal([]byte(stdout), &summary); err != nil || code != exitPartial || summary.Lines != 4 || summary.Refused != 1 || summary.Repeated != 1 {
		t.Errorf("%d %v %+v\n%s", code, err, summary, stdout)
	}
	if strings.Contains(stderr, "duplicate") || !strings.Contains(stderr, "old.csv:4: ") {
		t.Errorf("with --quiet: %s", stderr)
	}
	s.decode(&people, "subscriber", "list")
	states := map[string]string{}
	for _, one := range people {
		states[one.Address] = one.State
	}
	if states["ada@example.org"] != string(subscriber.Active) || states["bob@example.org"] == string(subscriber.Active) {
		t.Errorf("states %v", states)
	}
	s.input = "cy@example.org\n"
	s.want(exitDone, []string{"subscriber", "import", "-", "--mail-language", "Deutsch"}, "1 line: 1 added")
	s.want(exitDone, []string{"subscriber", "show", "cy@example.org"}, "mail language")
	s.want(exitDone, []string{"subscriber", "import", "-"}, "0 lines: 0 added") // nothing on standard input
}

func TestEditorsAreInvitedListedAndRemoved(t *testing.T) {
	t.Parallel()
	s := newSite(t, "")
	first := s.ok("editor", "invite", "ada@example.org", "--role", "viewer") // the first editor becomes the owner
	if !strings.HasPrefix(first, "https://gazette.example/admin/welcome/") {
		t.Errorf("the first link is %q", first)
	}
	opened := storetest.Reopen(t, s.dsn, store.Options{})
	storetest.Editor(t, opened, store.Editor{Email: "ada@example.org", Name: "Ada", Role: store.OwnerRole})
	link := s.ok("editor", "invite", "bob@example.org", "--role", "writer")
	if !strings.HasPrefix(link, "https://gazette.example/admin/welcome/") || strings.Count(link, "\n") != 1 {
		t.Errorf("the link is %q", link)
	}
	second := s.ok("editor", "invite", "bob@example.org", "--owner") // makes the first one invalid
	if second == link {
		t.Error("two invitations have one link")
	}
	s.ok("editor", "invite")
	var links []shownLink
	s.decode(&links, "editor", "links")
	if len(links) != 2 {
		t.Fatalf("%+v", links)
	}
	for _, l := range links {
		if l.For == "bob@example.org" && l.Role != store.OwnerRole || l.Expires.IsZero() {
			t.Errorf("%+v", l)
		}
	}
	if out := s.ok("editor", "links"); !strings.Contains(out, "anyone") || !strings.Contains(out, "by the command line") || strings.Contains(out, "/admin/") {
		t.Errorf("%s", out)
	}
	s.want(exitDone, []string{"editor", "revoke", fmt.Sprint(links[0].ID)}, fmt.Sprintf("Link %d is revoked.", links[0].ID))
	s.want(exitFailed, []string{"editor", "revoke", fmt.Sprint(links[0].ID)}, "no valid link has the number")
	if s.decode(&links, "editor", "links"); len(links) != 1 {
		t.Errorf("after one was revoked: %+v", links)
	}
	storetest.Editor(t, opened, store.Editor{Email: "eve@example.org", Name: "Eve", Role: store.WriterRole})
	s.want(exitDone, words("editor role eve@example.org editor"), "eve@example.org has the role editor now.")
	s.want(exitDone, words("editor disable eve@example.org"), "eve@example.org is disabled.")
	if out := s.ok("editor", "list"); !strings.Contains(out, "disabled") || !strings.Contains(out, "Ada") {
		t.Errorf("%s", out)
	}
	s.want(exitDone, words("editor enable EVE@example.org"), "may sign in again")
	s.want(exitFailed, words("editor role ada@example.org viewer"), "this is the only owner who can sign in; make another editor an owner first")
	for _, command := range []string{"editor reset ada@example.org", "editor reset ada@example.org --second-factor", "editor reset ada@example.org --sign-in-methods"} {
		if link := s.ok(words(command)...); !strings.HasPrefix(link, "https://gazette.example/admin/welcome/") {
			t.Errorf("%s prints %q", command, link)
		}
	}
	s.want(exitDone, words("editor remove eve@example.org"), "The account of eve@example.org is removed.")
	var editors []shownEditor
	if s.decode(&editors, "editor", "list"); len(editors) != 1 || editors[0] != (shownEditor{Email: "ada@example.org", Name: "Ada", Role: store.OwnerRole}) {
		t.Errorf("%+v", editors)
	}
}
