package templates

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// mustLoad returns the built-in templates, loaded once for all tests.
func mustLoad(tb testing.TB) *Set {
	tb.Helper()
	set, err := loadOnce()
	if err != nil {
		tb.Fatal(err)
	}
	return set
}

var loadOnce = sync.OnceValues(func() (*Set, error) { return Load("") })

// folder writes files into a new folder of templates and returns its path.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, source := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(source), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// own is a minimal mail template.
const own = `<p>{{.Digest.Title}}</p><a href="{{.Reader.Unsubscribe}}">{{.Phrase "unsubscribe"}}</a>`

func TestBuiltInTemplatesLoad(t *testing.T) {
	t.Parallel()
	set := mustLoad(t)
	if err := set.checkAll(); err != nil {
		t.Error(err)
	}
	if got := set.Names(); !slices.Equal(got, []string{"brief", "digest", "letter", "magazine"}) {
		t.Errorf("digests can use %v", got)
	}
	for _, name := range noticeNames {
		if _, err := set.Mail(name); err != nil {
			t.Error(err)
		}
	}
	if got := set.Languages(); !slices.Equal(got, []string{"ar", "de", "en", "fr", "ja"}) {
		t.Errorf("there are phrases in %v", got)
	}
}

func TestFolderReplacesAndAdds(t *testing.T) {
	t.Parallel()
	set, err := Load(folder(t, map[string]string{
		"mail/digest.html": "<h1>Our own</h1>" + own,
		"mail/note.html":   own, "mail/note.txt": "{{.Reader.Unsubscribe}}",
		"mail/README.md": "not a template", "mail/.note.html.swp~": "\x00",
		"phrases/es.yaml": spanish(t),
	}))
	if err != nil {
		t.Fatal(err)
	}
	if got := set.Names(); !slices.Equal(got, []string{"brief", "digest", "letter", "magazine", "note"}) {
		t.Errorf("digests can use %v", got)
	}
	m, _ := set.Mail("digest")
	data := Sample(nil)
	data.Page = set.Page(data.Site, "es-MX")
	out, err := m.Render(data)
	if err != nil || !strings.Contains(out.HTML, "<h1>Our own</h1>") || !strings.Contains(out.HTML, "Darse de baja") {
		t.Errorf("%v\n%s", err, out.HTML)
	}
	if !strings.Contains(out.Text, "The harbour after the storm") {
		t.Error("the built-in text part is missing")
	}
}

// spanish is the English file with one phrase translated.
func spanish(t *testing.T) string {
	t.Helper()
	data, err := builtIn.ReadFile("phrases/en.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Replace(string(data), "unsubscribe: Unsubscribe", "unsubscribe: Darse de baja", 1)
}

func TestCopyOfBuiltInTemplatesLoads(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.CopyFS(dir, builtIn); err != nil {
		t.Fatal(err)
	}
	set, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	own, _ := set.Mail("digest")
	first, _ := mustLoad(t).Mail("digest")
	a, err := own.Render(Sample(nil))
	if b, _ := first.Render(Sample(nil)); a != b || err != nil {
		t.Errorf("the copy renders something else, %v", err)
	}
}

// TestSharedPartsCanBeReplaced: a part that mails share, such as the colors, can be replaced
// alone.
func TestSharedPartsCanBeReplaced(t *testing.T) {
	t.Parallel()
	set, err := Load(folder(t, map[string]string{"mail/_style.html": `{{define "style"}}<style>.masthead { color: #abcdef }</style>{{end}}`}))
	if err != nil {
		t.Fatal(err)
	}
	m, _ := set.Mail("digest")
	out, err := m.Render(Sample(nil))
	if err != nil || !strings.Contains(out.HTML, `style="color:#abcdef"`) {
		t.Errorf("%v\n%s", err, out.HTML)
	}
}

// TestSharedPartsOfEarlierVersionsStillWork: folders may hold copies of the shared parts as they were before the
// designs, with only the blocks that there were then.
func TestSharedPartsOfEarlierVersionsStillWork(t *testing.T) {
	t.Parallel()
	set, err := Load(folder(t, map[string]string{
		"mail/_frame.html": `{{define "top"}}<html><head>{{template "style" .}}</head><body><table>{{end}}{{define "bottom"}}</table></body></html>{{end}}` +
			`{{define "footer"}}<tr><td><a href="{{.Reader.Unsubscribe}}">old</a> <a href="{{.Reader.Web}}">web</a></td></tr>{{end}}{{define "postal"}}{{end}}{{define "more"}}{{end}}`,
		"mail/_style.html": `{{define "style"}}<style>.ink { color: #010203 }</style>{{end}}`,
		"mail/_footer.txt": `{{define "footer"}}{{.Reader.Unsubscribe}}{{end}}{{define "postal"}}{{end}}{{define "more"}}{{end}}`,
	}))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range set.Names() {
		m, _ := set.Mail(name)
		if out, err := m.Render(Sample(nil)); err != nil || !strings.Contains(out.HTML, ">old</a>") || !strings.Contains(out.HTML, "color:#010203") {
			t.Errorf("%s: %v\n%s", name, err, out.HTML)
		}
	}
}

// broken has mails named own with one fault each, and the expected error.
var broken = map[string]struct {
	files map[string]string
	want  []string
}{
	"unknown field": {
		map[string]string{"mail/own.html": "<p>\n{{range .Articles}}\n{{.Titel}}{{end}}" + own, "mail/own.txt": "{{.Reader.Unsubscribe}}"},
		[]string{"mail/own.html:3: no field Titel in Article; use one of .Align, .Authors, .Body", ".Title, .URL"},
	},
	"unknown field in text": {
		map[string]string{"mail/own.html": own, "mail/own.txt": "{{.Reader.Unsubscribe}}\n{{.Site.Name}}"},
		[]string{"mail/own.txt:2: no field Name in Site; use one of .Brand, .Icon, .Postal, .Title, .URL"},
	},
	"field behind a condition": {
		map[string]string{"mail/own.html": own + "{{if .Left}}\n{{.Nope}}{{end}}", "mail/own.txt": "{{.Reader.Unsubscribe}}"},
		[]string{"mail/own.html:2: no field Nope in Digest"},
	},
	"picture that may be missing": {
		map[string]string{"mail/own.html": own + "{{range .Articles}}\n\n{{.Image.URL}}{{end}}", "mail/own.txt": "{{.Reader.Unsubscribe}}"},
		[]string{"mail/own.html:3: ", "nil pointer", ".Image"},
	},
	"unclosed": {
		map[string]string{"mail/own.html": "a\nb\n{{if .Web}}", "mail/own.txt": "x"},
		[]string{"mail/own.html:3: unexpected EOF"},
	},
	"line after a conditional comment": {
		map[string]string{"mail/own.html": "<!--[if mso]>\n<table>\n<![endif]-->\n{{.Nope}}", "mail/own.txt": "x"},
		[]string{"mail/own.html:4: no field Nope"},
	},
	"action in a conditional comment": {
		map[string]string{"mail/own.html": "x\n<!--[if mso]>\n{{.Subject}}<![endif]-->", "mail/own.txt": "x"},
		[]string{"mail/own.html:3: an action inside a conditional comment; use "},
	},
	"unknown phrase": {
		map[string]string{"mail/own.html": own + `{{.Phrase "read_mroe"}}`, "mail/own.txt": "{{.Reader.Unsubscribe}}"},
		[]string{"mail/own.html:1: ", `no phrase "read_mroe"; there are: by, confirm_body`},
	},
	"unknown function": {
		map[string]string{"mail/own.html": own + `{{shout .Subject}}`, "mail/own.txt": "{{.Reader.Unsubscribe}}"},
		[]string{`mail/own.html:1: function "shout" not defined`},
	},
	"no link to unsubscribe": {
		map[string]string{"mail/own.html": "<p>hello</p>", "mail/own.txt": "{{.Reader.Unsubscribe}}"},
		[]string{"mail/own.html: no link to unsubscribe; use <a href=\"{{.Reader.Unsubscribe}}\">"},
	},
	"no link to unsubscribe in the text": {
		map[string]string{"mail/own.html": own, "mail/own.txt": "hello"},
		[]string{"mail/own.txt: no link to unsubscribe; use a line with {{.Reader.Unsubscribe}}"},
	},
	"no text part": {
		map[string]string{"mail/own.html": own},
		[]string{"own.txt: mail own has no text part; use a file mail/own.txt"},
	},
	"no HTML part": {
		map[string]string{"mail/own.txt": "{{.Reader.Unsubscribe}}"},
		[]string{"own.html: mail own has no HTML part"},
	},
	"too much style": {
		map[string]string{"mail/own.html": `<style data-premailer="ignore">` + strings.Repeat(".a { color: red }\n", 1000) + "</style>" + own, "mail/own.txt": "{{.Reader.Unsubscribe}}"},
		[]string{"mail/own.html: 18000 bytes of <style>", "at most 16384"},
	},
	"dot that is something else": {
		map[string]string{"mail/own.html": own + "{{with .Subject}}{{.Language}}{{end}}", "mail/own.txt": "{{.Reader.Unsubscribe}}"},
		[]string{"mail/own.html:1: no field Language in string; use $.Language, if you mean the mail's own"},
	},
	"ambiguous escaping": {
		map[string]string{"mail/own.html": own + "<a href=\"{{if .Web}}x\n{{else}}\">", "mail/own.txt": "{{.Reader.Unsubscribe}}"},
		[]string{"mail/own.html:"},
	},
}

// TestBrokenTemplatesAreExplained puts all of them into one folder under different names: each
// fault is reported with its place.
func TestBrokenTemplatesAreExplained(t *testing.T) {
	t.Parallel()
	files, names := map[string]string{}, map[string]*strings.Replacer{}
	for what, tc := range broken {
		name := fmt.Sprintf("own%d", len(names))
		names[what] = strings.NewReplacer("own.", name+".", "mail own ", "mail "+name+" ")
		for path, source := range tc.files {
			files[names[what].Replace(path)] = source
		}
	}
	_, err := Load(folder(t, files))
	if err == nil {
		t.Fatal("loaded")
	}
	for what, tc := range broken {
		for _, want := range tc.want {
			if want = names[what].Replace(want); !strings.Contains(err.Error(), want) {
				t.Errorf("%s: no error contains %s", what, want)
			}
		}
	}
	if t.Failed() {
		t.Log(err)
	}
}

func TestBrokenNoticesAreExplained(t *testing.T) {
	t.Parallel()
	_, err := Load(folder(t, map[string]string{"mail/signin.txt": "{{.Link}}", "mail/confirm.html": "<p>hello</p>", "mail/notice.txt": "{{.Titel}}"}))
	for _, want := range []string{
		`mail/signin.txt: no subject; use {{define "subject"}}`, "mail/confirm.html: the link is missing",
		"mail/notice.txt: no subject",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s is missing in %v", want, err)
		}
	}
}

func TestHugeFileIsRefused(t *testing.T) {
	t.Parallel()
	_, err := Load(folder(t, map[string]string{"mail/own.html": strings.Repeat("x", maxFile+1), "mail/own.txt": "x"}))
	if err == nil || !strings.Contains(err.Error(), "own.html: larger than 1048576 bytes") {
		t.Errorf("got %v", err)
	}
}

func TestFaultInASharedPartIsReportedOnce(t *testing.T) {
	t.Parallel()
	_, err := Load(folder(t, map[string]string{"mail/_footer.txt": "{{define \"footer\"}}{{.Nope}}{{end}}{{define \"more\"}}{{end}}{{define \"postal\"}}{{end}}"}))
	if err == nil || strings.Count(err.Error(), "no field Nope in Digest") != 1 {
		t.Errorf("got %v", err)
	}
}

func TestMissingFolderIsAnError(t *testing.T) {
	t.Parallel()
	_, err := Load(filepath.Join(t.TempDir(), "nowhere"))
	if err == nil || !strings.Contains(err.Error(), "nowhere: no folder of that name; use ") {
		t.Errorf("got %v", err)
	}
}

func TestEmptyFolderGivesBuiltInTemplates(t *testing.T) {
	t.Parallel()
	set, err := Load(t.TempDir())
	if err != nil || len(set.Names()) != 4 {
		t.Errorf("%v", err)
	}
}
