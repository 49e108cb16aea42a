package ingest_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/article/ingest"
)

// statusOf imports a file and returns its status on 2026-12-01, or "refused".
func statusOf(t *testing.T, name, source string, options ingest.Options) string {
	t.Helper()
	got, problems := ingest.Import(ingest.File{Name: name, Data: []byte(source), Modified: modified}, options)
	if len(problems) == 1 && len(got) == 0 {
		if problems[0].Line == 0 && !strings.HasSuffix(name, ".html") || problems[0].Fix == "" {
			t.Errorf("%s: a problem without a line or a fix: %v", source, problems[0])
		}
		return "refused"
	}
	if len(problems) > 0 || len(got) != 1 {
		t.Fatalf("%q: %d articles, problems %v", source, len(got), problems)
	}
	return string(got[0].Article.StatusAt(time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)))
}

// visibilityLines lists lines of YAML front matter by the status that they must give.
var visibilityLines = map[string][]string{
	"published": {
		"published: true", "published: yes", "published: 2025-05-01", "draft: false", "draft: \"no\"", "draft: 0", "status: published", "status: publish", "status: Public",
		"visibility: public", "unlisted: false", "hidden: off", "private: no", "publishDate: 2025-01-01", "publishDate:", "pubDate: Mar 4 2025", "expiryDate: 2099-01-01", "expires:", "expiryDate: never",
		"build: {render: always, list: always}", "build: {render: true, publishResources: false}", "eleventyExcludeFromCollections: false", "sitemap: false", "sitemap: {exclude: true}", "robots: noindex",
		"publisher: The Quay Press", "publication: \"*Nature*\"", "publication_types: [article]", "permalink: /a/b/", "feed: full", "state: California", "audience: developers",
		"params: {draft: false, color: red}", "extra: {toc: true}", "archived: false", "in_search_index: false", "hiddenFromSearch: true", "is_draft: false", "dg-publish: true", "status: featured",
		"status: scheduled\npublishDate: 2025-02-01", "public: \"for all\"", "live: https://demo.example",
		"veröffentlicht: ja", "brouillon: non", "online: https://demo.example", "active: menu", "hide: [navigation]", "ready: true",
	},
	"draft": {
		"published: false", "published: no", "published: off", "published: 0", "published: \"false\"", "Published: N", "draft: true", "draft: yes", "draft: 1", "draft: on", "draft: \"true\"", "draft: TRUE", "Draft: Yes",
		"status: draft", "status: Private", "status: pending", "status: auto-draft", "status: in review", "post_status: draft", "visibility: private", "visibility: members", "visibility: paid", "private: true",
		"publish: false", "is_published: false", "isDraft: true", "public: false", "unpublished: true", "headless: true", "build: {render: never, list: never}", "_build: {render: never}", "build: {render: link}",
		"build:\n  list: never\n  render: false", "build.render: never", "permalink: false", "password: sesame", "post_password: x", "params: {draft: yes}", "extra: {published: false}", "dg-publish: false",
		"saveAsDraft: true", "members_only: true", "embargo: true", "draft: false\npublished: false", "draft: true\ndraft: false", "draft: true\nDraft: false", "state: draft", "stage: Review", "audience: only_paid",
		"email_only: true", "status: [draft, published]", "routable: false", "draft: !!bool yes", "draft: oui", "entwurf: ja", "brouillon: true", "veröffentlicht: nein", "publié: false", "ready: false", "online: no", "active: false", "approved: false", "x: &a yes\ndraft: *a",
	},
	"scheduled": {
		"publishDate: 2099-01-01", "publish_date: 2099-01-01", "publish-date: 2099-01-01 08:00", "pubDate: 2099-01-01", "published_at: 2099-01-01T08:00:00Z", "published: 2099-01-01",
		"embargo: 2099-01-01", "embargo_until: 2099-01-01", "status: future\npublishDate: 2099-01-01", "params: {publishDate: 2099-01-01}", "publishDate: 2099-01-01\nunlisted: true",
	},
	"unlisted": {
		"unlisted: true", "hidden: true", "hidden: 1", "status: hidden", "status: unlisted", "visibility: unlisted", "visibility: hidden", "build: {list: never}", "build: {list: local, render: always}",
		"eleventyExcludeFromCollections: true", "_hidden: yes", "_discoverable: no", "listed: false", "hiddenInHomeList: true", "feed: false", "visible: false", "no_feed: true", "hide_from_rss: yes", "hide: true",
	},
	"withdrawn": {
		"expiryDate: 2025-02-01", "expires: 2026-11-30", "expire: 2025-02-01", "expiry_date: 2025-02-01", "unpublish_date: 2025-02-01", "expirationDate: 2025-02-01", "status: archived", "status: trash",
		"archived: true", "expired: true", "deleted_at: 2025-02-01", "draft: true\nstatus: trash",
	},
	"refused": {
		"draft: maybe", "draft: \"\"", "draft:", "published:", "published: soon", "published: 2024", "status: seedling", "status:", "visibility: friends-of-friends", "unlisted: sometimes", "hidden: home", "private: [a]",
		"publishDate: next week", "publishDate: true", "expiryDate: soon", "expires: true", "build: never", "build: {render: sometimes}", "build: {show: never}", "draftStatus: wip", "visibleTo: staff", "entwurf: vielleicht", "embargo: Monday",
		"not_published: true", "hide_or_hidden: 1", "params: {visibility: some}", "extra: {privateNote: x}", "<<: {draft: true}",
	},
}

func TestVisibilityKeysWithholdArticles(t *testing.T) {
	t.Parallel()
	for want, all := range visibilityLines {
		for _, mark := range all {
			source := "---\ntitle: A title\ndate: 2025-03-01\n" + mark + "\n---\nText.\n"
			if got := statusOf(t, "a.md", source, ingest.Options{Site: site}); got != want {
				t.Errorf("%q is %s, want %s", mark, got, want)
			}
		}
	}
}

// TestVisibilityKeysAreReadInEveryFormat withholds an article in every format and place that
// front matter can have.
func TestVisibilityKeysAreReadInEveryFormat(t *testing.T) {
	t.Parallel()
	for name, source := range map[string]string{
		"yaml.md":             "---\ntitle: x\ndate: 2025-03-01\ndraft: true\n---\n",
		"blank lines.md":      "\n \n---\ntitle: x\ndate: 2025-03-01\ndraft: true\n---\n",
		"yaml to dots.md":     "---\ntitle: x\ndate: 2025-03-01\ndraft: true\n...\nText\n",
		"named yaml.md":       "---yaml\ntitle: x\ndate: 2025-03-01\ndraft: true\n---\n",
		"toml.md":             "+++\ntitle = 'x'\ndate = 2025-03-01\ndraft = true\n+++\n",
		"toml number.md":      "+++\ntitle = 'x'\ndate = 2025-03-01\ndraft = 1\n+++\n",
		"toml extra.md":       "+++\ntitle = 'x'\ndate = 2025-03-01\n[extra]\ndraft = true\n+++\n",
		"toml dotted.md":      "+++\ntitle = 'x'\ndate = 2025-03-01\nbuild.render = 'never'\n+++\n",
		"named toml.md":       "---toml\ntitle = 'x'\ndate = 2025-03-01\ndraft = true\n---\n",
		"json.md":             "{\"title\": \"x\", \"date\": \"2025-03-01\", \"draft\": true}\nText",
		"json twice.md":       "{\"title\": \"x\", \"date\": \"2025-03-01\", \"draft\": true, \"draft\": false}\nText",
		"json text.md":        "{\"title\": \"x\", \"date\": \"2025-03-01\", \"Draft\": \"yes\"}\nText",
		"named json.md":       "---json\n{\"title\": \"x\", \"date\": \"2025-03-01\", \"draft\": 1}\n---\n",
		"semicolons.md":       ";;;\n\"title\": \"x\",\n\"date\": \"2025-03-01\",\n\"draft\": true\n;;;\n",
		"no opening fence.md": "title: x\ndate: 2025-03-01\ndraft: true\n---\nText\n",
		"key lines.md":        "Title: x\nDate: 2025-03-01\nStatus: draft\n\nText\n",
		"key lines.txt":       "Title: x\nDate: 2025-03-01\nStatus: draft\n\nText\n",
		"fenced.txt":          "---\ntitle: x\ndate: 2025-03-01\ndraft: true\n---\nText\n",
		"fenced.html":         "\n---\ntitle: x\ndate: 2025-03-01\ndraft: true\n---\n<p>Text\n",
		"meta.html":           "<title>x</title><meta name=date content=2025-03-01><meta name=draft content=true><p>Text",
		"status.html":         "<title>x</title><meta name=date content=2025-03-01><meta name=Status content=draft><p>Text",
		"front and meta.html": "---\ntitle: x\ndate: 2025-03-01\ndraft: false\n---\n<meta name=draft content=yes><p>Text",
		"attribute.html":      "<title>x</title><meta name=date content=2025-03-01><article data-draft=true><p>Text</article>",
		"line.jsonl":          "{\"id\": 1, \"title\": \"x\", \"date\": \"2025-03-01\", \"draft\": \"yes\", \"html\": \"<p>Text\"}",
		"ghost.jsonl":         "{\"id\": 1, \"title\": \"x\", \"published_at\": \"2025-03-01\", \"status\": \"published\", \"visibility\": \"members\", \"html\": \"<p>Text\"}",
		"site/_drafts/a.md":   "---\ntitle: x\ndate: 2025-03-01\ndraft: false\n---\n",
		"_Drafts/2025/b.md":   "---\ntitle: x\ndate: 2025-03-01\n---\n",
		"posts/drafts/c.md":   "---\ntitle: x\ndate: 2025-03-01\n---\n",
	} {
		if got := statusOf(t, name, source, ingest.Options{Site: site}); got != "draft" {
			t.Errorf("%s is %s", name, got)
		}
	}
	if got := statusOf(t, "a.md", front, ingest.Options{Folder: "/home/ada/site/_drafts"}); got != "draft" {
		t.Errorf("a folder of drafts by itself is %s", got)
	}
	if got := statusOf(t, "drafts/a.md", "---\ntitle: x\ndate: 2025-03-01\ndraft: false\n---\n", ingest.Options{}); got != "published" {
		t.Errorf("a file among drafts that says it is none is %s", got)
	}
	hidden := "<title>x</title><meta name=date content=2025-03-01><body hidden><p>Text"
	if got := statusOf(t, "a.html", hidden, ingest.Options{}); got != "unlisted" {
		t.Errorf("a hidden page is %s", got)
	}
	foreign := "<title>x</title><meta name=date content=2025-03-01><meta property=article:publisher content=x><meta name=vendor:publish-zone content=x><p>Text"
	if got := statusOf(t, "a.html", foreign, ingest.Options{}); got != "published" {
		t.Errorf("a page with words of other vocabularies is %s", got)
	}
}

// TestBrokenFrontMatterIsRefused imports front matter that must not be published as plain text.
func TestBrokenFrontMatterIsRefused(t *testing.T) {
	t.Parallel()
	for name, source := range map[string]string{
		"a.txt":  "{\"title\": \"x\", \"draft\": true,}\nText",
		"b.html": "{\"title\": \"x\", \"draft\": true\n<p>Text",
		"c.txt":  "---\ntitle: x\ndraft: true\n",
		"d.md":   "---lisp\n(draft t)\n---\n",
		"e.txt":  "+++\ntitle = \n+++\n",
	} {
		if got := statusOf(t, name, source, ingest.Options{Site: site, DateFromFile: true}); got != "refused" {
			t.Errorf("%s is %s", name, got)
		}
	}
}

func TestDraftsNeedNoDate(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{"draft: true": "draft", "published: false": "draft", "status: archived": "withdrawn", "unlisted: true": "refused", "draft: false": "refused"} {
		if got := statusOf(t, "a.md", "---\ntitle: x\n"+source+"\n---\n", ingest.Options{Site: site}); got != want {
			t.Errorf("%s without a date is %s, want %s", source, got, want)
		}
	}
}

func TestUnknownVisibilityKeysAreRefusedWithLineAndFix(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		"---\ntitle: x\ndate: 2025-03-01\ndraft: maybe\n---\n":      `a.md:4: draft: "maybe" is not understood; write true or false, or remove the line to publish`,
		"\n---\ntitle: x\ndraft:\ndate: 2025-03-01\n---\n":          `a.md:4: draft has no value; write true or false`,
		"+++\ntitle = 'x'\ndate = 2025-03-01\nstatus = 'bud'\n+++":  `a.md:4: status: "bud" is not understood; write published, draft, scheduled, unlisted or withdrawn`,
		"---\ntitle: x\ndate: 2025-03-01\ndraftee: 1\n---\n":        `a.md:4: the key draftee may withhold the article, but it is not known; write draft: true`,
		"---\ntitle: x\ndate: 2025-03-01\nexpires: soon\n---\n":     `a.md:4: expires: "soon" is not understood; write a date such as`,
		"---\ntitle: x\ndate: 2025-03-01\nextra:\n  hidden: p\n---": `a.md:4: extra: hidden: "p" is not understood; write true or false`,
	} {
		if got := importProblem(t, "a.md", source, ingest.Options{Site: site}); !strings.HasPrefix(got, want) {
			t.Errorf("%q:\n got %s\nwant %s", source, got, want)
		}
	}
}

// TestLaterPublishDateBecomesDate checks that an article with two dates appears at the later
// one and shows it.
func TestLaterPublishDateBecomesDate(t *testing.T) {
	t.Parallel()
	for lines, want := range map[string]string{
		"date: 2025-01-10\npublishDate: 2025-02-01": "2025-02-01", "date: 2025-01-10\npublishDate: 2024-02-01": "2025-01-10", "pubDate: 2025-02-03": "2025-02-03",
		"publish_date: 2025-02-03": "2025-02-03", "published: true\ncreated: 2025-02-04": "2025-02-04", "created: 2025-02-04\npublished: 2025-02-05": "2025-02-05",
	} {
		a := importOne(t, "a.md", fmt.Sprintf("---\ntitle: x\n%s\n---\n", lines), ingest.Options{Site: site}).Article
		if got := a.Published.Format(time.DateOnly); got != want {
			t.Errorf("%q: %s, want %s", lines, got, want)
		}
	}
}
