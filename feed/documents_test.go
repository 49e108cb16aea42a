package feed_test

import (
	"encoding/json"
	"html"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/feed"
	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/testkit/feedrules"
)

// documents are the parsed documents of a selection in all formats.
type documents struct {
	channel, feed *feedrules.Node
	json          map[string]any
}

func read(t *testing.T, s feed.Selection) documents {
	t.Helper()
	rss, err := feedrules.Parse(render(t, feed.FormatRSS, s))
	if err != nil {
		t.Fatal(err)
	}
	atom, err := feedrules.Parse(render(t, feed.FormatAtom, s))
	if err != nil {
		t.Fatal(err)
	}
	d := documents{channel: rss.All("channel")[0], feed: atom}
	if err := json.Unmarshal(render(t, feed.FormatJSON, s), &d.json); err != nil {
		t.Fatal(err)
	}
	return d
}

// firstItems returns the first item of each document.
func (d documents) firstItems() (item, entry *feedrules.Node, object map[string]any) {
	return d.channel.All("item")[0], d.feed.All("atom:entry")[0], d.json["items"].([]any)[0].(map[string]any)
}

func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s:\n got %#v\nwant %#v", what, got, want)
	}
}

// texts returns the texts of all elements with a name, or the values of their attribute.
func texts(n *feedrules.Node, name, attribute string) (all []string) {
	for _, one := range n.All(name) {
		if attribute == "" {
			all = append(all, one.Text)
		} else {
			all = append(all, one.Attributes[attribute])
		}
	}
	return all
}

// linksByRel returns the addresses of links by their relation.
func linksByRel(n *feedrules.Node) map[string]string {
	all := map[string]string{}
	for _, link := range n.All("atom:link") {
		all[link.Attributes["rel"]] += link.Attributes["href"]
	}
	return all
}

func list[T any](values ...T) []any {
	var all []any
	for _, value := range values {
		all = append(all, value)
	}
	return all
}

func TestDocumentsDescribeSite(t *testing.T) {
	t.Parallel()
	d := read(t, selection(feedrules.Article(1)))
	for name, want := range map[string]string{
		"title": "The Press", "link": "https://press.example/", "description": "News of the press", "language": "en", "copyright": "© 2026 The Press",
		"managingEditor": "erin@press.example (Erin Editor)", "webMaster": "web@press.example (The Press)", "generator": "Tidings",
		"docs": "https://www.rssboard.org/rss-specification",
	} {
		equal(t, "channel "+name, texts(d.channel, name, ""), []string{want})
	}
	equal(t, "channel image", d.channel.All("image")[0].Value("url"), "https://press.example/logo.png")
	equal(t, "channel xml:lang", d.channel.Attributes["lang"], "en")
	for name, want := range map[string]string{
		"atom:title": "The Press", "atom:subtitle": "News of the press", "atom:rights": "© 2026 The Press", "atom:generator": "Tidings",
		"atom:icon": "https://press.example/icon.png", "atom:logo": "https://press.example/logo.png",
	} {
		equal(t, "feed "+name, texts(d.feed, name, ""), []string{want})
	}
	equal(t, "feed author", d.feed.All("atom:author")[0].Value("atom:name")+" "+d.feed.All("atom:author")[0].Value("atom:uri"), "The Press https://press.example/")
	equal(t, "feed xml:lang", d.feed.Attributes["lang"], "en")
	for key, want := range map[string]any{
		"title": "The Press", "home_page_url": "https://press.example/", "feed_url": "https://press.example/feed.json", "description": "News of the press",
		"icon": "https://press.example/logo.png", "favicon": "https://press.example/icon.png", "language": "en",
		"authors": list(map[string]any{"name": "The Press", "url": "https://press.example/"}),
		"hubs":    list(map[string]any{"type": "WebSub", "url": "https://hub.example/"}),
	} {
		equal(t, "JSON "+key, d.json[key], want)
	}
	equal(t, "links of RSS", linksByRel(d.channel), map[string]string{"self": "https://press.example/feed.xml", "hub": "https://hub.example/"})
	equal(t, "links of Atom", linksByRel(d.feed), map[string]string{
		"self": "https://press.example/atom.xml", "hub": "https://hub.example/", "alternate": "https://press.example/",
	})
}

func TestMissingSiteSettingsAreOmitted(t *testing.T) {
	t.Parallel()
	s := selection()
	s.Site = feed.Site{URL: "https://press.example", Image: "/logo.webp", Editor: "nobody", Webmaster: `"Ann, the (web) \\ master" <ann@press.example>`}
	d := read(t, s)
	for _, name := range []string{"language", "copyright", "managingEditor", "item", "image"} { // RSS does not allow WebP
		equal(t, name, texts(d.channel, name, ""), []string(nil))
	}
	equal(t, "webMaster", d.channel.Value("webMaster"), "ann@press.example (Ann the web master)")
	equal(t, "title", d.channel.Value("title")+d.feed.Value("atom:title"), "https://press.examplehttps://press.example")
	equal(t, "logo", d.feed.Value("atom:logo"), "https://press.example/logo.webp")
	equal(t, "lastBuildDate", d.channel.Value("lastBuildDate"), "")
	equal(t, "items", d.json["items"], []any{})
	for _, key := range []string{"language", "hubs", "favicon"} {
		if value, there := d.json[key]; there {
			t.Errorf("%s is %v", key, value)
		}
	}
}

func TestItemsHaveAllFieldsOfArticle(t *testing.T) {
	t.Parallel()
	a := feedrules.FullArticle(1)
	a.Summary, a.Language = "Summary & more", "pt-BR"
	item, entry, object := read(t, selection(a)).firstItems()
	equal(t, "creators", texts(item, "dc:creator", ""), []string{"Ann Author", "Bob <b> & Sons"})
	authors := entry.All("atom:author")
	equal(t, "author", []string{authors[0].Value("atom:name"), authors[0].Value("atom:uri"), authors[0].Value("atom:email"), authors[1].Value("atom:name")},
		[]string{"Ann Author", "https://ann.example/", "ann@press.example", "Bob <b> & Sons"})
	equal(t, "JSON authors", object["authors"], list(map[string]any{"name": "Ann Author", "url": "https://ann.example/"}, map[string]any{"name": "Bob <b> & Sons"}))
	equal(t, "categories", texts(item, "category", ""), []string{"C/C++", "été", "R&D"})
	equal(t, "terms", texts(entry, "atom:category", "term"), []string{"C/C++", "été", "R&D"})
	equal(t, "tags", object["tags"], list("C/C++", "été", "R&D"))
	equal(t, "languages", []any{item.Attributes["lang"], item.Value("dc:language"), entry.Attributes["lang"], object["language"]}, list("pt-BR", "pt-BR", "pt-BR", "pt-BR"))
	equal(t, "links", []any{item.Value("link"), linksByRel(entry)["alternate"], object["url"]}, list("https://press.example/articles/article-1", "https://press.example/articles/article-1", "https://press.example/articles/article-1"))
	equal(t, "summaries", []any{item.Value("description"), entry.Value("atom:summary"), object["summary"]}, list("Summary &amp; more", "Summary & more", "Summary & more"))
	equal(t, "contents", []any{item.Value("content:encoded"), entry.Value("atom:content")}, list(object["content_html"].(string), object["content_html"].(string)))
	if !strings.Contains(item.Value("content:encoded"), "<code>x &lt; y &amp;&amp; y</code>") || entry.All("atom:content")[0].Attributes["type"] != "html" {
		t.Errorf("content: %s", item.Value("content:encoded"))
	}
	equal(t, "guid", item.All("guid")[0].Attributes["isPermaLink"]+" "+item.Value("guid"), "false urn:uuid:"+feedrules.ID(1))
}

func TestItemNamesLanguageIfNotFeeds(t *testing.T) {
	t.Parallel()
	item, entry, object := read(t, selection(feedrules.Article(1))).firstItems()
	if _, there := object["language"]; there || item.Attributes["lang"] != "" || entry.Attributes["lang"] != "" || item.Value("dc:language") != "en" {
		t.Errorf("%v %v %v", item.Attributes, entry.Attributes, object["language"])
	}
	kurdish := feedrules.Article(1)
	kurdish.Language = "ckb"
	item, entry, object = read(t, selection(kurdish)).firstItems()
	equal(t, "a language that validators do not know", []any{item.Attributes["lang"], entry.Attributes["lang"], object["language"]}, list("und", "und", "ckb"))
}

func TestItemDatesAreThoseOfArticle(t *testing.T) {
	t.Parallel()
	india := time.FixedZone("", 5*3600+1800)
	moonLanding := time.Date(1969, 7, 20, 20, 17, 40, 0, time.UTC)
	february := time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)
	for name, test := range map[string]struct {
		published, updated         time.Time
		pubDate, written, modified string
	}{
		"ahead of UTC": {
			time.Date(2026, 2, 3, 4, 5, 6, 789_654_321, india), time.Date(2026, 2, 3, 5, 0, 0, 0, india),
			"Mon, 02 Feb 2026 22:35:06 +0000", "2026-02-02T22:35:06Z", "2026-02-02T23:30:00Z",
		},
		"before 1990":                     {moonLanding, february, "Sun, 20 Jul 1969 20:17:40 +0000", "1969-07-20T20:17:40Z", "2026-02-03T04:05:06Z"},
		"updated before 1990":             {moonLanding, moonLanding, "Sun, 20 Jul 1969 20:17:40 +0000", "1969-07-20T20:17:40Z", "1969-07-20T20:17:40Z"},
		"Unix time 0":                     {time.Unix(0, 0), time.Unix(0, 0), "Thu, 01 Jan 1970 00:00:00 +0000", "1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z"},
		"updated before it was published": {february, february.AddDate(-1, 0, 0), "Tue, 03 Feb 2026 04:05:06 +0000", "2026-02-03T04:05:06Z", "2026-02-03T04:05:06Z"},
		"a year that cannot be written": {
			february, time.Date(9999, 12, 31, 23, 59, 59, 0, time.FixedZone("", -3600)),
			"Tue, 03 Feb 2026 04:05:06 +0000", "2026-02-03T04:05:06Z", "2026-02-03T04:05:06Z",
		},
	} {
		a := feedrules.Article(1)
		a.Published, a.Updated, a.Ingested = test.published, test.updated, feedrules.Noon
		item, entry, object := read(t, selection(a)).firstItems()
		equal(t, name+": pubDate", item.Value("pubDate"), test.pubDate)
		equal(t, name+": published", []any{object["date_published"], entry.Value("atom:published")}, list(test.written, test.written))
		equal(t, name+": updated", []any{object["date_modified"], entry.Value("atom:updated"), item.Value("atom:updated")}, list(test.modified, test.modified, test.modified))
	}
	undated := feedrules.Article(1)
	undated.Published = time.Time{}
	if _, _, object := read(t, selection(undated)).firstItems(); object["date_published"] != nil {
		t.Errorf("no date becomes %v", object["date_published"])
	}
}

// TestEntryIsSameInEveryDocument compares an entry alone, among others with the same date,
// and on an archive page.
func TestEntryIsSameInEveryDocument(t *testing.T) {
	t.Parallel()
	var all []article.Article
	for i := range 20 {
		a := feedrules.Article(i)
		a.Published, a.Updated, a.Ingested = feedrules.Noon, feedrules.Noon, feedrules.Noon
		all = append(all, a)
	}
	archive := selection(all[3], feedrules.Article(50))
	archive.Page = feed.Page{Cursor: "abc.1", Newer: "abd.1"}
	entry := func(s feed.Selection, f feed.Format) string {
		text := string(render(t, f, s))
		id := strings.Index(text, feedrules.ID(3))
		begin := max(strings.LastIndex(text[:id], "<entry"), strings.LastIndex(text[:id], "<item"), strings.LastIndex(text[:id], "{"))
		text = text[begin:]
		for _, end := range []string{"</entry>", "</item>", "\n    }"} {
			if before, _, found := strings.Cut(text, end); found {
				return before
			}
		}
		return text
	}
	for _, f := range feed.Formats {
		alone := entry(selection(all[3]), f)
		if len(alone) < 100 || entry(selection(all...), f) != alone || entry(archive, f) != alone {
			t.Errorf("%s: the entry differs:\n%s\n%s\n%s", f, alone, entry(selection(all...), f), entry(archive, f))
		}
	}
}

func TestTextIsUnchanged(t *testing.T) {
	t.Parallel()
	for title, want := range map[string]string{
		"AT&T <b> &amp;lt;": "AT&T <b> &amp;lt;", "</b> and </I>": "</b> and </I>", "1 < 2 & 3 > 2": "1 < 2 & 3 > 2", "&copy": "&copy", "\u00c3\u00a9": "\u00c3\u00a9",
		" two\n lines ": "two lines", "<script>alert(1)": "<script>alert(1)", "]]>": "]]>", "ann@press.example": "ann@press.example",
	} {
		a := feedrules.Article(1)
		a.Title = title
		a.Authors, a.Summary, a.Tags = []article.Author{{Name: title}}, title, []string{title}
		item, entry, object := read(t, selection(a)).firstItems()
		for format, got := range map[string][]string{
			"RSS":  {item.Value("title"), item.Value("dc:creator"), item.Value("category"), html.UnescapeString(item.Value("description"))},
			"Atom": {entry.Value("atom:title"), entry.All("atom:author")[0].Value("atom:name"), entry.All("atom:category")[0].Attributes["term"], entry.Value("atom:summary")},
			"JSON": {object["title"].(string), object["summary"].(string)},
		} {
			for _, text := range got {
				equal(t, format, text, want)
			}
		}
	}
}

func TestMissingPartsAreFilledIn(t *testing.T) {
	t.Parallel()
	a := article.Article{ID: feedrules.ID(1), Slug: "bare", HTML: "<p>First words of it.</p>", Published: feedrules.Noon, Status: article.Published}
	item, entry, object := read(t, selection(a)).firstItems()
	equal(t, "titles", []any{item.Value("title"), entry.Value("atom:title"), object["title"]}, list("First words of it.", "First words of it.", "First words of it."))
	equal(t, "summaries", []any{item.Value("description"), entry.Value("atom:summary")}, list("First words of it.", "First words of it."))
	equal(t, "authors", []any{len(item.All("dc:creator")), len(entry.All("atom:author")), object["authors"]}, []any{0, 0, nil})
	a.HTML = `<img src="/a.png" alt="">`
	item, entry, object = read(t, selection(a)).firstItems()
	equal(t, "only a picture", []any{item.Value("title"), item.Value("description"), entry.Value("atom:title"), object["title"]}, list("bare", "bare", "bare", "bare"))
	a.HTML = ""
	_, entry, object = read(t, selection(a)).firstItems()
	equal(t, "no content", []any{entry.Value("atom:summary"), object["content_text"], object["content_html"]}, []any{"bare", "bare", nil})
}

func TestRSSHasUpdateRate(t *testing.T) {
	t.Parallel()
	var all []article.Article
	for i := range 10 {
		a := feedrules.Article(i)
		a.Published = feedrules.Noon.AddDate(0, 0, -7*i)
		all = append(all, a)
	}
	d := read(t, selection(all...))
	equal(t, "update rate", []string{d.channel.Value("ttl"), d.channel.Value("sy:updatePeriod"), d.channel.Value("sy:updateFrequency")}, []string{"1440", "weekly", "1"})
}
