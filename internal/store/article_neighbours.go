package store

import (
	"cmp"
	"context"
	"slices"

	"github.com/tidings-press/tidings/internal/article"
)

// Neighbours returns the listed articles before and after another one, by date, with nothing but
// slug, title and language. One is nil at the end of the list.
func (s *Store) Neighbours(ctx context.Context, id string) (older, newer *article.Article, err error) {
	if older, err = s.neighbour(ctx, "article.older", id); err != nil {
		return nil, nil, err
	}
	newer, err = s.neighbour(ctx, "article.newer", id)
	return older, newer, err
}

func (s *Store) neighbour(ctx context.Context, query, id string) (*article.Article, error) {
	var a article.Article
	found, err := s.readers.One(ctx, query, []any{id, millis(s.Now())}, &a.Slug, &a.Title, &a.Language)
	if err != nil || !found {
		return nil, err
	}
	return &a, nil
}

// How many tags of an article are looked at for related ones, and how many articles.
const (
	relatedTags       = 8
	relatedCandidates = 20
)

// Related returns the listed articles that share most tags with an article, the newest first among
// equals, at most limit. It looks at the newest articles with one of the tags.
func (s *Store) Related(ctx context.Context, a *article.Article, limit int) ([]StoredArticle, error) {
	var filter article.Node
	keys := map[string]bool{}
	for _, tag := range a.Tags[:min(len(a.Tags), relatedTags)] {
		term := article.Tag{Key: article.TagKey(tag)}
		if keys[term.Key] = true; filter == nil {
			filter = term
		} else {
			filter = article.Or{Left: filter, Right: term}
		}
	}
	if filter == nil {
		return nil, nil
	}
	found, err := s.Search(ctx, Query{Filter: article.Filter{Expr: filter}, Order: ByDate, Limit: relatedCandidates, AsOf: s.Now(), HTMLBudget: WithoutHTML})
	if err != nil {
		return nil, err
	}
	shared := map[string]int{}
	for _, other := range found.Articles {
		for _, tag := range other.Tags {
			if keys[article.TagKey(tag)] {
				shared[other.ID]++
			}
		}
		if other.Language == a.Language { // of equals, one that the reader understands
			shared[other.ID] = 2*shared[other.ID] + 1
		} else {
			shared[other.ID] *= 2
		}
	}
	out := slices.DeleteFunc(found.Articles, func(other StoredArticle) bool { return other.ID == a.ID })
	slices.SortStableFunc(out, func(x, y StoredArticle) int { return cmp.Compare(shared[y.ID], shared[x.ID]) })
	return out[:min(limit, len(out))], nil
}
