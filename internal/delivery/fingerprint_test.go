package delivery

import (
	"reflect"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/templates"
)

// TestFingerprintCoversWhatAnySubscriberCanBeSent changes every field that goes into an edition,
// one by one. A change that alters the mail for any topic and language must change the fingerprint,
// so that the approval is refused.
func TestFingerprintCoversWhatAnySubscriberCanBeSent(t *testing.T) {
	testkit.Slow(t)
	if testkit.RaceDetector {
		t.Skip("rendering thousands of mails takes minutes with the race detector, so scripts/run-tests runs it without")
	}
	t.Parallel()
	set, err := templates.Load("")
	if err != nil {
		t.Fatal(err)
	}
	e := &Engine{Options: Options{Templates: set}, variantCache: newVariantCache()}
	mails := func(input digest.Input) map[string]string {
		out := map[string]string{}
		for _, topics := range [][]string{nil, {"Harbour"}, {"Ferries"}, {"Changed"}} {
			for _, language := range []string{"", "en", "fr", "de", "ja"} {
				for _, prefs := range []digest.Preferences{
					{Topics: topics, Language: language},
					digest.Preferences{Topics: topics}.InMailLanguage(input, language, set),
				} {
					if _, done := out[prefs.Key()]; done {
						continue
					}
					if v, err := digest.Render(input, prefs, set); err == nil {
						out[prefs.Key()] = v.Subject + v.HTML + v.Text
					}
				}
			}
		}
		return out
	}
	fingerprint := func(input digest.Input) string {
		e.Site = input.Site
		f, err := e.fingerprint(input, settings{})
		if err != nil {
			t.Fatal(err)
		}
		return f.Short()
	}
	wantMails, want := mails(sampleInput()), fingerprint(sampleInput())
	if again := fingerprint(sampleInput()); again != want {
		t.Fatal("the same edition has two fingerprints")
	}
	visible := 0
	check := func(name string, changed digest.Input) {
		if reflect.DeepEqual(mails(changed), wantMails) {
			return
		}
		visible++
		if fingerprint(changed) == want {
			t.Errorf("%s changes a mail, but not the fingerprint", name)
		}
	}
	for i := range reflect.TypeFor[article.Article]().NumField() {
		for at := range sampleInput().Articles {
			input := sampleInput()
			name := reflect.TypeFor[article.Article]().Field(i).Name
			alter(reflect.ValueOf(&input.Articles[at]).Elem().Field(i))
			if name == "Status" {
				continue // an unpublished article never reaches this point
			}
			check("article "+name, input)
		}
	}
	for i := range reflect.TypeFor[digest.Definition]().NumField() {
		input := sampleInput()
		name := reflect.TypeFor[digest.Definition]().Field(i).Name
		alter(reflect.ValueOf(&input.Definition).Elem().Field(i))
		switch name {
		case "Template":
			input.Definition.Template = "brief"
		case "Subject":
			input.Definition.Subject = "Another {{.First.Title}}"
		case "Timezone":
			input.Definition.Timezone = "Pacific/Kiritimati"
		}
		check("digest "+name, input)
	}
	for i := range reflect.TypeFor[digest.Site]().NumField() {
		input := sampleInput()
		alter(reflect.ValueOf(&input.Site).Elem().Field(i))
		check("site "+reflect.TypeFor[digest.Site]().Field(i).Name, input)
	}
	for name, change := range map[string]func(*digest.Input){
		"number":  func(in *digest.Input) { in.Number++ },
		"date":    func(in *digest.Input) { in.Date = in.Date.AddDate(0, 0, 1) },
		"subject": func(in *digest.Input) { in.Subject = "An editor's words" },
		"order":   func(in *digest.Input) { in.Articles[0], in.Articles[1] = in.Articles[1], in.Articles[0] },
		"missing": func(in *digest.Input) { in.Articles = in.Articles[:1] },
	} {
		input := sampleInput()
		change(&input)
		check(name, input)
	}
	for name, edits := range map[string]digest.Edits{
		"preheader": {Preheader: "An editor's words"},
		"lead":      {Lead: "a2"},
		"order":     {Order: []string{"a2", "a1"}},
		"section":   {Sections: map[string]string{"a1": "On the water"}},
		"form":      {Forms: map[string]digest.Form{"a1": digest.TitleForm}},
		"intro":     {Intro: map[string]string{"fr": "Bonjour"}},
		"outro":     {Outro: map[string]string{"": "Goodbye"}},
		"sponsor":   {Sponsor: &digest.Sponsor{Label: "Sponsor", Text: "Buy a boat", URL: "https://boats.example", Image: "https://boats.example/b.png"}},
	} {
		input := sampleInput()
		input.Edits = edits
		check("editor's "+name, input)
		if fingerprint(input) == want {
			t.Errorf("an editor's %s does not change the fingerprint", name)
		}
	}
	for name, layout := range map[string]digest.Layout{
		"order":    {Order: digest.OldestFirst},
		"lead":     {Lead: article.Filter{Expr: article.Tag{Key: "harbour"}}},
		"sections": {Sections: []digest.SectionRule{{Key: "sea", Title: "Sea", Filter: article.Filter{Expr: article.Tag{Key: "ferries"}}}}},
	} {
		input := sampleInput()
		input.Layout = layout
		check("layout's "+name, input)
	}
	input := sampleInput()
	input.Edits = digest.Edits{Excluded: []digest.Exclusion{{Article: "a9"}}, Added: []string{"a1"}, Waived: []digest.Waiver{{Finding: "weight"}}, By: "ann", At: input.Date}
	if fingerprint(input) != want {
		t.Error("records of edits that change no mail change the fingerprint")
	}
	if visible < 20 {
		t.Errorf("only %d changes were visible in a mail", visible)
	}
}

func sampleInput() digest.Input {
	at := time.Date(2026, 3, 6, 8, 0, 0, 0, time.UTC)
	one := func(id, title, language, tag string) article.Article {
		return article.Article{
			ID: id, Source: "test:" + id, Slug: id, Title: title, Summary: "About " + title + ".", HTML: "<p>" + title + "</p>", Language: language,
			Authors: []article.Author{{Name: "Ann"}}, Tags: []string{tag}, Image: &article.Image{URL: "https://gazette.example/" + id + ".png", Alt: title, Width: 600, Height: 300},
			Published: at, Updated: at, Ingested: at, Status: article.Published,
		}
	}
	return digest.Input{
		ID: "preview", Number: 3, Date: at,
		Definition: digest.Definition{Name: "weekly", Title: "The week", Description: "What was new"},
		Site:       digest.Site{Title: "The Gazette", URL: "https://gazette.example", Language: "en", Postal: "1 Quay\nHarbour"},
		Articles:   []article.Article{one("a1", "Ferries", "en", "Ferries"), one("a2", "Grues", "fr", "Harbour")},
	}
}

// alter changes a field to another value of its type.
func alter(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString("Changed")
	case reflect.Int, reflect.Int64:
		v.SetInt(v.Int() + 7)
	case reflect.Bool:
		v.SetBool(!v.Bool())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		alter(v.Index(0))
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		alter(v.Elem())
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(v.Interface().(time.Time).AddDate(0, 1, 0)))
			return
		}
		alter(v.Field(0))
	}
}
