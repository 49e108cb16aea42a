package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/store/sqldb"
)

// RemoveArticle hides an article from readers. Its row stays, so that its page can answer
// 410 and feeds can carry a tombstone. An article that no feed had (a draft, an unlisted
// one, or one with a future date) is withdrawn instead, since a tombstone would reveal
// it. Removing it again changes nothing.
func (s *Store) RemoveArticle(ctx context.Context, id string) error {
	return s.setVisibility(ctx, id, afterRemoval)
}

// afterRemoval returns the visibility of an article after its removal, and whether that is a change.
func afterRemoval(old visibility, now int64) (visibility, bool) {
	next := old
	switch {
	case old.status == article.Published && old.appears <= now:
		next.status = article.Removed
	case !isWithdrawn(old.status):
		next.status, next.former = article.Withdrawn, old.status
	}
	return next, next != old
}

// expiredAtOnce is how many articles WithdrawExpired removes at a time.
const expiredAtOnce = 100

// WithdrawExpired removes the articles that have expired, as RemoveArticle does. It
// returns how many there were.
func (s *Store) WithdrawExpired(ctx context.Context) (int, error) {
	for done := 0; ; {
		var ids []string
		err := s.readers.Each(ctx, "article.expired", []any{millis(s.Now()), expiredAtOnce}, func(rows *sql.Rows) error {
			var id string
			err := rows.Scan(&id)
			ids = append(ids, id)
			return err
		})
		if err != nil || len(ids) == 0 {
			return done, sqldb.Wrap("expired articles", err)
		}
		for _, id := range ids {
			err := s.setVisibility(ctx, id, func(old visibility, now int64) (visibility, bool) {
				if old.expires == 0 || old.expires > now { // an import was faster
					return old, false
				}
				return afterRemoval(old, now)
			})
			if err != nil {
				return done, err
			}
			done++
		}
	}
}

// RestoreArticle brings back an article that was removed or withdrawn, with its former
// status. An expiry date that has passed no longer counts.
func (s *Store) RestoreArticle(ctx context.Context, id string) error {
	return s.setVisibility(ctx, id, func(old visibility, now int64) (visibility, bool) {
		next := old
		switch {
		case old.status == article.Removed:
			next.status = article.Published
		case old.status == article.Withdrawn && old.former == article.Published:
			// Its date may have passed meanwhile: it must not appear in archive pages that
			// readers have already fetched.
			next.status, next.offered, next.appears = article.Published, now, max(now, old.published)
		case old.status == article.Withdrawn && old.former == article.Unlisted:
			next.status = article.Unlisted
		case old.status == article.Withdrawn:
			next.status = article.Draft
		}
		if next != old && old.expires <= now {
			next.expires = 0
		}
		return next, next != old
	})
}

// visibility is what determines whether readers see an article.
type visibility struct {
	status, former              article.Status
	published, offered, appears int64
	expires                     int64
}

// setVisibility takes the revision first, as putArticle does: what is read after it
// cannot change before the commit.
func (s *Store) setVisibility(ctx context.Context, id string, change func(old visibility, now int64) (visibility, bool)) error {
	err := s.write(ctx, func(tx *conn) error {
		var revision, seq, removed int64
		var old visibility
		if _, err := tx.One(ctx, "revision.raise", nil, &revision); err != nil {
			return err
		}
		found, err := tx.One(ctx, "article.visibility", []any{id}, &seq, &old.status, &old.former, &old.published, &old.offered, &old.appears, &old.expires)
		if err != nil {
			return err
		}
		if !found {
			return notFound("article", id)
		}
		now := millis(s.Now())
		next, changed := change(old, now)
		if !changed {
			return errUnchanged
		}
		if isWithdrawn(next.status) {
			removed = now
		}
		_, err = tx.Exec(ctx, "article.setVisibility", seq, string(next.status), string(next.former), removed, next.offered, next.appears, revision, next.expires)
		if err == nil {
			_, err = tx.Exec(ctx, "article.setLabelVisibility", seq, string(next.status), next.appears)
		}
		if err != nil || next.status != article.Removed && old.status != article.Removed {
			return err // the article was in no feed
		}
		return s.noteRemoval(ctx, tx) // restoring an article removes its tombstone from feeds
	})
	if errors.Is(err, errUnchanged) {
		return nil
	}
	return err
}

// isWithdrawn reports whether an article was removed or withdrawn.
func isWithdrawn(s article.Status) bool { return s == article.Removed || s == article.Withdrawn }

// hiddenFromFeeds reports whether articles with a status are in no feed.
func hiddenFromFeeds(s article.Status) bool {
	return s == article.Draft || s == article.Withdrawn || s == article.Unlisted
}
