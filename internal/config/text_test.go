package config

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
)

// parsed returns a valid configuration.
func parsed(t *testing.T, content string) *Config {
	t.Helper()
	c, err := Parse([]byte(content), "c.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestTextIsChosenByLanguage(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, site, title string
		want              map[string]string // language -> text
	}{
		{"one for every language", "en", "The Week", map[string]string{"": "The Week", "fr": "The Week", "no tag": "The Week"}},
		{"one per language", "en", "{fr: La semaine, en: The Week}", map[string]string{
			"en": "The Week", "fr": "La semaine", "fr-CA": "La semaine", "de": "The Week", "": "The Week", "no tag": "The Week",
		}},
		{"a region of its own", "en", "{en: The Week, pt-BR: A semana, zh-TW: 週刊, zh: 周刊}", map[string]string{
			"pt": "A semana", "pt-PT": "A semana", "zh": "周刊", "zh-TW": "週刊", "zh-CN": "周刊",
		}},
		{"one for other languages", "en", `{"": Weekly, fr: La semaine}`, map[string]string{"fr": "La semaine", "en": "Weekly", "": "Weekly", "ja": "Weekly"}},
		{"the site's language before others", "de", `{"": Weekly, de: Die Woche}`, map[string]string{"de-AT": "Die Woche", "ja": "Die Woche", "": "Die Woche"}},
		{"the first", "en", "{fr: La semaine, de: Die Woche}", map[string]string{"ja": "La semaine", "": "La semaine", "de": "Die Woche"}},
		{"a tag in another case", "en", "{EN: The Week, FR_ca: La semaine}", map[string]string{"fr-CA": "La semaine", "fr": "La semaine"}},
		{"a variable", "en", "{en: '${TIDINGS_NO_SUCH_NAME:-The Week}'}", map[string]string{"en": "The Week"}},
	} {
		c := parsed(t, "site: {language: "+test.site+"}\n"+digestStart+"  title: "+test.title+"\n")
		for _, tag := range slices.Sorted(maps.Keys(test.want)) {
			if got := c.Digests[0].Title.In(tag); got != test.want[tag] {
				t.Errorf("%s: in %q: %q, want %q", test.name, tag, got, test.want[tag])
			}
		}
	}
}

func TestWrongTextsAreRefused(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ title, want string }{
		{"{french: La semaine}", `:5: digests[0].title.french: "french" is not a language tag; did you mean fr?`},
		{"{Deutsch: Die Woche}", `"Deutsch" is not a language tag; did you mean de?`},
		{"{jp: 週刊}", `:5: digests[0].title.jp: "jp" is not a language tag; did you mean ja?`},
		{"{english_language: x}", `"english_language" is not a language tag; write a tag such as en or pt-BR`},
		{"{en: a, EN: b}", ":5: digests[0].title.EN: the same language is in line 5; remove one of them"},
		{"{en: }", ":5: digests[0].title.en: it has no text; write one, or remove the key"},
		{`{en: ""}`, "it has no text"},
		{"{en: [a]}", ":5: digests[0].title.en: the value is a list; write a single value"},
		{"{}", ":5: digests[0].title: it has no texts; write one per language"},
		{`{en: "a\u0000b"}`, "it has the control character U+0000"},
		{`"a\u0000b"`, "it has the control character U+0000"},
	} {
		got := strings.Join(problemsOf(t, digestStart+"  title: "+test.title+"\n"), "\n")
		if !strings.Contains(got, test.want) {
			t.Errorf("%s: %q, want %q", test.title, got, test.want)
		}
	}
}

func TestTextsAreDumpedAsTheyAreWritten(t *testing.T) {
	t.Parallel()
	plain := parsed(t, digestStart+"  title: The Week\n")
	several := parsed(t, digestStart+"  title: {fr: La semaine, en: 'No'}\n")
	for _, test := range []struct {
		c          *Config
		yaml, json string
	}{
		{plain, "    title: The Week\n", `"title": "The Week"`},
		{several, "    title:\n      en: \"No\"\n      fr: La semaine\n", `"fr": "La semaine"`},
	} {
		dump, err := test.c.YAML()
		if err != nil || !strings.Contains(string(dump), test.yaml) {
			t.Errorf("%v, YAML:\n%s", err, dump)
		}
		again := parsed(t, string(dump))
		if again.Digests[0].Title != test.c.Digests[0].Title || again.SharedHash() != test.c.SharedHash() {
			t.Errorf("%q is read back as %q", test.c.Digests[0].Title, again.Digests[0].Title)
		}
		if dump, err := test.c.JSON(); err != nil || !strings.Contains(string(dump), test.json) {
			t.Errorf("%v, JSON:\n%s", err, dump)
		}
		encoded, err := json.Marshal(test.c.Digests[0].Title)
		var back Text
		if err == nil {
			err = json.Unmarshal(encoded, &back)
		}
		if err != nil || back != test.c.Digests[0].Title {
			t.Errorf("%s is %q, %v", encoded, back, err)
		}
	}
	if encoded, _ := json.Marshal(plain.Digests[0].Title); string(encoded) != `"The Week"` {
		t.Errorf("a plain text is %s", encoded)
	}
	if plain.SharedHash() == several.SharedHash() {
		t.Error("the fingerprint does not depend on the texts")
	}
}

func TestTextsOfADigestMayHaveSeveralLines(t *testing.T) {
	t.Parallel()
	const digests = "digests:\n  - name: weekly\n    schedule: '@weekly'\n    sender: n@example.org\n    "
	for text, want := range map[string]string{
		`intro: {en: "Good\n\n*morning*", fr: Bon}`:                "",
		`footer: "One\ntwo"`:                                       "",
		`footer: {en: "a\x07b"}`:                                   "digests[0].footer: it has the control character U+0007",
		`intro: "` + strings.Repeat("x", 20_001) + `"`:             "digests[0].intro: it has 20001 bytes; write at most 20000",
		`footer: {fr: "` + strings.Repeat("x", 2001) + `", en: x}`: "digests[0].footer.fr: it has 2001 bytes; write at most 2000",
		`intro: {english: x}`:                                      "digests[0].intro",
	} {
		got := strings.Join(problemsOf(t, digests+text+"\n"), "\n")
		if want == "" && strings.Contains(got, "digests[0].") || !strings.Contains(got, want) {
			t.Errorf("%.40s: %q, want %q", text, got, want)
		}
	}
}
