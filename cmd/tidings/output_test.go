package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/schollz/progressbar/v3"

	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/internal/store"
)

func TestCountsAreWrittenForPeople(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]string{
		0: "0 mails", 1: "1 mail", 2: "2 mails", 999: "999 mails", 1000: "1,000 mails", 12_345: "12,345 mails", 1_234_567: "1,234,567 mails", math.MaxInt64: "9,223,372,036,854,775,807 mails",
	} {
		if got := some(n, "mail", "mails"); got != want {
			t.Errorf("%d is %q, want %q", n, got, want)
		}
	}
	if got := skippedText([]store.SkipCount{{Reason: "paused", Count: 1200}, {Reason: "language", Count: 3}}); got != " Skipped: 1,200 paused, 3 language." {
		t.Errorf("%q", got)
	}
	for n, want := range map[int64]string{0: "0.0 MB", 49_999: "0.0 MB", 50_001: "0.1 MB", 1_500_000: "1.5 MB", 12_345_678_900: "12345.7 MB"} {
		if got := megabytes(n); got != want {
			t.Errorf("%d is %s, want %s", n, got, want)
		}
	}
}

func TestExitCodeFollowsFromTheError(t *testing.T) {
	t.Parallel()
	plain, problems := errors.New("no such file"), config.Problems{{File: "config.yaml", Line: 3, Key: "site.titel", What: "unknown key", Fix: "did you mean title?"}}
	for name, test := range map[string]struct {
		err     error
		started bool
		code    int
		printed string
	}{
		"none":                          {nil, true, 0, ""},
		"a failure":                     {plain, true, 1, "tidings: no such file\n"},
		"before the command began":      {plain, false, 2, "tidings: no such file\n"},
		"wrong usage":                   {usagef("x is missing"), true, 2, "tidings: x is missing\n"},
		"wrong usage in another error":  {fmt.Errorf("import: %w", usagef("x")), true, 2, "tidings: import: x\n"},
		"a part":                        {errPartly, true, 3, "tidings: only partly completed; see the messages above\n"},
		"a part and no other error":     {errors.Join(nil, partlyIf(true), nil), true, 3, "tidings: only partly"},
		"a newer release":               {&newerReleaseError{"v2.0.0"}, true, 3, "tidings: v2.0.0 is available"},
		"a backup that is old":          {&outdatedError{3600e9}, true, 3, "tidings: the backup is older than 1h0m0s"},
		"warnings of doctor":            {severityCode(exitWarnings), true, 4, ""},
		"errors of doctor":              {fmt.Errorf("wrapped: %w", severityCode(exitErrors)), true, 5, ""},
		"problems of the configuration": {fmt.Errorf("load: %w", problems), true, 2, "config.yaml:3: "},
		"a sequence for a terminal":     {errors.New("\x1b[2Jgone\x07"), true, 1, "tidings: [2Jgone\n"},
	} {
		var out bytes.Buffer
		a := &cli{stderr: &out, started: test.started}
		if code := a.exit(test.err); code != test.code || !strings.HasPrefix(out.String(), test.printed) || test.printed == "" && out.Len() > 0 {
			t.Errorf("%s: exit code %d and %q, want %d and %q", name, code, out.String(), test.code, test.printed)
		}
	}
	if partlyIf(false) != nil {
		t.Error("nothing was left out, and the command did only a part")
	}
}

func TestBacklogSaysWhyArticlesWait(t *testing.T) {
	t.Parallel()
	for want, b := range map[string]shownBacklog{
		"": {Sent: 9},
		"1 article queued; 1 in the next edition":                                                           {Waiting: 1, Next: 1},
		"1,204 articles queued; 20 in the next edition, 1184 left for 60 later editions":                    {Waiting: 1204, Next: 20, Queued: 1184, Editions: 60},
		"3 articles queued; 2 in the next edition, 1 left for 1 later edition | 1 article marked as seen":   {Waiting: 3, Next: 2, Queued: 1, Editions: 1, Seen: 1},
		"2 articles in drafts that await approval | 5 articles dated before the digest's start date: in no": {Drafted: 2, Earlier: 5},
	} {
		if got := strings.Join(b.lines(), " | "); got != want && !(strings.HasSuffix(want, "in no") && strings.HasPrefix(got, want)) {
			t.Errorf("%+v: %q, want %q", b, got, want)
		}
	}
}

// newPress is a site with some imported articles.
func newPress(t *testing.T) *site {
	t.Helper()
	s := newSite(t, "")
	for name, text := range map[string]string{
		"bridge.md":  "---\ntitle: A new bridge\ndate: 2026-05-01\ntags: [council]\n---\nThe council builds a bridge.\n",
		"harbour.md": "---\ntitle: The harbour reopens\ndate: 2026-05-02\ntags: [harbour, council]\n---\nShips are back.\n",
		"later.md":   "---\ntitle: A fair\ndate: 2126-05-01\n---\nIt will be large.\n",
		"draft.md":   "---\ntitle: Half an idea\ndraft: true\n---\nPerhaps.\n",
	} {
		s.write("blog/"+name, text)
	}
	s.want(exitDone, []string{"article", "import", filepath.Join(s.folder, "blog")}, "4")
	return s
}

func TestArticlesAreListedByStatusFilterAndLimit(t *testing.T) {
	t.Parallel()
	s := newPress(t)
	for flags, want := range map[string]string{
		"":                                    "A fair, The harbour reopens, A new bridge",
		"--status published":                  "The harbour reopens, A new bridge",
		"--status published,published":        "The harbour reopens, A new bridge",
		"--status scheduled":                  "A fair",
		"--status draft":                      "Half an idea",
		"--status withdrawn":                  "",
		"--filter harbour":                    "The harbour reopens",
		"--filter council --limit 1":          "The harbour reopens",
		"--status scheduled,draft --limit 99": "A fair, Half an idea",
	} {
		var list []shownArticle
		s.decode(&list, append([]string{"article", "list"}, strings.Fields(flags)...)...)
		var titles []string
		for _, a := range list {
			titles = append(titles, a.Title)
		}
		got, wanted := slices.Clone(titles), strings.Split(want, ", ")
		if strings.Contains(want, "Half") || flags == "" { // drafts have the date of the import
			got = slices.DeleteFunc(got, func(title string) bool { return title == "Half an idea" })
			wanted = slices.DeleteFunc(wanted, func(title string) bool { return title == "Half an idea" })
		}
		if strings.Join(got, ", ") != strings.Join(wanted, ", ") {
			t.Errorf("list %s: %q, want %q", flags, titles, want)
		}
	}
	out := s.ok("article", "show", "bridge")
	for _, want := range []string{"A new bridge\nhttps://gazette.example/articles/bridge\n", "status", "published", "[council]", "The council builds a bridge."} {
		if !strings.Contains(out, want) {
			t.Errorf("show lacks %q:\n%s", want, out)
		}
	}
}

func TestArticleThatIsRemovedTwiceIsNotFound(t *testing.T) {
	t.Parallel()
	s := newPress(t)
	s.want(exitDone, words("article remove bridge harbour"), "removed bridge, harbour")
	var list []shownArticle
	if s.decode(&list, words("article list --status withdrawn")...); len(list) != 2 {
		t.Errorf("withdrawn: %+v", list)
	}
	var log []shownAudit
	if s.decode(&log, words("audit list --action article.remove")...); len(log) != 1 {
		t.Errorf("the log: %+v", log)
	}
	s.want(exitFailed, words("article show never-written"), "never-written")
}

func TestImportWithProblemsIsPartial(t *testing.T) {
	t.Parallel()
	s := newSite(t, "")
	good := s.write("good.md", "---\ntitle: Good\ndate: 2026-05-01\n---\nText.\n")
	bad := s.write("bad.md", "---\ntitle: Bad\ndate: 2026-05-01\ndraft: maybe\n---\nText.\n")
	code, stdout, stderr := s.run("article", "import", good, bad, "--json")
	var result struct {
		Summary json.RawMessage
		Files   []json.RawMessage
	}
	if err := json.Unmarshal([]byte(stdout), &result); err != nil || code != exitPartial || len(result.Files) == 0 || !strings.Contains(stderr, "bad.md:4") {
		t.Errorf("%d, %v\n%s%s", code, err, stdout, stderr)
	}
	s.want(exitDone, []string{"article", "import", good}, "1 unchanged")
	s.want(exitFailed, []string{"article", "import", filepath.Join(s.folder, "none")}, "none")
}

func TestPlanAndCalendarShowComingEditions(t *testing.T) {
	t.Parallel()
	s := newPress(t)
	var plan struct {
		Digest string
		Ticks  []shownTick
	}
	if s.decode(&plan, words("digest plan weekly -n 4")...); plan.Digest != "weekly" || len(plan.Ticks) != 4 {
		t.Fatalf("%+v", plan)
	}
	for i, tick := range plan.Ticks {
		if tick.At.Weekday().String() != "Friday" || i > 0 && !tick.At.After(plan.Ticks[i-1].At) {
			t.Errorf("tick %d is at %s", i, tick.At)
		}
	}
	month := plan.Ticks[3].At.Format("2006-01")
	var calendar struct {
		Month   string
		Entries []shownEntry
	}
	if s.decode(&calendar, "digest", "calendar", "--month", month); calendar.Month != month || !slices.ContainsFunc(calendar.Entries, func(e shownEntry) bool { return e.Digest == "weekly" }) {
		t.Errorf("%+v", calendar)
	}
	if out := s.ok("digest", "calendar", "--month", "2001-01"); !strings.Contains(out, "no editions and no coming times in this month") {
		t.Errorf("%q", out)
	}
	why := s.ok("digest", "plan", "weekly", "--article", "later")
	if !strings.Contains(why, "A fair\n") || !strings.Contains(why, "no ") {
		t.Errorf("%s", why)
	}
	if out := s.ok("digest", "list"); !strings.Contains(out, "weekly") || !strings.Contains(out, "0 subscribers") {
		t.Errorf("%s", out)
	}
}

func TestSettingsAreSetShownAndUnset(t *testing.T) {
	t.Parallel()
	s := newSite(t, "")
	s.want(exitDone, []string{"config", "set", "site.title", "1984"}, `site.title is set to "1984"`)
	s.want(exitDone, []string{"config", "set", "site.title", "1984"}, "site.title is unchanged")
	s.want(exitDone, []string{"config", "set", "digests[weekly].max_articles", "7"}, "digests[weekly].max_articles is set to 7")
	s.want(exitUsage, []string{"config", "set", "digests[weekly].max_articles", "many"}, "digests[weekly].max_articles")
	s.want(exitUsage, []string{"config", "set", "digests[weekly].schedule", "at noon"}, "digests[weekly].schedule")
	s.want(exitUsage, []string{"config", "set", "site.title", "[a"}, "is not a YAML value; put quotes around")
	s.want(exitUsage, []string{"config", "set", "digests[monthly].max_articles", "7"}, "digests[monthly]")
	var stored struct{ Settings []storedSetting }
	if s.decode(&stored, "config", "show", "--stored"); len(stored.Settings) != 2 || stored.Settings[1].By != "command line" || string(stored.Settings[1].File) != `"Gazette"` {
		t.Errorf("%+v", stored)
	}
	for flags, want := range map[string]string{"": `"Gazette"`, "--effective": `"1984"`} {
		if out := s.ok(append(words("config show --json"), words(flags)...)...); !strings.Contains(out, want) {
			t.Errorf("show %s lacks %s:\n%s", flags, want, out)
		}
	}
	if out := s.ok("config", "export"); !strings.Contains(out, "1984") || !strings.Contains(out, "max_articles: 7") {
		t.Errorf("%s", out)
	}
	if out := s.ok("config", "check"); !strings.Contains(out, "2 values are set in the admin") || !strings.Contains(out, "is valid: ") || !strings.Contains(out, "2 digests") {
		t.Errorf("%s", out)
	}
	s.want(exitDone, words("config unset site.title"), "site.title has the file's value again")
	s.want(exitDone, words("config unset site.title"), "site.title is unchanged")
}

func TestBackupIsVerifiedAndNeverOverwritesAStore(t *testing.T) {
	t.Parallel()
	s := newPress(t)
	key, file := filepath.Join(s.folder, "key.txt"), filepath.Join(s.folder, "a.tidings.age")
	var made map[string]string
	s.decode(&made, "backup", "keygen", key)
	s.want(exitUsage, []string{"backup", "keygen", key}, "exists already, and may hold the key of your backups")
	if info, err := os.Stat(key); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key is %v, %v", info, err)
	}
	s.want(exitUsage, []string{"backup", s.folder}, "is a folder; name a file in it")
	s.ok("backup", file, "--recipient", made["recipient"])
	s.want(exitFailed, []string{"backup", "verify", file, "--quick"}, "--identity")
	s.want(exitUsage, []string{"backup", "verify", file, "--identity", s.config}, "--identity: ")
	s.want(exitDone, []string{"backup", "verify", file, "--quick", "--identity", key}, "articles")
	s.want(exitPartial, []string{"backup", "verify", file, "--quick", "--identity", key, "--max-age", "1ns"}, "the backup is older than 1ns")
	s.want(exitFailed, []string{"restore", file, "--identity", key}, "--replace")
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)/2] ^= 1
	damaged := s.write("damaged.age", string(data))
	if code, _, stderr := s.run("backup", "verify", damaged, "--quick", "--identity", key); code != exitFailed || stderr == "" {
		t.Errorf("a changed bit: %d %s", code, stderr)
	}
	if out := s.ok("article", "list"); !strings.Contains(out, "A new bridge") {
		t.Errorf("the store was changed: %s", out)
	}
}

func TestTemplatesAreCopiedListedAndChecked(t *testing.T) {
	t.Parallel()
	s := newSite(t, "")
	folder := filepath.Join(s.folder, "templates")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	s.config = s.write("own.yaml", fmt.Sprintf("store: {dsn: %q}\n", s.dsn)+siteConfig+fmt.Sprintf("templates: %q\n", folder))
	for _, name := range []string{"Ours", "a/b", "../x", "", strings.Repeat("x", 64)} {
		s.want(exitFailed, []string{"template", "new", name}, "is not a name for a template; use lower-case letters")
	}
	s.want(exitDone, words("template new ours --from letter"), "a digest uses it with template: ours")
	if out := s.ok("template", "list"); !strings.Contains(out, "your own: ") || !strings.Contains(out, "built-in") {
		t.Errorf("%s", out)
	}
	s.want(exitDone, words("template check ours"), "no errors in ours")
	if err := os.WriteFile(filepath.Join(folder, "mail", "ours.txt"), []byte("one\n{{.Nothing}}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.want(exitUsage, words("template check ours"), "ours.txt:2", "Nothing")
	s.want(exitUsage, words("template preview ours"), "ours.txt:2")
	s.want(exitFailed, append(words("template preview letter --dir"), filepath.Join(s.folder, "none")), "no such file")
	s.want(exitDone, append(words("template preview letter --lang fr --dir"), s.folder), "letter.html")
	page, err := os.ReadFile(filepath.Join(s.folder, "letter.html"))
	if err != nil || !strings.Contains(string(page), `lang="fr"`) {
		t.Errorf("%v\n%.300s", err, page)
	}
}

func TestLogLineRemovesTheProgressBar(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	a := &cli{stderr: &out}
	a.shown.bar = progressbar.NewOptions64(10, progressbar.OptionSetWriter(&out), progressbar.OptionSetDescription("sending"))
	if err := a.shown.bar.Set64(5); err != nil {
		t.Fatal(err)
	}
	if _, err := (logOutput{a}).Write([]byte("a line\n")); err != nil {
		t.Fatal(err)
	}
	if text := out.String(); !strings.Contains(text, "sending") || !strings.HasSuffix(text, "\ra line\n") {
		t.Errorf("%q does not return to the start of the line before the log's", text)
	}
}
