package ingest_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/rivo/uniseg"

	"github.com/tidings-press/tidings/internal/article/ingest"
	"github.com/tidings-press/tidings/internal/samples"
)

func TestSummaryEndsAtSentence(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		source  string
		letters int
		want    string
	}{
		{"<p>One. Two is longer. Three.</p>", 19, "One. Two is longer."},
		{"<p>One.</p><p>Two.</p>", 280, "One. Two."},
		{"<h2>Head</h2><p>Text.</p><pre>code()</pre><table><tr><td>cell</td></tr></table>", 280, "Text."},
		{"<h2>Only a head</h2>", 280, "Only a head"},
		{"<p>It was Dr. Lind who came. She left.</p>", 16, "It was Dr. Lind…"},
		{"<p>It was Dr. Lind who came. She left.</p>", 30, "It was Dr. Lind who came."},
		{"<p>Hier j’ai vu M. Dupont. Il va bien.</p>", 25, "Hier j’ai vu M. Dupont."},
		{"<p>Am 13. Oktober kamen sie. Dann nicht.</p>", 28, "Am 13. Oktober kamen sie."},
		{"<p>A sentence without any end that goes on</p>", 20, "A sentence without…"},
		{"<p>Incomprehensibilities</p>", 5, ""},
		{"<p>霧の夜。誰も迷わなかった。今夜は異状なし。</p>", 14, "霧の夜。誰も迷わなかった。"},
		{"<p>仕事ではありませんと、田中さんは笑いながら坂を上っていく</p>", 20, "仕事ではありませんと…"},
		{"<p>عرفنا ذلك هذا الأسبوع فقط. كم بئراً في المدينة؟ سبع وثلاثون.</p>", 50, "عرفنا ذلك هذا الأسبوع فقط. كم بئراً في المدينة؟"},
		{"<p>كل ثلاثاء تصل إلى الساحة حافلة قديمة</p>", 17, "كل ثلاثاء تصل…"},
		{"<p>x<sup><a href='#fn:1'>1</a></sup> &amp; y.</p>", 280, "x & y."},
		{`<p>Text.</p><div class="footnotes"><ol><li><p>A note.</p></li></ol></div>`, 280, "Text."},
		{"", 280, ""},
	} {
		if got := ingest.Summarize(c.source, c.letters); got != c.want {
			t.Errorf("%s at %d:\n got %q\nwant %q", c.source, c.letters, got, c.want)
		}
	}
}

func TestSummaryNeverSplitsLetterOrExceedsLength(t *testing.T) {
	t.Parallel()
	for slug, a := range importAll(t, samples.Articles(), ingest.Options{Site: site}).articles {
		text := strings.Join(strings.Fields(ingest.Summarize(a.HTML, 1<<20)), " ")
		for letters := 1; letters < 400; letters += 7 {
			got := ingest.Summarize(a.HTML, letters)
			if n := uniseg.GraphemeClusterCount(got); n > letters || !utf8.ValidString(got) {
				t.Fatalf("%s: %d letters of at most %d: %q", slug, n, letters, got)
			}
			if start := strings.TrimSuffix(got, "…"); !strings.HasPrefix(text, start) {
				t.Fatalf("%s: %q is not the text's beginning", slug, got)
			}
		}
	}
}

func TestSummaryOfEndlessSentenceIsFast(t *testing.T) {
	t.Parallel()
	got := ingest.Summarize("<p>"+strings.Repeat("word ", 1<<20)+"</p>", ingest.SummaryLength)
	if !strings.HasSuffix(got, "word…") || len(got) > 300 {
		t.Errorf("%q", got)
	}
}
