package digest

import (
	"reflect"
	"slices"
	"testing"
	"testing/quick"

	"github.com/tidings-press/tidings/article"
)

func TestEqualPreferencesHaveEqualKeys(t *testing.T) {
	t.Parallel()
	same := [][]Preferences{
		{{}, {Topics: []string{}}, {Topics: []string{" ", ""}}, {Language: "no such language"}, {Language: "und"}},
		{{Topics: []string{"sea", "town"}}, {Topics: []string{"Town", "SEA", "sea"}}, {Topics: []string{" town", "sea "}}},
		{{Topics: []string{"été"}}, {Topics: []string{"e\u0301te\u0301"}}, {Topics: []string{"ÉTÉ"}}},
		{{Language: "fr"}, {Language: "fr-CA"}, {Language: "FR"}},
		{{Language: "fr", Topics: []string{"a"}}, {Language: "fr-FR", Topics: []string{"A", "a"}}},
		{{Language: "zh"}, {Language: "zh-CN"}, {Language: "zh-Hans"}},
		{{Language: "zh-TW"}, {Language: "zh-Hant"}, {Language: "zh-HK"}},
		{{Topics: []string{"a", "b"}}},
		{{Topics: []string{"a&t=b"}}},
		{{Topics: []string{"a%26t=b"}}},
		{{Topics: []string{"l=fr"}}},
	}
	seen := map[string]int{}
	for i, group := range same {
		for _, prefs := range group {
			key := prefs.Key()
			if j, ok := seen[key]; ok && j != i {
				t.Errorf("%+v has the key %q of another wish", prefs, key)
			}
			seen[key] = i
			if key != group[0].Key() {
				t.Errorf("%+v has the key %q, %+v has %q", prefs, key, group[0], group[0].Key())
			}
		}
	}
	if (Preferences{}).Key() != "" {
		t.Error("no preferences have a key")
	}
}

// The key decides who shares a variant, so that nothing else may change one.
func TestEqualKeysGiveEqualVariants(t *testing.T) {
	t.Parallel()
	in := sampleIssue()
	in.Definition.Language = "de"
	for _, pair := range [][2]Preferences{
		{{}, {Language: "nonsense!"}}, {{}, {Language: "und"}}, {{Language: "fr"}, {Language: "fr-CA"}},
		{{Topics: []string{"Town", "sea"}}, {Topics: []string{"SEA", "town", "sea"}}},
	} {
		if a, b := mustRender(t, in, pair[0]), mustRender(t, in, pair[1]); !reflect.DeepEqual(a, b) {
			t.Errorf("%+v and %+v share the key %q but not the mail", pair[0], pair[1], a.Key)
		}
	}
}

func TestKeyDoesNotDependOnOrder(t *testing.T) {
	t.Parallel()
	ok := func(topics []string) bool {
		turned := slices.Clone(topics)
		slices.Reverse(turned)
		return Preferences{Topics: topics}.Key() == Preferences{Topics: append(turned, topics...)}.Key()
	}
	if err := quick.Check(ok, nil); err != nil {
		t.Error(err)
	}
}

func TestReadersGetWhatTheyWant(t *testing.T) {
	t.Parallel()
	a := []article.Article{{Tags: []string{"Sea", "Été"}, Language: "pt-BR"}}
	for _, tc := range []struct {
		prefs Preferences
		want  bool
	}{
		{Preferences{}, true},
		{Preferences{Topics: []string{"sea"}}, true},
		{Preferences{Topics: []string{"town", "e\u0301te\u0301"}}, true},
		{Preferences{Topics: []string{"town"}}, false},
		{Preferences{Language: "pt"}, true},
		{Preferences{Language: "pt-PT"}, true},
		{Preferences{Language: "es"}, false},
		{Preferences{Language: "nonsense!"}, true},
		{Preferences{Topics: []string{"sea"}, Language: "es"}, false},
	} {
		if got := len(tc.prefs.wanted(a)) == 1; got != tc.want {
			t.Errorf("%+v wants it: %v", tc.prefs, got)
		}
	}
	if len(Preferences{Language: "fr"}.wanted([]article.Article{{}})) != 1 {
		t.Error("an article in no known language is kept from French readers")
	}
}

func TestLanguageChoosesOnlyWhereADigestHasSeveral(t *testing.T) {
	t.Parallel()
	if p := PreferencesFor(Definition{Language: "en"}, []string{"sea"}, "fr"); p.Key() != "t=sea" {
		t.Errorf("a French reader of an English digest has the key %q", p.Key())
	}
	if p := PreferencesFor(Definition{}, nil, "fr-CA"); p.Key() != "l=fr" {
		t.Errorf("a French reader of a digest in several languages has the key %q", p.Key())
	}
}
