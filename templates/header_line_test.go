package templates

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/rivo/uniseg"
)

func TestLineIsSafeInAHeader(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"  two\r\n words\t": "two words", "a\x00b\x1bc": "a b c", "\u202Eevil\u202C \u2066x\u2069": "evil x",
		"broken \xff\xfe": "broken", "a\u2028b\u0085c": "a b c", "\uFFFEx": "x", "": "", "🏳️‍🌈 ok": "🏳️‍🌈 ok",
	} {
		if got := HeaderLine(text); got != want {
			t.Errorf("%q gives %q, want %q", text, got, want)
		}
	}
}

func TestCutEndsAtAWord(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		text  string
		width int
		want  string
	}{
		{"short", 10, "short"},
		{"exactly ten", 11, "exactly ten"},
		{"The harbour after the storm", 20, "The harbour after…"},
		{"The harbour, after", 15, "The harbour…"},
		{"Incomprehensibilities", 10, "Incompreh…"},
		{"嵐のあとの港に船が戻る", 6, "嵐のあとの…"},
		{"👩‍👩‍👧‍👦👩‍👩‍👧‍👦👩‍👩‍👧‍👦", 2, "…"}, // no room for an emoji of 25 bytes in a line of 2
		{"x", 0, ""},
	} {
		if got := Truncate(tc.text, tc.width); got != tc.want {
			t.Errorf("%q cut to %d gives %q, want %q", tc.text, tc.width, got, tc.want)
		}
	}
}

func FuzzLine(f *testing.F) {
	f.Add("The Weekly: {{.}}\r\nBcc: x", 10)
	f.Add("é\u0301\u0301👩‍👩‍👧‍👦 \u202E", 3)
	f.Fuzz(func(t *testing.T, text string, width int) {
		line := HeaderLine(text)
		if !utf8.ValidString(line) || strings.ContainsFunc(line, unicode.IsControl) || strings.TrimSpace(line) != line {
			t.Fatalf("%q gives %q", text, line)
		}
		if HeaderLine(line) != line {
			t.Fatalf("%q changes when HeaderLine is called again", line)
		}
		width = width & 0xFF
		cut := Truncate(line, width)
		if uniseg.GraphemeClusterCount(cut) > width || !utf8.ValidString(cut) {
			t.Fatalf("%q cut to %d gives %q", line, width, cut)
		}
	})
}
