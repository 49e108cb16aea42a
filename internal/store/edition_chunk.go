package store

import (
	"context"
	"database/sql"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/tidings-press/tidings/internal/digest"
)

// Chunk is a range of an edition's recipients, leased by one node.
type Chunk struct {
	Edition int64 // Seq of the edition
	Number  int64
	First   int64 // the lowest id of its subscribers
	Last    int64 // the highest id of its subscribers
	Epoch   int64 // of this lease; intents with an older one are refused
}

// Recipient is a subscriber of a chunk whose mail is due.
type Recipient struct {
	Subscriber int64
	UID        uuid.UUID // the random id that tokens contain
	Variant    int
	Tries      int
	FirstTry   time.Time // when it was first tried or deferred; zero before
	RefusedBy  string    // the relay that refused the last try because of the sender
	Digest     string    // through which a message reaches them; empty for the edition's
	Address    string
	Name       string
}

// ClaimChunk leases the next chunk with open work, or returns nil if there is none. Mails
// that the last holder was sending when it died become uncertain. Chunks of cancelled
// editions are ended and skipped. own are the chunks that the node works on: they are not
// claimed again, even if their leases have expired. After an error it is unknown whether a
// chunk was leased, since a connection may break during the commit; such a chunk becomes
// free when its lease ends.
func (s *Store) ClaimChunk(ctx context.Context, node string, lease time.Duration, own ...Chunk) (*Chunk, error) {
	names := make([]string, len(own))
	for i, c := range own {
		names[i] = strconv.FormatInt(c.Edition, 10) + "/" + strconv.FormatInt(c.Number, 10)
	}
	for {
		era := s.history.era.Load()
		chunk, cancelled, err := s.claimChunk(ctx, node, lease, jsonList(names))
		if err == nil {
			err = s.checkReconnected(ctx, era)
		}
		if err != nil || !cancelled {
			return chunk, err
		}
	}
}

func (s *Store) claimChunk(ctx context.Context, node string, lease time.Duration, own string) (chunk *Chunk, cancelled bool, err error) {
	err = s.write(ctx, func(tx *conn) error {
		chunk, cancelled = nil, false
		now := s.Now()
		c := &Chunk{}
		var state digest.State
		args := []any{millis(now), own, millis(now.Add(farthestTry)), millis(now.Add(farthestLease)), never}
		found, err := tx.One(ctx, "chunk.next", args, &c.Edition, &c.Number, &c.First, &c.Last, &c.Epoch, &state)
		if err != nil || !found {
			return err
		}
		c.Epoch++
		if _, err := tx.Exec(ctx, "chunk.lease", c.Edition, c.Number, node, millis(now.Add(lease))); err != nil {
			return err
		}
		doubtful, err := tx.Exec(ctx, "chunk.markUncertain", c.Edition, c.First, c.Last, millis(now))
		if err != nil {
			return err
		}
		if state == digest.Cancelled {
			cancelled = true
			return s.endChunk(ctx, tx, c, now)
		}
		chunk = c
		if doubtful > 0 {
			if _, err := tx.Exec(ctx, "chunk.recount", c.Edition, c.Number); err != nil {
				return err
			}
		}
		return s.startEdition(ctx, tx, c.Edition)
	})
	return chunk, cancelled, err
}

// DeferEdition releases the lease of a chunk, and makes the edition's waiting chunks due only
// from a time on, for all nodes.
func (s *Store) DeferEdition(ctx context.Context, c Chunk, due time.Time) error {
	return s.write(ctx, func(tx *conn) error {
		until := millis(due)
		if _, err := tx.Exec(ctx, "chunk.release", c.Edition, c.Number, c.Epoch, "waiting", until); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, "chunk.defer", c.Edition, until)
		return err
	})
}

// endChunk skips the open mails of a chunk of a cancelled edition.
func (s *Store) endChunk(ctx context.Context, tx *conn, c *Chunk, now time.Time) error {
	if _, err := tx.Exec(ctx, "chunk.skipRest", c.Edition, c.First, c.Last, millis(now)); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, "chunk.recount", c.Edition, c.Number); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, "chunk.release", c.Edition, c.Number, c.Epoch, "done", 0); err != nil {
		return err
	}
	var id string
	if _, err := tx.One(ctx, "edition.lock", []any{c.Edition}, &id); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, "queue.releasedBy", id); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, "ledger.releaseUntried", c.Edition, id)
	return err
}

// Recipients returns the recipients of a leased chunk whose mail is due. With resend it
// includes uncertain mails.
func (s *Store) Recipients(ctx context.Context, c Chunk, resend bool) ([]Recipient, error) {
	again := 0
	if resend {
		again = 1
	}
	var out []Recipient
	now := s.Now()
	args := []any{c.Edition, c.First, c.Last, millis(now), again, millis(now.Add(farthestTry))}
	err := s.readers.Each(ctx, "chunk.recipients", args, func(rows *sql.Rows) error {
		var r Recipient
		var firstTry int64
		err := rows.Scan(&r.Subscriber, &r.Variant, &r.Tries, &firstTry, &r.RefusedBy, &r.Digest, &r.Address, &r.Name, &r.UID)
		r.FirstTry = timeOf(firstTry)
		out = append(out, r)
		return err
	})
	return out, err
}

// RenewChunk renews a lease. It returns false when the lease is lost.
func (s *Store) RenewChunk(ctx context.Context, c Chunk, lease time.Duration) (bool, error) {
	var n int64
	err := s.write(ctx, func(tx *conn) (err error) {
		n, err = tx.Exec(ctx, "chunk.renew", c.Edition, c.Number, c.Epoch, millis(s.Now().Add(lease)))
		return err
	})
	return n == 1, err
}

// ReleaseChunk releases a lease. The chunk is then done, or waits until its next mail is due.
// A chunk with an uncertain mail that waits for an editor is not done. finished reports
// whether it was the last chunk, so that the edition is sent.
func (s *Store) ReleaseChunk(ctx context.Context, c Chunk, resend bool) (finished bool, err error) {
	err = s.write(ctx, func(tx *conn) error {
		finished = false
		var ours int
		if found, err := tx.One(ctx, "chunk.lock", []any{c.Edition, c.Number, c.Epoch}, &ours); err != nil || !found {
			return err
		}
		var open, deferred, due, doubtful, again int64
		if _, err := tx.One(ctx, "chunk.open", []any{c.Edition, c.First, c.Last}, &open, &deferred, &due, &doubtful, &again); err != nil {
			return err
		}
		state, notBefore := "done", int64(0)
		switch {
		case open > 0:
			state = "waiting"
		case again > 0 && resend:
			state, notBefore = "waiting", millis(s.Now().Add(uncertainWait))
		case deferred > 0:
			state, notBefore = "waiting", due
		case doubtful > 0:
			state, notBefore = "waiting", never
		}
		if _, err := tx.Exec(ctx, "chunk.release", c.Edition, c.Number, c.Epoch, state, notBefore); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "chunk.recount", c.Edition, c.Number); err != nil {
			return err
		}
		if state != "done" {
			return nil
		}
		finished, err = s.finish(ctx, tx, c.Edition)
		return err
	})
	return finished, err
}

// finish marks an edition as sent if all its chunks are done.
func (s *Store) finish(ctx context.Context, tx *conn, seq int64) (bool, error) {
	var id string
	if _, err := tx.One(ctx, "edition.lock", []any{seq}, &id); err != nil {
		return false, err
	}
	n, err := tx.Exec(ctx, "edition.finish", seq, millis(s.Now()))
	return n == 1, err
}

// uncertainWait is the pause before an uncertain mail is sent again: the server may be
// restarting.
const uncertainWait = 2 * time.Second

// farthestTry and farthestLease exceed every wait for a next try and every lease. A time
// further in the future was stored before the clock was set back.
const (
	farthestTry   = 6 * time.Hour
	farthestLease = 2 * time.Hour
)

// never is a time that is never reached. A chunk with it waits for an editor's decision.
const never = int64(1) << 52
