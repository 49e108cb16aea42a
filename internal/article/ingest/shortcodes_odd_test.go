package ingest_test

import (
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/article/ingest"
)

// TestCommentsOfTemplatesAreNeverShown: the author hides what stands in them, also if the end is missing.
func TestCommentsOfTemplatesAreNeverShown(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		"a {% comment %}secret{% endcomment %} b":                    "<p>a  b</p>",
		"a {%- comment -%}\n\nsecret\n\n{%- endcomment -%} b":        "<p>a  b</p>",
		"a {% comment %} secret\n\nsecret":                           "<p>a </p>",
		"{% raw %}x{% endraw %}\n\n{% comment %}secret":              "<p>x</p>",
		"a {::comment}secret{:/comment} b":                           "<p>a  b</p>",
		"{::comment}\nsecret\n\nsecret\n{:/comment}\n\nb":            "<p>b</p>",
		"a {::comment}secret{:/} b":                                  "<p>a  b</p>",
		"a\n\n{::comment}\nsecret":                                   "<p>a</p>",
		"`{::comment}` shown, `{% comment %}` too":                   "<p><code>{::comment}</code> shown, <code>{% comment %}</code> too</p>",
		"a <!-- secret --> b":                                        "<p>a  b</p>",
		"{::nomarkdown}<b>b</b>{:/nomarkdown} and {::comment/} text": "<p><b>b</b> and  text</p>",
	} {
		one := importOne(t, "a.md", front+source, ingest.Options{Site: site})
		if got := one.Article.HTML; strings.Contains(got+one.Article.Summary, "secret") || strings.TrimSpace(got) != strings.TrimSpace(want) && strings.ReplaceAll(got, " ", "") != strings.ReplaceAll(want, " ", "") {
			t.Errorf("%q becomes %q, want %q", source, got, want)
		}
	}
}

func TestCodeInTagsIsKeptWhateverItHolds(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		"{% highlight md %}\n```\na\n```\n{% endhighlight %}\n\nb":         "<pre><code class=\"language-md\">```\na\n```\n</code></pre>\n<p>b</p>",
		"{% highlight %}````x{% endhighlight %}":                           "<pre><code>````x\n</code></pre>",
		"{{< highlight go >}}\na := `b`\n{{< /highlight >}}":               "<pre><code class=\"language-go\">a := `b`\n</code></pre>",
		"{% codeblock lang:js title %}\nx\n{% endcodeblock %}":             "<pre><code>x\n</code></pre>",
		"{% highlight go linenos %}\r\n{{ page.x }}\r\n{% endhighlight %}": "<pre><code class=\"language-go\">{{ page.x }}\n</code></pre>",
		"{% highlight go %}\nnever closed":                                 "<p>never closed</p>",
		"{% raw %}{{ page.x }} {% y %}{% endraw %}":                        "<p>{{ page.x }} {% y %}</p>",
	} {
		if got := strings.TrimSpace(importMarkdown(t, source).HTML); got != want {
			t.Errorf("%q becomes %q, want %q", source, got, want)
		}
	}
}

func TestArgumentsOfShortcodesAreReadWithTheirQuotes(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		`{{< figure src="/a.png" alt="x \"y\" z" >}}`: `<img src="/a.png" alt="x &#34;y&#34; z"/>`,
		`{{< figure src='/a.png' alt='x "y"' >}}`:     `<img src="/a.png" alt="x &#34;y&#34;"/>`,
		"{{< figure src=`/a.png` alt=`it's` >}}":      `<img src="/a.png" alt="it&#39;s"/>`,
		`{{< figure src=/a.png ALT=x >}}`:             `<img src="/a.png" alt="x"/>`,
		`{{< img src = "/a.png" title = "T" >}}`:      `<figure><img src="/a.png" alt="T"/><figcaption>T</figcaption></figure>`,
		`{{< figure src="/a.png" caption="<b>&" >}}`:  `<figure><img src="/a.png" alt="&lt;b&gt;&amp;"/><figcaption>&lt;b&gt;&amp;</figcaption></figure>`,
		`{{< figure alt="x" >}}`:                      ``,
		`{{% figure src="/a.png" /%}}`:                `<img src="/a.png" alt=""/>`,
		`{{ image(src="/a.png", alt="x, y") }}`:       `<img src="/a.png" alt="x  y"/>`,
		`{{ audio(src="/a.mp3") }}`:                   ``,
		`{% asset_img a/b.png 10 20 "A" title %}`:     `<img src="/articles/a/b.png" alt="A title"/>`,
		`{% img nothing %}`:                           ``,
		`{{< youtube id=abc >}}`:                      `<p><a href="https://www.youtube.com/watch?v=abc">https://www.youtube.com/watch?v=abc</a></p>`,
		`{{< youtube "https://youtu.be/abc" >}}`:      `<p><a href="https://youtu.be/abc">https://youtu.be/abc</a></p>`,
		`{{< gist ada 1234 >}}`:                       `<p><a href="https://gist.github.com/ada/1234">https://gist.github.com/ada/1234</a></p>`,
		`{{< youtube "a b" >}}`:                       ``,
		`{{< vimeo >}}`:                               ``,
		`{{</* figure src="a" */>}}`:                  `<p>{{&lt;figure src=&#34;a&#34; &gt;}}</p>`,
	} {
		got := strings.TrimSpace(importMarkdown(t, source).HTML)
		got = strings.TrimSuffix(strings.TrimPrefix(got, "<p>"), "</p>")
		if want = strings.TrimSuffix(strings.TrimPrefix(want, "<p>"), "</p>"); got != want {
			t.Errorf("%s\nbecomes %s\nwant    %s", source, got, want)
		}
	}
}

// TestTextWithoutTagsStaysAsItIs has braces of programs, formulas and prose.
func TestTextWithoutTagsStaysAsItIs(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"{", "}", "{}", "{{", "}}", "{{}}", "{ {x} }", "{{{ b }}}", "a {: b", "{{ .Site.Title }}", "{{ $x := 1 }}", "{{ foo }}", "x^{2}", "{%", "%}", "{a: 1}", "{{ 1 + 1 }}", "[toc] in a line", "{{ \"text\" }}", "${HOME}", "#{x}",
	} {
		one := importOne(t, "a.md", front+"say "+text+" now", ingest.Options{Site: site})
		want := "say " + text + " now"
		if got := one.Article.Summary; got != want || len(one.Warnings) != 0 {
			t.Errorf("%q becomes %q, warnings %s", want, got, textsOf(one.Warnings))
		}
	}
}

func TestMDXKeepsSentencesAndNamesOfHeadings(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		"import taxes rose again.\n\nexport fell.":                        "<p>import taxes rose again.</p>\n<p>export fell.</p>",
		"import A from './a'\nimport * as b from \"b\"\n\nText":           "<p>Text</p>",
		"import A, {\n  B,\n} from 'x'\n\nText":                           "<p>Text</p>",
		"import {\n  B,\n} from 'x'\n\nText":                              "<p>Text</p>",
		"import './style.css';\n\nText":                                   "<p>Text</p>",
		"import type {A} from 'a';\n\nText":                               "<p>Text</p>",
		"export const x = {\n  a: 1,\n}\n\nText":                          "<p>Text</p>",
		"export default ({children}) => <div>{children}</div>\n\nText":    "<p>Text</p>",
		"## The quay {#quay}\n\nText {#x} more":                           "<h2 id=\"quay\">The quay</h2>\n<p>Text  more</p>",
		"```js\nimport A from 'a'\n```":                                   "<pre><code class=\"language-js\">import A from 'a'\n</code></pre>",
		"<img src={photo} alt=\"A\" /> and <img src={'/b.png'} alt='B'/>": "<p>A and <img src=\"/b.png\" alt=\"B\"/></p>",
		"<ol start={3}><li>x</li></ol>":                                   "<ol start=\"3\"><li>x</li></ol>",
		"<a href={`https://a.example/${x}`}>l</a>":                        "<p>l</p>",
		"<a href={\"https://a.example/\"} {...rest}>l</a>":                "<p><a href=\"https://a.example/\">l</a></p>",
		"<ol reversed={true}><li>x</li></ol>":                             "<ol reversed=\"true\"><li>x</li></ol>",
		"{'text'} {\"with {braces}\"} {1}":                                "<p>text with {braces}</p>",
		"a < b, {unclosed":                                                "<p>a &lt; b, {unclosed</p>",
	} {
		got := strings.TrimSpace(importOne(t, "a.mdx", front+source, ingest.Options{Site: site}).Article.HTML)
		if strings.ReplaceAll(got, "&#39;", "'") != want {
			t.Errorf("%q\nbecomes %q\nwant    %q", source, got, want)
		}
	}
}

func TestContainersNeedAnEndAndMayNest(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		"::: note\nx\n:::":                   "<blockquote>\n<p>x</p>\n</blockquote>",
		":::note\nx\n:::":                    "<blockquote>\n<p>x</p>\n</blockquote>",
		":::tip[My *title*]\nx\n:::\ny":      "<blockquote>\n<p><strong>My <em>title</em></strong></p>\n<p>x</p>\n</blockquote>\n<p>y</p>",
		"::: {.warning}\nx\n:::":             "<blockquote>\n<p>x</p>\n</blockquote>",
		"::: a\nx\n\n:::: b T\ny\n::::\n:::": "<blockquote>\n<p>x</p>\n<blockquote>\n<p><strong>T</strong></p>\n<p>y</p>\n</blockquote>\n</blockquote>",
		"- i\n\n  ::: note\n  x\n  :::\n":    "<ul>\n<li>\n<p>i</p>\n<blockquote>\n<p>x</p>\n</blockquote>\n</li>\n</ul>",
		"::: note\nnever closed":             "<p>::: note\nnever closed</p>",
		":::":                                "<p>:::</p>",
		"a ::: note":                         "<p>a ::: note</p>",
		"```\n::: note\nx\n:::\n```":         "<pre><code>::: note\nx\n:::\n</code></pre>",
		"::: note\n```\n:::\n```\n:::":       "<blockquote>\n<pre><code>:::\n</code></pre>\n</blockquote>",
	} {
		if got := strings.TrimSpace(importMarkdown(t, source).HTML); got != want {
			t.Errorf("%q\nbecomes %q\nwant    %q", source, got, want)
		}
	}
}
