package templates

import (
	"flag"
	"os"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden compares got with a file, or writes the file under -update.
func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; if the change is meant, run: go test ./templates -update\n%s", file, got)
	}
}

func TestNoticesMatchGoldenFiles(t *testing.T) {
	t.Parallel()
	set := mustLoad(t)
	for _, name := range noticeNames {
		for _, lang := range []string{"en", "ar"} {
			m, _ := set.Mail(name)
			data := SampleNotice(set.phrasesByLanguage[lang])
			out, err := m.Render(data)
			if err != nil {
				t.Fatal(err)
			}
			golden(t, "testdata/"+name+"-"+lang+".txt", out.Subject+"\n\n"+out.Text)
			if lang == "en" {
				golden(t, "testdata/"+name+"-en.html", out.HTML)
			}
		}
	}
}

// Outlook knows padding only of table cells, and margins only of paragraphs and headings.
func TestSpacingUsesPropertiesThatOutlookSupports(t *testing.T) {
	t.Parallel()
	set := mustLoad(t)
	for _, name := range []string{"digest", "brief", "letter", "magazine", "confirm", "welcome", "signin", "notice"} {
		m, err := set.Mail(name)
		if err != nil {
			t.Fatal(err)
		}
		var data any = sampleWithMore(Sample(nil))
		if slices.Contains(noticeNames, name) {
			data = SampleNotice(nil)
		}
		out, err := m.Render(data)
		if err != nil {
			t.Fatal(err)
		}
		doc, err := html.Parse(strings.NewReader(out.HTML))
		if err != nil {
			t.Fatal(err)
		}
		for n := range doc.Descendants() {
			for _, at := range n.Attr {
				// The cell around the link of a button has mso-padding-alt for Outlook.
				padded := strings.Contains(at.Val, "padding") && !slices.Contains([]string{"body", "td", "a"}, n.Data)
				spaced := strings.Contains(at.Val, "margin") && !slices.Contains([]string{"body", "p", "h1", "h2", "h3", "h4"}, n.Data)
				if at.Key == "style" && (padded || spaced) {
					t.Errorf("%s: <%s style=%q>", name, n.Data, at.Val)
				}
			}
		}
	}
}

func TestNoticesAreTranslatedToEveryLanguage(t *testing.T) {
	t.Parallel()
	set := mustLoad(t)
	for lang, want := range map[string]string{
		"en": "Please confirm your subscription to The Weekly and The Daily", "fr": "Confirmez votre abonnement à The Weekly et The Daily",
		"de": "Bitte bestätigen Sie Ihr Abonnement: The Weekly und The Daily", "ja": "「The Weekly、The Daily」の購読を確認してください",
		"ar": "يرجى تأكيد اشتراكك في The Weekly وThe Daily",
	} {
		m, _ := set.Mail("confirm")
		out, err := m.Render(SampleNotice(set.phrasesByLanguage[lang]))
		if err != nil || out.Subject != want {
			t.Errorf("%s: %q, %v", lang, out.Subject, err)
		}
	}
}

// TestConditionalCommentsSurvive checks that they reach the mail byte for byte, entities included.
func TestConditionalCommentsSurvive(t *testing.T) {
	t.Parallel()
	outlook := "<!--[if mso]><table width=\"600\"><tr><td>&nbsp;-><![endif]-->"
	others := "<!--[if !mso]><!--><p>{{.Subject}}</p><!--<![endif]-->"
	set, err := Load(folder(t, map[string]string{
		"mail/own.html": "<style>p { color: #123456 }</style>" + own + outlook + "\n" + others + "\n<!-- gone -->", "mail/own.txt": "{{.Reader.Unsubscribe}}",
	}))
	if err != nil {
		t.Fatal(err)
	}
	m, _ := set.Mail("own")
	out, err := m.Render(Sample(nil))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := m.HTML(Sample(nil))
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range []string{out.HTML, raw} {
		if !strings.Contains(page, outlook) || !strings.Contains(page, "<!--[if !mso]><!--><p") || !strings.Contains(page, "storm</p><!--<![endif]-->") {
			t.Errorf("a conditional comment is missing or changed:\n%s", page)
		}
		if strings.Contains(page, "gone") || strings.Contains(page, "conditional") {
			t.Errorf("another comment is left:\n%s", page)
		}
	}
}

func TestInliningMovesPlainStylesOnly(t *testing.T) {
	t.Parallel()
	out, err := inline(`<html><head><style>.a { color: red; width: 10px } a:hover { color: blue } @media print { .a { color: black } }</style>` +
		`<style data-premailer="ignore">.a { color: pink } @media (x) { .a { top: 0 } }</style></head><body><p class="a" style="margin: 0">x &lt;style data-premailer="ignore"&gt;</p></body></html>`)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`<style>.a { color: pink } @media (x) { .a { top: 0 } }</style>`, `style="color:red;width:10px;margin:0"`,
		"a:hover", "@media print", `&lt;style data-premailer=&#34;ignore&#34;&gt;`,
	} {
		if !strings.Contains(out, want) {
			t.Errorf("no %s in\n%s", want, out)
		}
	}
}

func TestInvalidStylesNeverLoseTheText(t *testing.T) {
	t.Parallel()
	for _, css := range []string{"{{{", "}", "@media {", "p { color: ", "a[", "p:nth-child(", "<!-- -->", "p { color: red !important } *", "\x00", "@import url(x);", "::: {x:y}", "p { content: '"} {
		out, err := inline("<style>" + css + "</style><p>text</p>")
		if err == nil && !strings.Contains(out, "text") {
			t.Errorf("%q: the text is missing: %s", css, out)
		}
	}
	// This attribute is one that the inliner uses itself.
	if out, err := inline(`<style>p { color: red }</style><p pr-el-id="7">text</p>`); err == nil && !strings.Contains(out, "text") {
		t.Errorf("the text is gone: %s", out)
	}
}

func TestRenderingIsDeterministic(t *testing.T) {
	t.Parallel()
	set := mustLoad(t)
	m, _ := set.Mail("digest")
	data := Sample(nil)
	first, err := m.Render(data)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if again, err := m.Render(data); err != nil || again != first {
			t.Fatal("the same data gave another mail")
		}
	}
}

func TestPageWithoutASetIsInEnglish(t *testing.T) {
	t.Parallel()
	m, _ := mustLoad(t).Mail("notice")
	out, err := m.Render(Notice{Heading: "Hello"})
	if err != nil || out.Subject != "Hello" || (Page{}).List([]string{"a", "b"}) != "a and b" {
		t.Errorf("%q, %v", out.Subject, err)
	}
}

func TestImagesAreScaledToTheColumn(t *testing.T) {
	t.Parallel()
	for in, want := range map[Image]Image{
		{Width: 536, Height: 268}: {Width: 600, Height: 300},
		{Width: 300, Height: 100}: {Width: 600, Height: 200},
		{Width: 90, Height: 30}:   {Width: 90, Height: 30}, // enlarged it would be a blur
		{}:                        {Width: 600},
	} {
		if got := in.Scaled(600); got != want {
			t.Errorf("%+v becomes %+v, want %+v", in, got, want)
		}
	}
}
