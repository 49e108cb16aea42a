package digest

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/quick"

	"github.com/tidings-press/tidings/internal/article"
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
				t.Errorf("%+v has the key %q of other preferences", prefs, key)
			}
			seen[key] = i
			if key != group[0].Key() {
				t.Errorf("%+v has the key %q, %+v has %q", prefs, key, group[0], group[0].Key())
			}
		}
	}
	if (Preferences{}).Key() != "" {
		t.Error("empty preferences have a key")
	}
}

// TestEqualKeysGiveEqualVariants: the key decides which subscribers share a variant, so nothing
// else may change it.
func TestEqualKeysGiveEqualVariants(t *testing.T) {
	t.Parallel()
	in := sampleInput()
	in.Definition.Language = "de"
	for _, pair := range [][2]Preferences{
		{{}, {Language: "nonsense!"}}, {{}, {Language: "und"}}, {{Language: "fr"}, {Language: "fr-CA"}},
		{{Topics: []string{"Town", "sea"}}, {Topics: []string{"SEA", "town", "sea"}}},
	} {
		if a, b := mustRender(t, in, pair[0]), mustRender(t, in, pair[1]); !reflect.DeepEqual(a, b) {
			t.Errorf("%+v and %+v have the key %q but different mails", pair[0], pair[1], a.Key)
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

func TestPreferencesSelectMatchingArticles(t *testing.T) {
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
		if got := len(tc.prefs.matching(a)) == 1; got != tc.want {
			t.Errorf("%+v matches: %v", tc.prefs, got)
		}
	}
	if len(Preferences{Language: "fr"}.matching([]article.Article{{}})) != 1 {
		t.Error("an article in no known language is left out for French subscribers")
	}
}

func TestLanguagePreferenceAppliesOnlyToMultilingualDigests(t *testing.T) {
	t.Parallel()
	if p := PreferencesFor(Definition{Language: "en"}, []string{"sea"}, "fr"); p.Key() != "t=sea" {
		t.Errorf("a French subscriber of an English digest has the key %q", p.Key())
	}
	if p := PreferencesFor(Definition{}, nil, "fr-CA"); p.Key() != "l=fr" {
		t.Errorf("a French subscriber of a digest in several languages has the key %q", p.Key())
	}
}

// TestNarrowedPreferencesChooseTheSame checks that narrowed preferences choose the same articles,
// and that narrowing them again changes nothing.
func TestNarrowedPreferencesChooseTheSame(t *testing.T) {
	t.Parallel()
	tags := []string{"a", "b", "c", "d", "é", ""}
	random := rand.New(rand.NewPCG(1, 2))
	some := func(most int) []string {
		var out []string
		for range random.IntN(most + 1) {
			out = append(out, tags[random.IntN(len(tags))])
		}
		return out
	}
	languages := []string{"", "en", "fr"}
	keys := map[string]bool{}
	for range 3000 {
		var articles []article.Article
		for range random.IntN(5) {
			articles = append(articles, article.Article{ID: fmt.Sprint(len(articles)), Tags: some(2), Language: languages[random.IntN(3)]})
		}
		prefs := Preferences{Topics: some(6), Language: languages[random.IntN(3)]}
		narrow := prefs.Narrowed(articles)
		if got, want := ids(narrow.matching(articles)), ids(prefs.matching(articles)); !slices.Equal(got, want) {
			t.Fatalf("%+v chooses %v of %+v, narrowed to %+v %v", prefs, want, articles, narrow, got)
		}
		if again := narrow.Narrowed(articles); again.Key() != narrow.Key() {
			t.Fatalf("%+v narrowed is %+v, and again %+v", prefs, narrow, again)
		}
		keys[narrow.Key()] = true
	}
	if len(keys) < 10 {
		t.Errorf("only %d different preferences were tried", len(keys))
	}
}

func TestManyPreferencesShareFewVariants(t *testing.T) {
	t.Parallel()
	articles := []article.Article{{ID: "1", Tags: []string{"t1", "t2"}}, {ID: "2", Tags: []string{"t2"}}, {ID: "3", Tags: []string{"t3"}}}
	keys := map[string]bool{}
	for prefs := range 1 << 12 {
		var topics []string
		for i := range 12 {
			if prefs&(1<<i) != 0 {
				topics = append(topics, fmt.Sprint("t", i))
			}
		}
		p := Preferences{Topics: topics}
		if narrow := p.Narrowed(articles); len(p.matching(articles)) > 0 {
			keys[narrow.Key()] = true
		}
	}
	// Everything, {1}, {1 2}, {3}, {1 3}.
	if len(keys) != 5 {
		t.Errorf("%d mails: %v", len(keys), keys)
	}
}

// TestFilterSelectsArticlesOfVariant tries preferences and articles with many languages and topics.
func TestFilterSelectsArticlesOfVariant(t *testing.T) {
	t.Parallel()
	tags := []string{"", "en", "en-GB", "fr", "fr-CA", "zh", "zh-CN", "zh-TW", "zh-Hant", "zh-Hant-HK", "sr", "sr-Latn", "sr-Latn-RS", "pt-BR", "de"}
	topics := [][]string{nil, {"sea"}, {"Town", "sea "}, {" "}, {"none"}}
	var articles []article.Article
	for _, tag := range tags {
		for _, topic := range []string{"sea", "town", "hills"} {
			articles = append(articles, article.Article{ID: tag + " " + topic, Language: tag, Tags: []string{topic}})
		}
	}
	for _, known := range [][]string{
		{"de", "en", "en-gb", "fr", "fr-ca", "pt", "pt-br", "sr", "sr-latn", "sr-latn-rs", "zh", "zh-cn", "zh-hant", "zh-hant-hk", "zh-tw"},
		{"en", "fr"}, nil,
	} {
		var stored []article.Article // only those whose language the store knows
		for _, a := range articles {
			if a.Language == "" || slices.Contains(known, strings.ToLower(a.Language)) {
				stored = append(stored, a)
			}
		}
		for _, language := range append(tags, "ja", "nonsense!") {
			for _, topic := range topics {
				prefs := Preferences{Topics: topic, Language: language}
				var got []article.Article
				for i := range stored {
					if prefs.Filter(known).Match(&stored[i]) {
						got = append(got, stored[i])
					}
				}
				if want := prefs.matching(stored); !reflect.DeepEqual(got, want) {
					t.Errorf("%+v of %v: the filter selects %d articles, the variant has %d", prefs, known, len(got), len(want))
				}
			}
		}
	}
}
