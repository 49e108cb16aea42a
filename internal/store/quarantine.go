package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"time"

	"github.com/tidings-press/tidings/internal/store/schema"
)

// QuarantineReason is why nothing may be sent.
type QuarantineReason string

// The reasons of a quarantine.
const (
	Restored   QuarantineReason = "restored" // from a backup
	OlderStore QuarantineReason = "older"    // than its journal: a copy of the file, or a snapshot of the machine
)

// Quarantine is the state of a store that lost a part of its history: no tick fires
// and no mail is sent, on any node, until ReleaseQuarantine.
type Quarantine struct {
	Reason QuarantineReason
	Taken  time.Time // the store does not know what happened after this
	Since  time.Time
	// Journal reports whether a journal told what happened in between, and how many
	// people it says unsubscribed, were suppressed or erased.
	Journal                          bool
	Unsubscribed, Suppressed, Erased int64
}

// ErrQuarantined is why an edition is not composed, approved or sent.
var ErrQuarantined = errors.New("the store is quarantined: it was restored, or is older than its journal, so nothing is sent until an owner has looked at it (tidings quarantine show)")

// Quarantine returns the quarantine of the store, nil when there is none. It is
// cheap enough to be asked before every step.
func (s *Store) Quarantine(ctx context.Context) (*Quarantine, error) {
	return s.quarantine(ctx, s.readers)
}

func (s *Store) quarantine(ctx context.Context, r *conn) (*Quarantine, error) {
	var q Quarantine
	var taken, since, kept int64
	found, err := r.One(ctx, "quarantine.get", nil, &q.Reason, &taken, &since, &kept, &q.Unsubscribed, &q.Suppressed, &q.Erased)
	if err != nil || !found {
		return nil, err
	}
	q.Taken, q.Since, q.Journal = timeOf(taken), timeOf(since), kept == 1
	return &q, nil
}

// checkNotQuarantined returns ErrQuarantined while the store is quarantined.
func (s *Store) checkNotQuarantined(ctx context.Context, tx *conn) error {
	q, err := s.quarantine(ctx, tx)
	if err == nil && q != nil {
		err = ErrQuarantined
	}
	return err
}

// numberGap is how far the numbers of new rows jump when a store lost a part of its
// history: numbers that were given out in between must not be given to others, as
// old mails and links may name them.
const numberGap = 1_000_000

// beginQuarantine quarantines the store and gives it a new generation. Everyone is
// signed out and one-time links end, as they may have been revoked or used since.
func (s *Store) beginQuarantine(ctx context.Context, reason QuarantineReason, taken time.Time) error {
	old, err := s.Generation(ctx)
	if err != nil {
		return err
	}
	fresh := make([]byte, 32)
	rand.Read(fresh)
	err = s.write(ctx, func(tx *conn) error {
		now := millis(s.Now())
		if _, err := tx.Exec(ctx, "quarantine.begin", string(reason), millis(taken), now, 0); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "generation.end", hex.EncodeToString(old), now); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "secret.replace", generationSecret, fresh, now); err != nil {
			return err
		}
		for _, query := range []string{"journal.forget", "quarantine.freeChunks"} {
			if _, err := tx.Exec(ctx, query); err != nil {
				return err
			}
		}
		for _, table := range []string{"sessions", "links", "attempts"} {
			if _, err := tx.ExecContext(ctx, "DELETE FROM "+table); err != nil {
				return err
			}
		}
		return s.raiseNextNumbers(ctx, tx)
	})
	s.secrets.forget(generationSecret)
	if err != nil {
		return err
	}
	return s.queueUnfinishedEditions(ctx)
}

// forget drops a secret that was replaced.
func (c *secretCache) forget(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.kept, name)
}

// raiseNextNumbers raises the number that each table gives out next.
func (s *Store) raiseNextNumbers(ctx context.Context, tx *conn) error {
	all, err := schema.Tables(ctx, s.engine, tx)
	if err != nil {
		return err
	}
	for _, t := range all {
		if t.Key == "" {
			continue
		}
		last, err := schema.LastNumber(ctx, s.engine, tx, t)
		if err != nil {
			return err
		}
		if err := schema.SetLastNumber(ctx, s.engine, tx, t, last+numberGap); err != nil {
			return err
		}
	}
	return nil
}

// queueUnfinishedEditions puts every edition that the store may still send before the owner.
func (s *Store) queueUnfinishedEditions(ctx context.Context) error {
	return s.write(ctx, func(tx *conn) error {
		open := [][]any{}
		err := tx.Each(ctx, "quarantine.unfinished", nil, func(rows *sql.Rows) error {
			var id, name, key, subject, state string
			var number, audience, automatic int64
			err := rows.Scan(&id, &name, &number, &key, &subject, &audience, &automatic, &state)
			open = append(open, []any{id, name, number, key, subject, "[]", audience, 0, 0, 0, ""})
			return err
		})
		for _, row := range open {
			if err == nil {
				_, err = tx.Exec(ctx, "quarantine.edition", row...)
			}
		}
		return err
	})
}
