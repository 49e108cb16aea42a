package feedtest

import (
	"fmt"
	"strings"
	"time"

	"github.com/tidings-press/tidings/article"
)

// Hostile are articles that no import would let through, and those that it does:
// whatever the store holds, feeds must be valid.
func Hostile() []article.Article {
	texts := []string{
		"control \x00\x01\x08\x0b\x0c\x1f\x7f\u0085\u009f characters", "noncharacters \ufffe\uffff\ufdd0\U0001ffff here",
		"lone surrogates \xed\xa0\x80\xed\xbf\xbf here", "broken \xff\xfe\xc3( UTF-8 \xe2\x82", "end ]]> of CDATA",
		"nested <![CDATA[ <![CDATA[ x ]]> ]]> CDATA", "AT&T <b> &amp;lt;", "an </b> end tag & <script>alert(1)</script>",
		"line\r\nends\rand\ttabs", "\u202eright to left\u202c \u200b zero", "<!-- comment --> <?pi?> <!DOCTYPE x>",
		"&nbsp;&copy;&#65;&#x41;&unknown; &", "", "   ", "emoji 👩‍👩‍👧‍👦 and 𝒎𝒂𝒕𝒉", "{{.Title}} {{template}}", "مرحبا بالعالم", "日本語の題名",
		strings.Repeat("very long title ", 500), "' OR 1=1 -- \" quotes",
	}
	bodies := append([]string{
		`<a href="../up">up</a> <a href="#frag">f</a> <a href="//host.example/x">h</a> <a href="?q">q</a> <a href="/root">r</a>`,
		`<a href="javascript:alert(1)">j</a> <a href="JaVa	Script:alert(1)">j</a> <a href="vbscript:x">v</a> <a href="data:text/html,x">d</a>`,
		`<a href="https://bücher.example/straße?ü=ß">idn</a> <a href="http://xn--bcher-kva.example/">p</a> <a href="http://[::1]:80/">6</a>`,
		`<img src="a.png" srcset="a.png 1x, //cdn.example/b.png 2x, data:image/png;base64,AAAA 3x"><video src=v.mp4 poster=p.png></video>`,
		`<p onclick="x()" style="position:fixed" class=c id=i>attributes</p><iframe src="https://x.example"></iframe><object data=x></object>`,
		`<p>unclosed <b>bold <i>both</b> misnested</i><div>block in p</div></p></div></div></body></html>`,
		`<table><p>fostered</p><tr><td>x<td>y</table><ul><li>one<li>two</ul><dl><dt>a<dd>b</dl>`,
		`<svg onload=alert(1)><script>x</script></svg><math><mi>x</mi></math><custom-tag><p>kept</p></custom-tag>`,
		`<script>if (a < b && c) { document.write("]]>") }</script><style>p { }</style><p>after</p>`,
		`<pre><code>if a &lt; b &amp;&amp; c { x := "]]&gt;" }</code></pre>`, `<textarea><p>t</textarea><select><option>o</select>`,
		`<p>text ` + strings.Repeat("<b>", 600) + "deep" + strings.Repeat("</b>", 600),
		`<a href="http://exa mple.example/">space</a> <a href="http://%zz/">bad</a> <a href="http://">none</a> <a href="">empty</a>`,
		`<img src=x onerror=alert(1)//><a href=" https://x.example/ ">trim</a><base href="https://evil.example/">`,
		`<p dir="rtl" lang="ar">نص</p><bdo dir="rtl">bdo</bdo><ruby>漢<rt>kan</rt></ruby><time datetime="2026">t</time>`,
		`<a href="https://x.example/?a=1&b=2&copy=3">ampersands</a><a href='https://x.example/"quoted"'>quotes</a>`,
		`<a href="https://x.example/a|b{c}^d">odd</a><h1><h2>headings</h2></h1><a href=x><a href=y>nested</a></a>`,
	}, texts...)
	var all []article.Article
	for i, body := range bodies {
		a := Article(i)
		text := texts[i%len(texts)]
		a.HTML, a.Title, a.Summary, a.Language = body, text, texts[(i+3)%len(texts)], ""
		a.Tags = []string{text, texts[(i+1)%len(texts)], "tag"}
		a.Authors = []article.Author{{Name: texts[(i+2)%len(texts)], Email: "bad address", URL: "javascript:alert(1)"}}
		all = append(all, a)
	}
	return append(all, odd(len(all))...)
}

// odd are articles whose dates, addresses and parts are unusual.
func odd(n int) []article.Article {
	change := []func(a *article.Article){
		func(a *article.Article) {
			a.Title, a.Summary, a.HTML, a.Authors, a.Tags, a.Language = "", "", "", nil, nil, ""
		},
		func(a *article.Article) {
			a.Published = time.Date(1969, 7, 20, 20, 17, 40, 0, time.UTC)
			a.Updated = a.Published
		},
		func(a *article.Article) {
			a.Published = time.Date(2026, 2, 3, 4, 5, 6, 789e6, time.FixedZone("", 5*3600+1800))
			a.Updated = a.Published.Add(time.Minute)
		},
		func(a *article.Article) { a.Published, a.Updated, a.Ingested = time.Time{}, time.Time{}, time.Time{} },
		func(a *article.Article) { a.Updated = a.Published.Add(-time.Hour) },
		func(a *article.Article) { a.Language = "not a language" },
		func(a *article.Article) { a.Language, a.Title = "ar", "عنوان" },
		func(a *article.Article) { a.Language, a.Title, a.HTML = "zh-Hant-TW", "標題", "<p>內容</p>" },
		func(a *article.Article) { a.URL = "javascript:alert(1)" },
		func(a *article.Article) { a.URL = "https://bücher.example/straße" },
		func(a *article.Article) { a.Slug = "çà & là/../x?y#z" },
		func(a *article.Article) {
			a.Image = &article.Image{URL: "data:image/png;base64,AAAA", Type: "not a type", Bytes: -1, Width: -5}
			a.Enclosure = []article.Enclosure{{URL: "javascript:x"}, {URL: "relative.mp3", Type: "audio", Bytes: -3, Duration: -1}}
			a.Origin = &article.Origin{Title: "<b>&", URL: "not a url"}
		},
		func(a *article.Article) { *a = Rich(n) },
		func(a *article.Article) { a.Origin = &article.Origin{URL: "https://elsewhere.example/"} },
		func(a *article.Article) { a.Tags = []string{"a", "a", " a ", ""} },
	}
	var all []article.Article
	for i, c := range change {
		a := Article(n + i)
		c(&a)
		a.ID, a.Source = ID(n+i), fmt.Sprint("odd/", i)
		all = append(all, a)
	}
	return all
}
