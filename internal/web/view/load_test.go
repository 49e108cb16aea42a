package view_test

import (
	"html/template"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/tidings-press/tidings/internal/web/view"
)

func TestFaultyFoldersAreRefusedAtOnce(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		files map[string]string
		want  string
	}{
		"without a layout":          {map[string]string{"one.html": "x"}, "layout.html"},
		"a layout with a fault":     {map[string]string{"layout.html": "{{if}}"}, "layout.html"},
		"a part with a fault":       {map[string]string{"layout.html": "x", "_parts.html": "{{end}}"}, "_parts.html"},
		"a page with a fault":       {map[string]string{"layout.html": "x", "one.html": "{{range}}"}, "one.html"},
		"a function that is none":   {map[string]string{"layout.html": "x", "one.html": "{{nothing 1}}"}, `function "nothing" not defined`},
		"the same, in a part":       {map[string]string{"layout.html": "x", "_a.html": "{{nothing 1}}"}, `function "nothing" not defined`},
		"a block that does not end": {map[string]string{"layout.html": "x", "one.html": `{{define "main"}}`}, "one.html"},
	} {
		if set, err := view.Load(folder(test.files), nil); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, %v; want an error with %s", name, set, err, test.want)
		}
	}
}

func TestPagesDoNotSeeEachOthersBlocks(t *testing.T) {
	t.Parallel()
	set, err := view.Load(folder(map[string]string{
		"layout.html": `{{block "title" .}}default{{end}}|{{template "main" .}}`,
		"one.html":    `{{define "title"}}one{{end}}{{define "main"}}1{{end}}`,
		"two.html":    `{{define "main"}}2{{end}}`,
		"notes.txt":   `{{broken`, "sub/three.html": `{{broken`,
	}), nil)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // in any order, and again
		for name, want := range map[string]string{"one": "one|1", "two": "default|2"} {
			if got, err := set.Fill(name, nil); err != nil || string(got) != want {
				t.Errorf("%s: %q, %v", name, got, err)
			}
		}
	}
	for _, name := range []string{"three", "layout", "notes", "", "_parts", "sub/three", "One"} {
		if got, err := set.Fill(name, nil); err == nil || !strings.Contains(err.Error(), `unknown page "`+name+`"`) {
			t.Errorf("%q: %q, %v", name, got, err)
		}
	}
	if _, err := set.Part("missing", nil); err == nil || !strings.Contains(err.Error(), "missing") {
		t.Errorf("an unknown part: %v", err)
	}
}

func TestBuiltInFunctionsAreThere(t *testing.T) {
	t.Parallel()
	set, err := view.Load(folder(map[string]string{
		"layout.html": `{{template "main" .}}`, "one.html": `{{define "main"}}{{range lines .}}[{{.}}]{{end}} <link href="{{asset "public.css"}}">{{end}}`,
	}), template.FuncMap{"lines": func(s string) []string { return strings.Split(s, "|") }}) // the caller's own comes first
	if err != nil {
		t.Fatal(err)
	}
	got, err := set.Fill("one", "a|b")
	if err != nil || !strings.HasPrefix(string(got), "[a][b] <link href=\"/") || !strings.Contains(string(got), "css") {
		t.Errorf("%q, %v", got, err)
	}
}

func TestPageIsParsedOnceByConcurrentRequests(t *testing.T) {
	t.Parallel()
	set, err := view.Load(folder(map[string]string{"layout.html": `{{template "main" .}}`, "one.html": `{{define "main"}}hello {{.}}{{end}}`}), nil)
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			if got, err := set.Fill("one", "<x>"); err != nil || string(got) != "hello &lt;x&gt;" {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
	all.Wait()
}

func TestHeadersOfTheCallerStay(t *testing.T) {
	t.Parallel()
	set, err := view.Load(folder(map[string]string{"layout.html": `{{template "main" .}}`, "one.html": `{{define "main"}}x{{end}}`}), nil)
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	w.Header().Set("Cache-Control", "no-store")
	if err := set.Show(w, http.StatusNotFound, "one", nil); err != nil {
		t.Fatal(err)
	}
	if h := w.Result().Header; w.Code != 404 || h.Get("Cache-Control") != "no-store" || h.Get("Content-Type") != "text/html; charset=utf-8" {
		t.Errorf("%d %v", w.Code, h)
	}
}
