package feedrules

import (
	"fmt"
	"strings"
	"time"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/article/markup"
)

// hostileTexts are titles, summaries, names and tags that could make a document invalid.
var hostileTexts = []string{
	"control \x00\x01\x08\x0b\x0c\x1f\x7f\u0085\u009f characters", "noncharacters \ufffe\uffff\ufdd0\U0001ffff here",
	"lone surrogates \xed\xa0\x80\xed\xbf\xbf here", "broken \xff\xfe\xc3( UTF-8 \xe2\x82", "end ]]> of CDATA",
	"nested <![CDATA[ <![CDATA[ x ]]> ]]> CDATA", "AT&T <b> &amp;lt;", "an </b> end tag & <script>alert(1)</script>",
	"line\r\nends\rand\ttabs & a\n&lt; b", "\u202eright to left\u202c \u200b zero", "<!-- comment --> <?pi?> <!DOCTYPE x>",
	"&nbsp;&copy;&#65;&#x41;&unknown; &", "", "   ", "emoji 👩‍👩‍👧‍👦 and 𝒎𝒂𝒕𝒉", "{{.Title}} {{template}}", "مرحبا بالعالم", "日本語の題名",
	strings.Repeat("very long title ", 500), "' OR 1=1 -- \" quotes", "&copy without an end, R&D, &lt, &été;", "Ã©tÃ©, Â© and Ã\u00a0",
	"Ann <ann@press.example>, \\ (Bob)", "replaced \uFFFD here", `<a href=foo > and <img src=foo >`,
}

// hostileBodies are article bodies in HTML that could make a document invalid.
var hostileBodies = append([]string{
	`<a href="../up">up</a> <a href="#frag">f</a> <a href="//host.example/x">h</a> <a href="?q">q</a> <a href="/root">r</a>`,
	`<a href="javascript:alert(1)">j</a> <a href="JaVa	Script:alert(1)">j</a> <a href="vbscript:x">v</a> <a href="data:text/html,x">d</a>`,
	`<a href="https://bücher.example/straße?ü=ß">idn</a> <a href="http://xn--bcher-kva.example/">p</a> <a href="http://[::1]:80/">6</a>`,
	`<img src="a.png" srcset="a.png 1x, //cdn.example/b.png 2x, data:image/png;base64,AAAA 3x"><video src=v.mp4 poster=p.png></video>`,
	`<img srcset="a.png 1x,b.png 2x"> <img srcset="w_4,c_limit/a.png, /b,c.png 2x,"> <img srcset="tel:1 1x"> <img src="tel:1" alt="kept">`,
	`<p onclick="x()" style="position:fixed" class=c id=i>attributes</p><iframe src="https://x.example"></iframe><object data=x>instead</object>`,
	`<p>unclosed <b>bold <i>both</b> misnested</i><div>block in p</div></p></div></div></body></html>`,
	`<table><p>fostered</p><tr><td>x<td>y</table><ul><li>one<li>two</ul><dl><dt>a<dd>b</dl>`,
	`<svg onload=alert(1)><script>x</script></svg><math><mi>x</mi><annotation>x</annotation></math><custom-tag><p>kept</p></custom-tag>`,
	`<script>if (a < b && c) { document.write("]]>") }</script><style>p { }</style><p>after</p>`,
	`<pre><code>if a &lt; b &amp;&amp; c { x := "]]&gt;" }</code></pre>`, `<textarea><p>t</textarea><select><option>o</select><noscript><p>n</noscript>`,
	`<p>text ` + strings.Repeat("<b>", 600) + "deep" + strings.Repeat("</b>", 600),
	`<a href="http://exa mple.example/">space</a> <a href="http://%zz/">bad</a> <a href="http://">none</a> <a href="">empty</a>`,
	`<img src=x onerror=alert(1)//><a href=" https://x.example/ ">trim</a><base href="https://evil.example/">`,
	`<p dir="rtl" lang="ar">نص</p><bdo dir="rtl">bdo</bdo><ruby>漢<rt>kan</rt></ruby><time datetime="2026">t</time>`,
	`<a href="https://x.example/?a=1&b=2&copy=3">ampersands</a><a href='https://x.example/"quoted"'>quotes</a>`,
	`<a href="https://x.example/a|b{c}^d">odd</a><h1><h2>headings</h2></h1><a href=x><a href=y>nested</a></a>`,
	`<a href="https://x.example/[a]?b[]=1#c#d[e]">brackets</a> <a href="https://x.example/100%?50%#%">percent</a>`,
	`<a href="https://a_b.example/">underscore</a> <a href="https://a--b.-c.example">hyphens</a> <a href="https:\\x.example\a?b\c">backslash</a>`,
	`<a href="tel:+1-2-3">t</a> <a href="geo:1,2">g</a> <a href="magnet:?xt=urn:btih:c12fe">m</a> <a href="mailto:a@b.example?subject=x y">m</a>`,
	`<a href="https://x.example:99999/">port</a> <a href="https://user:pass@x.example/">user</a> <a href="https://x.example:/">no port</a>`,
	"return&#13; &#x80;&#0;&#xFFFE;references<p>and <b>more</b></p>",
	`<a href="/a">around <table><tbody><tr><td><a href="/b">in a cell</a></td></tr></tbody></table></a>`,
	nested("div", 300), nested("blockquote", 500), nested("b", 3000) + `<p>after</p>`, nested("section", 190) + nested("table><tr><td", 80),
	`<ul><li>one<div><li>two</div></ul><dl><dt>a<p><dd>b</dl><ruby><span>x<rt>y</span><rp>z</ruby>`,
	`<p>a <a href=https://x.example/?a=b title=">x">b</a ><img alt="c"src="https://x.example/d.png"/ ></p >and <b`,
	`<img src="/a.png" alt="src=foo bar"><p title="<a href=foo >">t</p><br/ ></br><p/>x`,
	`<video><source src="javascript:x"><source src="/v.mp4"><video src=w></video>fallback</video><picture><source srcset="/a 1x"><img src="/b"></picture>`,
	longBody(),
}, hostileTexts...)

// nested returns a text, a link and a picture inside depth elements.
func nested(name string, depth int) string {
	last := name[strings.LastIndexByte(name, '<')+1:]
	return strings.Repeat("<"+name+">", depth) + `deep <a href="/deep">link</a> <img src="/deep.png" alt="picture"> text` + strings.Repeat("</"+last+">", depth)
}

// longBody returns many paragraphs, each with a link, a picture and a character reference
// that must be rewritten.
func longBody() string {
	var b strings.Builder
	for i := range 100 {
		fmt.Fprintf(&b, "<p>Paragraph %d&#13; has <a href=\"/long/%d\">a link</a> and a picture: <img src=\"/long/%d.png\" alt=\"\">.</p>\n", i, i, i)
	}
	return b.String()
}

// HostileArticles returns articles with all hostile texts and bodies, and with unusual
// dates, parts and addresses. Imports refuse some of them, but feeds must be valid whatever
// the store holds.
func HostileArticles() []article.Article {
	texts := hostileTexts
	var all []article.Article
	for i, body := range hostileBodies {
		a := Article(i)
		text := texts[i%len(texts)]
		a.HTML, a.Title, a.Summary, a.Language = markup.Sanitize(body, nil), text, texts[(i+3)%len(texts)], ""
		a.Tags = []string{text, texts[(i+1)%len(texts)], "tag"}
		a.Authors = []article.Author{{Name: texts[(i+2)%len(texts)], Email: "bad address", URL: "javascript:alert(1)"}}
		a.Image = &article.Image{URL: "/media/a.png", Alt: texts[(i+4)%len(texts)]}
		a.Enclosure = []article.Enclosure{{URL: "/media/a.mp3", Title: texts[(i+5)%len(texts)], Type: "audio/mpeg"}}
		a.Origin = &article.Origin{Title: texts[(i+6)%len(texts)], URL: "https://elsewhere.example/"}
		if i%2 == 0 {
			a.Origin.FeedURL = "https://elsewhere.example/feed.xml"
		}
		all = append(all, a)
	}
	all = append(all, unusualArticles(len(all))...)
	return append(all, unusualAddresses(len(all))...)
}

// unusualArticles returns articles with unusual dates and parts.
func unusualArticles(n int) []article.Article {
	return modified(n, "odd", []func(a *article.Article){
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
		func(a *article.Article) {
			a.Updated = time.Date(9999, 12, 31, 23, 59, 59, 0, time.FixedZone("", -3600))
		},
		func(a *article.Article) { a.Published = time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC) },
		func(a *article.Article) { a.Language = "not a language" },
		func(a *article.Article) { a.Language, a.Title = "ar", "عنوان" },
		func(a *article.Article) { a.Language, a.Title = "ckb", "بابەت" },
		func(a *article.Article) { a.Language, a.Title, a.HTML = "zh-Hant-TW", "標題", "<p>內容</p>" },
		func(a *article.Article) {
			a.Image = &article.Image{URL: "data:image/png;base64,AAAA", Type: "not a type", Bytes: -1, Width: -5}
			a.Enclosure = []article.Enclosure{{URL: "javascript:x"}, {URL: "relative.mp3", Type: "audio", Bytes: -3, Duration: -1}}
			a.Origin = &article.Origin{Title: "<b>&", URL: "not a url"}
		},
		func(a *article.Article) { *a = FullArticle(n) },
		func(a *article.Article) { a.Origin = &article.Origin{URL: "https://elsewhere.example/"} },
		func(a *article.Article) { a.Tags = []string{"a", "a", " a ", ""} },
		func(a *article.Article) { a.Summary, a.HTML = "", `<img src="/only/a/picture.png" alt="">` },
	})
}

// unusualAddresses returns articles that have the same unusual address everywhere.
func unusualAddresses(n int) []article.Article {
	var change []func(a *article.Article)
	for _, address := range []string{
		"javascript:alert(1)", "tel:1", "geo:1,2", "magnet:?xt=urn:btih:c12fe", "mailto:a@b.example", "//host.example/x", "#x", "?x",
		"https://bücher.example/straße", "https://a_b.example/x", "http://[::1]/x", "https://x.example/[a]?b[]=%", "https://x.example/%zz%e9%",
		"https://user:pass@x.example/x", "https://X.Example:443", "http://localhost/x", "https://x.example./a/../b", "HTTPS://x.example?a#b#c",
		"https://x.example:99999/", "https://\u202e.example/", "ftp://x.example/", "https:x", "\\\\x.example\\y", "https://x.example/a,b c\td\ne",
	} {
		change = append(change, func(a *article.Article) {
			a.URL, a.Image = address, &article.Image{URL: address, Type: "image/png", Alt: "&copy </b>"}
			a.Authors = []article.Author{{Name: "Ann", URL: address}}
			a.Enclosure = []article.Enclosure{{URL: address, Type: "audio/mpeg", Duration: 1500 * time.Millisecond}, {URL: "/media/b.mp3", Type: "audio/mpeg"}}
			a.Origin = &article.Origin{Title: "a &lt; b </i>", URL: address, FeedURL: address}
			a.HTML = fmt.Sprintf(`<p><a href="%s">link</a> <img src="%s" alt="a picture"> text</p>`, address, address)
		})
	}
	change = append(change, func(a *article.Article) { a.Slug = "çà & là/../x?y#z" })
	return modified(n, "addressed", change)
}

// modified returns the articles from n on, each with one of the changes.
func modified(n int, source string, change []func(a *article.Article)) []article.Article {
	var all []article.Article
	for i, c := range change {
		a := Article(n + i)
		c(&a)
		a.ID, a.Source = ID(n+i), fmt.Sprint(source, "/", i)
		all = append(all, a)
	}
	return all
}
