package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"time"

	"github.com/tidings-press/tidings/internal/journal"
	"github.com/tidings-press/tidings/internal/store/schema"
)

// QuarantineReason is the reason of a quarantine.
type QuarantineReason string

// The reasons of a quarantine.
const (
	Restored   QuarantineReason = "restored"   // the store was restored from a backup
	OlderStore QuarantineReason = "older"      // the store is older than its journal: a copy of its file, or a snapshot of the machine
	NoJournal  QuarantineReason = "no journal" // the store wrote to a journal that is missing now, as after a copy to another machine
)

// Quarantine is the state of a store that has lost a part of its history. Until
// ReleaseQuarantine, no tick fires and no mail is sent on any node.
type Quarantine struct {
	Reason QuarantineReason
	Taken  time.Time // the store does not know what happened after this time
	Since  time.Time
	// Journal reports whether a journal covers the lost time. The counts are how many
	// subscribers were unsubscribed, suppressed and erased according to journals.
	Journal                          bool
	Unsubscribed, Suppressed, Erased int64
	ClosedFeeds                      int64 // private feeds that were closed again
	// Access lists the editors whose access was taken from them again according to journals.
	Access []RevokedAccess
}

// RevokedAccess is access of an editor that was revoked again, because a restore would have given it back.
type RevokedAccess struct {
	Editor string // the mail address
	Change journal.AccessChange
	At     time.Time // when the access ended before the restore
}

// ErrQuarantined reports that an edition cannot be composed, approved or sent because the
// store is quarantined.
var ErrQuarantined = errors.New("the store is quarantined: it was restored, or is older than its journal, so no mail is sent until an owner releases the store (tidings quarantine show)")

// Quarantine returns the quarantine of the store, or nil if there is none. It is cheap
// enough to be called before every step.
func (s *Store) Quarantine(ctx context.Context) (*Quarantine, error) {
	return s.quarantine(ctx, s.readers)
}

func (s *Store) quarantine(ctx context.Context, r *conn) (*Quarantine, error) {
	var q Quarantine
	var taken, since, covered int64
	found, err := r.One(ctx, "quarantine.get", nil, &q.Reason, &taken, &since, &covered, &q.Unsubscribed, &q.Suppressed, &q.Erased, &q.ClosedFeeds)
	if err != nil || !found {
		return nil, err
	}
	q.Taken, q.Since, q.Journal = timeOf(taken), timeOf(since), covered == 1
	err = r.Each(ctx, "quarantine.access", nil, func(rows *sql.Rows) error {
		var lost RevokedAccess
		var at int64
		err := rows.Scan(&lost.Editor, &lost.Change, &at)
		lost.At = timeOf(at)
		q.Access = append(q.Access, lost)
		return err
	})
	return &q, err
}

// checkNotQuarantined returns ErrQuarantined while the store is quarantined.
func (s *Store) checkNotQuarantined(ctx context.Context, tx *conn) error {
	q, err := s.quarantine(ctx, tx)
	if err == nil && q != nil {
		err = ErrQuarantined
	}
	return err
}

// numberGap is how many numbers of rows are skipped when a quarantine begins. The lost part
// of the history may have used them, and mails and links from that time still refer to
// them, so they must not be used for other rows.
const numberGap = 1_000_000

// beginQuarantine quarantines the store and gives it a new generation. It signs all editors
// out, makes their browsers unknown, and removes one-time links, since these may have been
// revoked or used in the lost time.
func (s *Store) beginQuarantine(ctx context.Context, reason QuarantineReason, taken time.Time) error {
	old, err := s.Generation(ctx)
	if err != nil {
		return err
	}
	fresh, browsers := make([]byte, 32), make([]byte, 32)
	rand.Read(fresh)
	rand.Read(browsers)
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
		if _, err := tx.Exec(ctx, "secret.replace", BrowserSecret, browsers, now); err != nil {
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
	s.secrets.forget(BrowserSecret)
	if err != nil {
		return err
	}
	return s.queueUnfinishedEditions(ctx)
}

// forget removes a secret that was replaced from the cache.
func (c *secretCache) forget(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.values, name)
}

// raiseNextNumbers raises the number of each table's next row by numberGap.
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

// queueUnfinishedEditions stores every unfinished edition among those that an owner has to
// decide on.
func (s *Store) queueUnfinishedEditions(ctx context.Context) error {
	return s.write(ctx, func(tx *conn) error {
		unfinished := [][]any{}
		err := tx.Each(ctx, "quarantine.unfinished", nil, func(rows *sql.Rows) error {
			var id, name, key, subject, state string
			var number, audience, automatic int64
			err := rows.Scan(&id, &name, &number, &key, &subject, &audience, &automatic, &state)
			unfinished = append(unfinished, []any{id, name, number, key, subject, "[]", audience, 0, 0, 0, ""})
			return err
		})
		for _, row := range unfinished {
			if err == nil {
				_, err = tx.Exec(ctx, "quarantine.edition", row...)
			}
		}
		return err
	})
}
