package plaintext

import (
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
