package view_test

import (
	"html/template"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/tidings-press/tidings/internal/web/view"
)

func folder(files map[string]string) fstest.MapFS {
	out := fstest.MapFS{}
	for name, text := range files {
		out[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return out
}

func TestPageIsRenderedInLayoutWithParts(t *testing.T) {
	t.Parallel()
	set, err := view.Load(folder(map[string]string{
		"layout.html": `<body>{{template "main" .}}</body>`, "_parts.html": `{{define "hello"}}hello {{.}}{{end}}`,
		"one.html": `{{define "main"}}{{template "hello" .}}{{end}}`, "two.html": `{{define "main"}}{{shout .}}{{end}}`,
	}), template.FuncMap{"shout": strings.ToUpper})
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	if err := set.Show(w, http.StatusTeapot, "one", "<b>"); err != nil || w.Code != http.StatusTeapot || w.Body.String() != "<body>hello &lt;b&gt;</body>" {
		t.Errorf("one: %d %s %v", w.Code, w.Body, err)
	}
	if got, err := set.Fill("two", "x"); err != nil || string(got) != "<body>X</body>" {
		t.Errorf("two: %s %v", got, err)
	}
	if got, err := set.Part("hello", "x"); err != nil || string(got) != "hello x" {
		t.Errorf("a part: %s %v", got, err)
	}
}

func TestBrokenPageSendsNothing(t *testing.T) {
	t.Parallel()
	set, err := view.Load(folder(map[string]string{"layout.html": `begun{{template "main" .}}`, "one.html": `{{define "main"}}{{.Nothing}}{{end}}`}), nil)
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	for _, name := range []string{"one", "none"} {
		if err := set.Show(w, http.StatusOK, name, struct{}{}); err == nil || w.Body.Len() != 0 || len(w.Header()) != 0 {
			t.Errorf("%s: %v, sent %q", name, err, w.Body)
		}
	}
	if _, err := view.Load(folder(map[string]string{"layout.html": `x`, "one.html": `{{define`}), nil); err == nil {
		t.Error("a template with a syntax error was loaded")
	}
}
