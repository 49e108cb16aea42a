package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/words"
)

// Edition is a stored edition.
type Edition struct {
	digest.Edition
	Seq       int64  // the number by which chunks and deliveries refer to it
	Automatic bool   // no editor has to approve it
	Settings  string // the settings it was approved with, in the JSON of package delivery; empty for a draft
	Author    string // the editor who requested it; empty for the schedule
	Edits     digest.Edits
	Audience  string    // JSON; empty for the subscribers of the digest
	SendAt    time.Time // the tick at which a draft is due; zero for none
	Held      string    // why the schedule does not send a draft then; empty if nothing holds it
	UndoUntil time.Time // no node sends the first mail of an approved edition before; zero for no wait
}

// Edition returns an edition by its id, or ErrNotFound.
func (s *Store) Edition(ctx context.Context, id string) (Edition, error) {
	found, err := s.readers.editions(ctx, "edition.get", id)
	if err == nil && len(found) == 0 {
		err = notFound("edition", id)
	}
	if err != nil {
		return Edition{}, err
	}
	return found[0], nil
}

// EditionBySeq returns an edition by the number that its chunks refer to.
func (s *Store) EditionBySeq(ctx context.Context, seq int64) (Edition, error) {
	found, err := s.readers.editions(ctx, "edition.bySeq", seq)
	if err == nil && len(found) == 0 {
		err = notFound("edition", seq)
	}
	if err != nil {
		return Edition{}, err
	}
	return found[0], nil
}

// Editions returns the newest editions of a digest, or of all digests if its name is empty.
// The lists of articles are left out if there is more than one edition.
func (s *Store) Editions(ctx context.Context, digestName string, limit int) ([]Edition, error) {
	return s.readers.editions(ctx, "edition.list", digestName, limit)
}

// OpenEditions returns the newest editions that have not ended, without the lists of articles.
func (s *Store) OpenEditions(ctx context.Context, limit int) ([]Edition, error) {
	return s.readers.startedEditions(ctx, "edition.open", limit)
}

// EndedEditions returns the newest editions that have ended, without the lists of articles.
func (s *Store) EndedEditions(ctx context.Context, limit int) ([]Edition, error) {
	return s.readers.startedEditions(ctx, "edition.ended", limit)
}

// AutomaticDrafts returns the oldest drafts of some digests that no editor has to approve. Those that
// HoldFirstSend holds are among them once MaySendFirst is true, or if held is.
func (s *Store) AutomaticDrafts(ctx context.Context, digests []string, held bool, limit int) ([]Edition, error) {
	return s.readers.editions(ctx, "edition.unattended", jsonList(digests), limit, number(held))
}

// editions returns the editions of a query. It reads the articles only of a single one.
func (c *conn) editions(ctx context.Context, query string, args ...any) ([]Edition, error) {
	var out []Edition
	err := c.Each(ctx, query, args, func(rows *sql.Rows) error {
		e, err := scanEdition(rows)
		out = append(out, e)
		return err
	})
	if err != nil || len(out) != 1 {
		return out, err
	}
	err = c.Each(ctx, "edition.articles", []any{out[0].Seq}, func(rows *sql.Rows) error {
		var id string
		err := rows.Scan(&id)
		out[0].Articles = append(out[0].Articles, id)
		return err
	})
	return out, err
}

// insertEdition stores a draft and its articles. It returns ErrTaken when another node
// was faster.
func insertEdition(ctx context.Context, tx *conn, e *Edition) error {
	e.State = digest.Draft
	found, err := tx.One(ctx, "edition.insert", editionValues(e), &e.Seq)
	if err != nil {
		return err
	}
	if !found {
		return ErrTaken
	}
	if err := tx.touchMedia(ctx, encodeEdits(e.Edits)); err != nil {
		return err
	}
	return insertArticles(ctx, tx, e)
}

// insertArticles stores the articles of an edition, and puts them into the ledger. Those of a
// message stay out of it: a message takes no article from a digest.
func insertArticles(ctx context.Context, tx *conn, e *Edition) error {
	for i, id := range e.Articles {
		if !e.IsMessage() {
			n, err := tx.Exec(ctx, "ledger.insert", e.Digest, id, e.ID)
			if err != nil {
				return err
			}
			if n == 0 {
				return ErrTaken
			}
		}
		if _, err := tx.Exec(ctx, "edition.addArticle", e.Seq, i, id); err != nil {
			return err
		}
	}
	return nil
}

// editionValues returns the values of columns(edition).
func editionValues(e *Edition) []any {
	return []any{e.ID, e.Digest, e.Number, e.ScheduledFor, string(e.State), number(e.Automatic), e.Author, e.Subject, e.Reason,
		e.Recipients.Count, e.Recipients.MaxID, millis(e.Created), millis(e.Approved), millis(e.Started), millis(e.Finished), e.Settings,
		encodeEdits(e.Edits), e.Audience, millis(e.SendAt), e.Held, millis(e.UndoUntil)}
}

// encodeEdits returns the edits as they are stored.
func encodeEdits(edits digest.Edits) string {
	if edits.IsZero() {
		return ""
	}
	out, _ := json.Marshal(edits) // it cannot fail: it holds strings, bools and times
	return string(out)
}

// scanEdition reads seq and columns(edition).
func scanEdition(rows *sql.Rows) (Edition, error) {
	var e Edition
	var automatic, created, approved, started, finished, sendAt, undoUntil int64
	var edits string
	err := rows.Scan(&e.Seq, &e.ID, &e.Digest, &e.Number, &e.ScheduledFor, &e.State, &automatic, &e.Author, &e.Subject, &e.Reason,
		&e.Recipients.Count, &e.Recipients.MaxID, &created, &approved, &started, &finished, &e.Settings,
		&edits, &e.Audience, &sendAt, &e.Held, &undoUntil)
	e.Automatic = automatic == 1
	e.Created, e.Approved, e.Started, e.Finished = timeOf(created), timeOf(approved), timeOf(started), timeOf(finished)
	e.SendAt, e.UndoUntil = timeOf(sendAt), timeOf(undoUntil)
	if err == nil && edits != "" {
		if err = json.Unmarshal([]byte(edits), &e.Edits); err != nil {
			err = fmt.Errorf("edits of edition %s: %w", e.ID, err)
		}
	}
	return e, err
}

// StateError reports that an edition is in a state that does not allow a change.
type StateError struct {
	Edition string
	Have    digest.State
	Want    digest.State
}

// Error names the edition, its state and the refused state. A draft is wanted for an edit.
func (e *StateError) Error() string { return e.Text().String() }

// Text returns the error for pages.
func (e *StateError) Text() words.Text {
	have, want := words.T(string(e.Have)), words.T(string(e.Want))
	if e.Want == digest.Draft {
		return words.T("edition {0} is {1}; only a draft can be changed", e.Edition, have)
	}
	return words.T("edition {0} is {1} and cannot become {2}", e.Edition, have, want)
}

// SetEditionState changes an edition's state if the table of transitions allows it, and
// else returns a *StateError. An edition that is cancelled before its first mail releases
// its articles for the next edition; one that is being sent does so with its last chunk,
// if no mail was attempted.
func (s *Store) SetEditionState(ctx context.Context, id string, next digest.State, reason string) error {
	return s.write(ctx, func(tx *conn) error { return s.setEditionState(ctx, tx, id, next, reason) })
}

func (s *Store) setEditionState(ctx context.Context, tx *conn, id string, next digest.State, reason string) error {
	found, err := tx.editions(ctx, "edition.get", id)
	if err != nil {
		return err
	}
	if len(found) == 0 {
		return notFound("edition", id)
	}
	e := found[0]
	if !e.State.CanBecome(next) {
		return &StateError{Edition: id, Have: e.State, Want: next}
	}
	n, err := tx.Exec(ctx, "edition.setState", id, string(e.State), string(next), reason, millis(s.Now()))
	if err != nil {
		return err
	}
	if n == 0 {
		return &StateError{Edition: id, Have: e.State, Want: next}
	}
	if (next == digest.Cancelled || next == digest.Failed) && e.Started.IsZero() {
		err = tx.releaseArticlesOf(ctx, id)
	}
	if next == digest.Sending && err == nil {
		// Its last mail may have been sent while it was being paused.
		_, err = s.finish(ctx, tx, e.Seq)
	}
	return err
}

// SetEditionSubject changes the subject of a draft. It returns a *StateError for
// an edition that is frozen.
func (s *Store) SetEditionSubject(ctx context.Context, id, subject string) error {
	return s.write(ctx, func(tx *conn) error {
		n, err := tx.Exec(ctx, "edition.setSubject", id, subject)
		if err == nil && n == 0 {
			return fmt.Errorf("edition %s is frozen or does not exist; only a draft's subject can be changed", id)
		}
		return err
	})
}

// DeliveryCounts counts the deliveries of an edition by state.
type DeliveryCounts struct {
	Total, Sent, Refused, Skipped, Deferred, Uncertain int64

	Warming int64 // of the deferred ones: they wait for the warm-up of their domain
}

// Retried returns how many deferred mails wait for another try, and not for a warm-up.
func (c DeliveryCounts) Retried() int64 { return max(c.Deferred-c.Warming, 0) }

// Open returns how many deliveries are still to be sent.
func (c DeliveryCounts) Open() int64 { return c.Total - c.Sent - c.Refused - c.Skipped - c.Uncertain }

// EditionCounts returns an edition's counts. They are updated with the outcomes, so
// reading them is cheap.
func (s *Store) EditionCounts(ctx context.Context, seq int64) (DeliveryCounts, error) {
	var c DeliveryCounts
	_, err := s.readers.One(ctx, "edition.counts", []any{seq}, &c.Total, &c.Sent, &c.Refused, &c.Skipped, &c.Deferred, &c.Warming, &c.Uncertain)
	return c, err
}
