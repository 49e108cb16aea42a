package store

import (
	"context"
	"database/sql"
	"time"
)

// ArticlePath is the page of a listed article and when the article last changed.
type ArticlePath struct {
	Slug    string
	Changed time.Time
}

// ArticlePathPart is a range of article numbers, whose pages one part of the sitemap lists.
type ArticlePathPart struct {
	Number  int64
	Changed time.Time // newest change of an article in it
}

// ArticlePathParts returns the parts for ArticlePaths: each covers size consecutive article
// numbers, so that new articles change only the last one.
func (s *Store) ArticlePathParts(ctx context.Context, size int64) ([]ArticlePathPart, error) {
	var out []ArticlePathPart
	err := s.readers.Each(ctx, "article.addressParts", []any{millis(s.Now()), size}, func(rows *sql.Rows) error {
		var part ArticlePathPart
		var changed int64
		err := rows.Scan(&part.Number, &changed)
		part.Changed = time.UnixMilli(changed).UTC()
		out = append(out, part)
		return err
	})
	return out, err
}

// ArticlePaths returns the pages of a part: those of listed articles whose canonical page is on this site.
func (s *Store) ArticlePaths(ctx context.Context, part, size int64) ([]ArticlePath, error) {
	var out []ArticlePath
	err := s.readers.Each(ctx, "article.addresses", []any{millis(s.Now()), part * size, (part + 1) * size}, func(rows *sql.Rows) error {
		var a ArticlePath
		var changed int64
		err := rows.Scan(&a.Slug, &changed)
		a.Changed = time.UnixMilli(changed).UTC()
		out = append(out, a)
		return err
	})
	return out, err
}
