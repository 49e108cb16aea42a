package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"github.com/tidings-press/tidings/internal/article"
)

// StartedEditions returns the newest editions of a digest whose sending has started and whose
// number is below before. They include messages that are public. They have no articles;
// EditionContents returns those.
func (s *Store) StartedEditions(ctx context.Context, digest string, before, limit int) ([]Edition, error) {
	return s.readers.startedEditions(ctx, "edition.started", digest, before, limit)
}

// StartedEdition returns an edition of a digest by its number, with its articles. It returns
// ErrNotFound if the sending has not started, or for a message that is not public.
func (s *Store) StartedEdition(ctx context.Context, digest string, number int) (Edition, error) {
	found, err := s.readers.editions(ctx, "edition.startedNumber", digest, number)
	if err == nil && len(found) == 0 {
		err = notFound("edition", number)
	}
	if err != nil {
		return Edition{}, err
	}
	return found[0], nil
}

// StartedBeside returns the editions of a digest before and after a number, of those whose sending
// has started. At the ends they are nil.
func (s *Store) StartedBeside(ctx context.Context, digest string, number int) (before, after *Edition, err error) {
	older, err := s.readers.startedEditions(ctx, "edition.started", digest, number, 1)
	if err != nil {
		return nil, nil, err
	}
	newer, err := s.readers.startedEditions(ctx, "edition.startedAfter", digest, number)
	if err != nil {
		return nil, nil, err
	}
	if len(older) > 0 {
		before = &older[0]
	}
	if len(newer) > 0 {
		after = &newer[0]
	}
	return before, after, nil
}

// startedEditions returns the editions of a query without their articles.
func (c *conn) startedEditions(ctx context.Context, query string, args ...any) ([]Edition, error) {
	var out []Edition
	err := c.Each(ctx, query, args, func(rows *sql.Rows) error {
		e, err := scanEdition(rows)
		out = append(out, e)
		return err
	})
	return out, err
}

// EditionContents returns the articles of editions as lists show them: id, status, title, image,
// date and expiry. An article that is not in the store any more has the status Removed. The key is
// the number by which chunks refer to the edition.
func (s *Store) EditionContents(ctx context.Context, editions []int64) (map[int64][]article.Article, error) {
	out := make(map[int64][]article.Article, len(editions))
	err := s.readers.Each(ctx, "edition.contents", []any{jsonList(editions)}, func(rows *sql.Rows) error {
		var seq, published, expires int64
		var a article.Article
		var image string
		if err := rows.Scan(&seq, &a.ID, &a.Status, &a.Title, &published, &expires, &image); err != nil {
			return err
		}
		if a.Status == "" {
			a.Status = article.Removed
		}
		if image != "" {
			if err := json.Unmarshal([]byte(image), &a.Image); err != nil {
				return fmt.Errorf("article %s: %w", a.ID, err)
			}
		}
		a.Published, a.Expires = timeOf(published), timeOf(expires)
		out[seq] = append(out[seq], a)
		return nil
	})
	return out, err
}
