package ingest_test

import (
	"regexp"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/tidings-press/tidings/internal/article/markup"
)

func patterns(texts ...string) []*regexp.Regexp {
	var out []*regexp.Regexp
	for _, text := range texts {
		out = append(out, regexp.MustCompile(text))
	}
	return out
}

func TestSanitizeKeepsContent(t *testing.T) {
	t.Parallel()
	for _, source := range []string{
		`<figure><picture><source srcset="/a.webp 1x, /b.webp 2x" type="image/webp" media="(min-width: 600px)"/><img src="/a.png" alt="A" width="600" height="400"/></picture><figcaption>C</figcaption></figure>`,
		`<img src="/a.png" srcset="/a.png 1x, /b.png 2x" sizes="(max-width: 600px) 100vw, 50vw" alt="" loading="lazy"/>`,
		`<table><caption>C</caption><thead><tr><th scope="col" align="right">A</th></tr></thead><tbody><tr><td colspan="2">1</td></tr></tbody></table>`,
		`<pre><code class="language-go">a := &#34;b&#34; &amp;&amp; c &lt; d</code></pre>`,
		`<audio controls="" src="/a.mp3" preload="none"></audio><video controls="" src="/a.mp4" poster="/p.jpg" width="640" height="360"><track src="/a.vtt" kind="captions" srclang="en" label="English"/></video>`,
		`<details open=""><summary>S</summary><p>T</p></details>`,
		`<p dir="rtl" lang="ar">مرحبا <span lang="en">hello</span></p>`,
		`<h2 id="été-2026">Été</h2><p><a href="#%C3%A9t%C3%A9-2026" title="up">up</a></p>`,
		`<p>x<sup id="fnref:1"><a class="footnote-ref" href="#fn:1">1</a></sup></p><div class="footnotes"><ol><li id="fn:1"><p>N</p></li></ol></div>`,
		`<blockquote cite="https://a.example/"><p>Q</p></blockquote><p><del datetime="2026-01-01">a</del> <mark>b</mark> <kbd>c</kbd> <abbr title="d">e</abbr></p>`,
		`<ruby>漢<rp>(</rp><rt>かん</rt><rp>)</rp></ruby>`,
		`<ol start="3" type="a"><li value="4">x</li></ol><dl><dt>a</dt><dd>b</dd></dl>`,
		`<p><a href="mailto:a@b.example">m</a> <a href="tel:+331">t</a></p>`,
		`<p>{{ .Name }} {{range}} ${x} &lt;% y %&gt;</p>`,
	} {
		if got := markup.Sanitize(source, nil); got != source {
			t.Errorf("changed\n%s\nto\n%s", source, got)
		}
	}
}

func TestSanitizeDropsHarmfulHTML(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		`<p onclick="x()">a<script>alert(1)</script></p>`:                                   `<p>a</p>`,
		`<style>p{}</style><p style="color:red">a</p>`:                                      `<p>a</p>`,
		`<a href="javascript:alert(1)">a</a>`:                                               `a`,
		`<a href=" JaVa` + "\t" + `Script:alert(1)">a</a>`:                                  `a`,
		`<a href="&#106;avascript:alert(1)">a</a>`:                                          `a`,
		`<a href="data:text/html,<script>">a</a>`:                                           `a`,
		`<a href="vbscript:x">a</a>`:                                                        `a`,
		`<video poster="javascript:x" src="data:video/mp4,x"></video>`:                      `<video></video>`,
		`<picture><source src="javascript:x"/></picture>`:                                   `<picture></picture>`,
		`<img src="x" onerror="alert(1)"/>`:                                                 `<img src="x"/>`,
		`<img src="data:image/svg+xml;base64,PHN2Zy8+" alt="the chart"/>`:                   `the chart`,
		`<p>a<img src="https://t.example/pixel" width="1" height="1"/></p>`:                 `<p>a</p>`,
		`<svg><script>alert(1)</script></svg><math><mi xlink:href="x">m</mi></math>`:        `m`,
		`<form action="/x"><input name="a"/><button>Go</button></form>`:                     `Go`,
		`<object data="x"><embed src="y"></object><base href="//evil"/><p>a</p>`:            `<p>a</p>`,
		`<meta http-equiv="refresh" content="0;url=x"/><link rel="stylesheet"/>a`:           `a`,
		`a<!-- hidden --><!--[if IE]>b<![endif]-->c`:                                        `ac`,
		`<p class="evil" id="a b" lang='x"y'>a</p>`:                                         `<p>a</p>`,
		`<noscript><p title="</noscript><img src=x onerror=alert(1)>"></noscript>a`:         `<p title="&lt;/noscript&gt;&lt;img src=x onerror=alert(1)&gt;">a</p>`,
		`a&#1;b&#xFFFE;c&#xD800;d` + "\x00\x08\ufffe":                                       "abc\ufffdd",
		"<p title='a&#2;b'>\xff\xfe</p>":                                                    "<p title=\"ab\">\ufffd</p>",
		`<iframe src="https://www.youtube.com/embed/x?rel=0&amp;a=1" width="560"></iframe>`: `<p><a href="https://www.youtube.com/embed/x?rel=0&amp;a=1">www.youtube.com/embed/x</a></p>`,
		`<iframe src="https://t.example/ns.html" height="0" width="0"></iframe>a`:           `a`,
		`<iframe src="javascript:alert(1)"></iframe>a`:                                      `a`,
		`<a name="old">a</a><a name="x" id="y">b</a>`:                                       `<a id="old">a</a><a id="y">b</a>`,
	} {
		if got := markup.Sanitize(source, nil); got != want {
			t.Errorf("%s\n got %s\nwant %s", source, got, want)
		}
	}
}

func TestSanitizeRepairsBrokenHTML(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		`<p>a<p>b`:                             `<p>a</p><p>b</p>`,
		`<b><i>a</b>b</i>`:                     `<b><i>a</i></b><i>b</i>`,
		`<td>a</td>`:                           `a`,
		`<ul><li>a<li>b</ul>`:                  `<ul><li>a</li><li>b</li></ul>`,
		`a < b & c > d "e"`:                    `a &lt; b &amp; c &gt; d &#34;e&#34;`,
		`]]> <![CDATA[x]]>`:                    `]]&gt; `,
		"<pre>\n\n a\n</pre>":                  "<pre>\n\n a\n</pre>",
		"<p title=\"a&#13;b\">c&#13;\nd&#13;e": "<p title=\"a\nb\">c\nd\ne</p>",
		`<p>&nbsp;&eacute;&hearts;</p>`:        "<p>\u00a0é♥</p>",
	} {
		if got := markup.Sanitize(source, nil); got != strings.TrimSpace(want) {
			t.Errorf("%s\n got %s\nwant %s", source, got, want)
		}
	}
}

// dangers lists the elements and attributes of sanitized HTML that a browser could execute or
// that could confuse a parser.
func dangers(source string) []string {
	var found []string
	z := html.NewTokenizer(strings.NewReader(source))
	for {
		switch z.Next() {
		case html.ErrorToken:
			return found
		case html.CommentToken, html.DoctypeToken:
			found = append(found, "comment or doctype")
		case html.StartTagToken, html.SelfClosingTagToken:
			token := z.Token()
			switch token.Data {
			case "script", "style", "iframe", "object", "embed", "form", "input", "svg", "math", "base", "meta", "link", "template", "noscript", "textarea":
				found = append(found, "<"+token.Data+">")
			}
			for _, a := range token.Attr {
				value := strings.ToLower(strings.Map(func(r rune) rune {
					if r <= ' ' {
						return -1
					}
					return r
				}, a.Val))
				switch {
				case strings.HasPrefix(a.Key, "on"), a.Key == "style", a.Key == "srcdoc":
					found = append(found, a.Key)
				case a.Key == "href" || a.Key == "src" || a.Key == "poster" || a.Key == "cite":
					if strings.HasPrefix(value, "javascript:") || strings.HasPrefix(value, "vbscript:") || strings.HasPrefix(value, "data:") {
						found = append(found, a.Key+"="+a.Val)
					}
				}
			}
		}
	}
}
