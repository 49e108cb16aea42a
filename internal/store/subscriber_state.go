package store

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/words"
)

// SubscriberStateError reports a change of state that is not allowed.
type SubscriberStateError struct {
	ID       int64
	From, To subscriber.State
}

func (e *SubscriberStateError) Error() string { return e.Text().String() }

// Text returns the error for pages.
func (e *SubscriberStateError) Text() words.Text {
	return words.T("subscriber {0} is {1} and cannot become {2}", e.ID, words.T(string(e.From)), words.T(string(e.To)))
}

// SetState changes a subscriber's state according to the table in package subscriber; the
// same state again is not an error. Unsubscribing, a bounce and a complaint suppress the
// address with detail as the explanation. Becoming active lifts the suppression, unless an
// editor added it. Errors are ErrNotFound, *SubscriberStateError and *SuppressedError.
func (s *Store) SetState(ctx context.Context, id int64, next subscriber.State, detail string) error {
	if next == subscriber.Erased {
		return s.Erase(ctx, id)
	}
	keys, err := s.Keys(ctx)
	if err != nil {
		return err
	}
	return s.write(ctx, func(tx *conn) error {
		return s.setState(ctx, tx, keys, id, next, detail)
	})
}

func (s *Store) setState(ctx context.Context, tx *conn, keys subscriber.Keys, id int64, next subscriber.State, detail string) error {
	found, err := tx.subscribers(ctx, "subscriber.byID", id)
	if err != nil {
		return err
	}
	if len(found) == 0 {
		return notFound("subscriber", id)
	}
	sub := found[0]
	if sub.State == next {
		return nil
	}
	if !sub.State.CanBecome(next) {
		return &SubscriberStateError{ID: id, From: sub.State, To: next}
	}
	n, err := tx.Exec(ctx, "subscriber.setState", id, string(sub.State), string(next), millis(s.Now()))
	if err != nil {
		return err
	}
	if n == 0 { // another transaction was faster: start again from the new state
		return s.setState(ctx, tx, keys, id, next, detail)
	}
	if err := s.recordChange(ctx, tx, id, SubscriberChangeKind(stateChange+string(next)), detail); err != nil {
		return err
	}
	return tx.updateSuppression(ctx, keys, sub.Address, next, detail, s.Now())
}

// updateSuppression adds or lifts the suppression that goes with a state.
func (c *conn) updateSuppression(ctx context.Context, keys subscriber.Keys, address subscriber.Address, next subscriber.State, detail string, now time.Time) error {
	hash := keys.SuppressionHash(address)
	if next == subscriber.Active {
		held, err := c.suppression(ctx, keys, address)
		if err == nil && held.Reason == EditorReason {
			err = &SuppressedError{Address: address, Suppression: held}
		}
		if err != nil || held.Reason == "" {
			return err
		}
		_, err = c.Exec(ctx, "suppression.drop", hash)
		return err
	}
	reason := reasonFor(next)
	if reason == "" {
		return nil
	}
	_, err := c.Exec(ctx, "suppression.put", hash, string(reason), replyText(detail), millis(now))
	return err
}

// Erase removes a subscriber's personal data. The number and the random id stay, for the
// counts of editions and for links in old mails, and so does a keyed hash of the address,
// so that no import adds them again. On SQLite no personal data remains in the file or
// its log. Erasing again changes nothing.
func (s *Store) Erase(ctx context.Context, id int64) error {
	keys, err := s.Keys(ctx)
	if err != nil {
		return err
	}
	err = s.write(ctx, func(tx *conn) error {
		found, err := tx.subscribers(ctx, "subscriber.byID", id)
		if err != nil {
			return err
		}
		if len(found) == 0 {
			return notFound("subscriber", id)
		}
		if found[0].State == subscriber.Erased {
			return nil
		}
		hash := keys.SuppressionHash(found[0].Address)
		if _, err := tx.Exec(ctx, "suppression.put", hash, string(ErasedReason), "", millis(s.Now())); err != nil {
			return err
		}
		return tx.forget(ctx, found[0], hash, s.Now())
	})
	if err == nil {
		err = s.truncateLog(ctx)
	}
	return err
}

// ErasePending erases up to limit subscribers who have been pending since before a time.
// It does not suppress them, since they never agreed to anything. It returns their
// number.
func (s *Store) ErasePending(ctx context.Context, before time.Time, limit int) (int, error) {
	expired, err := s.readers.subscribers(ctx, "subscriber.expirePending", millis(before), limit)
	if err != nil || len(expired) == 0 {
		return 0, err
	}
	keys, err := s.Keys(ctx)
	if err != nil {
		return 0, err
	}
	for _, sub := range expired {
		err := s.write(ctx, func(tx *conn) error {
			n, err := tx.Exec(ctx, "subscriber.setState", sub.ID, string(subscriber.Pending), string(subscriber.Erased), millis(s.Now()))
			if err != nil || n == 0 { // they confirmed just now
				return err
			}
			return tx.forget(ctx, sub, keys.SuppressionHash(sub.Address), s.Now())
		})
		if err != nil {
			return 0, err
		}
	}
	return len(expired), s.truncateLog(ctx)
}

// forget removes what all tables hold about a subscriber; hash is the hash of their address.
func (c *conn) forget(ctx context.Context, who subscriber.Subscriber, hash []byte, now time.Time) error {
	id := who.ID
	for _, query := range []string{"subscription.dropAll", "feedtoken.dropAll", "delivery.forget", "try.forget", "feedback.forget", "change.forget"} {
		if _, err := c.Exec(ctx, query, id); err != nil {
			return err
		}
	}
	for _, query := range []string{"suppression.forget", "job.dropAbout"} {
		if _, err := c.Exec(ctx, query, hash); err != nil {
			return err
		}
	}
	if _, err := c.Exec(ctx, "upload.forget", strings.ToLower(who.Address.String())); err != nil {
		return err
	}
	_, err := c.Exec(ctx, "subscriber.erase", id, "erased:"+strconv.FormatInt(id, 10), millis(now))
	return err
}
