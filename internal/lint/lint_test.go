package lint_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/lint"
)

const site = "https://gazette.example"

// sound returns an edition without faults.
func sound() lint.Edition {
	body := `<html><head><style>
@media (prefers-color-scheme: dark) { .ink { color: #ffffff !important } .sheet { background-color: #111111 !important } }
</style></head><body><div class="sheet" style="background-color: #ffffff">
<h1 class="ink" style="color: #222222">The week</h1>
<h2><a class="ink" style="color: #222222" href="https://gazette.example/articles/ferry">The ferry</a></h2>
<a class="ink" style="color: #222222" href="https://gazette.example/articles/ferry"><img src="https://gazette.example/media/ferry.jpg" alt="A ferry" width="536"></a>
<p class="ink" style="color: #222222; font-size: 16px">It waited. <a class="ink" style="color: #222222" href="https://example.org/timetable">Timetable</a></p>
<p class="ink" style="color: #222222"><a class="ink" style="color: #222222" href="tdgunsu">Unsubscribe</a> 1 Quay Street, Port Sample</p>
</div></body></html>`
	v := digest.Variant{
		Subject: "The week: the ferry", HTML: body, Articles: []string{"a1"}, Shown: 1,
		Text:         "The ferry\nhttps://gazette.example/articles/ferry\n\nUnsubscribe: tdgunsu\n1 Quay Street, Port Sample\n",
		Placeholders: digest.Placeholders{Name: "tdgname", Address: "tdgaddr", Unsubscribe: "tdgunsu", Preferences: "tdgpref", Web: "tdgwebe"},
	}
	return lint.Edition{
		Site:     digest.Site{URL: site, Postal: "1 Quay Street, Port Sample"},
		Articles: []article.Article{{ID: "a1", Slug: "ferry", Title: "The ferry", Summary: "It waited.", HTML: `<p>It waited. <a href="https://example.org/timetable">Timetable</a></p>`}},
		Variants: []lint.Variant{{Variant: v}},
		Subjects: []string{"The week: the harbour"},
		Pictures: article.Pictures{"ferry.jpg": {Copy: article.Copy{Name: "ferry.jpg", Type: "image/jpeg", Width: 1072, Height: 600, Bytes: 80_000}}},
	}
}

// names returns the names of findings, each once.
func names(findings []lint.Finding) []string {
	var out []string
	seen := map[string]bool{}
	for _, f := range findings {
		if !seen[f.Name] {
			seen[f.Name] = true
			out = append(out, f.Name)
		}
	}
	return out
}

func TestSoundEditionHasNoFindings(t *testing.T) {
	t.Parallel()
	if got := lint.Check(sound()); len(got) > 0 {
		t.Errorf("findings: %+v", got)
	}
}

// swap replaces a text of the HTML part, which must have it.
func swap(e *lint.Edition, from, to string) {
	v := &e.Variants[0]
	if !strings.Contains(v.HTML, from) {
		panic("the HTML part has no " + from)
	}
	v.HTML = strings.ReplaceAll(v.HTML, from, to)
}

// faults has a change for each rule that needs no network, which gives exactly its finding.
var faults = map[string][]func(e *lint.Edition){
	"subject-empty":    {func(e *lint.Edition) { e.Variants[0].Subject = " " }},
	"subject-long":     {func(e *lint.Edition) { e.Variants[0].Subject = strings.Repeat("é", 61) }},
	"subject-repeated": {func(e *lint.Edition) { e.Subjects = append(e.Subjects, "The week: the ferry") }},
	"edition-empty":    {func(e *lint.Edition) { e.Variants[0].Articles, e.Variants[0].Shown = nil, 0 }},
	"text-missing":     {func(e *lint.Edition) { e.Variants[0].Text = " \n" }},
	"text-incomplete":  {func(e *lint.Edition) { e.Variants[0].Text = "Unsubscribe: tdgunsu\n1 Quay Street, Port Sample" }},
	"weight-over":      {func(e *lint.Edition) { swap(e, "</body>", "<p>"+strings.Repeat("x ", 60_000)+"</p></body>") }},
	"weight-large":     {func(e *lint.Edition) { swap(e, "</body>", "<p>"+strings.Repeat("x ", 45_000)+"</p></body>") }},
	"unsubscribe-missing": {
		func(e *lint.Edition) { swap(e, `href="tdgunsu"`, `href="https://example.org/"`) },
		func(e *lint.Edition) { e.Variants[0].Text = strings.ReplaceAll(e.Variants[0].Text, "tdgunsu", "") },
	},
	"postal-missing": {
		func(e *lint.Edition) { swap(e, "1 Quay Street", "1 Quai") },
		func(e *lint.Edition) { e.Site.Postal += "\nAnother line" },
	},
	"postal-unset": {func(e *lint.Edition) { e.Site.Postal = " \n" }},
	"leftover-text": {
		func(e *lint.Edition) { swap(e, "The week</h1>", "The {{.Digest.Title}}</h1>") },
		func(e *lint.Edition) { swap(e, "The week</h1>", "Lorem Ipsum dolor</h1>") },
		func(e *lint.Edition) { swap(e, "The week</h1>", "Dear undefined</h1>") },
		func(e *lint.Edition) { swap(e, "The week</h1>", "Dear *|FNAME|*</h1>") },
		func(e *lint.Edition) { swap(e, "The week</h1>", "&lt;no value&gt;</h1>") },
		func(e *lint.Edition) { swap(e, "The week</h1>", "%!d(string=x)</h1>") },
		func(e *lint.Edition) { swap(e, `alt="A ferry"`, `alt="[[picture]]"`) },
		func(e *lint.Edition) { e.Variants[0].Subject = "Hello {{name}}" },
		func(e *lint.Edition) { e.Variants[0].Text += "[object Object]\n" },
	},
	"heading-empty":   {func(e *lint.Edition) { swap(e, "</body>", "<h3> </h3></body>") }},
	"summary-missing": {func(e *lint.Edition) { e.Articles[0].Summary = "" }},
	"image-alt-missing": {func(e *lint.Edition) {
		swap(e, "</body>", `<img src="https://gazette.example/media/ferry.jpg" width="20"></body>`)
	}},
	"image-absent":  {func(e *lint.Edition) { e.Absent = map[string]bool{"/media/ferry.jpg": true} }},
	"image-heavy":   {func(e *lint.Edition) { setPicture(e, article.Copy{Name: "ferry.jpg", Width: 1072, Bytes: 1_000_001}) }},
	"image-narrow":  {func(e *lint.Edition) { setPicture(e, article.Copy{Name: "ferry.jpg", Width: 535, Bytes: 1000}) }},
	"link-empty":    {func(e *lint.Edition) { swap(e, `href="https://example.org/timetable"`, `href=""`) }},
	"link-relative": {func(e *lint.Edition) { swap(e, `href="https://example.org/timetable"`, `href="/timetable"`) }},
	"link-nameless": {func(e *lint.Edition) { swap(e, `alt="A ferry"`, `alt=""`) }},
	"link-absent":   {func(e *lint.Edition) { e.Absent = map[string]bool{"/articles/ferry": true} }},
	"contrast-light": {
		func(e *lint.Edition) { swap(e, "color: #222222; font-size: 16px", "color: #999999; font-size: 16px") },
		func(e *lint.Edition) { swap(e, `style="background-color: #ffffff"`, `style="background: navy"`) },
		func(e *lint.Edition) {
			swap(e, "</body>", `<table bgcolor="#ffee00" class="sheet"><tr><td class="ink" style="color: rgb(255, 255, 255)">Pale</td></tr></table></body>`)
		},
	},
	"contrast-dark": {
		func(e *lint.Edition) { swap(e, ".ink { color: #ffffff !important }", "") },
		func(e *lint.Edition) { swap(e, "#111111 !important", "#eeeeee !important") },
	},
}

func setPicture(e *lint.Edition, c article.Copy) {
	c.Type = "image/jpeg"
	e.Pictures = article.Pictures{c.Name: {Copy: c}}
}

func TestEachFaultIsFound(t *testing.T) {
	t.Parallel()
	for name, changes := range faults {
		for i, change := range changes {
			e := sound()
			change(&e)
			got := lint.Check(e)
			if fmt.Sprint(names(got)) != fmt.Sprintf("[%s]", name) {
				t.Errorf("%s, change %d: findings %+v", name, i, got)
			}
		}
	}
}

func TestLinkHiddenFromScreenReadersNeedsNoText(t *testing.T) {
	t.Parallel()
	e := sound()
	swap(&e, `alt="A ferry"`, `alt=""`)
	swap(&e, "<a ", `<a aria-hidden="true" tabindex="-1" `)
	if found := lint.Check(e); len(found) > 0 {
		t.Errorf("%+v", found)
	}
}

func TestFindingsNameArticleVariantAndFix(t *testing.T) {
	t.Parallel()
	e := sound()
	e.Variants[0].Key = "language=fr"
	e.Absent = map[string]bool{"/media/ferry.jpg": true, "/articles/ferry": true}
	got := lint.Check(e)
	if len(got) != 2 {
		t.Fatalf("findings: %+v", got)
	}
	for _, f := range got {
		if f.Severity != lint.Error || f.Variant != "language=fr" || f.Fix == "" || f.URL == "" || !f.Blocks() || f.Harms() {
			t.Errorf("%+v", f)
		}
	}
	if got[1].Article != "The ferry" && got[0].Article != "The ferry" {
		t.Errorf("no finding names the article: %+v", got)
	}
}

// TestArticlesMayShowCode checks that text of articles is no leftover of a template.
func TestArticlesMayShowCode(t *testing.T) {
	t.Parallel()
	e := sound()
	a := &e.Articles[0]
	a.Title, a.Summary = "What {{.Site}} means", "Why [[x]] is undefined, at length, in Go and elsewhere"
	a.HTML += `<pre>{{range .}} %!d(string=x) {{end}}</pre><p>Lorem ipsum</p>`
	e.Variants[0].Subject = "The week: What {{.Site}} means"
	swap(&e, "It waited.", "Why [[x]] is undefined, at length…</p><pre>{{range .}} %!d(string=x) {{end}}</pre><p>Lorem ipsum</p><p>")
	swap(&e, ">The ferry<", ">What {{.Site}} means<")
	e.Variants[0].Text += "What {{.Site}} means\nWhy [[x]] is undefined,\nat length\n"
	for _, f := range lint.Check(e) {
		if f.Name == "leftover-text" {
			t.Errorf("%+v", f)
		}
	}
}

func TestMessageNeedsNoArticles(t *testing.T) {
	t.Parallel()
	e := sound()
	e.Message, e.Variants[0].Articles, e.Variants[0].Shown = true, nil, 0
	if got := lint.Check(e); len(got) > 0 {
		t.Errorf("findings: %+v", got)
	}
}

func TestFindingOfSeveralVariantsIsListedOnce(t *testing.T) {
	t.Parallel()
	e := sound()
	e.Variants[0].Subject = ""
	second := e.Variants[0]
	second.Key = "language=fr"
	e.Variants = append(e.Variants, second)
	if got := lint.Check(e); len(got) != 1 {
		t.Errorf("findings: %+v", got)
	}
}
