package digest

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/config"
)

func TestMailLanguageChangesTheFixedTextsAlone(t *testing.T) {
	t.Parallel()
	in, set := sampleInput(), builtIn(t)
	in.Definition.Language = ""
	french := Preferences{}.InMailLanguage(in, "fr-CA", set)
	v := mustRender(t, in, french)
	if v.Language != "fr" || french.Key() == "" || len(v.Articles) != len(mustRender(t, in, Preferences{}).Articles) {
		t.Errorf("language %q, key %q, %d articles", v.Language, french.Key(), len(v.Articles))
	}
	if !strings.Contains(v.Text, "Se désabonner") {
		t.Errorf("the footer is not French:\n%s", v.Text)
	}
	english := in
	english.Definition.Language = "en"
	for name, prefs := range map[string]Preferences{
		"the site's language":           Preferences{}.InMailLanguage(in, "en-GB", set),
		"no article in it":              Preferences{}.InMailLanguage(in, "de", set),
		"no article on the topic in it": Preferences{Topics: []string{"storms"}}.InMailLanguage(in, "ja", set),
		"no phrases in it":              Preferences{}.InMailLanguage(in, "sv", set),
		"a digest in one language":      Preferences{}.InMailLanguage(english, "fr", set),
		"articles in one language":      Preferences{Language: "ar"}.InMailLanguage(in, "fr", set),
		"no language":                   Preferences{}.InMailLanguage(in, "", set),
	} {
		if prefs.MailLanguage != "" {
			t.Errorf("%s: mail language %q, want none", name, prefs.MailLanguage)
		}
	}
}

// textsIn returns a text per language.
func textsIn(t *testing.T, object string) config.Text {
	t.Helper()
	var out config.Text
	if err := json.Unmarshal([]byte(object), &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestMailsAndPagesShowTheTextsOfTheirLanguage(t *testing.T) {
	t.Parallel()
	in, set := sampleInput(), builtIn(t)
	in.Definition.Language = ""
	in.Definition.Title = textsIn(t, `{"en": "The Weekly", "fr": "La semaine"}`)
	in.Definition.Description = textsIn(t, `{"en": "What we wrote.", "fr": "Nos articles."}`)
	in.Site.Title = textsIn(t, `{"en": "The Gazette", "fr": "Le courrier du port"}`)
	in.Definition.Subject = "{{.Digest.Title}} {{.Edition.Number}}"
	french := mustRender(t, in, Preferences{}.InMailLanguage(in, "fr", set))
	english := mustRender(t, in, Preferences{})
	for _, v := range []struct {
		Variant
		subject, has, hasNot string
	}{
		{french, "La semaine 12", "Le courrier du port", "The Gazette"},
		{english, "The Weekly 12", "The Gazette", "Le courrier du port"},
	} {
		if v.Subject != v.subject || v.Title+" 12" != v.subject {
			t.Errorf("subject %q, title %q", v.Subject, v.Title)
		}
		for _, part := range []string{v.HTML, v.Text} {
			if !strings.Contains(part, v.has) || strings.Contains(part, v.hasNot) || !strings.Contains(part, v.Title) {
				t.Errorf("%s is in another language:\n%s", v.Language, part)
			}
		}
	}
}
