package digest

import (
	"slices"
	"strings"
	"testing"
)

func TestComposeMakesADraft(t *testing.T) {
	t.Parallel()
	in := sampleInput()
	e, err := Compose(in, builtIn(t))
	if err != nil {
		t.Fatal(err)
	}
	if e.State != Draft || e.ID != in.ID || e.Digest != "weekly" || e.Number != 12 || !e.Created.Equal(testTime) {
		t.Errorf("composed %+v", e)
	}
	if e.Subject != "The Weekly: The harbour after the storm" || !slices.Equal(e.Articles, []string{"a1", "a2", "a3", "a4"}) {
		t.Errorf("subject %q, articles %v", e.Subject, e.Articles)
	}
}

func TestComposeRefusesEditionWithoutArticles(t *testing.T) {
	t.Parallel()
	in := sampleInput()
	in.Articles = nil
	if _, err := Compose(in, builtIn(t)); err == nil {
		t.Error("an edition without articles was composed")
	}
}

func TestSubjectTemplates(t *testing.T) {
	t.Parallel()
	for template, want := range map[string]string{
		"{{.Digest.Title}}, No. {{.Edition.Number}}":                      "The Weekly, No. 12",
		"{{.ShortDate .Edition.Date}}: {{.Count \"articles\" .Total}}":    "27 November 2026: 4 articles",
		"{{if gt .Total 3}}A full week{{else}}{{.First.Title}}{{end}}":    "A full week",
		"{{with .First.Authors}}{{index . 0}} writes{{end}}":              "Anna Berg writes",
		"{{cut 12 .First.Title}}":                                         "The harbour…",
		"  {{.Site.Title}}\r\nBcc: everyone@example.org{{/* comment */}}": "The Harbour Post Bcc: everyone@example.org",
	} {
		in := sampleInput()
		in.Definition.Subject = template
		e, err := Compose(in, builtIn(t))
		if err != nil || e.Subject != want {
			t.Errorf("%s gives %q, %v", template, e.Subject, err)
		}
	}
}

func TestBrokenSubjectIsExplained(t *testing.T) {
	t.Parallel()
	in := sampleInput()
	in.Definition.Subject = "{{.Titel}}"
	_, err := Compose(in, builtIn(t))
	if err == nil || !strings.Contains(err.Error(), "digest weekly: subject template: no field Titel in Digest; use one of .Align, .AlignEnd, .Articles") {
		t.Errorf("got %v", err)
	}
}

// A subject that an editor wrote is text: braces in it stay braces.
func TestEditorsSubjectIsNotATemplate(t *testing.T) {
	t.Parallel()
	in := sampleInput()
	in.Subject = "  {{.Digest.Title}} and\tmore\r\n"
	v := mustRender(t, in, Preferences{Topics: []string{"sea"}})
	if v.Subject != "{{.Digest.Title}} and more" {
		t.Errorf("subject %q", v.Subject)
	}
}

func TestDateIsInTheDigestsTimezone(t *testing.T) {
	t.Parallel()
	in := sampleInput()
	in.Date = testTime.Add(15*60*60*1e9 + 30*60*1e9) // 23:30 in UTC, the next day in Paris
	if v := mustRender(t, in, Preferences{}); !strings.Contains(v.HTML, "Saturday, 28 November 2026") {
		t.Error("the mail's date is not that of the digest's timezone")
	}
}
