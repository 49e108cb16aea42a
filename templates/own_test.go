package templates

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestCopyOfADesignRendersTheSame(t *testing.T) {
	t.Parallel()
	for _, from := range []string{"letter", "brief", "confirm"} {
		dir := t.TempDir()
		name := "our-" + from
		if from == "confirm" {
			name = from // another name would be a digest's
		}
		written, err := Copy(dir, name, from)
		if err != nil || len(written) != 2 {
			t.Fatalf("%s: %q, %v", from, written, err)
		}
		want, err := Preview("", from, "ar")
		if err != nil {
			t.Fatal(err)
		}
		got, err := Preview(dir, name, "ar")
		if err != nil || strings.ReplaceAll(got.HTML, "\n", "") != strings.ReplaceAll(want.HTML, "\n", "") || got.Text != want.Text || got.Subject != want.Subject {
			t.Errorf("the copy of %s renders differently (%v)", from, err)
		}
		if _, err := Copy(dir, name, "brief"); err == nil || !strings.Contains(err.Error(), "exists already; choose another name") {
			t.Errorf("a copy over a file: %v", err)
		}
		if names, err := Check(dir, name); err != nil || len(names) != 1 || names[0] != name {
			t.Errorf("checked %q, %v", names, err)
		}
	}
}

func TestCopyRefusesUnknownDesignsAndPaths(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, test := range []struct{ name, from, want string }{
		{"ours", "leter", `no mail template "leter"; there are: brief,`},
		{"../ours", "letter", "is not a name for a template"},
		{"_style", "letter", "is not a name for a template"},
		{"", "letter", "is not a name for a template"},
	} {
		if _, err := Copy(dir, test.name, test.from); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%q from %q: %v, want %q", test.name, test.from, err, test.want)
		}
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		t.Errorf("a refused copy wrote %v, %v", entries, err)
	}
}

func TestListShowsWhatReplacesWhat(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{"mail/digest.txt": "{{.Reader.Unsubscribe}}", "mail/ours.html": "x", "mail/ours.txt": "x", "mail/_style.html": `{{define "style"}}{{end}}`})
	mails, parts, err := List(dir)
	if err != nil || len(parts) != 1 || parts[0] != filepath.Join(dir, "mail", "_style.html") {
		t.Fatalf("parts %q, %v", parts, err)
	}
	found := map[string]Listed{}
	for _, m := range mails {
		found[m.Name] = m
	}
	if m := found["digest"]; !m.BuiltIn || len(m.Own) != 1 || m.Own[0] != filepath.Join(dir, "mail", "digest.txt") {
		t.Errorf("digest: %+v", m)
	}
	if m := found["ours"]; m.BuiltIn || len(m.Own) != 2 || m.For != "digests" {
		t.Errorf("ours: %+v", m)
	}
	if m := found["confirm"]; !m.BuiltIn || len(m.Own) != 0 || m.For != "other mails" {
		t.Errorf("confirm: %+v", m)
	}
	if _, err := Check(dir, "ours"); err == nil || !strings.Contains(err.Error(), "no link to unsubscribe") {
		t.Errorf("a template without a link to unsubscribe: %v", err)
	}
}
