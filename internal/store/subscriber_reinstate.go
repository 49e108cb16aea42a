package store

import (
	"context"
	"slices"
	"time"

	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/words"
)

// InputError reports an input that an editor can correct. Its text can be translated.
type InputError struct{ text words.Text }

// InvalidInput returns an *InputError.
func InvalidInput(text words.Text) error { return &InputError{text} }

// Error implements error.
func (e *InputError) Error() string { return e.text.String() }

// Text returns the text for a translation.
func (e *InputError) Text() words.Text { return e.text }

// CheckConsent returns an *InputError if a consent lacks its words or its date, or is dated in the
// future.
func (s *Store) CheckConsent(c subscriber.Consent) error {
	switch {
	case c.Text == "" || c.At.IsZero():
		return InvalidInput(words.T("a consent needs the words that the person agreed to, and the date when they agreed"))
	case c.At.After(s.Now()):
		return InvalidInput(words.T("the consent is dated in the future; enter the day when the person agreed"))
	}
	return nil
}

// Reinstate makes a subscriber active who has not confirmed, or who unsubscribed, because of a
// consent that they gave since, and subscribes them to digests. The consent must have words and a
// date, not before the day on which they left. Errors are *InputError, *SubscriberStateError,
// *SuppressedError and ErrNotFound.
func (s *Store) Reinstate(ctx context.Context, id int64, consent subscriber.Consent, digests []string) error {
	if err := s.CheckConsent(consent); err != nil {
		return err
	}
	if len(digests) == 0 {
		return InvalidInput(words.T("choose at least one digest"))
	}
	keys, err := s.Keys(ctx)
	if err != nil {
		return err
	}
	return s.write(ctx, func(tx *conn) error {
		found, err := tx.subscribers(ctx, "subscriber.byID", id)
		if err != nil {
			return err
		}
		if len(found) == 0 {
			return notFound("subscriber", id)
		}
		sub := found[0]
		if !slices.Contains([]subscriber.State{subscriber.Pending, subscriber.Unsubscribed}, sub.State) {
			return &SubscriberStateError{ID: id, From: sub.State, To: subscriber.Active}
		}
		// The day on which they left is one of the timezone in which the day of the consent was entered.
		left := sub.Changed.In(consent.At.Location())
		if day := time.Date(left.Year(), left.Month(), left.Day(), 0, 0, 0, 0, left.Location()); sub.State == subscriber.Unsubscribed && consent.At.Before(day) {
			return InvalidInput(words.T("the consent is of {0}, but the person unsubscribed on {1}; a later consent is needed", consent.At.Format(time.DateOnly), left.Format(time.DateOnly)))
		}
		if err := s.setConsent(ctx, tx, id, consent); err != nil {
			return err
		}
		for _, name := range digests {
			if err := s.subscribe(ctx, tx, id, name, nil); err != nil {
				return err
			}
		}
		return s.setState(ctx, tx, keys, id, subscriber.Active, "")
	})
}
