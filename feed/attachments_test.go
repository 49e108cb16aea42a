package feed_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/feed"
	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/testkit/feedrules"
)

func TestImageHasTypeAndSize(t *testing.T) {
	t.Parallel()
	item, entry, object := read(t, selection(feedrules.FullArticle(1))).firstItems()
	for format, n := range map[string]*feedrules.Node{"RSS": item, "Atom": entry} {
		content := n.All("media:content")[0]
		equal(t, format+" media:content", content.Attributes, map[string]string{
			"url": "https://press.example/media/a.png", "type": "image/png", "fileSize": "1234", "medium": "image", "width": "640", "height": "480",
		})
		equal(t, format+" media:thumbnail", n.All("media:thumbnail")[0].Attributes, map[string]string{"url": "https://press.example/media/a.png", "width": "640", "height": "480"})
	}
	equal(t, "image", object["image"], "https://press.example/media/a.png")
	bare := feedrules.Article(1)
	bare.Image = &article.Image{URL: "https://cdn.example/a.webp", Bytes: -1, Width: -1}
	item, _, _ = read(t, selection(bare)).firstItems()
	equal(t, "of unknown size", item.All("media:content")[0].Attributes, map[string]string{"url": "https://cdn.example/a.webp", "medium": "image"})
}

func TestRSSHasFirstEnclosureOthersHaveAll(t *testing.T) {
	t.Parallel()
	item, entry, object := read(t, selection(feedrules.FullArticle(1))).firstItems()
	enclosures := item.All("enclosure")
	if len(enclosures) != 1 {
		t.Fatalf("%d enclosures in RSS", len(enclosures))
	}
	equal(t, "RSS", enclosures[0].Attributes, map[string]string{"url": "https://press.example/media/a.mp3", "type": "audio/mpeg", "length": "123456"})
	var links []map[string]string
	for _, link := range entry.All("atom:link") {
		if link.Attributes["rel"] == "enclosure" {
			links = append(links, link.Attributes)
		}
	}
	equal(t, "Atom", links, []map[string]string{
		{"rel": "enclosure", "href": "https://press.example/media/a.mp3", "type": "audio/mpeg", "length": "123456", "title": "Listen"},
		{"rel": "enclosure", "href": "https://press.example/media/b.pdf", "type": "application/pdf"},
	})
	equal(t, "JSON", object["attachments"], list(
		map[string]any{"url": "https://press.example/media/a.mp3", "mime_type": "audio/mpeg", "title": "Listen", "size_in_bytes": 123456.0, "duration_in_seconds": 95.0},
		map[string]any{"url": "https://press.example/media/b.pdf", "mime_type": "application/pdf"},
	))
}

func TestRSSHasFirstValidEnclosure(t *testing.T) {
	t.Parallel()
	a := feedrules.Article(1)
	for _, address := range []string{"tel:1", "http://localhost/a.mp3", "https://a_b.example/a.mp3", "https://u:p@x.example/a.mp3", "https://x/a.mp3", "/media/b.mp3", "https://cdn.example/c.mp3"} {
		a.Enclosure = append(a.Enclosure, article.Enclosure{URL: address, Duration: 90 * time.Second})
	}
	item, entry, object := read(t, selection(a)).firstItems()
	equal(t, "RSS", item.All("enclosure")[0].Attributes, map[string]string{"url": "https://press.example/media/b.mp3", "type": "application/octet-stream", "length": "0"})
	if n := len(object["attachments"].([]any)); n != 6 || strings.Count(linksByRel(entry)["enclosure"], "http") != 6 {
		t.Errorf("%d attachments, and in Atom %s", n, linksByRel(entry)["enclosure"])
	}
	s := selection(a)
	s.Site.URL = "http://localhost" // files on the site itself are always allowed
	item, _, _ = read(t, s).firstItems()
	equal(t, "RSS of a site on localhost", item.All("enclosure")[0].Attributes["url"], "http://localhost/a.mp3")
}

func TestPodcastHasITunesElements(t *testing.T) {
	t.Parallel()
	s := selections()["podcast"]
	s.Definition.Podcast.Explicit = true
	d := read(t, s)
	for name, want := range map[string]string{"itunes:author": "Ann & Bob", "itunes:explicit": "true", "itunes:type": "episodic"} {
		equal(t, name, texts(d.channel, name, ""), []string{want})
	}
	owner := d.channel.All("itunes:owner")[0]
	equal(t, "owner", owner.Value("itunes:name")+" "+owner.Value("itunes:email"), "Ann ann@press.example")
	equal(t, "cover", texts(d.channel, "itunes:image", "href"), []string{"https://press.example/cover.jpg"})
	category := d.channel.All("itunes:category")[0]
	equal(t, "category", category.Attributes["text"]+" > "+texts(category, "itunes:category", "text")[0], "Society & Culture > Documentary")
	items := d.channel.All("item") // newest first
	equal(t, "an article", items[0].Value("itunes:duration"), "")
	equal(t, "an episode", []string{items[1].Value("itunes:duration"), texts(items[1], "itunes:image", "href")[0]}, []string{"95", "https://press.example/media/a.png"})
	s.Definition.Podcast = &feed.Podcast{}
	d = read(t, s)
	equal(t, "defaults", []string{d.channel.Value("itunes:explicit"), d.channel.All("itunes:owner")[0].Value("itunes:email"), texts(d.channel, "itunes:image", "href")[0]},
		[]string{"false", "erin@press.example", "https://press.example/logo.png"})
	if plain := string(render(t, feed.FormatRSS, selection(feedrules.FullArticle(1)))); strings.Contains(plain, "itunes") {
		t.Error("a feed that is not a podcast has itunes elements")
	}
}

func TestRightToLeftContentHasDirAttribute(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		language, title string
		want            bool
	}{
		"Arabic": {"ar", "x", true}, "Persian": {"fa", "x", true}, "Hebrew": {"he", "x", true}, "Sorani": {"ckb", "x", true}, "English": {"en", "عنوان", false},
		"unknown": {"", "عنوان", true}, "unknown, Latin letter first": {"", "A عنوان", false}, "Punjabi in its script": {"pa-Arab", "x", true},
	} {
		a := feedrules.Article(1)
		a.Language, a.Title, a.HTML = test.language, test.title, "<p>text</p>"
		item, entry, object := read(t, selection(a)).firstItems()
		for _, got := range []string{item.Value("content:encoded"), entry.Value("atom:content"), object["content_html"].(string)} {
			if (got == `<div dir="rtl"><p>text</p></div>`) != test.want {
				t.Errorf("%s: %s", name, got)
			}
		}
	}
}

func TestOriginIsSourceOrVia(t *testing.T) {
	t.Parallel()
	a := feedrules.Article(1)
	a.Origin = &article.Origin{Title: "Elsewhere & <b>", URL: "https://elsewhere.example/a", FeedURL: "https://elsewhere.example/feed.xml"}
	item, entry, object := read(t, selection(a)).firstItems()
	equal(t, "RSS source", item.All("source")[0].Attributes["url"]+" "+item.Value("source"), "https://elsewhere.example/feed.xml Elsewhere & <b>")
	source := entry.All("atom:source")[0]
	equal(t, "Atom source", []string{source.Value("atom:id"), source.Value("atom:title"), linksByRel(source)["self"], linksByRel(source)["alternate"]},
		[]string{"https://elsewhere.example/feed.xml", "Elsewhere & <b>", "https://elsewhere.example/feed.xml", "https://elsewhere.example/a"})
	equal(t, "external_url", object["external_url"], "https://elsewhere.example/a")
	a.Origin.FeedURL = "https://Elsewhere.example:443/%66eed" // not canonical, so it cannot be an id
	_, entry, _ = read(t, selection(a)).firstItems()
	if id := entry.All("atom:source")[0].Value("atom:id"); !strings.HasPrefix(id, "urn:uuid:") {
		t.Errorf("the source's id is %s", id)
	}
	a.Origin.FeedURL = ""
	item, entry, _ = read(t, selection(a)).firstItems()
	equal(t, "origin without a feed", []string{linksByRel(item)["via"], linksByRel(entry)["via"]}, []string{"https://elsewhere.example/a", "https://elsewhere.example/a"})
	a.Origin = &article.Origin{Title: "Nowhere", URL: "tel:1", FeedURL: "javascript:x"}
	item, entry, object = read(t, selection(a)).firstItems()
	if len(item.All("source"))+len(entry.All("atom:source")) > 0 || object["external_url"] != nil || linksByRel(entry)["via"] != "" {
		t.Errorf("an origin with invalid addresses: %v", object)
	}
}

func TestRelativeURLsInContentAreResolved(t *testing.T) {
	t.Parallel()
	a := feedrules.Article(1)
	a.HTML = `<a href="../up">u</a><a href="#frag">f</a><a href="//host.example/x">h</a><a href="?q">q</a><a href="/root">r</a><a href="tel:1">t</a><a href="javascript:x">j</a>` +
		`<img src="a.png" srcset="a.png 1x,//cdn.example/b.png 2x, /c,d.png 3x"><video src="v.mp4" poster="/p.png"></video><q cite="c">q</q>`
	s := selection(a)
	s.Site.URL = "https://h.example/press"
	item, entry, object := read(t, s).firstItems()
	want := `<a href="https://h.example/press/up">u</a><a href="https://h.example/press/articles/article-1#frag">f</a><a href="https://host.example/x">h</a>` +
		`<a href="https://h.example/press/articles/article-1?q">q</a><a href="https://h.example/press/root">r</a><a href="tel:1">t</a><a>j</a>` +
		`<img src="https://h.example/press/articles/a.png" srcset="https://h.example/press/articles/a.png 1x, https://cdn.example/b.png 2x, https://h.example/press/c,d.png 3x">` +
		`<video src="https://h.example/press/articles/v.mp4" poster="https://h.example/press/p.png"></video><q cite="https://h.example/press/articles/c">q</q>`
	equal(t, "contents", []any{item.Value("content:encoded"), entry.Value("atom:content"), object["content_html"]}, list(want, want, want))
}

// TestSiteBelowPathKeepsPathInURLs also has an article whose page is on another site.
func TestSiteBelowPathKeepsPathInURLs(t *testing.T) {
	t.Parallel()
	a := feedrules.FullArticle(1)
	a.URL = "https://elsewhere.example/blog/x"
	a.HTML = `<p><a href="/articles/y">y</a> <a href="z">z</a></p>`
	s := selection(a)
	s.Site.URL = "https://h.example/press/"
	s.Definition = feed.Definition{Kind: feed.ByTag, Name: "go", Home: feed.TagPath("go")}
	d := read(t, s)
	item, entry, object := d.firstItems()
	equal(t, "home", []any{d.channel.Value("link"), linksByRel(d.feed)["alternate"], d.json["home_page_url"]}, list("https://h.example/press/tags/go/", "https://h.example/press/tags/go/", "https://h.example/press/tags/go/"))
	equal(t, "pictures", []string{d.channel.All("image")[0].Value("url"), d.feed.Value("atom:icon"), d.feed.Value("atom:logo"), texts(item, "media:content", "url")[0]},
		[]string{"https://h.example/press/logo.png", "https://h.example/press/icon.png", "https://h.example/press/logo.png", "https://h.example/press/media/a.png"})
	equal(t, "enclosures", texts(item, "enclosure", "url")[0]+" "+linksByRel(entry)["enclosure"], "https://h.example/press/media/a.mp3 https://h.example/press/media/a.mp3https://h.example/press/media/b.pdf")
	equal(t, "self", linksByRel(d.channel)["self"], "https://h.example/press/tags/go/feed.xml")
	equal(t, "article", object["url"], "https://elsewhere.example/blog/x")
	equal(t, "text", object["content_html"], `<p><a href="https://h.example/press/articles/y">y</a> <a href="https://elsewhere.example/blog/z">z</a></p>`)
}

func TestSummaryFeedHasNoContent(t *testing.T) {
	t.Parallel()
	s := selection(feedrules.Article(1))
	s.Definition.SummaryOnly = true
	item, entry, object := read(t, s).firstItems()
	equal(t, "summary", []any{item.Value("description"), entry.Value("atom:summary"), object["summary"], object["content_text"]},
		list("What article 1 says.", "What article 1 says.", "What article 1 says.", "What article 1 says."))
	if len(item.All("content:encoded"))+len(entry.All("atom:content")) > 0 || object["content_html"] != nil {
		t.Errorf("there is content: %v", object)
	}
}

func TestArchiveAndPrivateFeedsNameNoHub(t *testing.T) {
	t.Parallel()
	archive, private := selection(feedrules.Article(1)), selection(feedrules.Article(1))
	archive.Page = feed.Page{Cursor: "abc.1", Older: "abb.1"}
	private.Definition = feed.Definition{Kind: feed.Private, Name: "t0ken"}
	for name, s := range map[string]feed.Selection{"an archive page": archive, "a private feed": private} {
		d := read(t, s)
		if linksByRel(d.channel)["hub"]+linksByRel(d.feed)["hub"] != "" || d.json["hubs"] != nil {
			t.Errorf("%s names a hub", name)
		}
	}
}

func TestArchivePageLinksToNeighbours(t *testing.T) {
	t.Parallel()
	s := selection(feedrules.Article(1))
	s.Page = feed.Page{Cursor: "abc.1", Older: "abb.1"}
	d := read(t, s)
	const folder = "https://press.example/archive/"
	equal(t, "RSS", linksByRel(d.channel), map[string]string{"self": folder + "abc.1/feed.xml", "current": "https://press.example/feed.xml", "prev-archive": folder + "abb.1/feed.xml"})
	equal(t, "Atom", linksByRel(d.feed), map[string]string{
		"self": folder + "abc.1/atom.xml", "current": "https://press.example/atom.xml", "prev-archive": folder + "abb.1/atom.xml", "alternate": "https://press.example/",
	})
	equal(t, "JSON", []any{d.json["feed_url"], d.json["next_url"]}, list("https://press.example/feed.json", folder+"abb.1/feed.json"))
	if len(d.channel.All("fh:archive")) != 1 || len(d.feed.All("fh:archive")) != 1 {
		t.Error("an archive page has no fh:archive")
	}
	s.Page = feed.Page{Cursor: "abc.1", Newer: "abd.1"}
	equal(t, "the oldest page", linksByRel(read(t, s).channel)["next-archive"], folder+"abd.1/feed.xml")
}
