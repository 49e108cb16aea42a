package plaintext

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/rivo/uniseg"
)

func TestTextsAreShortenedAtSentenceEnds(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		text    string
		letters int
		want    string
	}{
		{"Boats are back. The quay is open again.", 20, "Boats are back."},
		{"Boats are back. The quay is open again.", 100, "Boats are back. The quay is open again."},
		{"Dr. Berg wrote to the mayor. He has not answered.", 30, "Dr. Berg wrote to the mayor."},
		{"The boats are back on the water", 16, "The boats are…"},
		{"船は海に戻った。港は再び開いた。", 12, "船は海に戻った。"},
		{"港は再び開いた！誰が来るのか？まだ分からない。", 16, "港は再び開いた！誰が来るのか？"},
		{"风暴过后，船只回到了海上。港口重新开放。", 15, "风暴过后，船只回到了海上。"},
		{"嵐のあと、船は海に戻り、漁師たちは網を直し、市場はにぎわい、子どもたちは桟橋で遊んでいる。", 20, "嵐のあと、船は海に戻り…"},
		{"عادت القوارب إلى الماء. الميناء مفتوح من جديد.", 26, "عادت القوارب إلى الماء."},
		{"", 10, ""},
	} {
		got := Shorten(test.text, test.letters)
		if got != test.want || uniseg.GraphemeClusterCount(got) > test.letters {
			t.Errorf("%q in %d: %q, want %q", test.text, test.letters, got, test.want)
		}
	}
}

func FuzzShorten(f *testing.F) {
	f.Add("Boats are back. 船は海に戻った。", 9)
	f.Add("e\u0301. "+strings.Repeat("\u0301", 90), 3)
	f.Fuzz(func(t *testing.T, text string, letters int) {
		if got := Shorten(text, letters); letters > 0 && uniseg.GraphemeClusterCount(got) > letters {
			t.Errorf("%q has more than %d letters", got, letters)
		}
	})
}

func TestShortenedTextIsABeginning(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(8, 1))
	pieces := []string{"Boats ", "are back. ", "Dr. ", "No. 5 ", "船は海に戻った。", "港", "\n", "  ", "... ", "“Go!” ", "e\u0301", "👨‍👩‍👧 ", "5.7 ", "? ", "ภาษาไทย", "a, b; ", "z. B. "}
	for range 3000 {
		var source strings.Builder
		for range random.IntN(12) {
			source.WriteString(pieces[random.IntN(len(pieces))])
		}
		text, letters := source.String(), random.IntN(40)
		got := Shorten(text, letters)
		if got != strings.TrimSpace(got) || uniseg.GraphemeClusterCount(got) > letters {
			t.Fatalf("%q in %d letters: %q", text, letters, got)
		}
		if !strings.HasPrefix(strings.TrimSpace(text), strings.TrimSuffix(got, "…")) {
			t.Fatalf("%q in %d letters: %q, which is not its beginning", text, letters, got)
		}
		if whole := strings.TrimSpace(text); uniseg.GraphemeClusterCount(whole) <= letters && got != whole {
			t.Fatalf("%q fits %d letters and is shortened to %q", text, letters, got)
		}
	}
}

func TestShorteningAtTheBorders(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text    string
		letters int
		want    string
	}{
		{"Hello", 5, "Hello"},
		{"Hello world", 6, "Hello…"},
		{"Hello world", 5, ""},
		{"Hello world", 1, ""},
		{"Hello world", 0, ""},
		{"Hello world", -5, ""},
		{"Hello.  ", 6, "Hello."},
		{"\nA very long sentence that does not fit", 16, "A very long…"},
		{"  A very long sentence that does not fit", 16, "A very long…"},
		{"He said: “Go. Now.” And left the place", 20, "He said: “Go. Now.”"},
		{"v1.2.3 is out. Get it", 15, "v1.2.3 is out."},
		{"Am 3. Mai war es so. Ende", 20, "Am 3. Mai war es so."},
		{"e.g. a, i.e. b. Next one", 16, "e.g. a, i.e. b."},
		{"Tides, boats, and more of it", 14, "Tides, boats…"},
		{"“«(", 2, ""},
		{"👨‍👩‍👧‍👦👨‍👩‍👧‍👦👨‍👩‍👧‍👦 fam", 3, "👨‍👩‍👧‍👦👨‍👩‍👧‍👦…"},
	} {
		if got := Shorten(c.text, c.letters); got != c.want {
			t.Errorf("%q in %d letters: %q, want %q", c.text, c.letters, got, c.want)
		}
	}
}
