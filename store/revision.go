package store

import (
	"context"
	"time"
)

// Revision is a number that every change of an article raises. Asking for it
// costs one row, so that other nodes may ask several times a second.
func (s *Store) Revision(ctx context.Context) (int64, error) {
	var value int64
	_, err := s.readers.one(ctx, "revision.get", nil, &value)
	return value, err
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
