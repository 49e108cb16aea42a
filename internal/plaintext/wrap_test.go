package plaintext

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
		if got := Wrap(tc.width, tc.text); got != tc.want {
			t.Errorf("%q in %d columns is %q, want %q", tc.text, tc.width, got, tc.want)
		}
	}
}

func FuzzWrap(f *testing.F) {
	f.Add(20, "one two\nthree https://post.example/a 嵐のあと \u202Ex")
	f.Fuzz(func(t *testing.T, width int, text string) {
		width = width & 0x7F
		got := Wrap(width, text)
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
