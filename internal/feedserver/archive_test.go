package feedserver_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/feed"
	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/feedserver"
	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/internal/testkit/feedrules"
)

// history returns a source with n articles, a minute apart.
func history(n int) *feedrules.Source {
	source := feedrules.New(func() time.Time { return feedrules.Noon })
	for i := range n {
		source.Put(feedrules.Article(i))
	}
	return source
}

// walk reads a feed page by page and calls between after each page. It returns the number of
// times that each article was seen, and the cursors.
func walk(t *testing.T, source feedserver.Source, d feed.Definition, between func(page int)) (seen map[string]int, cursors []string) {
	t.Helper()
	seen = map[string]int{}
	for cursor := ""; ; {
		s, err := feedserver.Load(context.Background(), source, feedrules.Site(), d, cursor, feedrules.Noon.AddDate(1, 0, 0))
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range s.Items {
			seen[item.Article.ID]++
		}
		if cursor = s.Page.Older; cursor == "" {
			return seen, cursors
		}
		cursors = append(cursors, cursor)
		if between != nil {
			between(len(cursors))
		}
		if len(cursors) > 5000 {
			t.Fatal("the walk does not end")
		}
	}
}

func TestArchiveHasEachArticleOnceWhileOthersArrive(t *testing.T) {
	t.Parallel()
	stored := 10_000
	if testkit.RaceDetector {
		stored = 2_000
	}
	source := feedrules.New(func() time.Time { return feedrules.Noon })
	articles := make([]article.Article, stored)
	for i := range articles {
		articles[i] = feedrules.Article(i)
	}
	source.PutAll(articles)
	arrived := stored
	seen, cursors := walk(t, source, feed.Definition{Kind: feed.Everything}, func(int) {
		for range 3 {
			a := feedrules.Article(arrived)
			a.Published = feedrules.Noon.AddDate(-1, 0, -arrived%700) // any date may be given
			source.Put(a)
			arrived++
		}
	})
	for i := range stored {
		if n := seen[feedrules.ID(i)]; n != 1 {
			t.Fatalf("article %d was seen %d times", i, n)
		}
	}
	if len(seen) != stored {
		t.Errorf("%d articles were seen, want the %d that were there at first", len(seen), stored)
	}
	if pages := len(cursors); pages < stored/120 || pages > stored/25 {
		t.Errorf("%d pages of %d articles", pages, stored)
	}
}

func TestArchivePagesAreStableWhenArticlesArrive(t *testing.T) {
	t.Parallel()
	source := history(1000)
	d := feed.Definition{Kind: feed.Everything, Limit: 20}
	_, before := walk(t, source, d, nil)
	for i := range 7 {
		source.Put(feedrules.Article(1000 + i))
	}
	_, after := walk(t, source, d, nil)
	known := map[string]bool{}
	for _, cursor := range before {
		known[cursor] = true
	}
	fresh := 0
	for _, cursor := range after {
		if !known[cursor] {
			fresh++
		}
	}
	if fresh > 2 {
		t.Errorf("%d of %d pages have new addresses after 7 articles, want at most 2", fresh, len(after))
	}
}

func TestFilteredArchiveIsComplete(t *testing.T) {
	t.Parallel()
	source := history(0)
	want := 0
	for i := range 800 {
		a := feedrules.Article(i)
		if i%7 == 0 {
			a.Tags = append(a.Tags, "Seven")
			want++
		}
		source.Put(a)
	}
	filter, err := feedserver.FilterFor(feed.ByTag, "seven")
	if err != nil {
		t.Fatal(err)
	}
	for _, limit := range []int{0, 1, 2, 10, 1000} {
		seen, _ := walk(t, source, feed.Definition{Kind: feed.ByTag, Name: "seven", Filter: filter, Limit: limit}, nil)
		if len(seen) != want {
			t.Errorf("limit %d: %d articles, want %d", limit, len(seen), want)
		}
		for id, n := range seen {
			if n != 1 {
				t.Errorf("limit %d: %s was seen %d times", limit, id, n)
			}
		}
	}
}

func TestNewestDocumentHasAsManyItemsAsTheLimit(t *testing.T) {
	t.Parallel()
	for _, stored := range []int{0, 1, 19, 20, 21, 45} {
		d := feed.Definition{Kind: feed.Everything, Limit: 20}
		s, err := feedserver.Load(context.Background(), history(stored), feedrules.Site(), d, "", feedrules.Noon)
		if err != nil {
			t.Fatal(err)
		}
		if len(s.Items) != min(stored, 20) || (s.Page.Older != "") != (stored > 20) {
			t.Errorf("%d stored: %d items, older page %q", stored, len(s.Items), s.Page.Older)
		}
	}
}

func TestOldestPageLinksToNewerPage(t *testing.T) {
	t.Parallel()
	source := history(1000)
	d := feed.Definition{Kind: feed.Everything, Limit: 20}
	_, cursors := walk(t, source, d, nil)
	last := len(cursors) - 1
	s, err := feedserver.Load(context.Background(), source, feedrules.Site(), d, cursors[last], feedrules.Noon)
	if err != nil || s.Page.Older != "" || s.Page.Newer != cursors[last-1] {
		t.Errorf("the oldest page is after %q, want %q; %v", s.Page.Newer, cursors[last-1], err)
	}
}

func TestCursorsAreReadExactly(t *testing.T) {
	t.Parallel()
	for _, cursor := range []string{"", ".", "1", "1.", ".1", "1.1.1", "A.1", "1.1 ", "-.1", "01.1", "zzzzzzzzzzzzzzzzzzzz.1"} {
		if p, err := feed.ParsePosition(cursor); err == nil {
			t.Errorf("%q is read as %v", cursor, p)
		}
	}
	p := feed.Position{Appeared: 1_790_000_000_000, Seq: 42}
	if got, err := feed.ParsePosition(p.String()); err != nil || got != p {
		t.Errorf("%v becomes %v, %v", p, got, err)
	}
}

func TestFutureUpdateIsNotShown(t *testing.T) {
	t.Parallel()
	source := feedrules.New(func() time.Time { return feedrules.Noon })
	a := feedrules.Article(1)
	a.Updated = feedrules.Noon.AddDate(1, 0, 0)
	source.Put(a)
	for asOf, want := range map[time.Time]time.Time{feedrules.Noon: a.Published, a.Updated.Add(time.Hour): a.Updated} {
		s, err := feedserver.Load(context.Background(), source, feedrules.Site(), feed.Definition{Kind: feed.Everything}, "", asOf)
		if err != nil {
			t.Fatal(err)
		}
		stamp := want.Format(time.RFC3339)
		if document := renderAtom(t, s); strings.Count(document, "<updated>"+stamp+"</updated>") != 2 || strings.Count(document, "<updated>") != 2 {
			t.Errorf("at %s the feed and its entry should be updated at %s:\n%s", asOf, stamp, document)
		}
	}
}
