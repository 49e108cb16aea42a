package templates

import (
	"strings"
	"testing"

	"github.com/rivo/uniseg"
)

func TestWrapBreaksWhereTheScriptAllows(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		width      int
		text, want string
	}{
		{10, "one two three four", "one two\nthree four"},
		{10, "https://post.example/a-long-address x", "https://post.example/a-long-address\nx"},
		{10, "嵐のあとの港に船が戻る", "嵐のあとの\n港に船が戻\nる"},
		{10, "a\n\nb", "a\n\nb"},
		{10, "", ""},
		{10, "exactly te", "exactly te"},
		{10, "spaces    inside  here", "spaces\ninside\nhere"},
	} {
		if got := wrap(tc.width, tc.text); got != tc.want {
			t.Errorf("%q in %d columns is %q, want %q", tc.text, tc.width, got, tc.want)
		}
	}
}

func TestUnderlineIsAsWideAsItsText(t *testing.T) {
	t.Parallel()
	if got := underline("=", "港 ab"); got != "港 ab\n=====" {
		t.Errorf("%q", got)
	}
	if got := underline("-", strings.Repeat("x", 500)); len(got) != 500+1+72 {
		t.Errorf("%d characters", len(got))
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
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Boats", "back ( https://post.example/b ) & well.", "* one\n* two"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q lacks %q", got, want)
		}
	}
}

func FuzzWrap(f *testing.F) {
	f.Add(20, "one two\nthree https://post.example/a 嵐のあと \u202Ex")
	f.Fuzz(func(t *testing.T, width int, text string) {
		width = width & 0x7F
		got := wrap(width, text)
		strip := strings.NewReplacer(" ", "", "\t", "", "\n", "")
		if strip.Replace(got) != strip.Replace(text) {
			t.Fatalf("%q lost or won something: %q", text, got)
		}
		for _, line := range strings.Split(got, "\n") {
			line = strings.TrimSpace(line)
			if _, rest := nextPiece(line); rest != "" && uniseg.StringWidth(line) > width {
				t.Fatalf("line %q of %q is wider than %d", line, text, width)
			}
		}
	})
}
