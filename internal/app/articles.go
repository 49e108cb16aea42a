package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/store"
)

// FindArticle finds an article by its id or slug.
func (s *Service) FindArticle(ctx context.Context, name string) (article.Article, error) {
	one, err := s.Store.ArticleBySlug(ctx, name)
	if errors.Is(err, store.ErrNotFound) {
		one, err = s.Store.Article(ctx, name)
	}
	if errors.Is(err, store.ErrNotFound) {
		err = fmt.Errorf("unknown article %q; \"tidings article list\" shows ids and slugs", name)
	}
	return one, err
}

// ListArticles returns articles, newest first: those whose status (article.StatusAt) is one of
// statuses, or all. An unknown status is an error.
func (s *Service) ListArticles(ctx context.Context, filter article.Filter, statuses []string, limit int) ([]store.StoredArticle, error) {
	if len(statuses) == 0 {
		for _, status := range article.Statuses {
			statuses = append(statuses, string(status))
		}
	}
	now := s.Store.Now()
	var out []store.StoredArticle
	for _, status := range slices.Compact(slices.Sorted(slices.Values(statuses))) {
		q, err := queryFor(article.Status(status), now)
		if err != nil {
			return nil, err
		}
		q.Filter, q.Limit, q.Order = filter, limit, store.ByDate
		found, err := s.Store.Articles(ctx, q)
		if err != nil {
			return nil, err
		}
		// An article that has just expired may still be stored as published.
		out = append(out, slices.DeleteFunc(found, func(a store.StoredArticle) bool {
			return len(statuses) < len(article.Statuses) && a.StatusAt(now) != article.Status(status)
		})...)
	}
	slices.SortStableFunc(out, func(a, b store.StoredArticle) int { return b.Position.Compare(a.Position) })
	return out[:min(len(out), limit)], nil
}

// queryFor returns the query for articles with a status.
func queryFor(status article.Status, now time.Time) (store.Query, error) {
	switch status {
	case article.Published:
		return store.Query{Statuses: []article.Status{article.Published}, AsOf: now}, nil
	case article.Scheduled:
		return store.Query{Statuses: []article.Status{article.Published, article.Unlisted}, NotBefore: now}, nil
	case article.Unlisted:
		return store.Query{Statuses: []article.Status{article.Unlisted}, AsOf: now}, nil
	case article.Draft:
		return store.Query{Statuses: []article.Status{article.Draft}}, nil
	case article.Withdrawn:
		return store.Query{Statuses: []article.Status{article.Removed, article.Withdrawn}}, nil
	}
	return store.Query{}, fmt.Errorf("unknown status %q; statuses: published, scheduled, unlisted, draft, withdrawn", status)
}

// AuthorNames returns the names of an article's authors.
func AuthorNames(a *article.Article) string {
	names := make([]string, len(a.Authors))
	for i, author := range a.Authors {
		names[i] = author.Name
	}
	return strings.Join(names, ", ")
}
