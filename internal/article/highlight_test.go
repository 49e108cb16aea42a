package article_test

import (
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/article"
)

// shown is segments with brackets around what is marked.
func shown(segments []article.Segment) string {
	var out strings.Builder
	for _, s := range segments {
		if s.Marked {
			out.WriteString("[" + s.Text + "]")
		} else {
			out.WriteString(s.Text)
		}
	}
	return out.String()
}

func TestMarkFindsWordsAsSearchDoes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, question, want string }{
		{"The FERRY, a ferryman and ferry-boats.", "ferry", "The [FERRY], a ferryman and [ferry]-boats."},
		{"Straße und STRASSE", "strasse", "[Straße] und [STRASSE]"},
		{"Un e\u0301te\u0301 à Été", "été", "Un [e\u0301te\u0301] à [Été]"},
		{"港の灯台守は言った", "灯台守", "港の[灯台守]は言った"},
		{"a b c", "", "a b c"},
		{"½ and 1", "1", "[½] and [1]"},
		{"", "x", ""},
	} {
		if got := shown(article.Mark(c.text, [][]string{article.Words(c.question)})); got != c.want {
			t.Errorf("%q in %q: %q, want %q", c.question, c.text, got, c.want)
		}
	}
}

func TestExcerptIsAroundFirstHit(t *testing.T) {
	t.Parallel()
	text := strings.Repeat("Before it. ", 50) + "The ferry\nleft. " + strings.Repeat("After it. ", 50)
	got := shown(article.Excerpt(text, [][]string{{"ferry"}}, 120))
	if !strings.Contains(got, "The [ferry] left. After") || len(got) > 140 || !strings.HasPrefix(got, "… ") || !strings.HasSuffix(got, " …") {
		t.Errorf("excerpt %q", got)
	}
	long := strings.Repeat("海", 500) + "灯台" + strings.Repeat("空", 500)
	if got := shown(article.Excerpt(long, [][]string{{"灯", "台"}}, 90)); !strings.Contains(got, "海[灯台]空") || strings.ContainsRune(got, '\uFFFD') {
		t.Errorf("excerpt %q", got)
	}
	if got := article.Excerpt(text, [][]string{{"nothing"}}, 120); got != nil {
		t.Errorf("excerpt of a text without the word: %v", got)
	}
}
