package store

import (
	"context"
	"database/sql"
	"slices"

	"github.com/tidings-press/tidings/internal/digest"
)

// EditDraft replaces the subject, the edits and the articles of a draft by those of next. was is
// the draft as the editor saw it. Articles that next lacks return to the queue, or are marked as
// seen if next.Edits excludes them for good. EditDraft returns ErrDraftChanged if the draft is no
// longer was, a *StateError if it is not a draft, and ErrTaken if another edition contains an
// article that next adds.
func (s *Store) EditDraft(ctx context.Context, was, next Edition) error {
	return s.write(ctx, func(tx *conn) error {
		n, err := tx.Exec(ctx, "edition.edit", was.ID, next.Subject, encodeEdits(next.Edits), millis(was.Created), was.Subject, encodeEdits(was.Edits))
		if err == nil && n == 0 {
			err = draftError(ctx, tx, was.ID, digest.Draft)
		}
		if err == nil {
			err = tx.touchMedia(ctx, encodeEdits(next.Edits))
		}
		if err != nil || slices.Equal(was.Articles, next.Articles) {
			return err
		}
		if err := releaseArticles(ctx, tx, was, next); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "edition.clearArticles", was.Seq); err != nil {
			return err
		}
		for i, id := range next.Articles {
			if _, err := tx.Exec(ctx, "edition.addArticle", was.Seq, i, id); err != nil {
				return err
			}
			if slices.Contains(was.Articles, id) {
				continue
			}
			n, err := tx.Exec(ctx, "ledger.take", was.Digest, id, was.ID)
			if err == nil && n == 0 {
				err = ErrTaken
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// releaseArticles updates the ledger for the articles that an editor took out of a draft.
func releaseArticles(ctx context.Context, tx *conn, was, next Edition) error {
	for _, id := range was.Articles {
		if slices.Contains(next.Articles, id) {
			continue
		}
		query := "ledger.drop"
		if slices.ContainsFunc(next.Edits.Excluded, func(x digest.Exclusion) bool { return x.Article == id && x.ForGood }) {
			query = "ledger.exclude"
		}
		if _, err := tx.Exec(ctx, query, was.Digest, id, was.ID); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "queue.released", was.Digest); err != nil {
			return err
		}
	}
	return nil
}

// EditionsWith returns, for each of the articles that no longer waits for a digest, the id of the
// edition that contains them, or "" for an article that was marked as seen.
func (s *Store) EditionsWith(ctx context.Context, digestName string, articles []string) (map[string]string, error) {
	out := map[string]string{}
	err := s.readers.Each(ctx, "ledger.of", []any{digestName, jsonList(articles)}, func(rows *sql.Rows) error {
		var id, edition string
		err := rows.Scan(&id, &edition)
		out[id] = edition
		return err
	})
	return out, err
}
