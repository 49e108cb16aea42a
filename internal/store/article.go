package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/store/sqldb"
)

// Article returns the article with an id, whatever its status.
func (s *Store) Article(ctx context.Context, id string) (article.Article, error) {
	return s.oneArticle(ctx, "article.byID", "article", id)
}

// ArticleBySlug returns the article of a page, whatever its status.
func (s *Store) ArticleBySlug(ctx context.Context, slug string) (article.Article, error) {
	return s.oneArticle(ctx, "article.bySlug", "article with slug", slug)
}

// ArticleBySource returns the article that came from a source.
func (s *Store) ArticleBySource(ctx context.Context, source string) (article.Article, error) {
	return s.oneArticle(ctx, "article.bySource", "article from", source)
}

func (s *Store) oneArticle(ctx context.Context, query, what, key string) (article.Article, error) {
	all, err := s.readers.articles(ctx, query, key)
	if err != nil {
		return article.Article{}, err
	}
	if len(all) == 0 {
		return article.Article{}, notFound(what, key)
	}
	return all[0].Article, nil
}

// ArticlesByID returns the articles with these ids, in the order of the ids; ids
// without an article are left out.
func (s *Store) ArticlesByID(ctx context.Context, ids []string) ([]article.Article, error) {
	found, err := s.readers.articles(ctx, "article.byIDs", jsonList(ids))
	if err != nil {
		return nil, err
	}
	byID := make(map[string]*article.Article, len(found))
	for i := range found {
		byID[found[i].ID] = &found[i].Article
	}
	out := make([]article.Article, 0, len(ids))
	for _, id := range ids {
		if a := byID[id]; a != nil {
			out = append(out, *a)
		}
	}
	return out, nil
}

// CountArticles says how many articles have a status.
func (s *Store) CountArticles(ctx context.Context, status article.Status) (int64, error) {
	var n int64
	_, err := s.readers.One(ctx, "article.count", []any{string(status)}, &n)
	return n, err
}

// StoredArticle is an article at its place in the store's orders.
type StoredArticle struct {
	article.Article
	Position Position
	Revision int64 // of its last change
}

// Position is a place in an order of articles: a time in Unix milliseconds, and
// the insertion number for those that share it.
type Position struct {
	At  int64
	Seq int64
}

// Compare orders positions, the older first.
func (p Position) Compare(q Position) int {
	return cmp.Or(cmp.Compare(p.At, q.At), cmp.Compare(p.Seq, q.Seq))
}

// IsZero says whether p is no position.
func (p Position) IsZero() bool { return p == Position{} }

func (c *conn) articles(ctx context.Context, query string, args ...any) ([]StoredArticle, error) {
	var out []StoredArticle
	err := c.Each(ctx, query, args, func(rows *sql.Rows) error {
		a, err := scanArticle(rows)
		out = append(out, a)
		return err
	})
	return out, err
}

// articleColumns is what scanArticle reads after the position and the revision,
// in its order, of a table called a.
const articleColumns = `a.id, a.source, a.slug, a.url, a.title, a.summary, a.html, a.language, a.authors, a.tags, a.image,
	a.enclosures, a.origin, a.published, a.updated, a.ingested, a.removed, a.status, a.hash, a.expires`

func scanArticle(rows *sql.Rows) (StoredArticle, error) {
	var out StoredArticle
	a := &out.Article
	var authors, tags, image, enclosures, origin string
	var published, updated, ingested, removed, expires int64
	err := rows.Scan(&out.Position.Seq, &out.Position.At, &out.Revision, &a.ID, &a.Source, &a.Slug, &a.URL, &a.Title,
		&a.Summary, &a.HTML, &a.Language, &authors, &tags, &image, &enclosures, &origin, &published, &updated,
		&ingested, &removed, &a.Status, &a.Hash, &expires)
	if err != nil {
		return out, err
	}
	a.Published, a.Updated, a.Ingested, a.Removed = timeOf(published), timeOf(updated), timeOf(ingested), timeOf(removed)
	a.Expires = timeOf(expires)
	for _, field := range []struct {
		text string
		into any
	}{{authors, &a.Authors}, {tags, &a.Tags}, {image, &a.Image}, {enclosures, &a.Enclosure}, {origin, &a.Origin}} {
		if field.text == "" {
			continue
		}
		if err := json.Unmarshal([]byte(field.text), field.into); err != nil {
			return out, fmt.Errorf("article %s: %w", a.ID, err)
		}
	}
	return out, nil
}

// jsonList is a list of strings or numbers as the queries take it.
func jsonList[T ~string | ~int64](values []T) string {
	out := make([]T, len(values))
	for i, value := range values {
		if text, ok := any(value).(string); ok { // JSON would carry a NUL through as \u0000
			value, _ = any(sqldb.CleanText(text)).(T)
		}
		out[i] = value
	}
	data, err := json.Marshal(out)
	if err != nil {
		return "[]" // strings and numbers always marshal
	}
	return string(data)
}

// jsonText keeps an absent value as an empty text.
func jsonText[T any](value T, absent bool) string {
	if absent {
		return ""
	}
	data, err := json.Marshal(value)
	if err != nil {
		return "" // plain structs of strings and numbers always marshal
	}
	return string(data)
}
