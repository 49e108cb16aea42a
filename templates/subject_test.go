package templates

import (
	"strings"
	"testing"
	"unicode"

	"github.com/rivo/uniseg"
)

func TestSubjectRefusesUnsuitableTemplates(t *testing.T) {
	t.Parallel()
	for template, want := range map[string]string{
		"":                                        "the line is empty",
		"   ":                                     "the line is empty",
		"{{if}}":                                  "subject template: missing value for if",
		"{{range .Articles}}x{{end}}":             "cannot be used in subject lines",
		"{{range 1000000000}}{{end}}":             "cannot be used in subject lines",
		`{{printf "%1000000d" 1}}`:                `function "printf" cannot be used in subject lines`,
		`{{.First.Title | printf "%100d"}}`:       `function "printf" cannot be used in subject lines`,
		`{{if (printf "%d" 1)}}x{{end}}`:          `function "printf" cannot be used in subject lines`,
		`{{with html .Subject}}x{{end}}`:          `function "html" cannot be used in subject lines`,
		`{{call .First}}`:                         `function "call" cannot be used in subject lines`,
		`{{define "x"}}y{{end}}`:                  "define and block cannot be used in subject lines",
		`{{define "x"}}y{{end}}z`:                 "define and block cannot be used in subject lines",
		`{{template "x"}}`:                        "cannot be used in subject lines",
		"{{.Titel}}":                              "no field Titel in Digest",
		"{{.First.Titel}}":                        "no field Titel in Article",
		"{{index .Articles 9999}}":                "index out of range",
		strings.Repeat("x", maxSubjectTemplate+1): "at most 2000",
		"{{.Digest.Title":                         "subject template: unclosed action",
		`{{$x := printf "%d" 1}}{{$x}}`:           `function "printf"`,
		`{{if true}}{{else}}{{js "x"}}{{end}}`:    `function "js"`,
		`{{break}}`:                               "outside",
	} {
		if _, err := ParseSubject(template); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60q: got %v, want %s", template, err, want)
		}
	}
}

// TestTitleIsNeverRunAsTemplate: an article's title is data and is not parsed.
func TestTitleIsNeverRunAsTemplate(t *testing.T) {
	t.Parallel()
	s, err := ParseSubject("{{.Digest.Title}}: {{.First.Title}}")
	if err != nil {
		t.Fatal(err)
	}
	data := Sample(nil)
	data.Articles[0].Title = "{{.Reader.Address}} <b>&amp;"
	if line, err := s.Line(data); err != nil || line != "The Weekly: {{.Reader.Address}} <b>&amp;" {
		t.Errorf("%q, %v", line, err)
	}
}

func TestPrintingAStructGivesItsName(t *testing.T) {
	t.Parallel()
	for template, want := range map[string]string{
		"{{.}}": "The Weekly", "{{.Page}}": "The harbour after the storm", "{{.Site}}": "The Harbour Post", "{{.Digest}}": "The Weekly",
		"{{.First}}": "The harbour after the storm", "{{.First.Image}}": "https://example.org/media/harbour.jpg",
		"{{.Articles}}": "[The harbour after the storm الميناء بعد العاصفة No more than a title]",
	} {
		s, err := ParseSubject(template)
		if err != nil {
			t.Fatal(err)
		}
		if line, err := s.Line(Sample(nil)); err != nil || line != want {
			t.Errorf("%s gives %q, %v", template, line, err)
		}
	}
}

// FuzzParseSubject checks that any input gives an error, or a line that is short and safe.
func FuzzParseSubject(f *testing.F) {
	for _, seed := range []string{"{{.Digest.Title}}: {{.First.Title}}", `{{if gt .Total 1}}{{cut 5 .Subject}}{{else}}x{{end}}`, "{{range 9}}{{end}}", "{{index .Articles 0}}", "{{with $x := .Site}}{{$x.Title}}{{end}}"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ParseSubject(text)
		if err != nil {
			return
		}
		line, err := s.Line(Sample(nil))
		if err != nil || line == "" || strings.ContainsFunc(line, unicode.IsControl) || uniseg.GraphemeClusterCount(line) > MaxSubject {
			t.Fatalf("%q gives %q, %v", text, line, err)
		}
	})
}
