package plaintext

import (
	"math/rand/v2"
	"strings"
	"testing"
	"unicode"

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

func TestWrappedTextStaysWhenWrappedAgain(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(7, 1))
	pieces := []string{"a", "word", "longerword", "https://e.example/a-b/c?d=e", "船", "海に", " ", " ", "  ", "\t", "\n", "–", "e\u0301", "😀", "“quoted”", "(x)", "50 %"}
	for range 2000 {
		var text strings.Builder
		for range random.IntN(30) {
			text.WriteString(pieces[random.IntN(len(pieces))])
		}
		width := 1 + random.IntN(40)
		once := Wrap(width, text.String())
		if again := Wrap(width, once); again != once {
			t.Fatalf("%q in %d columns: %q and then %q", text.String(), width, once, again)
		}
	}
}

func TestOneLineIsStable(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(6, 1))
	letters := []rune("ab \n\r\t\u00a0\u3000船海。「ー가é\u200bｱ")
	for range 3000 {
		var text strings.Builder
		for range random.IntN(15) {
			text.WriteRune(letters[random.IntN(len(letters))])
		}
		once := OneLine(text.String())
		if again := OneLine(once); again != once {
			t.Fatalf("%q becomes %q and then %q", text.String(), once, again)
		}
		if strings.ContainsAny(once, "\n\r\t") || strings.Contains(once, "  ") || strings.TrimSpace(once) != once {
			t.Fatalf("%q becomes %q", text.String(), once)
		}
		strip := func(s string) string {
			return strings.Map(func(r rune) rune {
				if unicode.IsSpace(r) {
					return -1
				}
				return r
			}, s)
		}
		if strip(once) != strip(text.String()) {
			t.Fatalf("%q has lost letters: %q", text.String(), once)
		}
	}
}
