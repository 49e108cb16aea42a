package feed_test

import (
	"testing"

	"github.com/tidings-press/tidings/feed"
	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/article/markup"
	"github.com/tidings-press/tidings/internal/testkit/feedrules"
)

func TestDocumentsFollowTheirSpecifications(t *testing.T) {
	t.Parallel()
	for name, s := range selections() {
		for _, f := range feed.Formats {
			data := render(t, f, s)
			for _, problem := range feedrules.Problems(f, data) {
				t.Errorf("%s, %s: %s", name, f, problem)
			}
			if s.Definition.SummaryOnly {
				continue
			}
			for _, problem := range feedrules.MissingText(f, data, s.Items) {
				t.Errorf("%s, %s: %s", name, f, problem)
			}
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

func TestIDsDoNotChange(t *testing.T) {
	t.Parallel()
	a := feedrules.Article(1)
	before := expectedFeed(t, selection(a))
	a.Title, a.Slug, a.Published = "Another", "another", feedrules.Noon
	moved := selection(a)
	moved.Site.URL = "https://elsewhere.example"
	after := expectedFeed(t, moved)
	if before.Items[0].ID != after.Items[0].ID || before.Items[0].Link == after.Items[0].Link {
		t.Errorf("entry %v becomes %v", before, after)
	}
	d, site := moved.Definition, feedrules.Site()
	if d.ID(&site) != d.ID(&moved.Site) {
		t.Error("the feed's id changes with the site's address")
	}
}

// FuzzRender puts any text into every part of an article.
func FuzzRender(f *testing.F) {
	for _, a := range feedrules.HostileArticles() {
		f.Add(a.Title, a.HTML, a.Summary, a.URL)
	}
	f.Add("\x00", "<p", "&", "//x")
	f.Fuzz(func(t *testing.T, title, body, summary, address string) {
		a := feedrules.Article(1)
		a.Title, a.HTML, a.Summary, a.URL, a.Slug, a.Language = title, markup.Sanitize(body, nil), summary, address, title, summary
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
			for _, problem := range append(feedrules.Problems(format, data), feedrules.MissingText(format, data, s.Items)...) {
				t.Errorf("%s: %s", format, problem)
			}
		}
	})
}
