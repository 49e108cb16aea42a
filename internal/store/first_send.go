package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/tidings-press/tidings/internal/digest"
)

// FirstSendLimit is the number of recipients above which the first edition of a store is held until the
// service was diagnosed.
const FirstSendLimit = 1000

// Diagnosis is the last complete run of tidings doctor, and who let the first large edition be sent
// without a good one.
type Diagnosis struct {
	At       time.Time // of the run; zero if there was none
	Errors   int       // findings of the run
	Warnings int
	Report   []byte // of the run, as JSON

	Accepted   time.Time // when the first large edition was let pass; zero if it was not
	AcceptedBy string
}

// Good reports whether the last run found no errors.
func (d Diagnosis) Good() bool { return !d.At.IsZero() && d.Errors == 0 }

// Diagnosis returns the last complete run.
func (s *Store) Diagnosis(ctx context.Context) (d Diagnosis, err error) {
	err = s.readers.Each(ctx, "diagnosis.get", nil, func(rows *sql.Rows) error {
		var at, accepted int64
		var report string
		err := rows.Scan(&at, &d.Errors, &d.Warnings, &report, &accepted, &d.AcceptedBy)
		d.At, d.Accepted, d.Report = timeOf(at), timeOf(accepted), []byte(report)
		return err
	})
	return d, err
}

// RecordDiagnosis stores a complete run in place of the previous one. Editions that waited for a run
// without errors are then approved.
func (s *Store) RecordDiagnosis(ctx context.Context, d Diagnosis) error {
	return s.write(ctx, func(tx *conn) error {
		_, err := tx.Exec(ctx, "diagnosis.put", millis(d.At), d.Errors, d.Warnings, string(d.Report))
		return err
	})
}

// AcceptFirstSend lets the first large edition be sent although the service was not diagnosed without
// errors. by is the editor, or the command line.
func (s *Store) AcceptFirstSend(ctx context.Context, by string) error {
	return s.write(ctx, func(tx *conn) error {
		_, err := tx.Exec(ctx, "diagnosis.accept", millis(s.Now()), by)
		return err
	})
}

// MaySendFirst reports whether an edition to more than FirstSendLimit recipients may be sent: the last
// complete run found no errors, an owner let it pass, or such an edition was sent before.
func (s *Store) MaySendFirst(ctx context.Context) (bool, error) {
	var allowed int64
	_, err := s.readers.One(ctx, "diagnosis.allows", nil, &allowed)
	return allowed > 0, err
}

// HoldFirstSend records why a draft that no editor has to approve is not sent yet, and enqueues jobs that
// report it. The draft still needs no approval. Only the first of several nodes succeeds.
func (s *Store) HoldFirstSend(ctx context.Context, id, reason string, jobs ...Job) (first bool, err error) {
	err = s.write(WithoutAudit(ctx), func(tx *conn) error {
		n, err := tx.Exec(ctx, "diagnosis.hold", id, reason)
		if first = n == 1; err != nil || !first {
			return err
		}
		return s.enqueueAll(ctx, tx, jobs)
	})
	return first, err
}

// HeldEditions returns the drafts that something holds, the newest first.
func (s *Store) HeldEditions(ctx context.Context, limit int) ([]Edition, error) {
	open, err := s.OpenEditions(ctx, limit)
	var out []Edition
	for i := range open {
		if open[i].State == digest.Draft && open[i].Held != "" {
			out = append(out, open[i])
		}
	}
	return out, err
}
