package article_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/article"
)

func TestCleanTextIsValidXML(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		"plain": "plain", "tab\tline\r\n": "tab\tline\r\n", "a\x00\x07\x1b\x7fb": "ab", "a\u0085b": "ab", "a\ufffeb\uffffc\U0001ffffd": "abcd",
		"a\xff\xfeb": "a\ufffdb", "\xed\xa0\x80": "\ufffd", "kept \ufffd": "kept \ufffd", "\U0001f99c 🏳️‍🌈": "\U0001f99c 🏳️‍🌈",
	} {
		if got := article.CleanText(source); got != want {
			t.Errorf("%q: %q, want %q", source, got, want)
		}
	}
}

func TestKeysUnifySpellings(t *testing.T) {
	t.Parallel()
	for _, same := range [][]string{{"été", "e\u0301te\u0301", " ÉTÉ ", "E\u0301TE\u0301"}, {"STRASSE", "straße", "Straße"}, {"tips and  tricks", "Tips\tand tricks"}, {"C/C++", "c/c++"}, {"ΣΊΣΥΦΟΣ", "σίσυφος"}} {
		for _, spelling := range same {
			if article.TagKey(spelling) != article.TagKey(same[0]) || article.AuthorKey(spelling) != article.AuthorKey(same[0]) {
				t.Errorf("%q and %q differ", spelling, same[0])
			}
			if key := article.TagKey(spelling); article.TagKey(key) != key {
				t.Errorf("the key of %q is not its own", spelling)
			}
		}
	}
	if article.TagKey(" \t\x00") != "" || article.TagKey("a") == article.TagKey("á") {
		t.Error("empty and accented tags")
	}
}

func TestSlugifyKeepsLettersAndDigits(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"Hello, World!": "hello-world", "Été à la mer": "été-à-la-mer", "E\u0301te\u0301": "été", "港の灯台守": "港の灯台守", "خريطة الآبار": "خريطة-الآبار", "go1.22": "go1.22",
		"..": "", "../../etc": "etc", "--a--b--": "a-b", "": "", "!?": "", "C/C++": "c-c", "a\x00b": "ab", "snake_case": "snake_case", "50 % off": "50-off",
	} {
		if got := article.Slugify(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
		if got := article.Slugify(article.Slugify(text)); got != want {
			t.Errorf("%q: a slug's slug is %q", text, got)
		}
	}
	if got := article.Slugify(strings.Repeat("灯", 100)); len(got) > 120 || !strings.HasPrefix(got, "灯灯") {
		t.Errorf("%d bytes", len(got))
	}
}

func TestWordsAreNormalizedForSearch(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		"Hello, WORLD-wide": {"hello", "world", "wide"}, "ﬁne １２": {"fine", "12"}, "灯台 abc守": {"灯", "台", "abc", "守"}, "E\u0301te\u0301": {"été"}, "كتب مدينة": {"كتب", "مدينة"}, " ": nil,
	} {
		if got := article.Words(text); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	a := article.Article{Title: "A", Summary: "B", HTML: "<p>c<b>d</b></p><p>e</p>"}
	if got := a.SearchText(); got != "a b cd e" {
		t.Errorf("%q", got)
	}
}

func TestDirectionFollowsLanguageThenTitle(t *testing.T) {
	t.Parallel()
	for want, articles := range map[string][]article.Article{
		"rtl": {{Language: "ar"}, {Language: "fa-IR"}, {Language: "he"}, {Title: "2026: مرحبا"}},
		"ltr": {{Language: "en"}, {Language: "fr", Title: "مرحبا"}, {Title: "Hello"}, {Title: "123"}, {}},
	} {
		for _, a := range articles {
			if got := a.Direction(); got != want {
				t.Errorf("%+v: %s, want %s", a, got, want)
			}
		}
	}
}
