package store

import (
	"context"
	"database/sql"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/tidings-press/tidings/internal/digest"
)

// Chunk is a part of an edition's audience, leased by one node.
type Chunk struct {
	Edition int64 // Seq of the edition
	Number  int64
	First   int64 // subscribers, both included
	Last    int64
	Epoch   int64 // of this lease: intents of an older one are refused
}

// Recipient is somebody whom a chunk's mail goes to.
type Recipient struct {
	Subscriber int64
	UID        uuid.UUID // the person's random id, which tokens name
	Variant    int
	Tries      int
	FirstTry   time.Time // when it was first tried or put off; zero before
	RefusedBy  string    // the relay that refused the last try for what we are
	Address    string
	Name       string
}

// ClaimChunk leases the next chunk that has something to do, or returns nil. What
// the last holder was sending when it died becomes uncertain. A chunk of a
// cancelled edition is ended instead, and the next one looked for. own are the
// chunks that the node works on: these are left to it even when their leases have
// run out. An error leaves open whether a chunk was leased, as a connection may
// break in the commit; such a chunk is free when its lease ends.
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
		doubtful, err := tx.Exec(ctx, "chunk.doubt", c.Edition, c.First, c.Last, millis(now))
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

// DeferEdition gives a lease back and lets no node take up the edition for a while.
func (s *Store) DeferEdition(ctx context.Context, c Chunk, d time.Duration) error {
	return s.write(ctx, func(tx *conn) error {
		until := millis(s.Now().Add(d))
		if _, err := tx.Exec(ctx, "chunk.release", c.Edition, c.Number, c.Epoch, "waiting", until); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, "chunk.putOff", c.Edition, until)
		return err
	})
}

// endChunk skips what a cancelled edition has left.
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
	_, err := tx.Exec(ctx, "ledger.releaseUntried", c.Edition, id)
	return err
}

// Recipients returns whom a leased chunk is to be sent to now, those in doubt
// included when they are to be sent again.
func (s *Store) Recipients(ctx context.Context, c Chunk, resend bool) ([]Recipient, error) {
	again := 0
	if resend {
		again = 1
	}
	var out []Recipient
	now := s.Now()
	args := []any{c.Edition, c.First, c.Last, millis(now), again, millis(now.Add(farthestTry))}
	err := s.readers.Each(ctx, "chunk.people", args, func(rows *sql.Rows) error {
		var r Recipient
		var firstTry int64
		err := rows.Scan(&r.Subscriber, &r.Variant, &r.Tries, &firstTry, &r.RefusedBy, &r.Address, &r.Name, &r.UID)
		r.FirstTry = timeOf(firstTry)
		out = append(out, r)
		return err
	})
	return out, err
}

// RenewChunk keeps a lease. It returns false when the lease is lost.
func (s *Store) RenewChunk(ctx context.Context, c Chunk, lease time.Duration) (bool, error) {
	var n int64
	err := s.write(ctx, func(tx *conn) (err error) {
		n, err = tx.Exec(ctx, "chunk.renew", c.Edition, c.Number, c.Epoch, millis(s.Now().Add(lease)))
		return err
	})
	return n == 1, err
}

// ReleaseChunk gives a lease back: the chunk is done, or waits for the next mail
// that is due. With the last chunk the edition is sent; finished says so. A held
// mail in doubt keeps its chunk from being done.
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
			state, notBefore = "waiting", millis(s.Now().Add(doubtWait))
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

// finish makes an edition sent if none of its chunks has anything left to do.
func (s *Store) finish(ctx context.Context, tx *conn, seq int64) (bool, error) {
	var id string
	if _, err := tx.One(ctx, "edition.lock", []any{seq}, &id); err != nil {
		return false, err
	}
	n, err := tx.Exec(ctx, "edition.finish", seq, millis(s.Now()))
	return n == 1, err
}

// doubtWait parts the tries of a mail in doubt: the server that cut one off may
// just be starting anew.
const doubtWait = 2 * time.Second

// farthestTry and farthestLease are later than any time that is set: nobody waits
// so long for a next try, and no lease is so long. What lies beyond them was set by
// a clock that was put back since, as one does that began without the time.
const (
	farthestTry   = 6 * time.Hour
	farthestLease = 2 * time.Hour
)

// never is a time that is not reached: the chunk waits for an editor's word.
const never = int64(1) << 52
