package plaintext

import (
	"strings"
	"testing"
)

func TestTextKeepsTheStructureOfAnArticle(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ source, want string }{
		"table":         {`<table><thead><tr><th>Port</th><th align="right">Tide</th></tr></thead><tbody><tr><td>Brest</td><td align="right">7</td></tr></tbody></table>`, "Port   Tide\n-----  ----\nBrest     7"},
		"wide table":    {"<table><tr><th>Name</th><th>Text</th></tr><tr><td>a</td><td>" + strings.Repeat("word ", 20) + "</td></tr><tr><td>b</td><td></td></tr></table>", "Name: a\nText:" + strings.Repeat(" word", 13) + "\n" + strings.TrimSpace(strings.Repeat("word ", 7)) + "\n\nName: b"},
		"table in CJK":  {"<table><tr><td>港</td><td>1</td></tr><tr><td>ab</td><td>2</td></tr></table>", "港  1\nab  2"},
		"nested lists":  {"<ul><li>one</li><li>two<ol start='3'><li>deep</li><li>deeper</li></ol></li></ul>", "* one\n* two\n  3. deep\n  4. deeper"},
		"loose list":    {"<ol><li><p>a</p><p>b</p></li><li><p>c</p></li></ol>", "1. a\n\n   b\n\n2. c"},
		"empty item":    {"<ul><li></li><li>b</li></ul><p>c</p>", "* b\n\nc"},
		"quote":         {"<blockquote><p>a</p><blockquote><p>b</p></blockquote><ul><li>c</li></ul></blockquote><p>d</p>", "> a\n>\n> > b\n>\n> * c\n\nd"},
		"quote in item": {"<ul><li>a<blockquote><p>b</p></blockquote></li></ul>", "* a\n\n  > b"},
		"code":          {"<pre><code>if x {\n\ty\n    z\n}\n</code></pre>", "if x {\n\ty\n    z\n}"},
		"code in item":  {"<ol><li>a<pre>  b\n c</pre></li></ol>", "1. a\n\n     b\n    c"},
		"alt text": {`<p>See <img src="p.png" alt="two
boats"/><img src="q.png" alt=""/> here</p>`, "See [two boats] here"},
		"links":       {`<p><a href="https://e.example/x">a</a>, <a href="https://e.example/y">https://e.example/y</a>, <a href="mailto:a@e.example">a@e.example</a>, <a href="https://e.example/z"><img src="p" alt="pic"/></a></p>`, "a <https://e.example/x>, https://e.example/y, a@e.example, [pic]\n<https://e.example/z>"},
		"footnotes":   {`<p>x<sup><a href="#fn:1">1</a></sup></p><ol><li id="fn:1"><p>note <a href="#fnref:1">↩︎</a></p></li></ol>`, "x[1]\n\n1. note"},
		"inline":      {"<p>x<sup>2</sup> <del>gone</del> <q>said</q> <ruby>漢<rp>(</rp><rt>かん</rt><rp>)</rp></ruby> a&amp;b</p>", "x^2 ~~gone~~ “said” 漢(かん) a&b"},
		"definitions": {"<dl><dt>Term</dt><dd>one</dd><dd>two</dd></dl>", "Term\n  one\n  two"},
		"breaks":      {"<p>Line one<br/>line\ntwo</p><hr/><div>x</div>", "Line one\nline two\n\n* * *\n\nx"},
		"Japanese":    {"<p>船は\n海に\n戻った。\nAnna came</p><p>배가\n돌아왔다</p>", "船は海に戻った。 Anna came\n\n배가 돌아왔다"},
		"no text":     {`<video src="/v.mp4"></video><p> </p>`, ""},
	} {
		got, err := FromHTML(tc.source)
		if err != nil || got != tc.want {
			t.Errorf("%s: %v\n%s\nwant\n%s", name, err, got, tc.want)
		}
	}
}

func TestLineBreaksBetweenEastAsianCharactersVanish(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"船は\n 海に":        "船は海に",
		"戻った。\n\n船":      "戻った。船",
		"「港」\r\n（海）":     "「港」（海）",
		"船は 海に":          "船は 海に",
		"배가\n돌아":         "배가 돌아",
		"港\nport\n港":     "港 port 港",
		" a\t b \n\n c ": "a b c",
		"":               "",
	} {
		if got := OneLine(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	if got := Join("第一段。", "第二段。"); got != "第一段。第二段。" {
		t.Errorf("%q", got)
	}
}

func FuzzFromHTML(f *testing.F) {
	f.Add("<ul><li><table><tr><td><blockquote><pre>x</pre></td></tr></table><dl><dd><ol><li><a href=x><img alt=y>")
	f.Fuzz(func(t *testing.T, source string) {
		text, err := FromHTML(source)
		if err != nil {
			return
		}
		if strings.Contains(text, lineBreak) && !strings.Contains(source, lineBreak) && !strings.Contains(source, "&#") {
			t.Fatalf("%q has a mark of a line break: %q", source, text)
		}
	})
}
