package feed_test

import (
	"strings"
	"testing"

	"github.com/tidings-press/tidings/feed"
	"github.com/tidings-press/tidings/internal/testkit/feedrules"
)

// checkErrorsReported applies each change to a valid document, and fails the test if the
// rules report nothing.
func checkErrorsReported(t *testing.T, f feed.Format, good string, changes [][2]string) {
	t.Helper()
	if problems := feedrules.Problems(f, []byte(good)); len(problems) > 0 {
		t.Fatalf("%s: the good document has problems: %q", f, problems)
	}
	for _, change := range changes {
		bad := strings.Replace(good, change[0], change[1], 1)
		if bad == good || len(feedrules.Problems(f, []byte(bad))) == 0 {
			t.Errorf("%s: no problem is reported for %s in place of %s", f, change[1], change[0])
		}
	}
}

func TestXMLRulesReportErrors(t *testing.T) {
	t.Parallel()
	rich := selection(feedrules.FullArticle(1), feedrules.Article(2))
	rich.Definition.Podcast = &feed.Podcast{Author: "Ann"}
	both := [][2]string{
		{`rel="self"`, `rel="me"`}, {"urn:uuid:", "https://x.example/"}, {"urn:uuid:", "urn:uuid:X"}, {"Article 1", "a\ufffdb"},
		{"https://press.example/articles/", "/articles/"}, {"https://press.example/articles/", "tel:"}, {"https://press.example/articles/", "https://press.example/["},
		{"https://press.example/articles/", "https://press.example/%"}, {"https://press.example/articles/", "http://[::1]/"}, {"https://press.example/articles/", "https://é.example/"},
		{"<figure>", `<figure onclick="x">`}, {"<figure>", `<figure style="x">`}, {"<figure>", "<figure><script></script>"}, {"<figure>", "<p><figure>"}, {"</figure>", "</p></figure>"},
		{"<figure>", "<figure></figure></div>"}, {"<figure>", `<figure><a href="javascript:x">y</a>`}, {"<figure>", `<figure><a href="/x">y</a>`}, {"<figure>", `<a href="https://x.example/["></a><figure>`},
		{"<figure>", `<a href="https://x.example/%zz"></a><figure>`}, {"<figure>", `<a href="tel:["></a><figure>`}, {"<figure>", `<img src="tel:1"/><figure>`},
		{"a.webp 640w, ", "a.webp 640w,b.webp 3w, "}, {"a.webp 640w", "a.webp 640w, b.webp"},
		{"<table>", "<table>x"}, {`url="https://press.example/media/a.png"`, `url="data:x"`}, {`fileSize="1234"`, `fileSize="-1"`}, {"<media:content", "<media:description>x</media:description><media:content"},
		{"<published>", ""}, {"2026-", "10000-"}, {"Tidings", "Tidings\x00"},
	}
	checkErrorsReported(t, feed.FormatRSS, string(render(t, feed.FormatRSS, rich)), append(without(both, "<published>"), [][2]string{
		{`version="2.0"`, `version="0.9"`}, {`length="123456"`, ""}, {"Mon, ", "Funday, "}, {"Mon, ", "Wed, "}, {`isPermaLink="false"`, ""}, {"erin@press.example (Erin Editor)", "Erin"},
		{"erin@press.example (Erin Editor)", "erin@press.example (Editor, Erin)"}, {"<ttl>", "<ttl>-"}, {"logo.png</url>", "logo.webp</url>"}, {"<description>", "<x>"}, {"<link>", "<link>x"},
		{"<url>https://press.example/logo.png</url>", "<url>/logo.png</url>"}, {"<sy:updatePeriod>", "<sy:updatePeriod>x"}, {"</generator>", "</generator><generator>x</generator>"},
		{"<dc:creator>", "<author>Ann</author><dc:creator>"}, {`<enclosure url="https://press.example/`, `<enclosure url="https://a_b.example/`},
		{`<enclosure url="https://press.example/media/a.mp3"`, `<enclosure url="https://cdn.example"`}, {`<source url="https`, `<source url="feed`},
		{"<itunes:duration>", "<itunes:author>Ann</itunes:author><itunes:duration>"}, {"<itunes:author>", "<itunes:author>" + strings.Repeat("x", 256)}, {`<itunes:image href="https://press.example/`, `<itunes:image href="https://localhost/`},
		{"<itunes:email>erin@press.example</itunes:email>", ""}, {"<atom:updated>2", "<atom:updated>x"}, {"Z</atom:updated>", ".1234Z</atom:updated>"},
	}...))
	checkErrorsReported(t, feed.FormatAtom, string(render(t, feed.FormatAtom, rich)), append(without(both, "<link>"), [][2]string{
		{`xmlns="http://www.w3.org/2005/Atom"`, `xmlns="http://purl.org/atom/ns#"`}, {"<updated>2026", "<updated>x2026"}, {"<title>", "<title>a\n"}, {"</id>", "</id><id>x</id>"},
		{"<name>The Press</name>", "<name></name>"}, {"<uri>https://ann.example/", "<uri>mailto:ann"}, {`term="C/C++"`, `term=""`},
		{`articles/article-1" rel="alternate"`, `articles/article-1" rel="via"`},
		{"<id>https://elsewhere.example/feed.xml", "<id>https://Elsewhere.example:443/feed.xml"}, {"<icon>https://", "<icon>//"},
		{`<entry>`, `<at:deleted-entry xmlns:at="http://purl.org/atompub/tombstones/1.0" ref="urn:uuid:` + feedrules.ID(1) + `" when="2026-01-01T00:00:00Z"/><entry>`},
	}...))
}

// without returns the changes except those of one text, which a format does not contain.
func without(changes [][2]string, what string) (all [][2]string) {
	for _, change := range changes {
		if change[0] != what {
			all = append(all, change)
		}
	}
	return all
}

// TestJSONFeedRulesReportErrors has a change for each rule of the specification.
func TestJSONFeedRulesReportErrors(t *testing.T) {
	t.Parallel()
	s := selection(feedrules.FullArticle(1), feedrules.Article(2))
	s.Page.Older = "abc.1"
	rich := s.Items[0].Article
	rich.Language = "fr"
	s.Items[0].Article = rich
	good := string(render(t, feed.FormatJSON, s))
	id := `"id": "urn:uuid:` + feedrules.ID(1) + `"`
	checkErrorsReported(t, feed.FormatJSON, good, [][2]string{
		{"version/1.1", "version/1"}, {`"version"`, `"_version"`}, {`"title": "The Press"`, `"_x": 1`}, {`"title": "The Press"`, `"title": ""`}, {`"title": "The Press"`, `"title": 5`},
		{`"home_page_url": "https://`, `"home_page_url": "//`}, {`"home_page_url"`, `"_home"`}, {`"feed_url"`, `"_feed"`}, {`"feed_url": "https://press`, `"feed_url": "feed:https://press`},
		{`"next_url": "https://press.example/archive/abc.1/feed.json"`, `"next_url": "https://press.example/feed.json"`}, {`"next_url": "`, `"next_url": "x`}, {`"icon": "https`, `"icon": "x`},
		{`"favicon": "https`, `"favicon": "x`}, {`"language": "en"`, `"language": "not a language"`}, {`"language": "en"`, `"expired": "true"`}, {`"language": "en"`, `"author": {"name": "x"}`},
		{`"language": "en"`, `"lang": "en"`}, {`"language": "en"`, `"_": 1`}, {`"language": "en"`, `"_1": 1`},
		{`"type": "WebSub",`, ""}, {`"url": "https://hub.example/"`, `"url": "hub"`}, {`"hubs": [`, `"hubs": {}, "_x": [`}, {`"items": [`, `"items": {}, "_x": [`}, {`"items": [`, `"_x": [`},
		{`"name": "The Press",`, `"name": ["The Press"],`}, {`"name": "The Press",`, `"email": "a@b.example",`}, {`"authors": [`, `"authors": [{}, `}, {`"url": "https://ann.example/"`, `"url": "mailto:a@b.example"`},
		{id, `"id": 5`}, {id, `"_id": ""`}, {id, `"id": "urn:uuid:` + feedrules.ID(2) + `"`}, {`"url": "https://press.example/articles/article-1"`, `"url": "/articles/article-1"`},
		{`"external_url": "https`, `"external_url": "x`}, {`"title": "Article 1"`, `"title": null`}, {`"content_html"`, `"_content"`}, {`"content_html": "`, `"content_html": "<script></script>`},
		{`"content_html": "`, `"content_html": "<a href='/x'>y</a>`}, {`"summary": "`, `"summary": 1, "_s": "`}, {`"image": "https`, `"image": "x`}, {`"image"`, `"banner_image": "x", "image"`},
		{`"date_published": "`, `"date_published": "x`}, {`"date_modified": "2026-01`, `"date_modified": "2026-13`}, {`"date_modified": "2`, `"date_modified": 5, "_": "2`},
		{`"tags": [`, `"tags": "x", "_x": [`}, {`"tags": [`, `"tags": ["", `}, {`"tags": [`, `"tags": [5, `}, {`"language": "fr"`, `"language": "x y"`},
		{`"url": "https://press.example/media/a.mp3"`, `"url": "a.mp3"`}, {`"url": "https://press.example/media/a.mp3",`, ""}, {`"mime_type": "audio/mpeg",`, ""}, {`"mime_type": "audio/mpeg"`, `"mime_type": "audio"`},
		{`"size_in_bytes": 123456`, `"size_in_bytes": "123456"`}, {`"size_in_bytes": 123456`, `"size_in_bytes": -1`}, {`"duration_in_seconds": 95`, `"duration_in_seconds": 95.5`},
		{`"attachments": [`, `"attachments": [5, `}, {`{`, `[{`}, {`{`, `{} {`},
	})
}

func TestMissingTextIsReported(t *testing.T) {
	t.Parallel()
	s := selection(feedrules.Article(1), feedrules.Article(2))
	for _, f := range feed.Formats {
		good := string(render(t, f, s))
		for _, lost := range []string{"<b>2</b>", "This is article", "link", "<p>"} {
			bad := strings.ReplaceAll(good, lost, "")
			if problems := feedrules.MissingText(f, []byte(bad), s.Items); (len(problems) == 0) != (lost == "<p>") {
				t.Errorf("%s without %s: %q", f, lost, problems)
			}
		}
		if problems := feedrules.MissingText(f, []byte(good), append(s.Items, feed.Item{Article: feedrules.Article(3)})); len(problems) != 1 {
			t.Errorf("%s: an article is missing, but the problems are %q", f, problems)
		}
	}
}
