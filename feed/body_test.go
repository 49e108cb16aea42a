package feed

import (
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/article/markup"
)

var testBase = newBase("https://h.example/press", "https://h.example/press/articles/x")

func testBody(source string) string {
	return Body(source, "https://h.example/press", "https://h.example/press/articles/x")
}

func TestBodyHasAbsoluteAddressesAndHarmlessElements(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		"": "", "a\r\nb \x00c \ufffe": "a\nb c",
		`<p>a <b>b</b><br/><img src="a.png" alt="x"/></p>`:                                          `<p>a <b>b</b><br/><img src="https://h.example/press/articles/a.png" alt="x"/></p>`,
		`<a href="/a">x</a><a href="https://bücher.example/é">y</a>`:                                `<a href="https://h.example/press/a">x</a><a href="https://xn--bcher-kva.example/%C3%A9">y</a>`,
		`<img srcset="a.png 1x,/b,c.png 2x">`:                                                       `<img srcset="https://h.example/press/articles/a.png 1x, https://h.example/press/b,c.png 2x">`,
		`<video src="/v.mp4" poster="/p.png" controls=""></video>`:                                  `<video src="https://h.example/press/v.mp4" poster="https://h.example/press/p.png" controls=""></video>`,
		`<a href="tel:1">t</a> <a href="magnet:?xt=urn:btih:c12fe">m</a> <img src="tel:1" alt="c">`: `<a href="tel:1">t</a> <a href="magnet:?xt=urn:btih:c12fe">m</a> <img alt="c">`,
		`<a href="javascript:alert(1)">j</a><a href="data:text/html,x">d</a>`:                       "<a>j</a><a>d</a>",
		`<p onclick="x()" style="position:fixed" data-z="1" id="i">x</p>`:                           `<p id="i">x</p>`,
		`<script>if (a < b) { x("]]>") }</script><style>p { }</style><p>after</p>`:                  "<p>after</p>",
		`<svg onload="x"><text>x</text></svg><iframe src="https://x.example/"></iframe>`:            "x",
		`<bdo dir="rtl">x</bdo><font>y</font>`:                                                      "xy",
		"<!-- comment --><p>x</p>":                                                                  "<p>x</p>",
	} {
		if got := testBody(source); got != want {
			t.Errorf("%s\nbecomes %s\nwant    %s", source, got, want)
		}
	}
}

// An article must not lose text in a feed: the feed's policy must keep each element that
// the import keeps, or at least its text.
func TestBodyKeepsWhatImportKeeps(t *testing.T) {
	t.Parallel()
	source := markup.Sanitize(`<figure><picture><source srcset="/a.webp 640w" type="image/webp" sizes="100vw"><img src="/a.png" alt="A picture" width="3" height="4" loading="lazy"></picture>
		<figcaption>Words</figcaption></figure><table><caption>c</caption><colgroup><col span="2"></colgroup><thead><tr><th scope="col">a</th></tr></thead><tbody><tr><td colspan="2" align="left">b</td></tr></tbody></table>
		<pre><code class="language-go">x &lt; y &amp;&amp; y</code></pre><ol start="3" reversed><li value="4">x</li></ol><ul><li>a</li></ul><dl><dt>t</dt><dd>d</dd></dl>
		<details open><summary>s</summary>x</details><p lang="fr" dir="ltr" title="t">x<time datetime="2026">t</time><ruby>k<rp>(</rp><rt>kan</rt><rp>)</rp></ruby></p>
		<blockquote cite="https://x.example/">q</blockquote><audio src="/a.mp3" controls preload="none"></audio><video controls muted loop poster="/p.png"><source src="/v.mp4" type="video/mp4"><track src="/t.vtt" kind="captions" srclang="en" label="x"></video>`, nil)
	want := strings.NewReplacer(`="/`, `="https://h.example/press/`).Replace(source)
	if got := testBody(source); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestBodyLongerThanMaxBodyIsLeftOut(t *testing.T) {
	t.Parallel()
	for size, whole := range map[int]bool{MaxBody: true, MaxBody + 1: false} {
		if got := testBody(strings.Repeat("x", size)); (got != "") != whole {
			t.Errorf("a body of %d bytes becomes %d bytes", size, len(got))
		}
	}
}

// FuzzBody checks that applying the policy a second time changes nothing.
func FuzzBody(f *testing.F) {
	for _, seed := range []string{`<p>a <a href="/x">b</a>`, `<img src=a onerror=b>`, `<a href="https://x.example/[">x</a>`, "<b <i>"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, source string) {
		got := testBody(markup.Sanitize(source, nil))
		if again := testBody(got); again != got {
			t.Errorf("%q\nbecomes %q,\nand then %q", source, got, again)
		}
	})
}
