package store

import (
	"context"
	"time"
)

// LastChange is what every node asks for several times a second.
type LastChange struct {
	Revision int64 // every change of an article raises it
	// LastRemoval is when an article may last have left a feed: every edit, removal and
	// return of an article moves it, and so do other settings; a new article does not.
	LastRemoval   time.Time
	Settings      string    // fingerprint of what the newest node serves feeds with
	SettingsSince time.Time // when it began to
}

// LastChange costs one row.
func (s *Store) LastChange(ctx context.Context) (LastChange, error) {
	var last LastChange
	var departed, settled int64
	_, err := s.readers.One(ctx, "revision.get", nil, &last.Revision, &departed, &last.Settings, &settled)
	last.LastRemoval, last.SettingsSince = timeOf(departed), timeOf(settled)
	return last, err
}

// Revision is the number that every change of an article raises.
func (s *Store) Revision(ctx context.Context) (int64, error) {
	last, err := s.LastChange(ctx)
	return last.Revision, err
}

// SetFeedSettings says by a fingerprint what feeds are served with from now on. It does
// nothing when that is what it was.
func (s *Store) SetFeedSettings(ctx context.Context, settings string) error {
	return s.write(ctx, func(tx *conn) error {
		_, err := tx.Exec(ctx, "revision.settle", settings, millis(s.Now()))
		return err
	})
}

// depart says that an article may have left a feed. Which one is not asked: with a
// word that an edit takes out it leaves the feeds of searches, with a later date
// those of everything.
func (s *Store) depart(ctx context.Context, tx *conn) error {
	_, err := tx.Exec(ctx, "revision.depart", millis(s.Now()))
	return err
}

// ChangedSince returns up to limit articles that changed after a revision, removed
// ones included, in the order of their last change. The Revision of the last one
// is where to go on from.
func (s *Store) ChangedSince(ctx context.Context, revision int64, limit int) ([]StoredArticle, error) {
	return s.readers.articles(ctx, "article.changed", revision, limit)
}

// Appeared returns up to limit published articles that appear from one moment to
// another, both included, the oldest first.
func (s *Store) Appeared(ctx context.Context, from, to time.Time, limit int) ([]StoredArticle, error) {
	return s.readers.articles(ctx, "article.appeared", millis(from), millis(to), limit)
}

// NextAppearance is when the next published article with a future date appears
// after now; the zero time when there is none.
func (s *Store) NextAppearance(ctx context.Context, now time.Time) (time.Time, error) {
	var at int64
	_, err := s.readers.One(ctx, "article.nextDue", []any{millis(now)}, &at)
	return timeOf(at), err
}
