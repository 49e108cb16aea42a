package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

// site is a configuration and a store, on which a test runs commands in this process.
type site struct {
	t      *testing.T
	folder string
	config string
	dsn    string
	input  string // of the next command
}

const siteConfig = `
site: {title: Gazette, url: "https://gazette.example", timezone: Europe/Paris}
digests:
- {name: weekly, schedule: "0 8 * * 5", sender: news@gazette.example}
- {name: daily, schedule: "0 7 * * *", sender: news@gazette.example}
`

// newSite makes a site with a store on SQLite. more is added to the configuration.
func newSite(t *testing.T, more string) *site {
	t.Helper()
	s := &site{t: t, folder: t.TempDir(), dsn: storetest.DSN(t, store.SQLite)}
	s.config = s.write("config.yaml", fmt.Sprintf("store: {dsn: %q}\n", s.dsn)+siteConfig+more)
	return s
}

// write writes a file in the site's folder and returns its path.
func (s *site) write(name, text string) string {
	s.t.Helper()
	path := filepath.Join(s.folder, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
	return path
}

// run runs a command and returns its exit code and what it printed.
func (s *site) run(args ...string) (code int, stdout, stderr string) {
	s.t.Helper()
	var out, errors bytes.Buffer
	code = run(append([]string{"--config", s.config}, args...), strings.NewReader(s.input), &out, &errors)
	s.input = ""
	return code, out.String(), errors.String()
}

// want runs a command that must end with a code and print texts, on standard output for 0 and on standard error
// otherwise.
func (s *site) want(code int, args []string, texts ...string) string {
	s.t.Helper()
	got, stdout, stderr := s.run(args...)
	printed := stdout
	if code != exitDone {
		printed = stderr
	}
	if got != code {
		s.t.Errorf("tidings %s: exit code %d, want %d\n%s%s", strings.Join(args, " "), got, code, stdout, stderr)
	}
	for _, text := range texts {
		if !strings.Contains(printed, text) {
			s.t.Errorf("tidings %s: %q is not in\n%s", strings.Join(args, " "), text, printed)
		}
	}
	return printed
}

// ok runs a command that must succeed and returns its output.
func (s *site) ok(args ...string) string {
	s.t.Helper()
	return s.want(exitDone, args)
}

// decode runs a command with --json and decodes its output.
func (s *site) decode(into any, args ...string) {
	s.t.Helper()
	out := s.ok(append(args, "--json")...)
	if err := json.Unmarshal([]byte(out), into); err != nil {
		s.t.Fatalf("tidings %s: %v in\n%s", strings.Join(args, " "), err, out)
	}
}

func words(command string) []string { return strings.Fields(command) }

// TestWrongUsageNamesTheArgumentAndTheUsage: exit code 2, nothing on standard output, and what to write.
func TestWrongUsageNamesTheArgumentAndTheUsage(t *testing.T) {
	t.Parallel()
	s := newSite(t, "")
	for command, want := range map[string][]string{
		"nothing":                                         {"nothing", "tidings"},
		"article":                                         {"tidings article needs a subcommand; see tidings article --help"},
		"digest nonsense":                                 {"nonsense"},
		"article show":                                    {"ARTICLE is missing; usage: tidings article show ARTICLE"},
		"article show a b":                                {`unexpected argument "b"`},
		"article import":                                  {"PATH is missing"},
		"article remove":                                  {"ARTICLE is missing"},
		"article list x":                                  {`unexpected argument "x"; usage: tidings article list`},
		"article list --limit 0":                          {"--limit", "use a number of 1 or more"},
		"article list --limit -1":                         {"--limit", "use a number of 1 or more"},
		"article list --limit many":                       {"--limit", "use a number of 1 or more"},
		"article list --status gone":                      {"gone"},
		"article list --filter (":                         {"a tag is expected at the end"},
		"audit list --limit -1":                           {"use a number of 1 or more"},
		"audit list --limit 99999999999999999999":         {"use a number of 1 or more"},
		"backup status --limit 0":                         {"use a number of 1 or more"},
		"digest status --limit -3":                        {"use a number of 1 or more"},
		"message list --limit 0":                          {"use a number of 1 or more"},
		"subscriber list --limit -1":                      {"use a number of 0 or more"},
		"subscriber list --state activ":                   {"--state", "use one of: pending, active, paused"},
		"subscriber export --state Active":                {"use one of: pending, active"},
		"subscriber add":                                  {"ADDRESS is missing"},
		"subscriber add nobody":                           {"nobody", "@"},
		"subscriber show @":                               {"@"},
		"subscriber erase a@b@c":                          {"a@b@c"},
		"subscriber suppress x":                           {"x"},
		"subscriber clear-language klingonese":            {`"klingonese" is not a language; use a tag such as en or pt-BR`},
		"subscriber add a@example.org --mail-language 12": {`--mail-language "12" is not a language`},
		"subscriber import missing.csv":                   {"missing.csv does not exist; name a file, or - for standard input"},
		"subscriber import - --column x":                  {`--column "x" is not NAME=MEANING; the meanings are: `},
		"subscriber import - --column x=y":                {`--column "x=y" is not NAME=MEANING`},
		"editor role a@example.org":                       {"ROLE is missing; usage: tidings editor role ADDRESS ROLE"},
		"editor role a@example.org boss":                  {`unknown role "boss"; use one of: `, "writer"},
		"editor invite --role boss":                       {`--role: unknown role "boss"`},
		"editor invite --owner --role viewer":             {"use either --role or --owner"},
		"editor invite a b":                               {"accepts at most 1 arg"},
		"editor revoke third":                             {`"third" is not the number of a link; "tidings editor links" shows them`},
		"dkim keygen":                                     {"FILE is missing"},
		"digest plan weekly -n 0":                         {"-n 0 is out of range; use 1 to "},
		"digest plan weekly -n 9999":                      {"-n 9999 is out of range"},
		"digest calendar --month 2026-13":                 {`--month "2026-13" is not a month; write it like --month 2026-12`},
		"digest calendar --month May":                     {`--month "May" is not a month`},
		"digest mark-seen weekly":                         {"--before is missing; write it like --before 2026-01-31"},
		"digest mark-seen weekly --before 31.1.2026":      {`--before "31.1.2026" is not a date; write it like --before 2026-01-31`},
		"digest edit x --file a --print":                  {"file", "print"},
		"message new":                                     {"--subject is missing"},
		"message new --subject x --public --private":      {"public", "private"},
		"message new --subject x --file no-such-file.md":  {"--file: ", "no-such-file.md"},
		"config set site.title":                           {"VALUE is missing"},
		"config set store.dsn x":                          {"store.dsn"},
		"config show --effective --stored":                {"effective", "stored"},
		"template preview letter --lang ??":               {`--lang "??" is not a language tag; write it like --lang fr`},
		"template preview no-such-template":               {"no-such-template"},
		"template check no-such-template":                 {"no-such-template"},
		"template new mine":                               {"config.yaml:", "templates", "no folder for your own templates is configured"},
		"check-update":                                    {"no feed of releases is set; set updates.url in "},
		"check-update --url ftp://x":                      {`"ftp://x" is not the address of a feed`},
		"backup verify no-such-file":                      {"no-such-file"},
		"backup verify x --quick --postgres y":            {"--quick and --postgres exclude each other"},
		"doctor --only nonsense":                          {"nonsense"},
		"doctor --only spf --send-to a@example.org":       {"--only leaves out test-mail"},
		"doctor --only test-mail":                         {"pass --send-to ADDRESS"},
		"status --json=maybe":                             {"maybe"},
	} {
		t.Run(command, func(t *testing.T) {
			t.Parallel()
			own := *s
			own.t = t
			code, stdout, stderr := own.run(words(command)...)
			if code != exitUsage || stdout != "" || !strings.HasSuffix(stderr, "\n") {
				t.Errorf("exit code %d, standard output %q, standard error %q", code, stdout, stderr)
			}
			for _, text := range want {
				if !strings.Contains(stderr, text) {
					t.Errorf("%q is not in %q", text, stderr)
				}
			}
		})
	}
}

// TestFailuresNameWhatIsMissing: exit code 1, since the command itself is right.
func TestFailuresNameWhatIsMissing(t *testing.T) {
	t.Parallel()
	s := newSite(t, "")
	for command, want := range map[string]string{
		"article show nothing":                         "nothing",
		"article remove nothing":                       "nothing",
		"article import no-such-folder":                "no-such-folder",
		"digest status 0b6cc0e4":                       "0b6cc0e4",
		"digest pause 0b6cc0e4":                        "0b6cc0e4",
		"digest resume 0b6cc0e4":                       "0b6cc0e4",
		"digest cancel 0b6cc0e4":                       "0b6cc0e4",
		"digest edit 0b6cc0e4 --print":                 "0b6cc0e4",
		"digest approve 0b6cc0e4 --shown x":            "0b6cc0e4",
		"digest plan monthly":                          `unknown digest "monthly"; configured digests: `,
		"digest plan weekly --article nothing":         "nothing",
		"digest preview monthly":                       `unknown digest "monthly"`,
		"message show 0b6cc0e4":                        "0b6cc0e4",
		"subscriber show a@example.org":                "no subscriber has the address a@example.org",
		"subscriber remove a@example.org":              "no subscriber has the address a@example.org",
		"subscriber erase a@example.org":               "no subscriber has the address a@example.org",
		"subscriber add a@example.org --digest x":      `unknown digest "x"; configured digests: weekly, daily`,
		"editor revoke 12":                             `no valid link has the number 12; "tidings editor links" shows them`,
		"editor disable a@example.org":                 "a@example.org",
		"editor role a@example.org viewer":             "a@example.org",
		"editor reset a@example.org":                   "a@example.org",
		"editor reset a@example.org --second-factor":   "a@example.org",
		"editor reset a@example.org --sign-in-methods": "a@example.org",
	} {
		t.Run(command, func(t *testing.T) {
			t.Parallel()
			own := *s
			own.t = t
			if text := own.want(exitFailed, words(command), want); !strings.HasPrefix(text, "tidings: ") {
				t.Errorf("printed %q", text)
			}
		})
	}
	var log []shownAudit
	if s.decode(&log, "audit", "list"); len(log) != 0 {
		t.Errorf("commands that failed are in the audit log: %+v", log)
	}
}

func TestConfigurationThatIsMissingOrWrongIsWrongUsage(t *testing.T) {
	t.Parallel()
	s := newSite(t, "")
	s.config = filepath.Join(s.folder, "no-such.yaml")
	s.want(exitUsage, words("status"), "no-such.yaml")
	s.config = s.write("wrong.yaml", "site: {titel: Gazette}\n")
	s.want(exitUsage, words("article list"), "wrong.yaml:1: ", "titel", "did you mean title?")
	s.want(exitUsage, words("config check"), "wrong.yaml:1: ")
	s.config = s.write("broken.yaml", "site: [\n")
	s.want(exitUsage, words("config show"), "broken.yaml:")
	s.config = s.folder
	if code, _, stderr := s.run("status"); code == exitDone || !strings.Contains(stderr, s.folder) {
		t.Errorf("a folder as configuration: %d %s", code, stderr)
	}
}

// TestHelpOfEveryCommandHasAnExample: it is the first thing that a stranger looks for.
func TestHelpOfEveryCommandHasAnExample(t *testing.T) {
	t.Parallel()
	s := newSite(t, "")
	eachCommand(newRoot(&cli{}), func(c *cobra.Command) {
		if c.Hidden || c.HasSubCommands() && c.HasParent() || c.Name() == "help" || c.Name() == "completion" {
			return
		}
		if !strings.Contains(c.Example, c.CommandPath()) {
			t.Errorf("the example of %s is %q", c.CommandPath(), c.Example)
		}
		for line := range strings.SplitSeq(c.Example, "\n") {
			if !strings.HasPrefix(line, "  tidings ") {
				t.Errorf("%s: the line %q of the example is no command", c.CommandPath(), line)
			}
		}
		args := append(strings.Fields(c.CommandPath())[1:], "--help")
		if out := s.ok(args...); !strings.Contains(out, "Usage:") {
			t.Errorf("%s --help prints %q", c.CommandPath(), out)
		}
	})
}

// TestFlagsInExamplesExist parses the commands of each example, so that none names a flag of the past.
func TestFlagsInExamplesExist(t *testing.T) {
	t.Parallel()
	root := newRoot(&cli{})
	eachCommand(root, func(c *cobra.Command) {
		for line := range strings.SplitSeq(c.Example, "\n") {
			for part := range strings.SplitSeq(line, "&&") {
				for _, word := range strings.Fields(part) {
					name, long := strings.CutPrefix(word, "--")
					if name, _, _ = strings.Cut(name, "="); !long || c.Flag(name) != nil {
						continue
					}
					t.Errorf("%s has no flag --%s, which its example %q names", c.CommandPath(), name, line)
				}
			}
		}
	})
}

func TestListsWithoutEntriesAreEmptyArrays(t *testing.T) {
	t.Parallel()
	s := newSite(t, "")
	for _, command := range []string{"article list", "audit list", "subscriber list", "editor list", "editor links", "digest status", "message list", "backup status"} {
		var list []any
		if s.decode(&list, words(command)...); list == nil || len(list) != 0 {
			t.Errorf("%s --json: %v", command, list)
		}
	}
	if out := s.ok("digest", "status"); !strings.Contains(out, "No editions yet.") {
		t.Errorf("%q", out)
	}
	if out := s.ok("message", "list"); !strings.Contains(out, "tidings message new") {
		t.Errorf("%q", out)
	}
}

func TestVersionIsPrintedInBothForms(t *testing.T) {
	t.Parallel()
	s := newSite(t, "")
	var v map[string]string
	s.decode(&v, "version")
	if v["version"] == "" || !strings.HasPrefix(v["go"], "go1.") || !strings.HasPrefix(s.ok("version"), "tidings "+v["version"]) {
		t.Errorf("%v", v)
	}
}

func TestManualOfAFolderWithAnyNameIsCounted(t *testing.T) {
	t.Parallel()
	s := newSite(t, "")
	for _, name := range []string{"plain", "a[b", "a*b", "[a-z]", "a b/c"} {
		folder := filepath.Join(s.folder, name)
		var written struct{ Pages int }
		s.decode(&written, "man", folder)
		entries, err := os.ReadDir(folder)
		if err != nil || written.Pages != len(entries) || written.Pages < 50 {
			t.Errorf("%s: %d pages are reported, %d files, %v", name, written.Pages, len(entries), err)
		}
	}
}

func TestKeyForMailIsMadeForADomainAndSelector(t *testing.T) {
	t.Parallel()
	s := newSite(t, "")
	n := 0
	keygen := func(flags ...string) []string {
		n++
		return append([]string{"dkim", "keygen", filepath.Join(s.folder, fmt.Sprint(n, ".pem")), "--type", "ed25519"}, flags...)
	}
	for domain, want := range map[string]string{"": "--domain is missing", "https://example.org": "is not a domain", "a b.example": "is not a domain", "example..org": "is not a domain", "-": "is not a domain", "a@b.example": "is not a domain", "example.org/x": "is not a domain"} {
		s.want(exitUsage, keygen("--domain", domain), want)
	}
	for _, selector := range []string{"", " ", "a b", "A1", "a.", ".a", "a._domainkey", "a/b", "ü", strings.Repeat("a", 64)} {
		s.want(exitUsage, keygen("--domain", "example.org", "--selector", selector), "is not a DKIM selector; use lower-case letters")
	}
	s.want(exitUsage, []string{"dkim", "keygen", filepath.Join(s.folder, "x.pem"), "--domain", "example.org", "--type", "dsa"}, "dsa")
	files, err := filepath.Glob(filepath.Join(s.folder, "*.pem"))
	if err != nil || len(files) != 0 {
		t.Errorf("refused commands made the files %v", files)
	}
	var key map[string]string
	s.decode(&key, keygen("--domain", "bücher.example", "--selector", "2026a.news")...)
	if key["name"] != "2026a.news._domainkey.xn--bcher-kva.example" || key["type"] != "TXT" || !strings.HasPrefix(key["value"], "v=DKIM1; k=ed25519; p=") {
		t.Errorf("%v", key)
	}
	if info, err := os.Stat(key["file"]); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key is %v, %v", info, err)
	}
	s.want(exitFailed, []string{"dkim", "keygen", filepath.Join(s.folder, "no", "such", "x.pem"), "--domain", "example.org"}, "no such file")
}

// TestTextsOfStrangersAreSafeOnATerminal: names and replies may hold sequences that a terminal obeys.
func TestTextsOfStrangersAreSafeOnATerminal(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"plain":                   "plain",
		"two\nlines\tand a tab":   "two\nlines\tand a tab",
		"\x1b[2J\x1b]0;title\x07": "[2J]0;title",
		"a\rb\x00c\x7fd\u009be":   "abcde",
		"é \U0001F600 \u05e9":     "é \U0001F600 \u05e9",
		"broken \xff\xfe":         "broken \uFFFD\uFFFD",
	} {
		if got := visible(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
	s := newSite(t, "")
	s.want(exitFailed, []string{"article", "show", "\x1b[2Jx"}, "[2Jx")
	if _, _, stderr := s.run("article", "show", "\x1b[2Jx"); strings.Contains(stderr, "\x1b") {
		t.Errorf("%q", stderr)
	}
}

func TestStartersAreWrittenOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t, "")
	path := filepath.Join(s.folder, "new", "tidings.yaml")
	s.want(exitFailed, []string{"init", path}, "no such file")
	if err := os.Mkdir(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	s.want(exitDone, []string{"init", path}, "wrote "+path)
	s.want(exitUsage, []string{"init", path}, path+" exists already; choose another name, or add --force")
	s.want(exitUsage, []string{"init"}, s.config+" exists already") // --config names it
	s.want(exitUsage, []string{"init", path, "b"}, "accepts at most 1 arg")
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	s.write("new/tidings.yaml", "site: {}\n"+strings.Repeat("# a longer file\n", 5000))
	s.want(exitDone, []string{"init", path, "--force", "--json"}, fmt.Sprintf("%q", path))
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the mode is %v, %v; passwords may be added to the file", info.Mode(), err)
	}
	own := *s
	own.config = path
	own.want(exitDone, []string{"config", "show"}, "site:")
}
