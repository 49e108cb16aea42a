package store

import (
	"context"
	"fmt"
	"time"

	"github.com/tidings-press/tidings/internal/subscriber"
)

// SuppressionReason is why an address must not be mailed.
type SuppressionReason string

// The reasons of suppressions.
const (
	LeftReason       SuppressionReason = "unsubscribed"
	BouncedReason    SuppressionReason = "bounced"
	ComplainedReason SuppressionReason = "complained"
	ErasedReason     SuppressionReason = "erased"
	EditorReason     SuppressionReason = "editor" // added by an editor, or with a list of suppressed addresses
)

// Personal reports whether the reason was the subscriber's own request, which they may
// withdraw by subscribing again and confirming.
func (r SuppressionReason) Personal() bool { return r == LeftReason || r == ErasedReason }

// reasonFor returns the suppression that goes with a state, empty for none.
func reasonFor(state subscriber.State) SuppressionReason {
	switch state {
	case subscriber.Unsubscribed:
		return LeftReason
	case subscriber.Bounced:
		return BouncedReason
	case subscriber.Complained:
		return ComplainedReason
	case subscriber.Erased:
		return ErasedReason
	}
	return ""
}

// stateFor returns the state that an active subscriber gets when the address is
// suppressed.
func stateFor(reason SuppressionReason) subscriber.State {
	switch reason {
	case BouncedReason:
		return subscriber.Bounced
	case ComplainedReason:
		return subscriber.Complained
	}
	return subscriber.Unsubscribed
}

// Suppression is the record of an address that must not be mailed.
type Suppression struct {
	Reason SuppressionReason // empty when the address is not suppressed
	Detail string            // such as the server's reply
	Since  time.Time
}

// SuppressedError reports that an address must not be mailed.
type SuppressedError struct {
	Address subscriber.Address
	Suppression
}

func (e *SuppressedError) Error() string {
	return fmt.Sprintf("%s is suppressed since %s (%s)", e.Address, e.Since.Format(time.DateOnly), e.Reason)
}

// Suppress blocks mail to an address until it is lifted, whatever an import says. A
// subscriber with the address changes state, so that the engine, which mails active
// subscribers only, needs no further check.
func (s *Store) Suppress(ctx context.Context, address subscriber.Address, reason SuppressionReason, detail string) error {
	keys, err := s.Keys(ctx)
	if err != nil {
		return err
	}
	return s.write(ctx, func(tx *conn) error {
		_, err := tx.Exec(ctx, "suppression.put", keys.SuppressionHash(address), string(reason), replyText(detail), millis(s.Now()))
		if err != nil {
			return err
		}
		found, err := tx.subscribers(ctx, "subscriber.byKey", address.Key())
		if err != nil || len(found) == 0 {
			return err
		}
		if err := s.recordChange(ctx, tx, found[0].ID, ChangedSuppressed, detail); err != nil || !found[0].State.CanBecome(stateFor(reason)) {
			return err
		}
		return s.setState(ctx, tx, keys, found[0].ID, stateFor(reason), detail)
	})
}

// Suppression returns the suppression of an address. Its Reason is empty when the address
// may be mailed.
func (s *Store) Suppression(ctx context.Context, address subscriber.Address) (Suppression, error) {
	keys, err := s.Keys(ctx)
	if err != nil {
		return Suppression{}, err
	}
	return s.readers.suppression(ctx, keys, address)
}

func (c *conn) suppression(ctx context.Context, keys subscriber.Keys, address subscriber.Address) (Suppression, error) {
	var out Suppression
	var since int64
	_, err := c.One(ctx, "suppression.get", []any{keys.SuppressionHash(address)}, &out.Reason, &out.Detail, &since)
	out.Since = timeOf(since)
	return out, err
}

// LiftSuppression removes a suppression, by an editor's decision. It does not change the
// state of a subscriber; SetState does.
func (s *Store) LiftSuppression(ctx context.Context, address subscriber.Address) error {
	keys, err := s.Keys(ctx)
	if err != nil {
		return err
	}
	return s.write(ctx, func(tx *conn) error {
		n, err := tx.Exec(ctx, "suppression.drop", keys.SuppressionHash(address))
		if err != nil || n == 0 {
			return err
		}
		found, err := tx.subscribers(ctx, "subscriber.byKey", address.Key())
		if err != nil || len(found) == 0 {
			return err
		}
		return s.recordChange(ctx, tx, found[0].ID, ChangedLifted, "")
	})
}
