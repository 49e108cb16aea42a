package templates

import (
	"strings"
	"testing"
)

func TestUnderlineIsAsWideAsItsText(t *testing.T) {
	t.Parallel()
	if got := underline("=", "港 ab"); got != "港 ab\n=====" {
		t.Errorf("%q", got)
	}
	if got := underline("-", strings.Repeat("x", 500)); len(got) != 500+1+72 {
		t.Errorf("%d characters", len(got))
	}
}

func TestExcerptEndsWithASentenceOrAWord(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"short":                       "short",
		"one two three four five six": "one two three…",
		"船は海に戻った。防波堤はまだ戻らない。町は決めた。": "船は海に戻った。",
		"防波堤はまだ戻らないまま町は春を待っている":     "防波堤はまだ戻ら…",
	} {
		if got := excerpt(18, text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestIndentKeepsTheFirstLine(t *testing.T) {
	t.Parallel()
	if got := indent(2, "a\nb\nc"); got != "a\n  b\n  c" {
		t.Errorf("%q", got)
	}
	if rule("-", 1_000_000) != strings.Repeat("-", 200) || rule("-", -1) != "" || indent(-5, "a\nb") != "a\nb" {
		t.Error("a width is not bounded")
	}
}

func TestPlainMakesTextOfAnArticle(t *testing.T) {
	t.Parallel()
	got, err := plain(`<h2>Boats</h2><p>They are <a href="https://post.example/b">back</a> &amp; well.</p><ul><li>one</li><li>two</li></ul>`)
	if want := "Boats\n-----\n\nThey are back <https://post.example/b> & well.\n\n* one\n* two"; err != nil || got != want {
		t.Errorf("%q, %v", got, err)
	}
}
