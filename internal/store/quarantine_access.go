package store

import (
	"context"
	"errors"
	"time"

	"github.com/tidings-press/tidings/internal/journal"
)

// CountPrivateFeeds returns the number of private feeds that can be read.
func (s *Store) CountPrivateFeeds(ctx context.Context) (n int64, err error) {
	_, err = s.readers.One(ctx, "feedtoken.count", nil, &n)
	return n, err
}

// applyAccessChanges closes private feeds and takes access from editors as journals recorded it in
// the time that the store lost. It gives no access back. It returns the number of feeds closed.
func (s *Store) applyAccessChanges(ctx context.Context, recorded *journal.State, from time.Time) (feeds int64, err error) {
	err = s.write(ctx, func(tx *conn) error {
		feeds = 0
		for place, at := range recorded.ClosedFeeds {
			if !at.After(from) {
				continue
			}
			n, err := tx.Exec(ctx, "feedtoken.revokeOlder", place.Subscriber, place.Digest, millis(s.Now()), millis(at))
			if err != nil {
				return err
			}
			feeds += n
		}
		for key, v := range recorded.Editors {
			if !v.At.After(from) {
				continue
			}
			if err := s.revokeAccess(ctx, tx, key, v); err != nil {
				return err
			}
		}
		return nil
	})
	return feeds, err
}

// revokeAccess revokes access again, and records it for the owner who reviews the store. An
// editor whose password changed has none afterwards, since the journal contains no passwords, and
// neither has one who turned two-step sign-in on, since the password alone would then be enough again.
func (s *Store) revokeAccess(ctx context.Context, tx *conn, key journal.EditorKey, v journal.TimedValue) error {
	found, err := tx.editors(ctx, "editor.byID", key.Editor)
	if err != nil || len(found) == 0 {
		return err
	}
	e, change := found[0], key.Change
	if kind, id := key.Change.MethodID(); id != "" {
		return s.revokeMethod(ctx, tx, e, kind, id, v.At)
	}
	switch {
	case change == journal.AccessPassword && e.Password != "" && v.Value != hashStoredPassword(e.Password):
		e.Password = ""
	case change == journal.AccessFactor && e.Password != "" && v.Value == journal.FactorOn:
		f, err := tx.secondFactor(ctx, e.ID)
		if err != nil && !errors.Is(err, ErrNotFound) || !f.Confirmed.IsZero() {
			return err
		}
		e.Password = ""
	case change == journal.AccessRole && e.Role != Role(v.Value) && !Role(v.Value).Includes(e.Role):
		e.Role = Role(v.Value) // one with fewer rights
	case change == journal.AccessDisabled && v.Value == string(journal.AccessDisabled) && e.Disabled.IsZero():
		e.Disabled = v.At
	case change == journal.AccessDisabled && v.Value == string(journal.AccessRemoved):
		change = journal.AccessRemoved
	default:
		return nil
	}
	if change == journal.AccessRemoved {
		_, err = tx.Exec(ctx, "editor.delete", e.ID)
	} else {
		err = s.updateEditor(ctx, tx, e, "")
	}
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, "quarantine.addAccess", e.Email, string(change), millis(v.At))
	return err
}

// revokeMethod removes a passkey or an account at a provider again, and records it for the review.
func (s *Store) revokeMethod(ctx context.Context, tx *conn, e Editor, kind journal.AccessChange, id string, at time.Time) error {
	remove := map[journal.AccessChange]func(context.Context, *conn, int64, string) error{
		journal.AccessPasskey: s.removePasskey, journal.AccessProvider: s.removeIdentity,
	}[kind]
	if remove == nil {
		return nil
	}
	err := remove(ctx, tx, e.ID, id)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err == nil {
		_, err = tx.Exec(ctx, "session.deleteOthers", e.ID, hashToken(""))
	}
	if err == nil {
		_, err = tx.Exec(ctx, "quarantine.addAccess", e.Email, string(kind), millis(at))
	}
	return err
}
