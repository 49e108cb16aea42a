package app

import (
	"cmp"
	"context"
	"fmt"
	"html"
	"slices"
	"strings"

	"github.com/tidings-press/tidings/feed"
	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/feedserver"
)

// maxFeedEditions is how far back the feed of a digest's editions reaches.
const maxFeedEditions = 500

// editions lists the editions of a digest that have gone out, as articles: the
// subject as title, and what they brought as a list of links.
func (f *FeedSource) editions(ctx context.Context, q feedserver.Query) ([]feed.Item, error) {
	if q.Removed {
		return nil, nil
	}
	all, err := f.store.Editions(ctx, q.Digest, maxFeedEditions)
	if err != nil {
		return nil, err
	}
	var items []feed.Item
	for _, e := range all {
		place := feed.Position{Appeared: e.Started.UnixMilli(), Seq: e.Seq}
		if e.Started.IsZero() || !q.Before.IsZero() && place.Compare(q.Before) >= 0 || !q.After.IsZero() && place.Compare(q.After) <= 0 {
			continue
		}
		items = append(items, feed.Item{Article: article.Article{ID: e.ID}, Position: place})
	}
	slices.SortFunc(items, func(a, b feed.Item) int {
		if q.After.IsZero() {
			a, b = b, a
		}
		return a.Position.Compare(b.Position)
	})
	items = items[:min(len(items), q.Limit)]
	for i := 0; i < len(items) && !q.IDs; i++ {
		if items[i].Article, err = f.edition(ctx, items[i].Article.ID); err != nil {
			return nil, err
		}
	}
	return items, nil
}

// edition describes one edition as an article. Its page is the public one.
func (f *FeedSource) edition(ctx context.Context, id string) (article.Article, error) {
	e, err := f.store.Edition(ctx, id)
	if err != nil {
		return article.Article{}, err
	}
	articles, err := f.store.ArticlesByID(ctx, e.Articles)
	if err != nil {
		return article.Article{}, err
	}
	summary, body := contents(articles)
	return article.Article{
		ID: e.ID, Source: "edition:" + e.ID, Slug: e.ID, URL: digest.PagePath(e.ID), Title: e.Subject, Summary: summary, HTML: body,
		Published: e.Started, Updated: e.Started, Ingested: e.Created, Status: article.Published,
		Hash: e.ID + string(e.State),
	}, nil
}

func contents(articles []article.Article) (summary, body string) {
	var titles []string
	var list strings.Builder
	for i := range articles {
		a := &articles[i]
		if a.Status != article.Published {
			continue
		}
		titles = append(titles, a.Title)
		link := cmp.Or(a.URL, a.Path())
		fmt.Fprintf(&list, `<h2><a href="%s">%s</a></h2>`, html.EscapeString(link), html.EscapeString(a.Title))
		if a.Summary != "" {
			fmt.Fprintf(&list, "<p>%s</p>", html.EscapeString(a.Summary))
		}
	}
	return strings.Join(titles, " · "), list.String()
}
