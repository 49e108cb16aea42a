package store

import (
	"context"
	"database/sql"
	"time"
)

// EndedWithoutNotice returns the oldest editions that were sent, cancelled or failed and whose end
// was not recorded by RecordEndNotice yet.
func (s *Store) EndedWithoutNotice(ctx context.Context, limit int) ([]Edition, error) {
	return s.readers.startedEditions(ctx, "notice.ended", limit)
}

// RecordEndNotice records that editors are notified of the end of an edition, and stores the jobs
// that mail it. first is false, and nothing is stored, if another node was faster.
func (s *Store) RecordEndNotice(ctx context.Context, seq int64, jobs []Job) (first bool, err error) {
	err = s.write(ctx, func(tx *conn) error {
		n, err := tx.Exec(ctx, "notice.recordEnd", seq, millis(s.Now()))
		if first = n == 1; err != nil || !first {
			return err
		}
		return s.enqueueAll(ctx, tx, jobs)
	})
	return first, err
}

// RecordNotice records that editors are notified of an event, and stores the jobs that mail it.
// first is false, and nothing is stored, if that was done less than the duration every before.
// Records are kept for three months.
func (s *Store) RecordNotice(ctx context.Context, event string, every time.Duration, jobs []Job) (first bool, err error) {
	err = s.write(ctx, func(tx *conn) error {
		var at int64
		now := s.Now()
		if first, err = tx.One(ctx, "alert.take", []any{event, millis(now), max(millis(now.Add(-every)), 0)}, &at); err != nil || !first {
			return err
		}
		return s.enqueueAll(ctx, tx, jobs)
	})
	return first, err
}

// EditionComplaints counts the recipients who reported an edition as spam.
type EditionComplaints struct {
	Seq                 int64
	ID, Digest, Subject string
	Complaints          int64
}

// EditionsWithComplaints returns the editions about which there were complaints since a time.
func (s *Store) EditionsWithComplaints(ctx context.Context, since time.Time) ([]EditionComplaints, error) {
	var out []EditionComplaints
	err := s.readers.Each(ctx, "notice.complaints", []any{millis(since)}, func(rows *sql.Rows) error {
		var c EditionComplaints
		err := rows.Scan(&c.Seq, &c.ID, &c.Digest, &c.Subject, &c.Complaints)
		out = append(out, c)
		return err
	})
	return out, err
}
