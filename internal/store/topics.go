package store

import (
	"cmp"
	"context"
	"slices"

	"github.com/tidings-press/tidings/internal/article"
)

// HasTopic reports whether an article that a filter takes has a tag: only then can the tag
// be a topic of a digest with that filter. Case and spelling of the tag do not matter.
func (s *Store) HasTopic(ctx context.Context, filter article.Filter, topic string) (bool, error) {
	key := article.TagKey(topic)
	if key == "" {
		return false, nil
	}
	found, err := s.Articles(ctx, Query{Filter: filter.And(article.Filter{Expr: article.Tag{Key: key}}), Limit: 1, IDs: true})
	return len(found) > 0, err
}

// mostTagsTried bounds how many tags Topics asks about for a digest with a filter.
const mostTagsTried = 400

// Topics returns up to n tags of the articles that a filter takes, the most used.
func (s *Store) Topics(ctx context.Context, filter article.Filter, n int) ([]LabelCount, error) {
	if takesAll(filter) {
		return s.TopTags(ctx, n)
	}
	tags, err := s.TopTags(ctx, mostTagsTried)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(tags, func(a, b LabelCount) int { return cmp.Compare(b.Articles, a.Articles) })
	var out []LabelCount
	for _, tag := range tags {
		if len(out) == n {
			break
		}
		found, err := s.HasTopic(ctx, filter, tag.Key)
		if err != nil {
			return nil, err
		}
		if found {
			out = append(out, tag)
		}
	}
	return out, nil
}

// takesAll reports whether a filter takes every article.
func takesAll(filter article.Filter) bool {
	_, all := filter.Expr.(article.All)
	return filter.Expr == nil || all
}
