package store

import (
	"context"
	"database/sql"

	"github.com/tidings-press/tidings/internal/digest"
)

// WithdrawnArticle is an article of an edition that is not published any more.
type WithdrawnArticle struct {
	ID, Title string
}

// WithdrawnArticles returns the articles of an edition that are not published any more.
func (s *Store) WithdrawnArticles(ctx context.Context, seq int64) ([]WithdrawnArticle, error) {
	var out []WithdrawnArticle
	err := s.readers.Each(ctx, "edition.withdrawn", []any{seq}, func(rows *sql.Rows) error {
		var w WithdrawnArticle
		err := rows.Scan(&w.ID, &w.Title)
		out = append(out, w)
		return err
	})
	return out, err
}

// EditionsUnderWay returns the ids of the editions that hold an article and are approved, being
// sent or paused.
func (s *Store) EditionsUnderWay(ctx context.Context, article string) ([]string, error) {
	var out []string
	err := s.readers.Each(ctx, "edition.holding", []any{article}, func(rows *sql.Rows) error {
		var id string
		err := rows.Scan(&id)
		out = append(out, id)
		return err
	})
	return out, err
}

// WithdrawalNotice is an article of an approved edition that was withdrawn, and of which no editor
// has been told.
type WithdrawalNotice struct {
	WithdrawnArticle
	Seq             int64 // of the edition
	Edition, Digest string
	Subject         string
	State           digest.State
}

// PendingWithdrawalNotices returns the withdrawn articles of all editions that are approved, being sent or
// paused and of which no editor has been told.
func (s *Store) PendingWithdrawalNotices(ctx context.Context) ([]WithdrawalNotice, error) {
	var out []WithdrawalNotice
	err := s.readers.Each(ctx, "edition.untold", nil, func(rows *sql.Rows) error {
		var u WithdrawalNotice
		err := rows.Scan(&u.Seq, &u.Edition, &u.Digest, &u.Subject, &u.State, &u.ID, &u.Title)
		out = append(out, u)
		return err
	})
	return out, err
}

// RecordWithdrawalNotice keeps that editors are told of a withdrawn article, with the jobs that do so. first is
// false when another node has done it.
func (s *Store) RecordWithdrawalNotice(ctx context.Context, u WithdrawalNotice, jobs []Job) (first bool, err error) {
	err = s.write(ctx, func(tx *conn) error {
		n, err := tx.Exec(ctx, "edition.tell", u.Seq, u.ID, millis(s.Now()))
		if first = n == 1; err != nil || !first {
			return err
		}
		return s.enqueueAll(ctx, tx, jobs)
	})
	return first, err
}
