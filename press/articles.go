package press

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/tidings-press/tidings/article"
	"github.com/tidings-press/tidings/store"
)

// FindArticle finds an article by its id or slug.
func (p *Press) FindArticle(ctx context.Context, name string) (article.Article, error) {
	one, err := p.Store.ArticleBySlug(ctx, name)
	if errors.Is(err, store.ErrNotFound) {
		one, err = p.Store.Article(ctx, name)
	}
	if errors.Is(err, store.ErrNotFound) {
		err = fmt.Errorf("there is no article %q; right would be: an id or slug that \"tidings article list\" shows", name)
	}
	return one, err
}

// AuthorNames lists the authors of an article.
func AuthorNames(a *article.Article) string {
	names := make([]string, len(a.Authors))
	for i, author := range a.Authors {
		names[i] = author.Name
	}
	return strings.Join(names, ", ")
}

// Plus adds two summaries.
func (s Summary) Plus(t Summary) Summary {
	return Summary{s.Files + t.Files, s.Created + t.Created, s.Updated + t.Updated, s.Unchanged + t.Unchanged,
		s.Redirects + t.Redirects, s.Problems + t.Problems, s.Warnings + t.Warnings}
}

// String says the summary in a line.
func (s Summary) String() string {
	out := fmt.Sprintf("%d files: %d articles new, %d updated, %d unchanged", s.Files, s.Created, s.Updated, s.Unchanged)
	for _, part := range []struct {
		count int
		words string
	}{{s.Redirects, "%d old addresses redirected"}, {s.Problems, "%d left out"}, {s.Warnings, "%d warnings"}} {
		if part.count > 0 {
			out += fmt.Sprintf("; "+part.words, part.count)
		}
	}
	return out
}
