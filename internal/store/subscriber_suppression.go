package store

import (
	"context"
	"database/sql"
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
	EditorReason     SuppressionReason = "editor" // put there by hand, or with a list of suppressed addresses
)

// Personal says whether the reason was the person's own wish, which they may take
// back by subscribing anew and confirming.
func (r SuppressionReason) Personal() bool { return r == LeftReason || r == ErasedReason }

// reasonFor is the suppression that comes with a state, empty for none.
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

// stateFor is what an active person becomes when their address is suppressed.
func stateFor(reason SuppressionReason) subscriber.State {
	switch reason {
	case BouncedReason:
		return subscriber.Bounced
	case ComplainedReason:
		return subscriber.Complained
	}
	return subscriber.Unsubscribed
}

// Suppression is what is known of an address that must not be mailed.
type Suppression struct {
	Reason SuppressionReason // empty when the address is not suppressed
	Detail string            // such as the server's reply
	Since  time.Time
}

// SuppressedError says that an address must not be mailed, for errors.As.
type SuppressedError struct {
	Address subscriber.Address
	Suppression
}

func (e *SuppressedError) Error() string {
	return fmt.Sprintf("%s is suppressed since %s (%s)", e.Address, e.Since.Format(time.DateOnly), e.Reason)
}

// Suppress keeps an address from ever being mailed again, whatever an import says,
// until it is lifted. A subscriber with it changes state, so that the engine,
// which mails active ones only, needs to ask no more.
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
		if err != nil || len(found) == 0 || !found[0].State.CanBecome(stateFor(reason)) {
			return err
		}
		return s.setState(ctx, tx, keys, found[0].ID, stateFor(reason), detail)
	})
}

// Suppression tells whether an address must not be mailed: the Reason of the
// answer is empty when it may.
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

// LiftSuppression takes a suppression away: an editor's decision. The subscriber's state, if
// there is one, is for SetState.
func (s *Store) LiftSuppression(ctx context.Context, address subscriber.Address) error {
	keys, err := s.Keys(ctx)
	if err != nil {
		return err
	}
	return s.write(ctx, func(tx *conn) error {
		_, err := tx.Exec(ctx, "suppression.drop", keys.SuppressionHash(address))
		return err
	})
}

// CountSuppressions says how many addresses are suppressed for each reason.
func (s *Store) CountSuppressions(ctx context.Context) (map[SuppressionReason]int64, error) {
	out := map[SuppressionReason]int64{}
	err := s.readers.Each(ctx, "suppression.counts", nil, func(rows *sql.Rows) error {
		var reason SuppressionReason
		var n int64
		err := rows.Scan(&reason, &n)
		out[reason] = n
		return err
	})
	return out, err
}
