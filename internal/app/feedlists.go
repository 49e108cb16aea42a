package app

import (
	"context"

	"github.com/tidings-press/tidings/feed"
	"github.com/tidings-press/tidings/internal/feedserver"
	"github.com/tidings-press/tidings/internal/store"
)

// NamedFeeds are the feeds of all tags, authors and languages of the stored
// articles.
func (p *Service) NamedFeeds(ctx context.Context) ([]feed.Definition, error) {
	var all []feed.Definition
	for _, list := range []struct {
		kind  feed.Kind
		names func(context.Context) ([]store.LabelCount, error)
	}{{feed.ByTag, p.Store.Tags}, {feed.ByAuthor, p.Store.Authors}, {feed.ByLanguage, p.Store.Languages}} {
		counts, err := list.names(ctx)
		if err != nil {
			return nil, err
		}
		for _, count := range counts {
			filter, err := feedserver.FilterFor(list.kind, count.Name)
			if err != nil {
				return nil, err
			}
			d := feed.Definition{Kind: list.kind, Name: count.Name, Filter: filter}
			d.Home = d.Base()
			if list.kind == feed.ByLanguage {
				d.Language = count.Name
			}
			all = append(all, d)
		}
	}
	return all, nil
}
