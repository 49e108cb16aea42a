package store

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// DigestState is the stored state of a digest of the configuration.
type DigestState struct {
	Name    string
	Spec    string    // schedule and timezone that Next was worked out from
	Since   time.Time // articles dated before are not its own, unless they came in since Began
	Began   time.Time // when its first tick or edition was dealt with; zero before
	Next    time.Time // its next tick; zero when there is none
	NextKey string
}

// Tick is a handled tick of a digest.
type Tick struct {
	Digest       string
	ScheduledFor string
	Edition      string // id, empty when none was made
	Reason       string // why none was made
	At           time.Time
}

// ErrTaken reports that another node has handled a tick, or another edition has taken an
// article, in the meantime. The caller starts again.
var ErrTaken = errors.New("another node was faster")

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

// DigestState returns the state of a digest, or ErrNotFound when it never ran.
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

// SetDigestSince moves the beginning of a digest: what is in the store belongs to it if
// it is dated from then on, zero for everything. What comes in later belongs to it
// whatever its date, once the digest has had its first tick or edition. It returns
// ErrNotFound for a digest that never ran.
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

// Advance is the move of a digest from the tick that is due to the next one.
type Advance struct {
	From    time.Time // the due tick as it stands in the store
	Next    time.Time
	NextKey string
}

// CreateDraft stores a new edition as a draft, its articles in the ledger, and the advance
// of the schedule that caused it, in one transaction. It returns ErrTaken when
// another node was faster, and ErrQuarantined. An edition
// without a Number gets the next one; one whose Number has been taken is refused.
// The jobs are stored with it.
func (s *Store) CreateDraft(ctx context.Context, e Edition, advance *Advance, jobs ...Job) (Edition, error) {
	return s.createDraft(ctx, e, advance, nil, jobs)
}

// CreateDraftSince is Plan for an edition by hand that moves the digest's beginning.
func (s *Store) CreateDraftSince(ctx context.Context, e Edition, since time.Time) (Edition, error) {
	return s.createDraft(ctx, e, nil, &since, nil)
}

func (s *Store) createDraft(ctx context.Context, e Edition, advance *Advance, since *time.Time, jobs []Job) (Edition, error) {
	expected := e.Number
	err := s.write(ctx, func(tx *conn) error {
		if err := s.claimTick(ctx, tx, e.Digest, advance); err != nil {
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
		if err := s.enqueueAll(ctx, tx, jobs); err != nil {
			return err
		}
		if advance == nil {
			return nil
		}
		_, err := tx.Exec(ctx, "tick.insert", e.Digest, e.ScheduledFor, e.ID, "", millis(s.Now()))
		return err
	})
	return e, err
}

// NextNumber returns the number of a digest's next edition. A subject may show
// it, so it is known before the edition is planned; Plan refuses an edition whose
// number another one has taken since.
func (s *Store) NextNumber(ctx context.Context, digestName string) (int, error) {
	var number int
	_, err := s.readers.One(ctx, "edition.nextNumber", []any{digestName}, &number)
	return number, err
}

// ReplaceDraft gives a draft that waits for an editor the articles, the subject and the time of
// creation of e, was being the draft as it was read, and moves the schedule on: a tick's
// articles join those of the draft before. The jobs are stored with it. It returns ErrTaken
// when the draft is another one by now, or another node was faster.
func (s *Store) ReplaceDraft(ctx context.Context, was, e Edition, tick string, advance Advance, jobs ...Job) error {
	return s.write(ctx, func(tx *conn) error {
		if err := s.claimTick(ctx, tx, e.Digest, &advance); err != nil {
			return err
		}
		n, err := tx.Exec(ctx, "edition.redraft", e.ID, e.Subject, millis(e.Created), millis(was.Created), was.Subject)
		if err == nil && n == 0 {
			err = ErrTaken
		}
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "edition.clearArticles", e.Seq); err != nil {
			return err
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

// WaitingDraft returns the newest draft that a digest's schedule made and that waits for an
// editor; found is false when none does.
func (s *Store) WaitingDraft(ctx context.Context, digestName string) (e Edition, found bool, err error) {
	drafts, err := s.WaitingDrafts(ctx, digestName, 1)
	if err != nil || len(drafts) == 0 {
		return e, false, err
	}
	return drafts[0], true, nil
}

// WaitingDrafts returns the drafts that a digest's schedule made and that wait for an editor,
// the newest first. When there are several, their lists of articles are left out.
func (s *Store) WaitingDrafts(ctx context.Context, digestName string, limit int) ([]Edition, error) {
	return s.readers.editions(ctx, "edition.waitingDraft", digestName, limit)
}

// claimTick claims a due tick. For an edition composed by hand it locks the digest, so that
// editions are composed one after the other.
func (s *Store) claimTick(ctx context.Context, tx *conn, name string, advance *Advance) error {
	if err := s.checkNotQuarantined(ctx, tx); err != nil {
		return err
	}
	if advance == nil {
		_, err := tx.Exec(ctx, "digest.lock", name, millis(s.Now()))
		return err
	}
	n, err := tx.Exec(ctx, "digest.advance", name, millis(advance.From), millis(advance.Next), advance.NextKey, millis(s.Now()))
	if err == nil && n == 0 {
		err = ErrTaken
	}
	return err
}

// SkipTick stores why a due tick makes no edition, and advances the schedule.
func (s *Store) SkipTick(ctx context.Context, t Tick, advance Advance) error {
	return s.write(ctx, func(tx *conn) error {
		if err := s.claimTick(ctx, tx, t.Digest, &advance); err != nil {
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
