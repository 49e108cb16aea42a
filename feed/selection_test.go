package feed_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/tidings-press/tidings/feed"
	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/testkit/feedrules"
)

func selection(articles ...article.Article) feed.Selection {
	s := feed.Selection{Site: feedrules.Site(), Definition: feed.Definition{Kind: feed.Everything}}
	for i, a := range articles {
		s.Items = append(s.Items, feed.Item{Article: a, Position: feed.Position{Appeared: a.Published.UnixMilli(), Seq: int64(i) + 1}})
	}
	return s
}

// selections returns selections of all kinds, by name.
func selections() map[string]feed.Selection {
	hostile := feedrules.HostileArticles()
	all := map[string]feed.Selection{
		"empty":   selection(),
		"plain":   selection(feedrules.Article(1), feedrules.Article(2), feedrules.Article(3)),
		"rich":    selection(feedrules.FullArticle(1), feedrules.FullArticle(2)),
		"hostile": selection(hostile...),
	}
	twins := make([]article.Article, 50)
	for i := range twins {
		twins[i] = feedrules.Article(i)
		twins[i].Published, twins[i].Updated = feedrules.Noon, feedrules.Noon
	}
	all["fifty equal timestamps"] = selection(twins...)

	removed := selection(feedrules.Article(1))
	gone := feedrules.Article(7)
	gone.Status, gone.Removed = article.Removed, feedrules.Noon
	removed.Removed = []feed.Item{{Article: gone}}
	all["removed"] = removed

	podcast := selection(feedrules.FullArticle(1), feedrules.Article(2))
	podcast.Definition.Podcast = &feed.Podcast{
		Author: "Ann & Bob", Owner: "Ann <ann@press.example>", Image: "/cover.jpg", Category: "Society & Culture > Documentary", Type: "episodic",
	}
	all["podcast"] = podcast

	archive := selection(feedrules.Article(1), feedrules.Article(2))
	archive.Page = feed.Page{Cursor: "abc.1", Older: "abb.1"}
	all["archive"] = archive

	summaries := selection(hostile...)
	summaries.Definition = feed.Definition{Kind: feed.ByTag, Name: "C/C++", SummaryOnly: true, Language: "fr", Title: "AT&T <b> &amp;lt; </b>"}
	all["summaries"] = summaries

	bare := selection(hostile...)
	bare.Site = feed.Site{URL: "https://press.example"}
	bare.Definition = feed.Definition{Kind: feed.BySearch, Name: `a "b" & <c> é ]]>`}
	all["bare site"] = bare
	return all
}

func render(t *testing.T, f feed.Format, s feed.Selection) []byte {
	t.Helper()
	data, err := f.Render(feed.Prepare(s))
	if err != nil {
		t.Fatalf("%s: %v", f, err)
	}
	return data
}

// files writes every selection to a file in a format and returns the names.
func files(t *testing.T, f feed.Format) []string {
	t.Helper()
	dir := t.TempDir()
	var names []string
	for name, s := range selections() {
		path := filepath.Join(dir, name+"."+string(f))
		if err := os.WriteFile(path, render(t, f, s), 0o644); err != nil {
			t.Fatal(err)
		}
		names = append(names, path)
	}
	return names
}

// requireProgram returns the path of a program, or skips the test if it is not installed.
func requireProgram(t *testing.T, program, debian string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		t.Skipf("SKIPPED: %s is not installed (apt-get install %s)", program, debian)
	}
	return path
}
