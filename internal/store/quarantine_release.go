package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store/sqldb"
)

// Decision is an owner's decision on an edition after a restore.
type Decision string

// The decisions. QuarantinedEdition.Outcome is what happens to an edition without one.
const (
	DecideSent     Decision = "sent"     // treat it as sent; its open mails are not sent
	DecideContinue Decision = "continue" // send it to the recipients whose mail was not sent
	DecideHold     Decision = "hold"     // keep it paused, or as a draft
	DecideCancel   Decision = "cancel"   // send it to no further recipient; the articles of an edition that the store lost go into the next one
)

// Decisions lists all decisions.
var Decisions = []Decision{DecideSent, DecideContinue, DecideHold, DecideCancel}

// QuarantinedEdition is an edition that an owner decides on.
type QuarantinedEdition struct {
	ID, Digest, ScheduledFor, Subject string
	Number                            int
	Audience                          int64        // number of recipients, according to the journal or the store
	Recorded                          int64        // recipients whose mail was sent according to the journal
	Began, Ended                      time.Time    // according to the journal; zero without a record
	Stored                            digest.State // state in the store; empty if the store lost the edition
	Decision                          Decision     // empty until decided
}

// QuarantinedEditions returns the editions that an owner has to decide on, oldest first.
func (s *Store) QuarantinedEditions(ctx context.Context) ([]QuarantinedEdition, error) {
	var out []QuarantinedEdition
	err := s.readers.Each(ctx, "quarantine.editions", nil, func(rows *sql.Rows) error {
		var q QuarantinedEdition
		var began, ended int64
		err := rows.Scan(&q.ID, &q.Digest, &q.Number, &q.ScheduledFor, &q.Subject, &q.Audience, &q.Recorded, &began, &ended, &q.Decision, &q.Stored)
		q.Began, q.Ended = timeOf(began), timeOf(ended)
		out = append(out, q)
		return err
	})
	return out, err
}

// Allows reports whether a decision can be carried out: an edition that the store
// lost cannot be continued or held.
func (q *QuarantinedEdition) Allows(d Decision) bool {
	switch d {
	case DecideSent, DecideCancel:
		return true
	case DecideContinue, DecideHold:
		return q.Stored != ""
	}
	return false
}

// Outcome returns what happens to the edition when the quarantine ends: the decision of the
// owner. Without one it is held, or counts as sent if the store lost it.
func (q *QuarantinedEdition) Outcome() Decision {
	switch {
	case q.Decision != "":
		return q.Decision
	case q.Allows(DecideHold):
		return DecideHold
	}
	return DecideSent
}

// DecideQuarantined stores an owner's decision on an edition of a quarantine. It takes
// effect with ReleaseQuarantine.
func (s *Store) DecideQuarantined(ctx context.Context, id string, d Decision) error {
	all, err := s.QuarantinedEditions(ctx)
	if err != nil {
		return err
	}
	for i := range all {
		if all[i].ID != id {
			continue
		}
		if !all[i].Allows(d) {
			return fmt.Errorf("edition %s cannot get the decision %q, because the backup does not contain it; choose sent or cancel", id, d)
		}
		return s.write(ctx, func(tx *conn) error {
			_, err := tx.Exec(ctx, "quarantine.decide", id, string(d))
			return err
		})
	}
	return notFound("edition in quarantine", id)
}

// Release holds the options of ReleaseQuarantine.
type Release struct {
	Ticks       []SkippedTicks // of each digest with a schedule
	SingleMails string         // the kind of the jobs that send single mails
	// ArticlesSent marks all articles that are dated between the backup and now as seen,
	// including those that are imported later. Without a journal it is unknown which of
	// them were mailed.
	ArticlesSent bool
}

// SkippedTicks are the ticks of a digest between the backup and now. They do not fire.
type SkippedTicks struct {
	Digest  string
	Keys    []string
	Advance ScheduleUpdate
}

// ReleaseQuarantine carries out the decisions and ends the quarantine, in one transaction.
// It returns the editions with the decisions that were carried out. Without a quarantine it
// returns ErrNotFound.
func (s *Store) ReleaseQuarantine(ctx context.Context, release Release) ([]QuarantinedEdition, error) {
	editions, err := s.QuarantinedEditions(ctx)
	if err != nil {
		return nil, err
	}
	err = s.write(ctx, func(tx *conn) error {
		q, err := s.quarantine(ctx, tx)
		if err == nil && q == nil {
			err = notFound("quarantine", "")
		}
		if err == nil && q.Reason == Moved {
			err = &MovedError{string(s.engine), q.Since}
		}
		if err != nil {
			return err
		}
		for i := range editions {
			editions[i].Decision = editions[i].Outcome()
			if err := s.applyDecision(ctx, tx, &editions[i]); err != nil {
				return sqldb.Wrap("edition "+editions[i].ID, err)
			}
		}
		if _, err := tx.Exec(ctx, "quarantine.dropSingleMails", release.SingleMails, "dropped: it waited when the backup was made, and may have been sent since", millis(s.Now()), millis(q.Since)); err != nil {
			return err
		}
		for _, query := range []string{"quarantine.forgetRecipients", "quarantine.forgetAccess", "quarantine.done", "quarantine.end"} {
			if _, err := tx.Exec(ctx, query); err != nil {
				return err
			}
		}
		if err := s.skipTicks(ctx, tx, release); err != nil || !release.ArticlesSent {
			return err
		}
		for _, query := range []string{"quarantine.gap", "quarantine.fillGap"} {
			if _, err := tx.Exec(ctx, query, millis(q.Taken), millis(s.Now())); err != nil {
				return err
			}
		}
		return nil
	})
	return editions, err
}

// applyDecision carries out the decision on an edition.
func (s *Store) applyDecision(ctx context.Context, tx *conn, q *QuarantinedEdition) error {
	if _, err := tx.Exec(ctx, "quarantine.decide", q.ID, string(q.Decision)); err != nil {
		return err
	}
	if q.Stored == "" {
		if q.Decision == DecideCancel {
			return tx.releaseArticlesOf(ctx, q.ID)
		}
		return nil
	}
	found, err := tx.editions(ctx, "edition.get", q.ID)
	if err != nil || len(found) == 0 || found[0].State.Final() {
		return err
	}
	e := found[0]
	switch q.Decision {
	case DecideSent:
		return s.applySent(ctx, tx, e, q)
	case DecideCancel:
		return s.applyCancel(ctx, tx, e, q)
	case DecideHold:
		state := digest.Paused
		if e.State == digest.Draft {
			state = digest.Draft
		}
		_, err = tx.Exec(ctx, "quarantine.setState", e.ID, string(state), "held after a restore", 0)
	}
	if err == nil && e.State != digest.Draft {
		_, err = tx.Exec(ctx, "quarantine.reopenChunks", e.Seq)
	}
	return err
}

// applySent marks an edition and all its open mails as sent.
func (s *Store) applySent(ctx context.Context, tx *conn, e Edition, q *QuarantinedEdition) error {
	began, ended := millis(q.Began), millis(q.Ended)
	if began == 0 {
		began = millis(s.Now())
	}
	if ended == 0 {
		ended = millis(s.Now())
	}
	if _, err := tx.Exec(ctx, "quarantine.markAll", e.Seq, sentBeforeRestore, ended); err != nil {
		return err
	}
	for _, query := range []string{"quarantine.endChunks", "quarantine.countChunks"} {
		if _, err := tx.Exec(ctx, query, e.Seq); err != nil {
			return err
		}
	}
	_, err := tx.Exec(ctx, "quarantine.setSent", e.ID, "sent before a restore", began, ended)
	return err
}

// applyCancel cancels an edition. Its articles go into the next edition only if no
// recipient got them.
func (s *Store) applyCancel(ctx context.Context, tx *conn, e Edition, q *QuarantinedEdition) error {
	n, err := tx.Exec(ctx, "edition.setState", e.ID, string(e.State), string(digest.Cancelled), "cancelled after a restore", millis(s.Now()))
	if err != nil || n == 0 {
		return err
	}
	if q.Began.IsZero() && e.Started.IsZero() {
		if err := tx.releaseArticlesOf(ctx, e.ID); err != nil {
			return err
		}
	}
	_, err = tx.Exec(ctx, "quarantine.reopenChunks", e.Seq)
	return err
}

// skipTicks records the skipped ticks and advances the schedules past them.
func (s *Store) skipTicks(ctx context.Context, tx *conn, release Release) error {
	now := millis(s.Now())
	for _, t := range release.Ticks {
		if err := s.claimTick(ctx, tx, t.Digest, &t.Advance); err != nil {
			return err
		}
		for _, key := range t.Keys {
			if _, err := tx.Exec(ctx, "tick.insert", t.Digest, key, "", "not fired: it lay between a backup and its restore", now); err != nil {
				return err
			}
		}
	}
	return nil
}
