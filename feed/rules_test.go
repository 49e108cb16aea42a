package feed_test

import (
	"strings"
	"testing"

	"github.com/tidings-press/tidings/article"
	"github.com/tidings-press/tidings/feed"
	"github.com/tidings-press/tidings/feed/feedtest"
)

func TestDocumentsKeepTheRulesOfTheirSpecifications(t *testing.T) {
	t.Parallel()
	for name, s := range selections() {
		for _, f := range feed.Formats {
			data := render(t, f, s)
			for _, problem := range feedtest.Problems(f, data) {
				t.Errorf("%s, %s: %s", name, f, problem)
			}
			if s.Definition.SummaryOnly {
				continue
			}
			for _, problem := range feedtest.Lost(f, data, s.Items) {
				t.Errorf("%s, %s: %s", name, f, problem)
			}
		}
	}
}

func TestRulesFindWhatIsWrong(t *testing.T) {
	t.Parallel()
	good := string(render(t, feed.FormatRSS, selections()["rich"]))
	for _, change := range [][2]string{
		{`rel="self"`, `rel="me"`}, {"<title>Article 1</title>", "<title>a</b></title>"}, {"urn:uuid:", "https://x.example/"},
		{`length="123456"`, ""}, {"Mon, ", "Funday, "}, {"https://press.example/articles/", "/articles/"},
		{`isPermaLink="false"`, ""}, {"<figure>", `<figure onclick="x">`}, {"erin@press.example (Erin Editor)", "Erin"},
	} {
		bad := strings.ReplaceAll(good, change[0], change[1])
		if bad == good || len(feedtest.Problems(feed.FormatRSS, []byte(bad))) == 0 {
			t.Errorf("nothing is said of %q in place of %q", change[1], change[0])
		}
	}
}

func TestSameSelectionGivesTheSameBytes(t *testing.T) {
	t.Parallel()
	a, b := selections(), selections()
	for name := range a {
		for _, f := range feed.Formats {
			if string(render(t, f, a[name])) != string(render(t, f, b[name])) {
				t.Errorf("%s, %s: two renderings differ", name, f)
			}
		}
	}
}

func TestIdsStayWhateverChanges(t *testing.T) {
	t.Parallel()
	a := feedtest.Article(1)
	before := written(t, selection(a))
	a.Title, a.Slug, a.Published = "Another", "another", feedtest.Noon
	moved := selection(a)
	moved.Site.URL = "https://elsewhere.example"
	after := written(t, moved)
	if before.IDs[0] != after.IDs[0] || before.Links[0] == after.Links[0] {
		t.Errorf("entry %v becomes %v", before, after)
	}
	d, site := moved.Definition, feedtest.Site()
	if d.ID(&site) != d.ID(&moved.Site) {
		t.Error("the feed's id changes with the site's address")
	}
}

func TestHugeArticlesAreBounded(t *testing.T) {
	t.Parallel()
	paragraph := `<p>A long paragraph with <b>bold</b> words and a <a href="/link">link</a>.</p>`
	for _, megabytes := range []int{4, 20} {
		a := feedtest.Article(1)
		a.HTML = strings.Repeat(paragraph, megabytes<<20/len(paragraph))
		s := selection(a, feedtest.Article(2))
		prepared := feed.Prepare(s)
		for _, f := range feed.Formats {
			data, err := f.Render(prepared)
			if err != nil {
				t.Fatal(err)
			}
			if whole := megabytes<<20 <= feed.MaxBody; (len(data) > megabytes<<20*9/10) != whole {
				t.Errorf("%d MB, %s: the document has %d bytes", megabytes, f, len(data))
			}
			for _, problem := range feedtest.Problems(f, data) {
				t.Errorf("%d MB, %s: %s", megabytes, f, problem)
			}
		}
	}
}

// FuzzRender feeds any text to every part of an article.
func FuzzRender(f *testing.F) {
	for _, a := range feedtest.Hostile() {
		f.Add(a.Title, a.HTML, a.Summary, a.URL)
	}
	f.Add("\x00", "<p", "&", "//x")
	f.Fuzz(func(t *testing.T, title, body, summary, address string) {
		a := feedtest.Article(1)
		a.Title, a.HTML, a.Summary, a.URL, a.Slug, a.Language = title, body, summary, address, title, summary
		a.Tags, a.Authors = []string{title, summary}, []article.Author{{Name: title, Email: summary, URL: address}}
		a.Image = &article.Image{URL: address, Alt: title, Type: summary}
		a.Enclosure = []article.Enclosure{{URL: address, Title: title, Type: summary}}
		a.Origin = &article.Origin{Title: title, URL: address, FeedURL: summary}
		s := selection(a)
		s.Definition.Kind, s.Definition.Name = feed.ByTag, title
		for _, format := range feed.Formats {
			data, err := format.Render(feed.Prepare(s))
			if err != nil {
				t.Fatal(err)
			}
			for _, problem := range append(feedtest.Problems(format, data), feedtest.Lost(format, data, s.Items)...) {
				t.Errorf("%s: %s", format, problem)
			}
		}
	})
}
