package ingest_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/article/ingest"
)

func TestCommonDateFormatsAreParsed(t *testing.T) {
	t.Parallel()
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"2026-11-23": "2026-11-22T23:00:00Z", "2026/1/2": "2026-01-01T23:00:00Z", "2026.01.02": "2026-01-01T23:00:00Z", "20260708": "2026-07-07T22:00:00Z", "2026年7月8日": "2026-07-07T22:00:00Z",
		"2026-7-8 1:02:03": "2026-07-07T23:02:03Z", "2026-07-08 10:00:00 UTC": "2026-07-08T10:00:00Z", "2026-07-08 10:00:00Z": "2026-07-08T10:00:00Z", "2026-07-08 10:00:00 Z": "2026-07-08T10:00:00Z",
		"2026-07-08T10:00": "2026-07-08T08:00:00Z", "2026-07-08T10:00:00.284Z": "2026-07-08T10:00:00.284Z", "2026-07-08 10:00:00.000000000 -05:00": "2026-07-08T15:00:00Z",
		"2026-07-08 10:00:00 +0000 UTC": "2026-07-08T10:00:00Z", "2026-07-08 10:00 +02:00": "2026-07-08T08:00:00Z", "2026-07-08 10:00:00 America/New_York": "2026-07-08T14:00:00Z",
		"2026-07-08 10:00:00 EST": "2026-07-08T15:00:00Z", "2026-01-08 3:00 PM": "2026-01-08T14:00:00Z", "2026-01-08 12:30 am": "2026-01-07T23:30:00Z", "2026-01-08 10:00 America/Lima": "2026-01-08T15:00:00Z",
		"Jul 08 2026": "2026-07-07T22:00:00Z", "July 8th, 2026 at 10:00": "2026-07-08T08:00:00Z", "8 Jul 2026": "2026-07-07T22:00:00Z", "Wed, 08 Jul 2026 10:00:00 +0200": "2026-07-08T08:00:00Z",
		"Wed Jul  8 10:00:00 UTC 2026": "2026-07-08T10:00:00Z", "Wednesday, 8 July 2026": "2026-07-07T22:00:00Z", "23/11/2026": "2026-11-22T23:00:00Z", "11/23/2026 08:00": "2026-11-23T07:00:00Z",
		"1970-01-01T00:00:00Z": "1970-01-01T00:00:00Z",
	} {
		source := fmt.Sprintf("---\ntitle: x\ndate: %q\n---\n", text)
		if got := importOne(t, "a.md", source, ingest.Options{Site: site, Zone: paris}).Article.Published.Format(time.RFC3339Nano); got != want {
			t.Errorf("%s is read as %s, want %s", text, got, want)
		}
	}
	for _, text := range []string{"01/02/2026", "1.2.2026", "2026", "2026-13-01", "2026-02-30", "2026-07-08 25:00", "2026-07-08 10:00 IST", "2026-07-08 13:00 PM", "tomorrow", "1657270800000"} {
		if got := importProblem(t, "a.md", fmt.Sprintf("---\ntitle: x\ndate: %q\n---\n", text), ingest.Options{Site: site}); !strings.HasPrefix(got, "a.md:3: date: ") {
			t.Errorf("%s: %s", text, got)
		}
	}
}

func TestDateAndLanguageInFileNameStayOutOfSlug(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"_posts/2025-03-04-spring-tide.md": "2025-03-04 spring-tide ", "2025-3-5_short.md": "2025-03-05 short ", "2025-03-06/index.md": "2025-03-06 2025-03-06 ",
		"2025-03-07-quay/index.fr.md": "2025-03-07 quay fr", "2025-03-08-post.pt-BR.md": "2025-03-08 post pt-BR", "2025-03-09-post.zh-Hant.md": "2025-03-09 post zh-Hant", "2025-03-10-go1.22.md": "2025-03-10 go1.22 ",
		"2025-03-11.txt": "2025-03-11 2025-03-11 ",
	} {
		a := importOne(t, name, "---\ntitle: x\n---\n", ingest.Options{Site: site}).Article
		if got := fmt.Sprintf("%s %s %s", a.Published.Format(time.DateOnly), a.Slug, a.Language); got != want {
			t.Errorf("%s gives %q, want %q", name, got, want)
		}
	}
	if got := importOne(t, "2025-03-04-x.md", front, ingest.Options{Site: site}).Article; got.Published.Year() != 2026 || got.Slug != "x" {
		t.Errorf("a date in the front matter counts above the name's: %+v", got)
	}
	if got := importProblem(t, "2025-13-04-x.md", "---\ntitle: x\n---\n", ingest.Options{Site: site}); !strings.Contains(got, "date missing") {
		t.Error(got)
	}
}

func TestTitlesAreTakenFromTheText(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		"# The *quay*\n\nText.": "The quay | <p>Text.</p>", "Text.\n\n## Second\n": "Second | <p>Text.</p>\n<h2 id=\"second\">Second</h2>", "The boats came in. And more.": "The boats came in. And more. | <p>The boats came in. And more.</p>",
		"![](https://c.example/a.png)": "the boat | <p><img src=\"https://c.example/a.png\" alt=\"\"/></p>",
	} {
		a := importOne(t, "the-boat.md", "---\ndate: 2026-11-23\n---\n"+source, ingest.Options{Site: site}).Article
		if got := a.Title + " | " + a.HTML; got != want {
			t.Errorf("%q gives %q, want %q", source, got, want)
		}
	}
	lines := `{"id": "a", "date": "2026-11-23", "html": "<p>Only a text.</p>"}`
	if a := importOne(t, "a.jsonl", lines, ingest.Options{Site: site}).Article; a.Title != "Only a text." || a.Slug != "a" {
		t.Errorf("%q %q", a.Title, a.Slug)
	}
}

func TestTagsCategoriesAndTaxonomiesBecomeTags(t *testing.T) {
	t.Parallel()
	for lines, want := range map[string][]string{
		"tags: dolor simet-amet": {"dolor", "simet-amet"}, "tags: one, two words": {"one", "two words"}, "tags: [two words]": {"two words"}, "category: Local News": {"Local News"},
		"tags: [a]\ncategories: [b, A]": {"a", "b"}, "tags: [3.10, 007]": {"3.10", "007"}, "taxonomies: {tags: [x], categories: [y]}": {"x", "y"},
	} {
		got := importOne(t, "a.md", "---\ntitle: x\ndate: 2026-11-23\n"+lines+"\n---\n", ingest.Options{Site: site}).Article.Tags
		if !slices.Equal(got, want) {
			t.Errorf("%q gives %q, want %q", lines, got, want)
		}
	}
}

func TestAuthorsSummaryIsKept(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		"excerpt: By the author.\n---\nText.": "By the author.", "excerpt: true\n---\nText.": "Text.", "---\nOne *two*.\n\nThree.\n\n<!--more-->\n\nFour.": "One two. Three.",
		"excerpt_separator: <!--here-->\n---\nOne.\n<!--here-->\nTwo.": "One.", "---\n<!-- more -->\nAll of it.": "All of it.",
	} {
		if got := importOne(t, "a.md", "---\ntitle: x\ndate: 2026-11-23\n"+source, ingest.Options{Site: site}).Article.Summary; got != want {
			t.Errorf("%q gives %q, want %q", source, got, want)
		}
	}
}

func TestShortcodesAreRenderedOrDroppedWithWarning(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		"{% highlight go %}\na < b\n{% endhighlight %}":                     "<pre><code class=\"language-go\">a &lt; b\n</code></pre>",
		"![A]({{ site.baseurl }}/a.png) [x]({{ '/b/' | relative_url }})":    `<p><img src="/a.png" alt="A"/> <a href="/b/">x</a></p>`,
		"[x]({% post_url 2025-03-04-spring-tide %}) [y]({% link a/b.md %})": `<p><a href="/articles/spring-tide">x</a> <a href="/articles/b">y</a></p>`,
		`{{< figure src="/q.png" title="The quay" >}}`:                      `<figure><img src="/q.png" alt="The quay"/><figcaption>The quay</figcaption></figure>`,
		"{{< youtube abc123 >}}":                                            `<p><a href="https://www.youtube.com/watch?v=abc123">https://www.youtube.com/watch?v=abc123</a></p>`,
		"{{% notice tip %}}Look{{% /notice %}}":                             "<p>Look</p> ! notice tip",
		"{% raw %}{{ page.x }}{% endraw %} {% comment %}no{% endcomment %}": "<p>{{ page.x }}</p>",
		"{% include a.html %}{{ page.author }}":                             " ! include a.html ! page.author",
		"## Tides\n{: .no_toc}\n\n[a](/b){:target=\"_blank\"}":              "<h2 id=\"tides\">Tides</h2>\n<p><a href=\"/b\">a</a></p>",
		"* TOC\n{:toc}\n\n[TOC]\n\nText":                                    "<p>Text</p>",
		"`{% include x %}` and {{raw \"<\"}} {{.Name}} {a: 1}":              "<p><code>{% include x %}</code> and {{raw &#34;&lt;&#34;}} {{.Name}} {a: 1}</p>",
		"```\n{{ site.url }}\n```\n\n    {% if x %}\n":                      "<pre><code>{{ site.url }}\n</code></pre>\n<pre><code>{% if x %}\n</code></pre>",
		"{% asset_img a.png The quay %}":                                    `<img src="/articles/a.png" alt="The quay"/>`,
		"{% open":                                                           "<p>{% open</p>",
	} {
		one := importOne(t, "posts/here.md", front+source, ingest.Options{Site: site})
		got := one.Article.HTML
		for _, w := range one.Warnings {
			_, tag, _ := strings.Cut(w.What, `"`)
			got += " ! " + strings.TrimSuffix(tag, `"`)
			if w.Line != 5 {
				t.Errorf("%v, want line 5", w)
			}
		}
		if got != want {
			t.Errorf("%q\n got %q\nwant %q", source, got, want)
		}
	}
}

func TestLazyLoadedPicturesAppearOnce(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		`<img src="data:image/gif;base64,R0lGODlhAQABAAAAACw=" data-src="https://c.example/1.jpg" alt="1">`:                           `<img src="https://c.example/1.jpg" alt="1"/>`,
		`<img src="/spinner.gif" data-original="https://c.example/2.jpg" alt="2">`:                                                    `<img src="https://c.example/2.jpg" alt="2"/>`,
		`<img data-lazy-src="https://c.example/3.jpg" alt="3"><noscript><img src="https://c.example/3.jpg" alt="3"></noscript>`:       `<img alt="3" src="https://c.example/3.jpg"/>`,
		`<img class="lazy" alt=""><noscript><img src="https://c.example/4.jpg" alt="4"></noscript>`:                                   `<img src="https://c.example/4.jpg" alt="4"/>`,
		`<img src="https://c.example/5.jpg" srcset="data:image/png;base64,AA 1x" data-srcset="https://c.example/5-2.jpg 2x" alt="5">`: `<img src="https://c.example/5.jpg" srcset="https://c.example/5-2.jpg 2x" alt="5"/>`,
	} {
		got := importOne(t, "a.html", "<title>x</title><meta name=date content=2026-11-23><article>"+source+"</article>", ingest.Options{Site: site}).Article.HTML
		if got != want {
			t.Errorf("%s\n got %s\nwant %s", source, got, want)
		}
	}
}

func TestBaseElementResolvesLinks(t *testing.T) {
	t.Parallel()
	source := `<title>x</title><meta name=date content=2026-11-23><base href="https://old.example/2012/trip/"><p><a href="map.html">m</a> <a href="/top">t</a> <img src="boat.jpg" alt="b">`
	want := `<p><a href="https://old.example/2012/trip/map.html">m</a> <a href="https://old.example/top">t</a> <img src="https://old.example/2012/trip/boat.jpg" alt="b"/></p>`
	if got := importOne(t, "a.html", source, ingest.Options{Site: site}).Article.HTML; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestLineBreaksAddNoSpaceInChineseAndJapanese(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		"漁から戻った\n船が並び": "<p>漁から戻った船が並び</p>", "배가\n나란히": "<p>배가\n나란히</p>", "one\ntwo": "<p>one\ntwo</p>",
		"これは**「大切な」**ことです。": "<p>これは<strong>「大切な」</strong>ことです。</p>", "a * b * c **d**e": "<p>a * b * c <strong>d</strong>e</p>", "這是**重點**。": "<p>這是<strong>重點</strong>。</p>",
	} {
		if got := importMarkdown(t, source).HTML; got != want {
			t.Errorf("%q gives %q, want %q", source, got, want)
		}
	}
}

func TestTraditionalChineseIsDetected(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"這個港口的早晨很安靜，漁船還沒有回來，市場的人們已經開始準備今天的生意，他們說這是一年中最好的時候。": "zh-Hant",
		"这个港口的早晨很安静，渔船还没有回来，市场的人们已经开始准备今天的生意，他们说这是一年中最好的时候。": "zh",
	} {
		if got := importMarkdown(t, text).Language; got != want {
			t.Errorf("%s is taken for %q, want %q", text, got, want)
		}
	}
	if got := importOne(t, "a.md", strings.Replace(front, "title:", "lang: zh_TW\ntitle:", 1), ingest.Options{Site: site}).Article.Language; got != "zh-TW" {
		t.Errorf("zh_TW became %q", got)
	}
}

func TestEnclosureTypesAndDurationsAreParsed(t *testing.T) {
	t.Parallel()
	for lines, want := range map[string]string{
		`{url: "https://c.example/1.mp3?dest-id=1", duration: "00:25:30", length: 9}`: "audio/mpeg 25m30s", `{url: "https://c.example/2.M4A#t=10", duration: 1530, length: 9}`: "audio/mp4 25m30s",
		`{url: "https://c.example/3.mp3", duration: "25:30", length: 9}`: "audio/mpeg 25m30s", `{url: "https://c.example/4.mp3", duration: 25m30s, length: 9}`: "audio/mpeg 25m30s", `{url: "https://c.example/5", duration: "1:02:03", length: 9}`: "application/octet-stream 1h2m3s",
	} {
		one := importOne(t, "a.md", "---\ntitle: x\ndate: 2026-11-23\nenclosures: ["+lines+"]\n---\n", ingest.Options{Site: site})
		e := one.Article.Enclosure[0]
		if got := e.Type + " " + e.Duration.String(); got != want || len(one.Warnings) > 0 {
			t.Errorf("%s gives %s, want %s (%v)", lines, got, want, one.Warnings)
		}
	}
}

func TestProblemsAreGroupedByCause(t *testing.T) {
	t.Parallel()
	var problems []*ingest.Problem
	for i := range 5 {
		problems = append(problems, &ingest.Problem{File: fmt.Sprintf("%d.md", i), Line: 1, What: "date missing", Fix: "add date: 2026-11-23"})
	}
	problems = append(problems, &ingest.Problem{File: "x.md", What: `"a" is not an address`}, &ingest.Problem{File: "y.md", What: `"b" is not an address`}, &ingest.Problem{File: "z.md", Line: 3, What: "broken"})
	var got []string
	for _, g := range ingest.GroupProblems(problems) {
		got = append(got, g.String())
	}
	want := []string{"5 times: date missing; add date: 2026-11-23 (0.md:1, 1.md:1, 2.md:1 and 2 more)", `2 times: "a" is not an address (x.md, y.md)`, "z.md:3: broken"}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestLineBreakAfterPunctuationStaysSpace(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		"One, two,\nthree. Four.\nFive": "<p>One, two,\nthree. Four.\nFive</p>",
		"\"A sum,\"\nshe said":          "<p>&#34;A sum,&#34;\nshe said</p>",
		"海は青い。\n**空**も\n青い":             "<p>海は青い。<strong>空</strong>も青い</p>",
		"**海**\n空":                      "<p><strong>海</strong>空</p>",
		"海 (sea)\n空":                    "<p>海 (sea)\n空</p>",
		"바다는\n푸르다":                      "<p>바다는\n푸르다</p>",
	} {
		if got := importMarkdown(t, source).HTML; got != want {
			t.Errorf("%q became %q, want %q", source, got, want)
		}
	}
}
