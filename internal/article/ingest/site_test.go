package ingest_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/article/ingest"
	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

// addresses imports a site with the address of its original, and returns date, language and
// path of the original of each article, and what was refused or warned about.
func addresses(t *testing.T, files map[string]string, folder string) (got []string, problems string) {
	t.Helper()
	s := storetest.Open(t, store.SQLite, store.Options{Clock: func() time.Time { return time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC) }})
	dir := t.TempDir()
	write(t, dir, files)
	im := ingest.Importer{Store: s, Config: config.Default(), BaseURL: "https://old.example", Report: func(r ingest.FileReport) {
		for _, p := range slices.Concat(r.Problems, r.Warnings) {
			problems += p.Error() + "\n"
		}
		for _, one := range r.Articles {
			a, err := s.Article(t.Context(), one.ID)
			if err != nil {
				t.Error(err)
				continue
			}
			got = append(got, strings.Join(strings.Fields(fmt.Sprint(a.Published.Format(time.DateOnly), " ", a.Language, " ", strings.TrimPrefix(a.URL, "https://old.example"))), " "))
		}
	}}
	if _, err := im.Import(t.Context(), filepath.Join(dir, folder)); err != nil {
		t.Fatal(err)
	}
	slices.Sort(got)
	return got, problems
}

func TestGeneratorsAddressesAreRead(t *testing.T) {
	t.Parallel()
	post := func(more string) string { return "---\ntitle: The Quay\n" + more + "\n---\nText.\n" }
	for name, c := range map[string]struct {
		files  map[string]string
		folder string
		want   []string
	}{
		"Jekyll: a pattern, categories by folder, files that are no pages": {
			files: map[string]string{
				"_config.yml": "permalink: pretty\ntimezone: Europe/Paris\nexclude: [inner]\n", "en/news/_posts/2025-03-04-Spring-Tide.md": post("lang: en"), "_posts/2025-03-05-b.md": post("categories: [Boats]\npermalink: /:year/:title.html"),
				"_includes/note.html": "<p>no article</p>", "inner/2025-03-06-c.md": post(""), "robots.txt": "User-agent: *\n", "node_modules/x/readme.md": post("date: 2025-01-01"),
			},
			want: []string{"2025-03-03 en /en/news/2025/03/04/Spring-Tide/", "2025-03-04 /2025/b.html"},
		},
		"Jekyll: the default pattern, and that of defaults": {
			files: map[string]string{
				"_config.yml": "baseurl: /log\ndefaults:\n  - scope: {path: \"x\"}\n    values: {permalink: \"/x/:slug\"}\n", "_posts/2025-03-04-tide.md": post("category: News"), "x/_posts/2025-03-05-b.md": post(""),
			},
			want: []string{"2025-03-04 /log/news/2025/03/04/tide.html", "2025-03-05 /log/x/b"},
		},
		"Hexo: a pattern, a post without front matter, scaffolds": {
			files: map[string]string{
				"_config.yml": "permalink: news/:year/:month/:day/:title/\nnew_post_name: :year-:month-:day-:title.md\nlanguage: fr\n", "source/_posts/2025-03-04-tide.md": post("date: 2025-03-04"),
				"scaffolds/post.md": "---\ntitle: {{ title }}\ndate: {{ date }}\n---\n", "source/robots.txt": "x",
			},
			want: []string{"2025-03-04 fr /news/2025/03/04/tide/"},
		},
		"Hugo: folders of languages, permalinks, ugly addresses": {
			files: map[string]string{
				"hugo.toml":                  "baseURL = 'https://x.example/'\ndefaultContentLanguage = 'en'\n[permalinks]\npost = '/:year/:month/:slug/'\n[uglyURLs]\npost = true\n[languages.en]\ncontentDir = 'content/en'\n[languages.zh-tw]\ncontentDir = 'content/zh-tw'\n",
				"content/en/post/tide.md":    post("date: 2025-03-04\nslug: high-tide"),
				"content/zh-tw/post/tide.md": post("date: 2025-03-04"), "content/en/docs/My Page.md": post("date: 2025-03-05"), "content/base/post/tide.md": post("date: 2025-03-04"), "archetypes/default.md": "---\ntitle: {{ .Name }}\n---\n",
			},
			want: []string{"2025-03-04 en /2025/03/high-tide.html", "2025-03-04 zh-TW /zh-tw/2025/03/the-quay.html", "2025-03-05 en /docs/my-page/"},
		},
		"Hugo: imported from the folder of a section": {
			files:  map[string]string{"site/config.toml": "baseURL = 'https://x.example/'\n", "site/content/blog/tide/index.md": post("date: 2025-03-04")},
			folder: "site/content/blog",
			want:   []string{"2025-03-04 en /blog/tide/"},
		},
		"Zola: the date is in the path": {
			files: map[string]string{
				"config.toml": "base_url = 'https://x.example'\ndefault_language = 'en'\n", "content/tide.md": "+++\npath = '2014/12/12/tide'\ntitle = 'Tide'\n+++\nText.\n",
				"content/boats/2025-03-04-quay.fr.md": "+++\ntitle = 'Quai'\n+++\nTexte.\n", "templates/page.html": "{{ page.title }}", "README.md": "# Read me\n",
			},
			want: []string{"2014-12-12 en /2014/12/12/tide/", "2025-03-04 fr /fr/boats/quay/"},
		},
		"Eleventy: the folder of the input, dates in names, front matter in JavaScript": {
			files: map[string]string{
				"eleventy.config.js": "export const config = {\n\tdir: {\n\t\tinput: \"src\",\n\t}\n}\n", "src/blog/2025-03-04-tide.md": post(""), "src/_includes/base.md": post("date: 2025-03-04"), "notes.md": post("date: 2025-03-04"),
				"src/blog/quay.md": "---js\nconst title = \"Quay\";\nconst date = '2025-03-05';\nconst tags = [\"a\", 'b'];\n---\nText.\n",
			},
			want: []string{"2025-03-04 /blog/tide/", "2025-03-05 /blog/quay/"},
		},
		"Docusaurus: a blog": {
			files: map[string]string{"docusaurus.config.ts": "export default {\n  baseUrl: '/',\n  docs: {\n    routeBasePath: '/docs',\n  },\n};\n", "blog/2025-03-04-tide.mdx": post(""), "blog/2025-03-05-b.md": post("slug: bee"), "blog/_note.md": post("date: 2025-01-01"),
				"i18n/fr/docusaurus-plugin-content-blog/blog/2025-03-04-tide.md": post("")},
			want: []string{"2025-03-04 /blog/2025/03/04/tide", "2025-03-04 fr /blog/2025/03/04/tide", "2025-03-05 /blog/bee"},
		},
		"Pelican: a pattern with a date": {
			files: map[string]string{"pelicanconf.py": "ARTICLE_URL = 'blog/{date:%Y}/{date:%m}/{slug}/'\nTIMEZONE = 'UTC'\nDEFAULT_LANG = u'en'\n", "content/tide.md": "Title: High Tide\nDate: 2025-03-04 10:20\n\nText.\n", "README.md": "# x\n", "content/old.rst": "x\n"},
			want:  []string{"2025-03-04 en /blog/2025/03/high-tide/"},
		},
		"VitePress": {
			files: map[string]string{".vitepress/config.ts": "export default {\n  cleanUrls: true,\n}\n", "posts/tide.md": post("date: 2025-03-04")},
			want:  []string{"2025-03-04 /posts/tide"},
		},
		"no generator: folders of a date": {
			files: map[string]string{"2025/03/04/tide.md": post("")},
			want:  []string{"2025-03-04 /tide"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, problems := addresses(t, c.files, c.folder)
			slices.Sort(c.want)
			if !slices.Equal(got, c.want) {
				t.Errorf("got  %q\nwant %q\n%s", got, c.want, problems)
			}
		})
	}
}

func TestHexoPostWithoutFrontMatterGetsTheTimeOfItsFile(t *testing.T) {
	t.Parallel()
	got, problems := importSite(t, map[string]string{"_config.yml": "new_post_name: :title.md\n", "source/_posts/a.md": "Only text.\n", "source/_posts/b.md": "date: 2025-03-04 10:00:00\ntags:\n---\n\nText of b.\n"}, "")
	if want := []string{"a published", "b published"}; !slices.Equal(got, want) || !strings.Contains(problems, "a.md:1: no date is given") || strings.Contains(problems, "b.md") {
		t.Errorf("got %q, %s", got, problems)
	}
}

func TestScriptsInFrontMatterThatMayWithholdAreRefused(t *testing.T) {
	t.Parallel()
	got, problems := importSite(t, map[string]string{
		"a.md": "---js\nconst title = \"A\";\nconst date = \"2025-03-04\";\nconst draft = true;\n---\nText.\n", "b.md": "---js\nconst title = \"B\";\nconst date = \"2025-03-04\";\nconst draft = process.env.X;\n---\nText.\n",
		"c.md": "---js\n{ title: \"C\" }\n---\nText.\n",
	}, "")
	if want := []string{"a draft", "b.md refused", "c.md refused"}; !slices.Equal(got, want) {
		t.Errorf("got %q, %s", got, problems)
	}
}

func TestUnreadFormatsAreNamed(t *testing.T) {
	t.Parallel()
	got, problems := importSite(t, map[string]string{"a.rst": "x", "b.md": file("B")}, "")
	if !slices.Equal(got, []string{"a.rst refused", "b published"}) || !strings.Contains(problems, "reStructuredText") {
		t.Errorf("got %q, %s", got, problems)
	}
}

func TestMDXKeepsItsTextAndDropsItsProgram(t *testing.T) {
	t.Parallel()
	source := "---\ntitle: x\ndate: 2025-03-04\n---\nimport Tabs from '@theme/Tabs';\nimport {\n  A,\n} from 'a';\n\nFirst{' '}line.\n\n{/* truncate */}\n\n<Tabs groupId=\"a\">\n<TabItem value={1}>\n\nInside.\n\n</TabItem>\n</Tabs>\n\n" +
		"<img src=\"https://x.example/a.png\" width={280} style={{float: 'left'}} alt=\"a\" />\n\nA sum {1 + 2} and `{code}` and \\{x}.\n\n```js\nimport React from 'react';\n<View style={{flex: 1}}>\n```\n\nexport const meta = {\n  a: 1,\n};\n"
	one := importOne(t, "a.mdx", source, ingest.Options{Site: site})
	want := "<p>First line.</p>\n\n<p>Inside.</p>\n<img src=\"https://x.example/a.png\" width=\"280\" alt=\"a\"/>\n<p>A sum  and <code>{code}</code> and {x}.</p>\n<pre><code class=\"language-js\">import React from &#39;react&#39;;\n&lt;View style={{flex: 1}}&gt;\n</code></pre>"
	if got := one.Article.HTML; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got := one.Article.Summary; got != "First line." {
		t.Errorf("the summary is %q", got)
	}
	var lines []string
	for _, w := range one.Warnings {
		lines = append(lines, fmt.Sprint(w.Line, " ", w.What))
	}
	if want := []string{`14 the component Tabs is left out: "<Tabs groupId=\"a\">"`, `15 the component TabItem is left out: "<TabItem value={1}>"`, `24 an expression in JavaScript is left out: "{1 + 2}"`}; !slices.Equal(lines, want) {
		t.Errorf("warnings %q", lines)
	}
}

func TestContainersBecomeQuotations(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		"A.\n\n:::note Look out\nHigh *tide*.\n:::\n\nB.": "<p>A.</p>\n<blockquote>\n<p><strong>Look out</strong></p>\n<p>High <em>tide</em>.</p>\n</blockquote>\n<p>B.</p>",
		":::tip[Key]\nX.\n:::":                            "<blockquote>\n<p><strong>Key</strong></p>\n<p>X.</p>\n</blockquote>",
		"::: warning\nX.\n:::":                            "<blockquote>\n<p>X.</p>\n</blockquote>",
		"```\n:::note\n:::\n```":                          "<pre><code>:::note\n:::\n</code></pre>",
		":::note\nnever ends":                             "<p>:::note\nnever ends</p>",
	} {
		if got := importMarkdown(t, source).HTML; got != want {
			t.Errorf("%q\ngives %s\nwant  %s", source, got, want)
		}
	}
}

func TestVariablesThatATextSetsAreDroppedEvenInCode(t *testing.T) {
	t.Parallel()
	source := front + "{% assign release = site.data.releases | first %}\n\n* <{{ release.url }}>\n\n      SIZE: {{ release.size }}\n\n`{{ other }}` stays, {{ other }} too.\n\n- item\n\n  ```ruby\n  x\n  ```\n\n{% assign more = 1 %}\nEnd {{ more }}.\n"
	one := importOne(t, "a.md", source, ingest.Options{Site: site})
	if got := one.Article.HTML; strings.Contains(got, "release") || strings.Contains(got, "more") || strings.Contains(got, "{%") || strings.Count(got, "{{ other }}") != 2 {
		t.Error(got)
	}
	if len(one.Warnings) != 5 {
		t.Errorf("%d warnings: %v", len(one.Warnings), one.Warnings)
	}
	if got := importMarkdown(t, "![a](https://x.example/a.png){:\n.icon width=\"70\"}Text.").HTML; strings.Contains(got, "{") {
		t.Error(got)
	}
}

func TestLanguageIsTakenFromSentencesNotAddresses(t *testing.T) {
	t.Parallel()
	var texts strings.Builder
	for i := range 6 {
		fmt.Fprintf(&texts, "- https://x.example/pub/ruby-%d.tar.gz sha256=9d1b2e3a4c5d6e7f8091a2b3c4d5e6f7\n\n", i)
	}
	for _, c := range []struct{ text, want string }{
		{texts.String() + "本日、新しい版を公開しました。詳しくは次のページをご覧ください。ご協力くださった皆様に感謝します。", "ja"},
		{"Text. GET /old/way and /blog/7/ answer 404; /old/way/ and /blog/7 answer 301.", ""},
	} {
		if got := importMarkdown(t, c.text).Language; got != c.want {
			t.Errorf("%q for %q", got, c.text)
		}
	}
}

func TestVariablesOfTemplatesAreDroppedWhereTheGeneratorFillsThem(t *testing.T) {
	t.Parallel()
	text := "---\ntitle: x\ndate: 2025-03-04\n---\n[talk]({{ \"https://x.example/1\" | short }}) [call]({{ external_url }}) has {{ npm.downloads | human }} of `{{ code }}` and `{% raw %}{{ x }}{% endraw %}`{{ 'a' | b }}.\n"
	for name, want := range map[string]string{
		"_config.yml": `<p><a href="https://x.example/1">talk</a> call has  of <code>{{ code }}</code> and <code>{{ x }}</code>.</p>`,
		"other.yml":   `<p><a href="https://x.example/1">talk</a> [call]({{ external_url }}) has {{ npm.downloads | human }} of <code>{{ code }}</code> and <code>{% raw %}{{ x }}{% endraw %}</code>{{ &#39;a&#39; | b }}.</p>`,
	} {
		s := storetest.Open(t, store.SQLite, store.Options{})
		dir := t.TempDir()
		write(t, dir, map[string]string{name: "title: x\n", "a.md": text})
		im := ingest.Importer{Store: s, Config: config.Default()}
		if _, err := im.Import(t.Context(), dir); err != nil {
			t.Fatal(err)
		}
		a, err := s.ArticleBySlug(t.Context(), "a")
		if err != nil || a.HTML != want {
			t.Errorf("%s: got %s, want %s (%v)", name, a.HTML, want, err)
		}
	}
}
