package digest

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/tidings-press/tidings/templates"
)

func TestMailsMatchGoldenFiles(t *testing.T) {
	t.Parallel()
	for _, tmpl := range []string{"digest", "brief"} {
		for _, lang := range []string{"en", "ar"} {
			in := sampleInput()
			in.Definition.Template, in.Definition.Language = tmpl, lang
			v := mustRender(t, in, Preferences{})
			golden(t, "testdata/"+tmpl+"-"+lang+".html", v.HTML)
			golden(t, "testdata/"+tmpl+"-"+lang+".txt", v.Subject+"\n\n"+v.Text)
		}
	}
}

func TestRenderingIsDeterministic(t *testing.T) {
	t.Parallel()
	first := mustRender(t, sampleInput(), Preferences{Topics: []string{"sea"}})
	for range 5 {
		if again := mustRender(t, sampleInput(), Preferences{Topics: []string{"sea"}}); !reflect.DeepEqual(again, first) {
			t.Fatal("the same input gave another variant")
		}
	}
}

func TestEachPlaceholderOccursOnce(t *testing.T) {
	t.Parallel()
	v := mustRender(t, sampleInput(), Preferences{})
	places := placeholderPlaces(t, v.HTML, v.Placeholders)
	want := map[string]string{
		v.Placeholders.Address: "text", v.Placeholders.Unsubscribe: "a href", v.Placeholders.Preferences: "a href", v.Placeholders.Web: "a href",
	}
	for placeholder, place := range want {
		if got := places[placeholder]; !slices.Equal(got, []string{place}) {
			t.Errorf("placeholder %s stands in %v, want once in %s", placeholder, got, place)
		}
	}
	for _, placeholder := range []string{v.Placeholders.Address, v.Placeholders.Unsubscribe, v.Placeholders.Preferences, v.Placeholders.Web} {
		if n := strings.Count(v.Text, placeholder); n != 1 {
			t.Errorf("placeholder %s stands %d times in the text, want once", placeholder, n)
		}
	}
}

// placeholderPlaces returns for each placeholder where it is in the parsed HTML: in a text, or as a
// whole attribute.
func placeholderPlaces(t *testing.T, page string, placeholders Placeholders) map[string][]string {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	places := map[string][]string{}
	for node := range doc.Descendants() {
		for _, placeholder := range placeholders.All() {
			if node.Type == html.TextNode && strings.Contains(node.Data, placeholder) {
				places[placeholder] = append(places[placeholder], "text")
			}
			for _, attr := range node.Attr {
				if attr.Val == placeholder {
					places[placeholder] = append(places[placeholder], node.Data+" "+attr.Key)
				} else if strings.Contains(attr.Val, placeholder) {
					places[placeholder] = append(places[placeholder], "part of "+node.Data+" "+attr.Key)
				}
			}
		}
	}
	return places
}

func TestStylesAreInlinedAndDarkModeIsKept(t *testing.T) {
	t.Parallel()
	page := mustRender(t, sampleInput(), Preferences{}).HTML
	for _, want := range []string{
		"@media (prefers-color-scheme: dark)", "@media (max-width: 620px)", "[data-ogsc] .ink", "<!--[if mso]><table", "<![endif]-->",
		`<html lang="en" dir="ltr"`, `style="margin:0;padding:0;`, `lang="ar"`, `dir="rtl"`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the mail has no %s", want)
		}
	}
	for _, bad := range []string{"data-premailer", "pr-el-id", ".masthead { font-family", "conditional 0", "<script", "{{", "ZgotmplZ"} {
		if strings.Contains(page, bad) {
			t.Errorf("the mail has %s", bad)
		}
	}
}

// TestNoImageContainsPlaceholder: otherwise a server could count opens by an image per subscriber.
func TestNoImageContainsPlaceholder(t *testing.T) {
	t.Parallel()
	v := mustRender(t, sampleInput(), Preferences{})
	for placeholder, places := range placeholderPlaces(t, v.HTML, v.Placeholders) {
		for _, place := range places {
			if strings.HasPrefix(place, "img") || strings.HasPrefix(place, "part of img") {
				t.Errorf("placeholder %s is in an image's address", placeholder)
			}
		}
	}
	if strings.Contains(v.HTML, `width="1"`) {
		t.Error("the mail has an image of one pixel")
	}
}

func TestVariantShowsOnlyMatchingArticles(t *testing.T) {
	t.Parallel()
	in := sampleInput()
	in.Definition.Language = ""
	for name, tc := range map[string]struct {
		prefs    Preferences
		articles []string
		language string
		subject  string
	}{
		"everything": {Preferences{}, []string{"a1", "a2", "a3", "a4"}, "en", "The Weekly: The harbour after the storm"},
		"topic":      {Preferences{Topics: []string{"SEA"}}, []string{"a1", "a3"}, "en", "The Weekly: The harbour after the storm"},
		"language":   {Preferences{Language: "fr-CA"}, []string{"a2"}, "fr", "The Weekly: En quête d’une reconnaissance"},
		"both":       {Preferences{Topics: []string{"sea"}, Language: "ar"}, []string{"a3"}, "ar", "The Weekly: الميناء بعد العاصفة"},
	} {
		v := mustRender(t, in, tc.prefs)
		if !slices.Equal(v.Articles, tc.articles) || v.Language != tc.language || v.Subject != tc.subject || v.Key != tc.prefs.Key() {
			t.Errorf("%s: articles %v, language %s, subject %q", name, v.Articles, v.Language, v.Subject)
		}
		if strings.Contains(v.HTML, "haftar") != slices.Contains(tc.articles, "a2") {
			t.Errorf("%s: the mail shows other articles than the variant lists", name)
		}
	}
}

// TestBodiesHaveAbsoluteAddresses: a custom template may show the whole article, in both parts.
func TestBodiesHaveAbsoluteAddresses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writeMail(t, dir, "whole", `{{range .Articles}}{{.Body}}{{end}}<a href="{{.Reader.Unsubscribe}}">x</a>`, "{{range .Articles}}{{plain .Body}}\n{{end}}{{.Reader.Unsubscribe}}")
	set, err := templates.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	in := sampleInput()
	in.Definition.Template = "whole"
	v, err := Render(in, Preferences{}, set)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(v.HTML, `The boats are <a href="https://post.example/articles/boats">back</a>.`) {
		t.Error(v.HTML)
	}
	if !strings.Contains(v.Text, "The boats are back <https://post.example/articles/boats>.\nLe maréchal") {
		t.Error(v.Text)
	}
}

func TestVariantWithoutArticlesIsErrEmpty(t *testing.T) {
	t.Parallel()
	_, err := Render(sampleInput(), Preferences{Topics: []string{"gardening"}}, builtIn(t))
	if !errors.Is(err, ErrEmpty) {
		t.Fatalf("got %v, want ErrEmpty", err)
	}
}

func TestUnknownTemplateIsNamed(t *testing.T) {
	t.Parallel()
	in := sampleInput()
	in.Definition.Template = "weekley"
	_, err := Render(in, Preferences{}, builtIn(t))
	if err == nil || !strings.Contains(err.Error(), `no mail template "weekley"; there are: brief, digest`) {
		t.Fatalf("got %v", err)
	}
}

func TestFillReplacesEachPlaceholder(t *testing.T) {
	t.Parallel()
	v := mustRender(t, sampleInput(), Preferences{})
	filled := v.Fill(Placeholders{Address: `"<x>&"@post.example`, Unsubscribe: "https://post.example/u?a=1&b=2", Preferences: "https://post.example/p", Web: "https://post.example/w"})
	for _, want := range []string{`&#34;&lt;x&gt;&amp;&#34;@post.example`, `href="https://post.example/u?a=1&amp;b=2"`} {
		if !strings.Contains(filled.HTML, want) {
			t.Errorf("the HTML has no %s", want)
		}
	}
	if !strings.Contains(filled.Text, "https://post.example/u?a=1&b=2") {
		t.Error("the text has another address than the HTML")
	}
	for _, placeholder := range v.Placeholders.All() {
		if strings.Contains(filled.HTML+filled.Text, placeholder) {
			t.Errorf("placeholder %s is left", placeholder)
		}
	}
}

func TestSummariesEndAtASentence(t *testing.T) {
	t.Parallel()
	in := sampleInput()
	long := strings.Repeat("船は海に戻った。", 160)
	in.Articles = in.Articles[3:4]
	in.Articles[0].Summary = long
	v := mustRender(t, in, Preferences{})
	if !strings.Contains(v.HTML, strings.Repeat("船は海に戻った。", 150)+"<") {
		t.Errorf("a summary of %d letters does not end at a sentence:\n%s", len([]rune(long)), v.HTML)
	}
	if preview := strings.Repeat("船は海に戻った。", 17); !strings.Contains(v.HTML, ">"+preview+"\u034f") {
		t.Errorf("the preview does not end at a sentence:\n%.3000s", v.HTML)
	}
}
