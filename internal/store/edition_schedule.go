package store

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"
)

// DigestState is the stored state of a digest of the configuration.
type DigestState struct {
	Name    string
	Spec    string    // the schedule and timezone that Next was computed from
	Since   time.Time // articles dated earlier do not belong to it, unless they were added after Began
	Began   time.Time // when its first tick or edition was handled; zero before that
	Next    time.Time // its next tick; zero if there is none
	NextKey string
}

// Tick is a handled tick of a digest.
type Tick struct {
	Digest       string
	ScheduledFor string
	Edition      string // id of its edition; empty if it made none
	Reason       string // why it made no edition
	At           time.Time
}

// ErrTaken reports that another node has handled a tick, or another edition has taken an
// article, in the meantime. The caller starts again.
var ErrTaken = errors.New("another node has changed this digest in the meantime; try again")

// EnsureDigest creates the row of a new digest, and moves the next tick when the schedule
// has changed. It returns the row.
func (s *Store) EnsureDigest(ctx context.Context, d DigestState) (DigestState, error) {
	have, found, err := s.digestState(ctx, s.readers, d.Name)
	if err != nil || found && have.Spec == d.Spec {
		return have, err
	}
	err = s.write(ctx, func(tx *conn) error {
		if _, err := tx.Exec(ctx, "digest.ensure", d.Name, d.Spec, millis(d.Since), millis(d.Next), d.NextKey); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "digest.respec", d.Name, d.Spec, millis(d.Next), d.NextKey); err != nil {
			return err
		}
		have, _, err = s.digestState(ctx, tx, d.Name)
		return err
	})
	return have, err
}

// DigestState returns the state of a digest, or ErrNotFound if EnsureDigest never stored it.
func (s *Store) DigestState(ctx context.Context, name string) (DigestState, error) {
	d, found, err := s.digestState(ctx, s.readers, name)
	if err == nil && !found {
		err = notFound("digest", name)
	}
	return d, err
}

func (s *Store) digestState(ctx context.Context, r *conn, name string) (DigestState, bool, error) {
	var d DigestState
	var since, began, next int64
	found, err := r.One(ctx, "digest.get", []any{name}, &d.Name, &d.Spec, &since, &began, &next, &d.NextKey)
	d.Since, d.Began, d.Next = timeOf(since), timeOf(began), timeOf(next)
	return d, found, err
}

// SetDigestSince sets the beginning of a digest. Of the articles that are in the store now,
// those dated since then belong to the digest, or all with the zero time. Articles that are
// added later belong to it whatever their date, once the digest has had its first tick or
// edition. It returns ErrNotFound if EnsureDigest never stored the digest.
func (s *Store) SetDigestSince(ctx context.Context, name string, since time.Time) error {
	return s.write(ctx, func(tx *conn) error { return s.setSince(ctx, tx, name, since) })
}

func (s *Store) setSince(ctx context.Context, tx *conn, name string, since time.Time) error {
	n, err := tx.Exec(ctx, "digest.setSince", name, millis(since), millis(s.Now()))
	if err == nil && n == 0 {
		err = notFound("digest", name)
	}
	return err
}

// ScheduleUpdate moves a digest from the tick that is due to the next one.
type ScheduleUpdate struct {
	Spec    string    // the digest's spec as it is stored; empty for any
	From    time.Time // the due tick as it is stored
	Next    time.Time
	NextKey string
}

// CreateDraft stores, in one transaction, a new edition as a draft, its articles in the
// ledger, jobs, and the update of the schedule, which is nil for an edition that was
// composed by hand. An edition without a Number gets the next number. The error is ErrTaken
// if another node was faster or the Number is no longer the next one, or ErrQuarantined.
func (s *Store) CreateDraft(ctx context.Context, e Edition, update *ScheduleUpdate, jobs ...Job) (Edition, error) {
	return s.createDraft(ctx, e, update, nil, jobs)
}

// CreateDraftSince is CreateDraft for an edition that is composed by hand and that also sets
// the digest's beginning.
func (s *Store) CreateDraftSince(ctx context.Context, e Edition, since time.Time) (Edition, error) {
	return s.createDraft(ctx, e, nil, &since, nil)
}

func (s *Store) createDraft(ctx context.Context, e Edition, update *ScheduleUpdate, since *time.Time, jobs []Job) (Edition, error) {
	expected := e.Number
	err := s.write(ctx, func(tx *conn) error {
		if err := s.claimDraft(ctx, tx, e, update); err != nil {
			return err
		}
		if since != nil {
			if err := s.setSince(ctx, tx, e.Digest, *since); err != nil {
				return err
			}
		}
		if _, err := tx.One(ctx, "edition.nextNumber", []any{e.Digest}, &e.Number); err != nil {
			return err
		}
		if expected != 0 && e.Number != expected {
			return ErrTaken
		}
		if err := insertEdition(ctx, tx, &e); err != nil {
			return err
		}
		noteAuditObject(ctx, e.ID)
		if err := s.enqueueAll(ctx, tx, jobs); err != nil {
			return err
		}
		if update == nil {
			return nil
		}
		_, err := tx.Exec(ctx, "tick.insert", e.Digest, e.ScheduledFor, e.ID, "", millis(s.Now()))
		return err
	})
	return e, err
}

// NextNumber returns the number of a digest's next edition. A subject may contain it, so it
// is needed before the edition is created. CreateDraft refuses an edition if another one has
// taken its number since.
func (s *Store) NextNumber(ctx context.Context, digestName string) (int, error) {
	var number int
	_, err := s.readers.One(ctx, "edition.nextNumber", []any{digestName}, &number)
	return number, err
}

// ReplaceDraft replaces the articles, the subject and the creation time of a draft that waits
// for an editor by those of e, and advances the schedule: the articles of a later tick are
// added to the waiting draft. was is the draft as it was read. The jobs are stored in the
// same transaction. It returns ErrTaken if the draft has changed since, or another node was
// faster.
func (s *Store) ReplaceDraft(ctx context.Context, was, e Edition, tick string, update ScheduleUpdate, jobs ...Job) error {
	return s.write(ctx, func(tx *conn) error {
		if err := s.claimTick(ctx, tx, e.Digest, &update); err != nil {
			return err
		}
		n, err := tx.Exec(ctx, "edition.redraft", e.ID, e.Subject, millis(e.Created), millis(was.Created), was.Subject, encodeEdits(was.Edits),
			millis(e.SendAt), e.Held, millis(was.SendAt), was.Held)
		if err == nil && n == 0 {
			err = ErrTaken
		}
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "edition.clearArticles", e.Seq); err != nil {
			return err
		}
		if slices.ContainsFunc(was.Articles, func(id string) bool { return !slices.Contains(e.Articles, id) }) {
			if _, err := tx.Exec(ctx, "queue.released", e.Digest); err != nil {
				return err
			}
		}
		if _, err := tx.Exec(ctx, "ledger.release", e.ID); err != nil {
			return err
		}
		if err := insertArticles(ctx, tx, &e); err != nil {
			return err
		}
		if err := s.enqueueAll(ctx, tx, jobs); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, "tick.insert", e.Digest, tick, e.ID, "", millis(s.Now()))
		return err
	})
}

// WaitingDraft returns the newest draft that a digest's schedule created and that waits for an
// editor. found is false if there is none.
func (s *Store) WaitingDraft(ctx context.Context, digestName string) (e Edition, found bool, err error) {
	drafts, err := s.WaitingDrafts(ctx, digestName, 1)
	for err == nil && len(drafts) > 0 {
		// The row and its articles are read by two statements. When the row is the same
		// afterwards, no other node replaced the draft between them.
		var again []Edition
		again, err = s.WaitingDrafts(ctx, digestName, 1)
		if err == nil && len(again) > 0 && again[0].ID == drafts[0].ID && again[0].Created.Equal(drafts[0].Created) {
			return drafts[0], true, nil
		}
		drafts = again
	}
	return e, false, err
}

// WaitingDrafts returns the drafts that a digest's schedule created and that wait for an
// editor, the newest first. A draft whose time to be sent is still to come is none of them. If there are several, their lists of articles are left out.
func (s *Store) WaitingDrafts(ctx context.Context, digestName string, limit int) ([]Edition, error) {
	return s.readers.editions(ctx, "edition.waitingDraft", digestName, limit, millis(s.Now()))
}

// NewestDraft returns the newest draft of a digest, whether its schedule or an editor has made it. found
// is false if there is none.
func (s *Store) NewestDraft(ctx context.Context, digestName string) (e Edition, found bool, err error) {
	drafts, err := s.readers.editions(ctx, "edition.draft", digestName)
	if err != nil || len(drafts) == 0 {
		return e, false, err
	}
	return drafts[0], true, nil
}

// claimDraft claims the tick of a new draft as claimTick does. A message does not begin its
// digest.
func (s *Store) claimDraft(ctx context.Context, tx *conn, e Edition, update *ScheduleUpdate) error {
	if !e.IsMessage() {
		return s.claimTick(ctx, tx, e.Digest, update)
	}
	if err := s.checkNotQuarantined(ctx, tx); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, "digest.lockForMessage", e.Digest)
	return err
}

// claimTick claims a due tick. For an edition composed by hand it locks the digest, so that
// editions are composed one after the other.
func (s *Store) claimTick(ctx context.Context, tx *conn, name string, update *ScheduleUpdate) error {
	if err := s.checkNotQuarantined(ctx, tx); err != nil {
		return err
	}
	if update == nil {
		_, err := tx.Exec(ctx, "digest.lock", name, millis(s.Now()))
		return err
	}
	n, err := tx.Exec(ctx, "digest.advance", name, millis(update.From), millis(update.Next), update.NextKey, millis(s.Now()), update.Spec)
	if err == nil && n == 0 {
		err = ErrTaken
	}
	return err
}

// SkipTick stores the reason why a due tick makes no edition, and advances the schedule.
func (s *Store) SkipTick(ctx context.Context, t Tick, update ScheduleUpdate) error {
	return s.write(ctx, func(tx *conn) error {
		if err := s.claimTick(ctx, tx, t.Digest, &update); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, "tick.insert", t.Digest, t.ScheduledFor, "", t.Reason, millis(s.Now()))
		return err
	})
}

// Ticks returns the newest handled ticks of a digest.
func (s *Store) Ticks(ctx context.Context, digestName string, limit int) ([]Tick, error) {
	var out []Tick
	err := s.readers.Each(ctx, "tick.list", []any{digestName, limit}, func(rows *sql.Rows) error {
		var t Tick
		var at int64
		err := rows.Scan(&t.Digest, &t.ScheduledFor, &t.Edition, &t.Reason, &at)
		t.At = timeOf(at)
		out = append(out, t)
		return err
	})
	return out, err
}
