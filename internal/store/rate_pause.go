package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/metrics"
)

// PauseCause is why the program pauses an edition.
type PauseCause string

// The causes.
const (
	PausedForComplaints PauseCause = "complaints" // too many recipients reported the digest as spam
	PausedForRefusals   PauseCause = "refusals"   // too many recipients do not exist
)

// Rates are the facts about how recipients take the mail of an edition and of its digest. What was
// known when an editor resumed a paused edition is left out of Complaints, Attempts and Refusals.
type Rates struct {
	Sent       int64 // mails of the digest's recent editions
	Complaints int64 // about them
	Attempts   int64 // mails of the edition that were sent or refused
	Refusals   int64 // recipients of the edition that do not exist
	Open       int64 // mails of the edition that are still to be sent
}

// ratedEditions bounds how many editions of a digest are read for its rates.
const ratedEditions = 200

// Rates returns the facts about an edition and its digest. Recent editions are those whose sending
// began after since, and at least the last two. They include the edition itself.
func (s *Store) Rates(ctx context.Context, edition Edition, since time.Time) (Rates, error) {
	var out Rates
	var resumed int64
	if _, err := s.readers.One(ctx, "rate.resumed", []any{edition.Digest}, &resumed); err != nil {
		return out, err
	}
	counted := 0
	err := s.readers.Each(ctx, "rate.ofDigest", []any{edition.Digest, resumed, ratedEditions}, func(rows *sql.Rows) error {
		var started, sent, complaints int64
		if err := rows.Scan(&started, &sent, &complaints); err != nil || started < millis(since) && counted >= 2 {
			return err
		}
		counted++
		out.Sent, out.Complaints = out.Sent+sent, out.Complaints+complaints
		return nil
	})
	if err != nil {
		return out, err
	}
	counts, refusals, err := s.refusals(ctx, edition)
	if err != nil {
		return out, err
	}
	out.Attempts, out.Refusals, out.Open = counts.Sent+counts.Refused, refusals, counts.Open()
	var known, knownRefusals int64
	_, err = s.readers.One(ctx, "rate.base", []any{edition.Seq}, &known, &knownRefusals)
	out.Attempts, out.Refusals = max(out.Attempts-known, 0), max(out.Refusals-knownRefusals, 0)
	return out, err
}

// refusals returns the counts of an edition, and how many of its recipients do not exist.
func (s *Store) refusals(ctx context.Context, edition Edition) (DeliveryCounts, int64, error) {
	counts, err := s.EditionCounts(ctx, edition.Seq)
	if err != nil {
		return counts, 0, err
	}
	feedback, err := s.CountFeedback(ctx, edition.ID)
	return counts, feedback[FeedbackBounced], err
}

// PauseForRates pauses an edition that is being sent, and stores the jobs that mail editors about
// it. paused is false, and nothing is stored, if it is not being sent any more.
func (s *Store) PauseForRates(ctx context.Context, edition Edition, cause PauseCause, reason string, jobs []Job) (paused bool, err error) {
	err = s.write(ctx, func(tx *conn) error {
		if err := s.setEditionState(ctx, tx, edition.ID, digest.Paused, reason); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "rate.pause", edition.Seq, edition.Digest, string(cause), millis(s.Now())); err != nil {
			return err
		}
		return s.enqueueAll(ctx, tx, jobs)
	})
	var state *StateError
	if errors.As(err, &state) {
		return false, nil
	}
	if err == nil {
		metrics.EditionPaused(string(cause))
	}
	return err == nil, err
}

// ResumeEdition continues a paused edition in the state next. If it was paused for its rates, what
// is known until now does not pause it again.
func (s *Store) ResumeEdition(ctx context.Context, edition Edition, next digest.State) error {
	counts, refusals, err := s.refusals(ctx, edition)
	if err != nil {
		return err
	}
	return s.write(ctx, func(tx *conn) error {
		if err := s.setEditionState(ctx, tx, edition.ID, next, ""); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, "rate.resume", edition.Seq, millis(s.Now()), counts.Sent+counts.Refused, refusals)
		return err
	})
}
