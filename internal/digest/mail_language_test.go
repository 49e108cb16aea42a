package digest

import (
	"strings"
	"testing"
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
