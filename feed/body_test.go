package feed

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

var testPlace = newPlace("https://h.example/press", "https://h.example/press/articles/x")

func TestBodiesAreWrittenAsParsersReadThem(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"a&#13;b &#x80; &copy &#0;c":                                 "a\nb € © c",
		`<a href="/a">x<table><tr><td><a href="b">y</a></table></a>`: `<a href="https://h.example/press/a">x<table><tbody><tr><td><a href="https://h.example/press/articles/b">y</a></td></tr></tbody></table></a>`,
		"<ul><li>one<div><li>two</ul>":                               "<ul><li>one<div></div></li><li>two</li></ul>",
		"<li><summary><li>x</li></summary></li>":                     "<li><summary>x</summary></li>", // some parsers end the outer item
		"<ruby>a<span><rt>b</rt></span></ruby>":                      "<ruby>a<span>b</span></ruby>",
		"<rt>no ruby</rt>":                                           "<rt>no ruby</rt>",
		"<p>x<img":                                                   "<p>x</p>",
		"<p>x<img src=a.png alt='<b>'>":                              `<p>x<img alt="&lt;b&gt;" src="https://h.example/press/articles/a.png"/></p>`,
		`<img src="javascript:x" alt="what it showed">`:              "what it showed",
		`<img srcset="a.png 1x,/b,c.png 2x">`:                        `<img srcset="https://h.example/press/articles/a.png 1x, https://h.example/press/b,c.png 2x"/>`,
		"<noscript><p>without</p></noscript>":                        "<p>without</p>",
		"<math><mi>x</mi><annotation>y</annotation></math>":          "x",
		"<svg><text>x</text></svg><object>instead</object>":          "instead",
		"<textarea><p></textarea><xmp><b></xmp>":                     "&lt;p&gt;&lt;b&gt;",
		"<select><option>one</select><button>two</button>":           "onetwo",
		"<bdo dir=rtl>x</bdo><font>y</font><center>z</center>":       `<span dir="rtl">x</span>yz`,
		"<video><video src=/v></video></video>":                      "<video></video>",
		"<source src=/v>x<track src=/t>":                             "x",
		"<p a b=c onclick=x style=y data-z=1 id=i ID=j>x</p>":        `<p a="" b="c" id="i">x</p>`,
		"<table>x<tr><td>y</table>":                                  "x<table><tbody><tr><td>y</td></tr></tbody></table>",
		"<pre>\n\nx</pre>":                                           "<pre>\n\nx</pre>",
	} {
		if got := body(raw, testPlace); got != want {
			t.Errorf("%s\nbecomes %s\nwant    %s", raw, got, want)
		}
	}
}

func TestTidyHTMLStaysByteForByte(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{
		"", "text &amp; &lt;more&gt; &#34;&#39; é\u00a0&nbsp;", `<p>a <b>b</b><br/><br></p>`, `<img alt="src=x" src="https://x.example/a.png" width="3"/>`,
		`<table><caption>c</caption><tbody> <tr><td>x</td></tr></tbody></table>`, `<a href="mailto:a@b.example" title="&lt;t&gt;">m</a>`,
		`<ul><li>a<ul><li>b</li></ul></li></ul>`, `<video src="https://x.example/v.mp4" controls=""><track src="https://x.example/t.vtt"/></video>`,
		`<a href="https://a_b.example/100%25?q%5B%5D=1#f">x</a>`,
		strings.Repeat("<div>", deepest) + "deep" + strings.Repeat("</div>", deepest),
	} {
		if !tidy(raw) || body(raw, testPlace) != raw {
			t.Errorf("not tidy: %s", raw)
		}
	}
}

func TestUntidyHTMLIsNotTaken(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{
		"<", "a < b", "<p>", "</p>", "<p></b>", "<P></P>", "<p >x</p>", "<p/>", "<p>x</p >", "<b", `<p id="a" id="b">x</p>`, "<p id='a'>x</p>", "<p id=a>x</p>",
		`<p id="a"title="b">x</p>`, `<p id>x</p>`, `<p title="a>b">x</p>`, `<p title="a&b">x</p>`, "a & b", "&copy;", "&#13;", "&amp", "<!-- c -->x",
		"<script></script>", "<custom>x</custom>", `<p onclick="x">y</p>`, `<p style="x">y</p>`, `<a href="/x">y</a>`, `<a href="https://b\u00fccher.example/">y</a>`,
		`<a href="https://x.example/[">y</a>`, `<a href="https://x.example/%">y</a>`, `<a href="https://x.example/#a#b">y</a>`, `<a href="">y</a>`, `<a href="https://.x.example/">y</a>`, `<a href="https://x..example/">y</a>`, `<img src="mailto:x@y.example"/>`,
		`<img src="https://x.example/a.png" alt="src=x"/>`, `<img srcset="https://x.example/a.png 1x,https://x.example/b.png 2x"/>`, `<img alt="x"/>`,
		"<a><b><a>x</a></b></a>", "<p><div>x</div></p>", "<h1><h2>x</h2></h1>", "<li><li>x</li></li>", "<dt><p><dd>x</dd></p></dt>", "<table>x</table>", "<table><tr></tr></table>",
		"<td>x</td>", "<ruby><b><rt>x</rt></b></ruby>", "<audio><video></video></audio>", "<source src=\"https://x.example/a\"/>",
		strings.Repeat("<div>", deepest+1) + strings.Repeat("</div>", deepest+1),
	} {
		if tidy(raw) {
			t.Errorf("taken as tidy: %s", raw)
		}
	}
}

// TestDeepHTMLKeepsItsContent also holds for what no parser takes.
func TestDeepHTMLKeepsItsContent(t *testing.T) {
	t.Parallel()
	const inner = `one <a href="/l">link</a><p>two</p><img src="/i.png" alt=""/> three`
	for _, open := range []string{"<div>", "<b>", "<blockquote><p>", "<table><tr><td>", "<ul><li>", "<section><h2>x</h2>", `<b class="x">`} {
		for _, depth := range []int{100, 250, 600, 5000} {
			got := body(strings.Repeat(open, depth)+inner, testPlace)
			for _, want := range []string{"one", `<a href="https://h.example/press/l">link</a>`, "two", `<img alt="" src="https://h.example/press/i.png"/>`, "three"} {
				if !strings.Contains(got, want) {
					t.Errorf("%d times %s: lost %s in …%.300s", depth, open, want, got[max(0, len(got)-300):])
				}
			}
			if !tidy(got) {
				t.Errorf("%d times %s is not tidy", depth, open)
			}
		}
	}
}

// TestTangledHTMLIsBounded has a parser that reopens what is open make no more of
// a text than it is.
func TestTangledHTMLIsBounded(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	for i := range 100 {
		fmt.Fprintf(&b, `<b id="b%d">`, i)
	}
	b.WriteString(strings.Repeat("<p>word</p>", 50_000))
	got := body(b.String(), testPlace)
	if strings.Count(got, "word") != 50_000 || strings.Count(got, "<p>") != 50_000 || len(got) > b.Len() {
		t.Errorf("%d bytes become %d, with %d words", b.Len(), len(got), strings.Count(got, "word"))
	}
}

var tangleTags = strings.Fields(`a a abbr address article audio b b blockquote br caption cite code col colgroup dd details div div dl dt em
	figcaption figure h1 h2 hr i img li li main ol p p picture pre rp rt ruby section source span strong summary table table tbody td td
	th thead tr tr tfoot track ul video wbr center font nobr button form input option textarea object noscript svg math mi annotation
	title xmp rb rtc body html custom-x bdo applet marquee dir menu listing optgroup hgroup area base select iframe template`)

// tangle is HTML that nobody would write.
func tangle(r *rand.Rand) string {
	attributes := []string{` href="/x"`, ` src=a.png`, ` href='https://x.example/?a=b&copy=1'`, ` alt="src=foo < bar"`, ` srcset="a 1x,b 2x"`, ` title="<a href=x>"`, ` id="z"class=q`, ` dir=rtl`, ` controls`, ` /`}
	texts := []string{"&#13;", "&copy", "&amp;", "&lt;p&gt;", "\n", "&#x80;", "<!-- c -->", "]]>", "&nbsp;", "</p>", "</br>", "<", "<3", "&#0;", "\u00c3\u00a9"}
	var b strings.Builder
	var open []string
	for range 3 + r.IntN(30) {
		switch r.IntN(10) {
		case 0, 1, 2, 3:
			name := tangleTags[r.IntN(len(tangleTags))]
			b.WriteString("<" + name)
			for r.IntN(3) == 0 {
				b.WriteString(attributes[r.IntN(len(attributes))])
			}
			b.WriteString(">")
			open = append(open, name)
		case 4, 5, 6:
			fmt.Fprintf(&b, "w%d ", r.IntN(1000))
			if r.IntN(8) == 0 {
				b.WriteString(texts[r.IntN(len(texts))])
			}
		default:
			if len(open) > 0 {
				at := len(open) - 1
				if r.IntN(3) == 0 {
					at = r.IntN(len(open))
				}
				b.WriteString("</" + open[at] + ">")
				open = append(open[:at], open[at+1:]...)
			}
		}
	}
	return b.String()
}

func TestTangledHTMLIsTidyOnceItIsWrittenAnew(t *testing.T) {
	t.Parallel()
	for seed := range uint64(3000) {
		raw := tangle(rand.New(rand.NewPCG(seed, 1)))
		if got := rebuild(strings.TrimSpace(clean(raw)), testPlace); !tidy(got) {
			t.Errorf("seed %d: %s\nbecomes untidy: %s", seed, raw, got)
		}
	}
}

// FuzzBody looks for HTML that is not tidy once it is written anew.
func FuzzBody(f *testing.F) {
	for seed := range uint64(20) {
		f.Add(tangle(rand.New(rand.NewPCG(seed, 2))))
	}
	f.Fuzz(func(t *testing.T, raw string) {
		got := body(raw, testPlace)
		if !tidy(got) {
			t.Fatalf("%q\nbecomes untidy: %q", raw, got)
		}
		if body(got, testPlace) != got {
			t.Errorf("%q\nbecomes %q,\nand then %q", raw, got, body(got, testPlace))
		}
	})
}
