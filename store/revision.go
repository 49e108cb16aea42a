package store

import (
	"context"
	"time"
)

// Revision is a number that every change of an article raises.
func (s *Store) Revision(ctx context.Context) (int64, error) {
	revision, _, err := s.LastChange(ctx)
	return revision, err
}

// LastChange is the revision, and when an article may last have left a feed: every
// edit, removal and return of an article moves that time, a new article does not.
// Asking costs one row, so that all nodes may ask several times a second.
func (s *Store) LastChange(ctx context.Context) (revision int64, departed time.Time, err error) {
	var at int64
	_, err = s.readers.one(ctx, "revision.get", nil, &revision, &at)
	return revision, timeOf(at), err
}

// depart says that an article may have left a feed. Which one is not asked: with a
// word that an edit takes out it leaves the feeds of searches, with a later date
// those of everything.
func (s *Store) depart(ctx context.Context, tx *runner) error {
	_, err := tx.exec(ctx, "revision.depart", millis(s.Now()))
	return err
}

// ChangedSince returns up to limit articles that changed after a revision, removed
// ones included, in the order of their last change. The Revision of the last one
// is where to go on from.
func (s *Store) ChangedSince(ctx context.Context, revision int64, limit int) ([]Stored, error) {
	return s.readers.articles(ctx, "article.changed", revision, limit)
}

// NextAppearance is when the next published article with a future date appears
// after now; the zero time when there is none.
func (s *Store) NextAppearance(ctx context.Context, now time.Time) (time.Time, error) {
	var at int64
	_, err := s.readers.one(ctx, "article.nextDue", []any{millis(now)}, &at)
	return timeOf(at), err
}
