package config

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"
)

// TestBrokenYAMLNamesItsLineAndFix has what people type who do not know YAML by heart.
func TestBrokenYAMLNamesItsLineAndFix(t *testing.T) {
	t.Parallel()
	const start = "# our site\nsite:\n  title: Gazette\n"
	for _, test := range []struct{ name, in, want string }{
		{"a schedule without quotes", "digests:\n- name: w\n  schedule: @weekly\n", ":3: found character that cannot start any token; put a value that begins with @, % or ` in quotes"},
		{"the same in the first line", "templates: @folder", ":1: found character that cannot start any token; put a value that begins with @, % or ` in quotes"},
		{"a percent sign", start + "  copyright: %year", ":4: found character that cannot start any token; put a value that begins with @, % or ` in quotes"},
		{"a backquote", start + "  copyright: `x`", ":4: found character that cannot start any token; put a value that begins with @, % or ` in quotes"},
		{"a tab before a key", start + "\turl: https://a.example", ":4: found a tab character that violates indentation; indent with spaces, not with tabs"},
		{"a tab after spaces", start + "  \turl: https://a.example", ":4: found a tab character that violates indentation; indent with spaces, not with tabs"},
		{"a colon in a title", start + "  description: News: daily", `:4: mapping values are not allowed in this context; put a value with a colon in quotes; otherwise indent`},
		{"a colon in the first line", "templates: a: b", `:1: mapping values are not allowed in this context; put a value with a colon in quotes`},
		{"a key without a colon", start + "  url https://a.example\n  language: en", ":4: could not find expected ':'; write a colon and a space after the key"},
		{"an open double quote", start + "  copyright: \"2026\n", ":4: found unexpected end of stream; close the quotes that begin here"},
		{"an open single quote", start + "  copyright: '2026\nlog: {}\n", ":4: found unexpected end of stream; close the quotes that begin here"},
		{"an open bracket", "log:\n  level: info\nsite:\n  languages: [en, fr\nstore: {}\n", ":4: did not find expected ',' or ']'; close the bracket that begins here"},
		{"a key that stands too far left", start + " url: https://a.example", ":2: did not find expected key; indent the keys from this line on alike"},
		{"an item that stands too far left", "site:\n  languages:\n    - en\n   - fr\n", "; indent the "},
		{"an asterisk", start + "  copyright: *press", ":4: unknown anchor 'press' referenced; put a value that begins with * in quotes"},
		{"an exclamation mark", start + "  copyright: !x!y z", ":4: found undefined tag handle; put a value that begins with ! in quotes"},
		{"a path of Windows", start + "templates: \"C:\\data\"", ":4: found unknown escape character; use single quotes for a value with backslashes"},
		{"a control character", start + "  copyright: a\x01b", ":4: control characters are not allowed; remove the character, and save the file as UTF-8"},
		{"a NUL", start + "  copyright: a\x00b", ":4: control characters are not allowed; remove the character"},
		{"Latin-1", start + "  copyright: caf\xe9\n", ":4: "},
		{"a closing brace", "site: }", ":1: did not find expected node content"},
		{"text after the end", "log: {}\n...\nfoo", ":3: did not find expected <document start>"},
		{"lists a thousand deep", "site: " + strings.Repeat("[", 1000) + strings.Repeat("]", 1000), ":1: site: the value is a list; write keys below it"},
		{"lists too deep to read", strings.Repeat("[", 20_000), ":1: exceeded max depth of 10000"},
	} {
		got := strings.Join(problemsOf(t, test.in), "\n")
		if !strings.Contains(got, test.want) || strings.Count(got, "\n") > 0 {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}

func TestLineNumbersDoNotDependOnTheEncoding(t *testing.T) {
	t.Parallel()
	const text = "# ü\nsite:\n  title: é\nlog:\n  level: loud\n"
	wide := []byte{0xFF, 0xFE}
	for _, unit := range utf16.Encode([]rune(text)) {
		wide = append(wide, byte(unit), byte(unit>>8))
	}
	for name, data := range map[string]string{
		"UTF-8": text, "with a byte order mark": "\uFEFF" + text, "with CRLF": strings.ReplaceAll(text, "\n", "\r\n"), "with CR": strings.ReplaceAll(text, "\n", "\r"),
		"without the last line end": strings.TrimSuffix(text, "\n"), "UTF-16": string(wide),
	} {
		got := problemsOf(t, data)
		if len(got) != 1 || got[0] != `:5: log.level: unknown value "loud"; use one of: debug, info, warn, error` {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestFilesWithoutSettingsGiveTheDefaults(t *testing.T) {
	t.Parallel()
	want, _ := Default().JSON()
	for _, in := range []string{"", "\n\n", "# nothing\n", "---\n", "~", "{}", "\uFEFF", "site:\nlog:\nfeeds:\ndigests: ~\n", "log: {}\n...\n"} {
		c := parsed(t, in)
		c.Store.DSN = Default().Store.DSN // relative to the folder of the file
		if got, _ := c.JSON(); string(got) != string(want) {
			t.Errorf("%q gives %s", in, got)
		}
	}
}

func TestFilesThatCannotBeReadSayWhy(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	large := filepath.Join(dir, "large.yaml")
	if err := os.WriteFile(large, []byte("# "+strings.Repeat("x", maxFile)), 0o600); err != nil {
		t.Fatal(err)
	}
	missing := filepath.Join(dir, "missing.yaml")
	for path, want := range map[string]string{
		large:   large + ": the file is larger than 4 MB; check that it is the configuration file",
		missing: missing + ` does not exist; create it with "tidings init", or name the file with --config`,
		dir:     "is a directory",
	} {
		c, err := Load(path)
		if c != nil || err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", path, err, want)
		}
		if errors.Is(err, fs.ErrNotExist) != (path == missing) {
			t.Errorf("%s: the error is that of a missing file: %v", path, err)
		}
	}
	fits := filepath.Join(dir, "fits.yaml")
	if err := os.WriteFile(fits, []byte("# "+strings.Repeat("x", maxFile-2)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(fits); err != nil {
		t.Errorf("a file of exactly 4 MB: %v", err)
	}
}

func TestProblemsWithoutALineOrAFixAreOneLine(t *testing.T) {
	t.Parallel()
	for want, p := range map[string]Problem{
		"c.yaml: bad":           {File: "c.yaml", What: "bad"},
		"c.yaml:3: a.b: bad":    {File: "c.yaml", Line: 3, Key: "a.b", What: "bad"},
		"c.yaml: a: bad; do it": {File: "c.yaml", Key: "a", What: "bad", Fix: "do it"},
		"c.yaml:1: bad; do it":  {File: "c.yaml", Line: 1, What: "bad", Fix: "do it"},
	} {
		if p.Error() != want {
			t.Errorf("got %q, want %q", p.Error(), want)
		}
		text := p.What
		if p.Fix != "" {
			text += "; " + p.Fix
		}
		if p.Text().String() != text {
			t.Errorf("on pages: %q, want %q", p.Text().String(), text)
		}
	}
}
