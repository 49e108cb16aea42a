package store

import (
	"context"

	"github.com/tidings-press/tidings/article"
)

// RemoveArticle takes an article away from readers. Its row stays, so that its
// page can say that it is gone (410) and feeds can carry a tombstone. Removing it
// again changes nothing.
func (s *Store) RemoveArticle(ctx context.Context, id string) error {
	return s.setArticleStatus(ctx, id, article.Removed)
}

// RestoreArticle brings a removed article back to where it was.
func (s *Store) RestoreArticle(ctx context.Context, id string) error {
	return s.setArticleStatus(ctx, id, article.Published)
}

func (s *Store) setArticleStatus(ctx context.Context, id string, status article.Status) error {
	old, err := s.Article(ctx, id)
	if err != nil || old.Status == status {
		return err
	}
	return s.write(ctx, func(tx *runner) error {
		var revision, seq, removed int64
		if status == article.Removed {
			removed = millis(s.Now())
		}
		if _, err := tx.one(ctx, "revision.raise", nil, &revision); err != nil {
			return err
		}
		found, err := tx.one(ctx, "article.setStatus", []any{id, string(status), removed, revision}, &seq)
		if err != nil || !found {
			return err
		}
		if _, err = tx.exec(ctx, "article.setLabelStatus", seq, string(status)); err != nil {
			return err
		}
		return s.depart(ctx, tx) // a restored one takes its tombstone from the feeds
	})
}
