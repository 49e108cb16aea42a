package templates

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestEveryLanguageHasAllPhrases(t *testing.T) {
	t.Parallel()
	if _, err := builtInEnglish(); err != nil {
		t.Fatal(err)
	}
	places := regexp.MustCompile(`\{\w+\}`)
	for lang, p := range mustLoad(t).phrasesByLanguage {
		for key, text := range english.Texts {
			want, got := places.FindAllString(text, -1), places.FindAllString(p.Texts[key], -1)
			slices.Sort(want)
			slices.Sort(got)
			if !slices.Equal(want, got) {
				t.Errorf("%s: %s fills %v, English fills %v", lang, key, got, want)
			}
		}
		for key := range p.Texts {
			if english.Texts[key] == "" {
				t.Errorf("%s: the English file has no phrase %s", lang, key)
			}
		}
	}
}

func TestCountsFollowEachLanguagesPlural(t *testing.T) {
	t.Parallel()
	set := mustLoad(t)
	for lang, want := range map[string]map[int]string{
		"en": {1: "1 article", 0: "0 articles", 3: "3 articles"},
		"fr": {0: "0 article", 1: "1 article", 2: "2 articles"},
		"de": {1: "1 Artikel", 2: "2 Artikel"},
		"ja": {1: "記事1本", 12: "記事12本"},
		"ar": {1: "مقال واحد", 2: "مقالان", 3: "3 مقالات", 11: "11 مقالًا", 100: "100 مقال"},
	} {
		for n, text := range want {
			if got, err := set.Page(Site{}, lang).Count("articles", n); got != text || err != nil {
				t.Errorf("%s: %d is %q, want %q (%v)", lang, n, got, text, err)
			}
		}
	}
}

func TestDatesFollowEachLanguage(t *testing.T) {
	t.Parallel()
	set := mustLoad(t)
	first := time.Date(2026, time.May, 1, 18, 30, 0, 0, time.UTC)
	for lang, want := range map[string][2]string{
		"en": {"Friday, 1 May 2026", "1 May 2026"},
		"fr": {"vendredi 1er mai 2026", "1er mai 2026"},
		"de": {"Freitag, 1. Mai 2026", "1. Mai 2026"},
		"ar": {"الجمعة 1 مايو 2026", "1 مايو 2026"},
		"ja": {"2026年5月1日（金曜日）", "2026年5月1日"},
	} {
		page := set.Page(Site{}, lang)
		if page.Date(first) != want[0] || page.ShortDate(first) != want[1] {
			t.Errorf("%s: %s and %s", lang, page.Date(first), page.ShortDate(first))
		}
	}
	if got := set.Page(Site{}, "en").DateTime(first); got != "1 May 2026, 18:30 UTC" {
		t.Errorf("moment %s", got)
	}
}

func TestLanguageFallsBack(t *testing.T) {
	t.Parallel()
	set := mustLoad(t)
	for lang, want := range map[string]string{
		"fr": "fr", "fr-CA": "fr", "de-Latn-AT": "de", "ar-EG": "ar", "AR": "ar", "ja-JP": "ja",
		"en-GB": "en", "": "en", "und": "en", "xx": "en", "not a tag!": "en", "tlh": "en",
	} {
		page := set.Page(Site{}, lang)
		if page.Language != want || (page.Direction == "rtl") != (want == "ar") {
			t.Errorf("%q gives %s, %s", lang, page.Language, page.Direction)
		}
	}
}

func TestRegionIsUsedForItsLanguage(t *testing.T) {
	t.Parallel()
	set, err := Load(folder(t, map[string]string{"phrases/pt-BR.yaml": spanish(t)}))
	if err != nil {
		t.Fatal(err)
	}
	for _, lang := range []string{"pt", "pt-BR", "pt-PT"} {
		if page := set.Page(Site{}, lang); page.Language != "pt-BR" {
			t.Errorf("%s gives %s", lang, page.Language)
		}
	}
}

func TestNamesAreJoined(t *testing.T) {
	t.Parallel()
	set := mustLoad(t)
	for lang, want := range map[string]string{"en": "A, B and C", "fr": "A, B et C", "ja": "A、B、C", "ar": "A، B وC"} {
		if got := set.Page(Site{}, lang).List([]string{"A", "B", "C"}); got != want {
			t.Errorf("%s: %s", lang, got)
		}
	}
	if page := set.Page(Site{}, "en"); page.List(nil) != "" || page.List([]string{"A"}) != "A" {
		t.Error("an empty list or a single name is changed")
	}
}

// TestBracesInArgumentsAreKept: arguments are not searched for {0} again.
func TestBracesInArgumentsAreKept(t *testing.T) {
	t.Parallel()
	got, err := mustLoad(t).Page(Site{}, "en").Phrase("why", "{1} and {0}", "{0}")
	if err != nil || got != "You receive {1} and {0} at {0} because you subscribed to it." {
		t.Errorf("%q, %v", got, err)
	}
}

func TestBrokenPhrasesAreExplained(t *testing.T) {
	t.Parallel()
	good := spanish(t)
	for _, tc := range []struct{ file, source, want string }{
		{"phrases/es.yaml", strings.Replace(good, "direction: ltr", "direction: sideways", 1), `es.yaml: direction is "sideways"; use "ltr" or "rtl"`},
		{"phrases/es.yaml", strings.Replace(good, "  read_more: Read more\n", "", 1), `es.yaml: phrases: read_more is missing; use a translation of "Read more"`},
		{"phrases/es.yaml", strings.Replace(good, "November, December]", "November]", 1), "es.yaml: 11 months; use twelve"},
		{"phrases/es.yaml", good + "colour: red\n", "es.yaml:"},
		{"phrases/es.yaml", "a: [", "es.yaml:1: "},
		{"phrases/es.yaml", strings.Replace(good, "  left: {", "  rest: {", 1), "es.yaml: counts: left is missing"},
		{"phrases/es.yaml", strings.Replace(good, `other: "{n} articles"`, `few: "{n} articles"`, 1), `counts: articles has no form "other"`},
		{"phrases/spanish-language.yaml", good, "is not a language; use a language tag"},
	} {
		_, err := Load(folder(t, map[string]string{tc.file: tc.source}))
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("got %v\nwant %s", err, tc.want)
		}
	}
}

func TestByLineReadsInTheMailsDirection(t *testing.T) {
	t.Parallel()
	set := mustLoad(t)
	a := Article{Authors: []string{"ليلى منصور"}, Published: time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC), Direction: "rtl"}
	if got := set.Page(Site{}, "en").ByLine(a); got != "\u200Eليلى منصور\u200E · \u200E24 November 2026" {
		t.Errorf("%+q", got)
	}
	if got := set.Page(Site{}, "ar").ByLine(a); strings.ContainsAny(got, "\u200E\u200F") {
		t.Errorf("%+q", got)
	}
	if got := set.Page(Site{}, "en").ByLine(Article{}); got != "" {
		t.Errorf("%q", got)
	}
	// The names and the date keep their order although the article has the direction of the mail.
	a = Article{Authors: []string{"Anna Berg", "Ben Okoye"}, Published: a.Published, Direction: "rtl"}
	if got := set.Page(Site{}, "ar").ByLine(a); got != "\u200FAnna Berg\u200F و\u200FBen Okoye\u200F · \u200F24 نوفمبر 2026" {
		t.Errorf("%+q", got)
	}
}

func TestHTMLPartsIsolateNamesAndDates(t *testing.T) {
	t.Parallel()
	set := mustLoad(t)
	a := Article{Authors: []string{"<Anna> Berg"}, Published: time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)}
	if got := set.Page(Site{}, "en").ByLineHTML(a); got != "<bdi>&lt;Anna&gt; Berg</bdi> · <bdi>24 November 2026</bdi>" {
		t.Errorf("%q", got)
	}
	got, err := set.Page(Site{}, "en").PhraseHTML("why", "الأسبوعية {1}", "a&b@example.org")
	if err != nil || !strings.Contains(string(got), "<bdi>الأسبوعية {1}</bdi>") || !strings.Contains(string(got), "<bdi>a&amp;b@example.org</bdi>") {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := set.Page(Site{}, "en").PhraseHTML("whyy"); err == nil {
		t.Error("an unknown phrase is no error")
	}
}

func TestPhraseTextIsolatesValuesOfTheOtherDirection(t *testing.T) {
	t.Parallel()
	set, err := Load("")
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		language, name, want string
	}{
		{"en", "Anna", "Hello Anna,"},
		{"en", "ليلى", "Hello \u2068ليلى\u2069,"},
		{"ar", "Anna", "مرحبًا \u2068Anna\u2069،"},
		{"ar", "ليلى", "مرحبًا ليلى،"},
	} {
		if got, err := set.Page(Site{}, tc.language).PhraseText("hello", tc.name); err != nil || got != tc.want {
			t.Errorf("%s: %q, want %q, %v", tc.language, got, tc.want, err)
		}
	}
}
