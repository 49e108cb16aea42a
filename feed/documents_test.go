package feed_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/tidings-press/tidings/article"
	"github.com/tidings-press/tidings/feed"
	"github.com/tidings-press/tidings/feed/feedtest"
)

func selection(articles ...article.Article) feed.Selection {
	s := feed.Selection{Site: feedtest.Site(), Definition: feed.Definition{Kind: feed.Everything}}
	for i, a := range articles {
		s.Items = append(s.Items, feed.Item{Article: a, Position: feed.Position{Appeared: a.Published.UnixMilli(), Seq: int64(i) + 1}})
	}
	return s
}

func TestDump(t *testing.T) {
	s := selection(feedtest.Rich(3), feedtest.Article(2), feedtest.Article(1))
	s.Page.Older = "abc.1"
	s.Removed = []feed.Item{{Article: article.Article{ID: feedtest.ID(9), Removed: feedtest.Noon}}}
	s.Definition.Podcast = &feed.Podcast{Author: "Ann", Category: "News > Politics", Image: "/cover.jpg", Type: "episodic"}
	bad := feedtest.Article(4)
	bad.Title = "AT&T <b> &amp;lt; </b>"
	bad.Language = "ar"
	bad.HTML = "<p>hi<div>x</div><script>alert(1)</script><a href='javascript:x'>y</a><img src=data:xx><li>l<table><tr>foo<td>x</table>"
	bad.Published = bad.Published.AddDate(-57, 0, 0)
	s.Items = append(s.Items, feed.Item{Article: bad})
	p := feed.Prepare(s)
	for _, f := range feed.Formats {
		data, err := f.Render(p)
		if err != nil {
			t.Fatal(err)
		}
		os.WriteFile(filepath.Join("/tmp/feed/out", string(f)), data, 0o644)
	}
}
