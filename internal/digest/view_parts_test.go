package digest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/templates"
)

func TestReadingTimeIsCountedByWordsOrCharacters(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{
		"": 0, " \n—": 0, "one": 1, "it’s": 1,
		strings.Repeat("word ", 230*4): 4, strings.Repeat("كلمة ", 230*2): 2, strings.Repeat("港には船が。", 300): 3, strings.Repeat("海港里的船", 400): 4,
		strings.Repeat("한국어 ", 460): 2,
	} {
		if got := readingMinutes(text); got != want {
			t.Errorf("%.20q, %d bytes: %d minutes, want %d", text, len(text), got, want)
		}
	}
}

// partsTemplate prints what an edition has besides its articles.
const partsTemplate = `{{.Intro}}|{{.Outro}}|{{with .Sponsor}}{{.Label}} {{.HTML}} {{.URL}} {{with .Image}}{{.URL}}{{end}}{{end}}|` +
	`{{range .Sections}}[{{.Key}} {{.Heading}}:{{range .Articles}} {{.ID}} {{.Form}} {{.ReadingMinutes}} {{.Source}} {{with .Portrait}}{{.URL}} {{.Width}}{{end}};{{end}}]{{end}}|` +
	`{{if not .Next.IsZero}}{{.ShortDate .Next}}{{end}}|{{.Edition.URL}}|{{.Forward}}<a href="{{.Reader.Unsubscribe}}">x</a>`

func TestTemplatesGetAllPartsOfAnEdition(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writeMail(t, dir, "parts", partsTemplate, "{{.IntroText}}|{{.OutroText}}|{{with .Sponsor}}{{.Text}}{{end}}|{{.Reader.Unsubscribe}}")
	set, err := templates.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	in := sampleInput()
	in.Definition.Template, in.Next = "parts", testTime.AddDate(0, 0, 7)
	in.Articles[0].Authors[0].Portrait = "https://post.example/anna.jpg"
	in.Articles[1].Origin = &article.Origin{Title: "The Coast Review"}
	in.Layout = Layout{Form: SummaryForm, Sections: []SectionRule{{Key: "Far away", Title: textOf(t, `{"en": "Far away", "fr": "Au loin"}`), Form: TitleForm}}}
	in.Edits = Edits{
		Intro:    map[string]string{"": "Good *morning*.\n\n[Tides](/tides) ![map](/media/map.svg)\n\n<script>alert(1)</script>", "fr": "Bonjour."},
		Outro:    map[string]string{"fr": "Rien."},
		Sections: map[string]string{"a2": "Far away", "a3": "Far away"}, Forms: map[string]Form{"a3": FullForm},
		Sponsor: &Sponsor{Label: "Ad", Text: "Ropes & more", URL: "javascript:alert(1)", Image: "https://rope.example/r.png"},
	}
	v, err := Render(in, Preferences{}, set)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`<p>Good <em>morning</em>.</p>`, `<a href="https://post.example/tides">Tides</a> <em>[map]</em>`, `||Ad <p>Ropes &amp; more</p>  https://rope.example/r.png|`,
		`[ : a1 summary 1  https://post.example/anna.jpg 40; a4 summary 1  ;][far-away Far away: a2 title 1 The Coast Review ; a3 full 1  ;]`,
		"|4 December 2026|https://post.example/digests/weekly/12/|https://post.example/subscribe?digest=weekly<a",
	} {
		if !strings.Contains(v.HTML, want) {
			t.Errorf("no %s in\n%s", want, v.HTML)
		}
	}
	if strings.Contains(v.HTML, "alert") || !strings.HasPrefix(v.Text, "Good morning.\n\nTides <https://post.example/tides> [map]||Ropes & more|") {
		t.Errorf("%s\n%s", v.HTML, v.Text)
	}
	in.Definition.Language = "fr"
	if v, err = Render(in, Preferences{}, set); err != nil || !strings.Contains(v.HTML, "<p>Bonjour.</p>|<p>Rien.</p>|") || !strings.Contains(v.HTML, "Au loin") {
		t.Errorf("%v\n%s", err, v.HTML)
	}
}

func TestIntroAndFooterOfADigest(t *testing.T) {
	t.Parallel()
	in := sampleInput()
	in.Site.Brand.Footer = "Printed at the harbour."
	in.Definition.Intro = textOf(t, `{"en": "Good *morning*.\n\n![](/media/map.png)", "fr": "Salut à *tous*."}`)
	in.Definition.Footer = textOf(t, `{"en": "Written <b>here</b>.\nEvery week.", "fr": "Écrit ici."}`)
	in.Pictures = article.Pictures{}
	check := func(step string, want, unwanted []string) {
		t.Helper()
		for _, design := range []string{"magazine", "letter", "brief", "digest"} {
			in.Definition.Template = design
			v := mustRender(t, in, Preferences{})
			for _, both := range want {
				html, text, _ := strings.Cut(both, "|")
				if !strings.Contains(v.HTML, html) || !strings.Contains(v.Text, text) {
					t.Errorf("%s, %s: no %q in\n%s\n%s", step, design, both, v.HTML, v.Text)
				}
			}
			for _, word := range unwanted {
				if strings.Contains(v.HTML+v.Text, word) {
					t.Errorf("%s, %s: the mail has %q", step, design, word)
				}
			}
		}
	}
	check("configured", []string{"Good <em>morning</em>.|Good morning.", "Written &lt;b&gt;here&lt;/b&gt;.<br/>Every week.|Written <b>here</b>.\nEvery week."}, []string{"Printed", "Salut"})
	if got := (Edits{}).Pictured(in.Definition).HTML; got != "/media/map.png" {
		t.Errorf("the images of the intro are %q", got)
	}
	for _, word := range []string{"Salut", "Written"} {
		if !in.contains(word) {
			t.Errorf("a placeholder could be %q, which is in the texts of the digest", word)
		}
	}
	in.Edits.Intro = map[string]string{"fr": "Rien de neuf."}
	check("an editor's intro in another language", []string{"Good <em>morning</em>.|Good morning."}, []string{"Rien"})
	in.Definition.Language = "fr"
	check("an editor's intro", []string{"Rien de neuf.|Rien de neuf.", "Écrit ici.|Écrit ici."}, []string{"Salut", "Good <em>"})
	in.Edits.Intro = nil
	in.Definition.Footer = ""
	check("the brand's footer", []string{"Salut à <em>tous</em>.|Salut à tous.", "Printed at the harbour.|Printed at the harbour."}, nil)
}

func TestMessageHasNoIntroOfADigest(t *testing.T) {
	t.Parallel()
	in := sampleInput()
	in.Audience, in.Subject = Audience{Digests: []string{"weekly"}}.Encode(), "News"
	in.Definition.Intro, in.Edits.Intro = "Good morning.", map[string]string{"": "We move."}
	if v := mustRender(t, in, Preferences{}); strings.Contains(v.HTML+v.Text, "Good morning") || !strings.Contains(v.Text, "We move.") {
		t.Errorf("%s\n%s", v.HTML, v.Text)
	}
}

// TestSectionsOfATrimmedMailHoldTheArticlesShown: an edition that does not fit shows its first articles in their
// sections and lists the others.
func TestSectionsOfATrimmedMailHoldTheArticlesShown(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writeMail(t, dir, "sections", `{{range .Sections}}{{.Heading}}{{range .Articles}}<p>{{.ID}}`+strings.Repeat("x", 4000)+`</p>{{end}}{{end}}{{len .More}}<a href="{{.Reader.Unsubscribe}}">x</a>`, "{{.Reader.Unsubscribe}}")
	set, err := templates.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	in := manyArticles(40)
	in.Definition.Template, in.Edits.Sections = "sections", map[string]string{}
	for i := range in.Articles {
		in.Edits.Sections[in.Articles[i].ID] = fmt.Sprintf("Part %d", i/10)
	}
	v, err := Render(in, Preferences{}, set)
	if err != nil {
		t.Fatal(err)
	}
	if v.Shown < 15 || v.Shown > 29 || strings.Count(v.HTML, "<p>") != v.Shown || !strings.Contains(v.HTML, "Part 1") || strings.Contains(v.HTML, "Part 3") {
		t.Errorf("%d shown", v.Shown)
	}
}
