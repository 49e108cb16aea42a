package store

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store/sqldb"
)

// HeldAtDeadline is the Held of a draft that too few editors had approved when its time came.
const HeldAtDeadline = "not approved by its send time"

// DueDrafts returns the oldest drafts of some digests whose time to be sent has come, that no
// editor holds, and that no node may approve yet.
func (s *Store) DueDrafts(ctx context.Context, digests []string, limit int) ([]Edition, error) {
	return s.readers.editions(ctx, "proof.due", jsonList(digests), millis(s.Now()), limit)
}

// SendDraft lets any node approve a draft whose time has come, and records the approval. It
// returns a *StateError if the draft is not as it was read: approved, cancelled, held, or joined by
// a later tick.
func (s *Store) SendDraft(ctx context.Context, e Edition, approval Approval) error {
	return s.write(ctx, func(tx *conn) error {
		if err := s.meetDeadline(ctx, tx, e, true, "", digest.Approved); err != nil {
			return err
		}
		return putApproval(ctx, tx, e.Seq, approval)
	})
}

// HoldDueDraft holds a draft whose time has come without the approvals, and stores jobs. It returns
// the errors of SendDraft.
func (s *Store) HoldDueDraft(ctx context.Context, e Edition, jobs ...Job) error {
	return s.write(ctx, func(tx *conn) error {
		if err := s.meetDeadline(ctx, tx, e, false, HeldAtDeadline, digest.Draft); err != nil {
			return err
		}
		return s.enqueueAll(ctx, tx, jobs)
	})
}

func (s *Store) meetDeadline(ctx context.Context, tx *conn, e Edition, send bool, held string, to digest.State) error {
	n, err := tx.Exec(ctx, "proof.meetDeadline", e.ID, millis(e.SendAt), number(send), held)
	if err == nil && n == 0 {
		err = s.changedState(ctx, tx, e.ID, to)
	}
	return err
}

// HoldDraft keeps the schedule from sending a draft, for a reason. It returns a *StateError if the
// draft is held already, or is not a draft any more.
func (s *Store) HoldDraft(ctx context.Context, id, reason string) error {
	return s.write(ctx, func(tx *conn) error {
		n, err := tx.Exec(ctx, "proof.hold", id, reason)
		if err == nil && n == 0 {
			err = s.changedState(ctx, tx, id, digest.Draft)
		}
		return err
	})
}

// ReleaseDraft ends the hold of a draft before its time. It returns a *StateError if nothing
// holds it, or its time has passed.
func (s *Store) ReleaseDraft(ctx context.Context, id string) error {
	return s.write(ctx, func(tx *conn) error {
		n, err := tx.Exec(ctx, "proof.unhold", id, millis(s.Now()))
		if err == nil && n == 0 {
			err = s.changedState(ctx, tx, id, digest.Draft)
		}
		return err
	})
}

// changedState returns the *StateError for a change that came too late, or ErrNotFound.
func (s *Store) changedState(ctx context.Context, tx *conn, id string, want digest.State) error {
	found, err := tx.editions(ctx, "edition.get", id)
	if err == nil && len(found) == 0 {
		err = notFound("edition", id)
	}
	if err == nil {
		err = &StateError{Edition: id, Have: found[0].State, Want: want}
	}
	return err
}

// SkipDraft cancels a draft whose time has come, for a reason that its tick records too. Its
// articles wait for the next edition. The jobs are stored in the same transaction. It returns the
// errors of SendDraft.
func (s *Store) SkipDraft(ctx context.Context, e Edition, reason string, jobs ...Job) error {
	return s.write(ctx, func(tx *conn) error {
		if err := s.meetDeadline(ctx, tx, e, false, "", digest.Cancelled); err != nil {
			return err
		}
		if err := s.setEditionState(ctx, tx, e.ID, digest.Cancelled, reason); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "tick.setReason", e.Digest, e.ScheduledFor, reason); err != nil {
			return err
		}
		return s.enqueueAll(ctx, tx, jobs)
	})
}

// FinishEmptyEditions marks approved editions without recipients as sent when their time has
// come.
func (s *Store) FinishEmptyEditions(ctx context.Context) error {
	due, err := sqldb.Column[int64](ctx, s.readers.Conn, "proof.emptyDue", millis(s.Now()))
	if err != nil || len(due) == 0 {
		return err
	}
	return s.write(ctx, func(tx *conn) error {
		for _, seq := range due {
			if err := s.startEdition(ctx, tx, seq); err != nil {
				return err
			}
			if _, err := s.finish(ctx, tx, seq); err != nil {
				return err
			}
		}
		return nil
	})
}

// TickHandled reports whether a tick of a digest was handled: it made an edition or was skipped.
func (s *Store) TickHandled(ctx context.Context, digestName, key string) (bool, error) {
	var edition string
	return s.readers.One(ctx, "tick.get", []any{digestName, key}, &edition)
}

// Approval is the approval of a draft's content by one editor.
type Approval struct {
	Editor      int64  // 0 for the schedule and the command line
	Name        string // the editor's address at that time
	Fingerprint string // of the approved content
	At          time.Time
}

// Approvals returns the approvals of an edition, the oldest first. While it is a draft, those of
// editors who may no longer sign in are left out.
func (s *Store) Approvals(ctx context.Context, seq int64) ([]Approval, error) {
	return s.readers.approvals(ctx, seq)
}

func (c *conn) approvals(ctx context.Context, seq int64) ([]Approval, error) {
	var out []Approval
	err := c.Each(ctx, "approval.list", []any{seq}, func(rows *sql.Rows) error {
		var a Approval
		var at int64
		err := rows.Scan(&a.Editor, &a.Name, &a.Fingerprint, &at)
		a.At = timeOf(at)
		out = append(out, a)
		return err
	})
	return out, err
}

func putApproval(ctx context.Context, tx *conn, seq int64, a Approval) error {
	_, err := tx.Exec(ctx, "approval.put", seq, a.Editor, a.Name, a.Fingerprint, millis(a.At))
	return err
}

// RecordApproval records an editor's approval of a draft, and discards the approvals of other
// content. A second approval of the same editor replaces the first. It returns the approvals that
// count now. The jobs are stored only if approvals of other editors were discarded. The error is a
// *StateError if the edition is not a draft any more.
func (s *Store) RecordApproval(ctx context.Context, e Edition, a Approval, jobs ...Job) ([]Approval, error) {
	var out []Approval
	err := s.write(ctx, func(tx *conn) error {
		var id string
		if _, err := tx.One(ctx, "edition.lock", []any{e.Seq}, &id); err != nil {
			return err
		}
		found, err := tx.editions(ctx, "edition.bySeq", e.Seq)
		if err == nil && (len(found) == 0 || found[0].State != digest.Draft) {
			err = s.changedState(ctx, tx, e.ID, digest.Approved)
		}
		if err != nil {
			return err
		}
		if err := putApproval(ctx, tx, e.Seq, a); err != nil {
			return err
		}
		noteAudit(ctx, func(e *AuditEntry) { e.Detail = strings.TrimSpace("one of several approvals " + e.Detail) })
		n, err := tx.Exec(ctx, "approval.discard", e.Seq, a.Fingerprint)
		if err == nil && n > 0 {
			err = s.enqueueAll(ctx, tx, jobs)
		}
		if err != nil {
			return err
		}
		out, err = tx.approvals(ctx, e.Seq)
		return err
	})
	return out, err
}

// DiscardApprovals removes the approvals of other content than the fingerprint's. The jobs are
// stored in the same transaction if there were any. It returns how many there were.
func (s *Store) DiscardApprovals(ctx context.Context, seq int64, fingerprint string, jobs ...Job) (n int64, err error) {
	err = s.write(ctx, func(tx *conn) error {
		if n, err = tx.Exec(ctx, "approval.discard", seq, fingerprint); err != nil || n == 0 {
			return err
		}
		return s.enqueueAll(ctx, tx, jobs)
	})
	return n, err
}

// DraftsWithApprovals returns the drafts of some digests that at least one editor has approved.
func (s *Store) DraftsWithApprovals(ctx context.Context, digests []string, limit int) ([]Edition, error) {
	return s.readers.editions(ctx, "approval.drafts", jsonList(digests), limit)
}

// FinishJobWith ends a claimed job and stores others, in one transaction.
func (s *Store) FinishJobWith(ctx context.Context, job Job, jobs []Job) error {
	return s.write(ctx, func(tx *conn) error {
		n, err := tx.Exec(ctx, "job.finish", job.ID, job.Epoch, job.payload(), millis(s.Now()), []byte{})
		if err == nil && n == 0 {
			err = ErrLease
		}
		if err != nil {
			return err
		}
		return s.enqueueAll(ctx, tx, jobs)
	})
}
