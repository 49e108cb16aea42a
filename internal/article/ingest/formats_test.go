package ingest_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/article/ingest"
)

func TestHTMLPageGivesMetadataAndBody(t *testing.T) {
	t.Parallel()
	got := importOne(t, "pages/ferry.html", `<!doctype html><html lang="fr"><head><title>Le bac | Site</title>
<meta name="author" content="Ada Whitlock"><meta property="article:published_time" content="2026-11-20T07:30:00+01:00">
<meta name="description" content="En retard."><meta property="og:image" content="https://cdn.example/bac.jpg"><meta name="keywords" content="port, bac">
<link rel="canonical" href="https://old.example/bac"></head>
<body><nav>Menu</nav><article><h1>Le bac</h1><p>Il <em>attend</em>. <a href="autre">x</a></p></article><footer>Pied</footer></body></html>`, ingest.Options{Site: site}).Article
	if got.Title != "Le bac" || got.Language != "fr" || got.Summary != "En retard." || got.URL != "https://old.example/bac" || got.Image.URL != "https://cdn.example/bac.jpg" ||
		got.Authors[0].Name != "Ada Whitlock" || !slices.Equal(got.Tags, []string{"port", "bac"}) || got.Published.UTC().Hour() != 6 {
		t.Errorf("%+v", got)
	}
	if got.HTML != `<p>Il <em>attend</em>. <a href="https://old.example/autre">x</a></p>` {
		t.Error(got.HTML)
	}
}

func TestIncompleteHTMLPagesAreImported(t *testing.T) {
	t.Parallel()
	options := ingest.Options{Site: site, DateFromFile: true}
	for source, want := range map[string]string{
		"<title>T</title><p>a":                           "<p>a</p>",
		"<h1>T</h1><main><p>b</p></main>":                "<p>b</p>",
		"<title>T</title><frameset><frame></frameset>":   "",
		"---\ntitle: T\ndate: 2026-11-23\n---\n<b>c":     "<b>c</b>",
		"<link rel=canonical href=/x><title>T</title>d":  "d",
		"<title>T</title><template><p>e</p></template>f": "f",
	} {
		if got := importOne(t, "a.html", source, options).Article; got.HTML != want || got.Title != "T" {
			t.Errorf("%s: %q, want %q", source, got.HTML, want)
		}
	}
}

func TestPlainTextBecomesParagraphs(t *testing.T) {
	t.Parallel()
	one := importOne(t, "a.txt", "The title\r\n\r\nOne <b> & {{ .Name }}\r\nline two\r\n\r\n\r\nPartager\r\nTwo.\r\n", ingest.Options{Site: site})
	if one.Article.Title != "The title" || one.Article.HTML != "<p>One &lt;b&gt; &amp; {{ .Name }}<br/>\nline two</p>\n<p>Two.</p>" {
		t.Errorf("%q: %q", one.Article.Title, one.Article.HTML)
	}
	if len(one.Warnings) != 1 || !strings.Contains(one.Warnings[0].Error(), "the file's time is used") {
		t.Errorf("%v", one.Warnings)
	}
	run := importOne(t, "a.txt", "Title line\nbody at once\n", ingest.Options{Site: site, DateFromFile: true}).Article
	if run.Title != "Title line" || run.HTML != "<p>body at once</p>" {
		t.Errorf("%q: %q", run.Title, run.HTML)
	}
	if got := importProblem(t, "a.txt", " \n \n", ingest.Options{}); !strings.Contains(got, "title missing") {
		t.Error(got)
	}
}

func TestTextAfterCommentFormIsDropped(t *testing.T) {
	t.Parallel()
	for _, end := range []string{"Leave a comment\n\nName", "Your email address will not be published.", "- Advertisement -", "AB1", "READ ALSO: x", "広告"} {
		if got := importOne(t, "a.txt", "Title\n\nBody.\n\n"+end+"\n", ingest.Options{Site: site, DateFromFile: true}).Article; got.HTML != "<p>Body.</p>" {
			t.Errorf("%q: %q", end, got.HTML)
		}
	}
}

func TestEachJSONLineGivesAnArticle(t *testing.T) {
	t.Parallel()
	source := `{"id": 7, "title": "One", "date": "2026-11-23", "html": "<p>a<script>x</script></p>", "markdown": "ignored"}

{"ID": "b", "Title": "Two", "Date": "2026-11-23", "markdown": "*b*", "tags": ["x"], "unknown": {"deep": [1]}}
{"slug": "c", "title": "Three", "date": "2026-11-23", "text": "c < d"}
{"id": "d", "title": "no date"}
{"id": 7, "title": "again", "date": "2026-11-23"}
{"title": "nobody", "date": "2026-11-23"}
[1]
{"id": "e"} trailing
{"id": "f", "title": "\ud800 lone", "date": "2026-11-23", "html": ""}
{"redirect": "/articles/one", "id": "old"}
`
	got, problems := ingest.Import(ingest.File{Name: "all.jsonl", Data: []byte(source), Modified: modified}, ingest.Options{Site: site, Source: "feed/"})
	var seen, texts []string
	for _, one := range got {
		if one.Article != nil {
			seen = append(seen, one.Article.Source+" "+one.Article.Slug+" "+one.Article.Title+" "+one.Article.HTML)
		}
	}
	want := []string{"feed/all.jsonl#7 one One <p>a</p>", "feed/all.jsonl#b two Two <p><em>b</em></p>", "feed/all.jsonl#c c Three <p>c &lt; d</p>", "feed/all.jsonl#f lone \ufffd lone "}
	if !slices.Equal(seen, want) {
		t.Errorf("got  %q\nwant %q", seen, want)
	}
	for _, p := range problems {
		texts = append(texts, p.Error())
	}
	for i, want := range []string{"all.jsonl:5: date missing", `all.jsonl:6: the id "7" stands on line 1 already`, "all.jsonl:7: this article has no id", "all.jsonl:8: this line is not a JSON object", "all.jsonl:9: this line is not a JSON object"} {
		if i >= len(texts) || !strings.HasPrefix(texts[i], want) {
			t.Fatalf("problems\n%s\nwant number %d to begin\n%s", strings.Join(texts, "\n"), i+1, want)
		}
	}
}

func TestMarkdownExtensionsAreRendered(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		"a ~~b~~ <https://c.example/>":        `<p>a <del>b</del> <a href="https://c.example/">https://c.example/</a></p>`,
		"see https://c.example/x.":            `<p>see <a href="https://c.example/x">https://c.example/x</a>.</p>`,
		"## Été 2026\n\n## Été 2026\n\n## 港":  "<h2 id=\"été-2026\">Été 2026</h2>\n<h2 id=\"été-2026-1\">Été 2026</h2>\n<h2 id=\"港\">港</h2>",
		"## Own {#mine}":                      `<h2 id="mine">Own</h2>`,
		"|a|b|\n|-|-:|\n|1|2|":                "<table>\n<thead>\n<tr>\n<th>a</th>\n<th align=\"right\">b</th>\n</tr>\n</thead>\n<tbody>\n<tr>\n<td>1</td>\n<td align=\"right\">2</td>\n</tr>\n</tbody>\n</table>",
		"```go\nif a < b && {{ .X }} {}\n```": "<pre><code class=\"language-go\">if a &lt; b &amp;&amp; {{ .X }} {}\n</code></pre>",
		"- [x] done\n- [ ] open":              "<ul>\n<li>☑ done</li>\n<li>☐ open</li>\n</ul>",
		"term\n: meaning":                     "<dl>\n<dt>term</dt>\n<dd>meaning</dd>\n</dl>",
		"<b>raw</b> *x* <script>y</script>":   "<p><b>raw</b> <em>x</em> </p>",
		"[x]: javascript:alert(1)\n\n[x]":     "<p>x</p>",
	} {
		if got := importMarkdown(t, source).HTML; got != want {
			t.Errorf("%s\n got %q\nwant %q", source, got, want)
		}
	}
	notes := importMarkdown(t, "a[^n] b[^n]\n\n[^n]: The note.").HTML
	for _, want := range []string{`<sup id="fnref:1">`, `<a class="footnote-ref" href="/articles/here#fn:1">1</a>`, `<div class="footnotes">`, `<li id="fn:1">`, `href="/articles/here#fnref:1"`} {
		if !strings.Contains(notes, want) {
			t.Errorf("no %s in\n%s", want, notes)
		}
	}
}
