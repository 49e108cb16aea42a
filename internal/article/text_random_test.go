package article_test

import (
	"encoding/xml"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/tidings-press/tidings/internal/article"
)

// pieces are what random texts are made of: signs of markup, spaces, letters that change when they are folded
// or normalized, controls, and bytes that are no UTF-8.
var pieces = []string{
	"a", "B", "ß", "ẞ", "İ", "ı", "ſ", "K", "é", "e\u0301", "\u0301", "Σ", "ς", "ﬁ", "Ⅷ", "①", "日", "か", "ー", "한", "א", "ا", "\u200D", "\u200C", "\u00AD", "\uFEFF", "👩‍👩‍👧", "\u1E9B\u0323", "\u0345", "ΐ", "ŉ", "ǰ", "ᾳ",
	" ", "\t", "\n", "\r", "\u00A0", "\u2028", "\u3000", "-", ".", "..", "/", "_", "<", ">", "&", "\"", "'", "&amp;", "</p>", "<br>", "]]>", "\x00", "\x1b", "\x7f", "\u0085", "\uFFFE", "\uFFFF", "\xff", "\xc3", "\xed\xa0\x80", "\U0010FFFF", "%", "#", "?",
}

func randomText(random *rand.Rand, most int) string {
	var out strings.Builder
	for range random.IntN(most) {
		out.WriteString(pieces[random.IntN(len(pieces))])
	}
	return out.String()
}

// TestNormalFormsAreTheirOwn: what was brought into a form once is in that form.
func TestNormalFormsAreTheirOwn(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(3, 3))
	for range 250 {
		in := randomText(random, 30)
		for name, form := range map[string]func(string) string{
			"CleanText": article.CleanText, "CleanLine": article.CleanLine, "TagKey": article.TagKey, "AuthorKey": article.AuthorKey, "Slugify": article.Slugify,
			"Words": func(s string) string { return strings.Join(article.Words(s), " ") },
		} {
			once := form(in)
			if again := form(once); again != once {
				t.Fatalf("%s(%q) is %q, and of that %q", name, in, once, again)
			}
			if name != "Words" && !utf8.ValidString(once) {
				t.Fatalf("%s(%q) is %q, which is not UTF-8", name, in, once)
			}
		}
		if line := article.CleanLine(in); strings.ContainsAny(line, "\r\n\t") || strings.Contains(line, "  ") {
			t.Fatalf("%q is the line %q", in, line)
		}
		slug := article.Slugify(in)
		if len(slug) > 120 || strings.ContainsAny(slug, "/ %?#\\\"'<>&") || strings.HasPrefix(slug, ".") || strings.HasPrefix(slug, "-") || strings.HasSuffix(slug, "-") {
			t.Fatalf("%q has the slug %q", in, slug)
		}
	}
}

// TestCleanTextsAreValidXML reads each text with a strict parser.
func TestCleanTextsAreValidXML(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(4, 4))
	for range 150 {
		in := randomText(random, 20)
		var escaped strings.Builder
		if err := xml.EscapeText(&escaped, []byte(article.CleanText(in))); err != nil {
			t.Fatal(err)
		}
		var out string
		if err := xml.Unmarshal([]byte("<t>"+escaped.String()+"</t>"), &out); err != nil || out != article.CleanText(in) {
			t.Fatalf("%q: %q, %v", in, out, err)
		}
	}
}

// TestWordsOfTwoTextsAreThoseOfEach: an article is found by any of its words, wherever they stand.
func TestWordsOfTwoTextsAreThoseOfEach(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(5, 5))
	for range 150 {
		a, b := randomText(random, 10), randomText(random, 10)
		if got, want := article.Words(a+" . "+b), slices.Concat(article.Words(a), article.Words(b)); !slices.Equal(got, want) {
			t.Fatalf("%q and %q: %q, want %q", a, b, got, want)
		}
		entry := article.Article{Title: a, Summary: b}
		for _, word := range append(article.Words(a), article.Words(b)...) {
			if !(article.Filter{Expr: article.Word{Text: word}}).Match(&entry) {
				t.Fatalf("%q with the summary %q is not found by %q", a, b, word)
			}
		}
	}
}
