package digest

import (
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/templates"
)

// brandedTemplate prints all of a brand.
const brandedTemplate = `<style>h1 { color: {{.Light.Accent}}; font-family: {{.HeadingFont}}; }</style>
<h1>x</h1>{{with .Site.Brand}}{{with .Logo}}<img src="{{.URL}}" alt="{{.Alt}}" width="{{.Width}}">{{end}}
{{range .Social}}<a href="{{.URL}}">{{.Name}}</a>{{end}}{{.Footer}}<a href="{{.Imprint}}">i</a>{{.Person.Role}}{{end}}<a href="{{.Reader.Unsubscribe}}">x</a>`

func TestBrandIsInMailsByLanguage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writeMail(t, dir, "branded", brandedTemplate, "{{.Site.Brand.FooterText}}\n{{.Reader.Unsubscribe}}")
	set, err := templates.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	in := sampleInput()
	in.Definition.Template, in.Definition.Language = "branded", "fr"
	in.Site.Brand = config.Brand{
		Logo:  &config.Picture{URL: "/media/logo.png", Alt: textsIn(t, `{"en": "The Post", "fr": "La poste"}`), Width: 160, Height: 40},
		Light: config.Colors{Accent: "#1d4e89"}, HeadingFont: "Iowan Old Style", Links: []config.Link{{Name: "Mastodon", URL: "https://social.example/@post"}},
		Footer: textsIn(t, `{"en": "Printed.", "fr": "Imprimé\n<b>ici</b>."}`), Imprint: "/imprint",
		Person: config.Signer{Name: "Anna", Role: textsIn(t, `{"en": "Editor", "fr": "Rédactrice"}`)},
	}
	v, err := Render(in, Preferences{}, set)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`<img src="https://post.example/media/logo.png" alt="La poste" width="160"/>`, "color:#1d4e89", "font-family:Iowan Old Style, Georgia",
		`<a href="https://social.example/@post">Mastodon</a>`, "<p>Imprimé<br/>&lt;b&gt;ici&lt;/b&gt;.</p>", `href="https://post.example/imprint"`, "Rédactrice",
	} {
		if !strings.Contains(v.HTML, want) {
			t.Errorf("no %s in:\n%s", want, v.HTML)
		}
	}
	if !strings.HasPrefix(v.Text, "Imprimé\n<b>ici</b>.\n") {
		t.Errorf("the text has another footer:\n%s", v.Text)
	}
	for _, word := range []string{"Mastodon", "Editor", "Imprimé", "logo.png"} {
		if !in.contains(word) {
			t.Errorf("a placeholder could be %q, which is in the brand", word)
		}
	}
}
