package store

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/journal"
	"github.com/tidings-press/tidings/internal/subscriber"
)

// sentBeforeRestore is the stored reason of mails that were sent according to a journal.
const sentBeforeRestore = "it left before the restore, as the journal says"

// maxClockSkew is the assumed maximum difference between the clocks of nodes.
const maxClockSkew = 5 * time.Minute

// applyJournal applies what journals recorded in the time that the store lost. It may
// be repeated, and called for the journals of several machines one after the other.
func (s *Store) applyJournal(ctx context.Context, recorded *journal.State) error {
	q, err := s.Quarantine(ctx)
	if err != nil || q == nil {
		return err
	}
	from := q.Taken.Add(-maxClockSkew)
	covered := 0
	if recorded.ID != "" && !recorded.Started.After(q.Taken) {
		covered = 1
	}
	counts, err := s.applySubscriberChanges(ctx, recorded, from)
	if err != nil {
		return err
	}
	feeds, err := s.applyAccessChanges(ctx, recorded, from)
	if err != nil {
		return err
	}
	return s.write(ctx, func(tx *conn) error {
		for _, e := range recorded.Editions {
			if e.Ended.IsZero() || e.Ended.After(from) {
				if err := s.applyEdition(ctx, tx, e); err != nil {
					return err
				}
			}
		}
		for source, a := range recorded.Articles {
			if a.At.After(from) {
				if _, err := tx.Exec(ctx, "quarantine.article", source, a.Value); err != nil {
					return err
				}
			}
		}
		_, err := tx.Exec(ctx, "quarantine.count", counts[0], counts[1], counts[2], covered, feeds)
		return err
	})
}

// applySubscriberChanges applies unsubscribes, suppressions and erasures, and returns the
// counts of each. It never resumes mail to a subscriber.
func (s *Store) applySubscriberChanges(ctx context.Context, recorded *journal.State, from time.Time) (counts [3]int64, err error) {
	for hash, p := range recorded.Suppressions {
		if p.Reason == "" || !p.At.After(from) {
			continue
		}
		n, err := s.suppressHash(ctx, hash, p)
		if err != nil {
			return counts, err
		}
		counts[1] += n
	}
	for key, p := range recorded.Subscriptions {
		if p.Value != journal.Left || !p.At.After(from) {
			continue
		}
		n, err := s.repeatUnsubscribe(ctx, recorded, key)
		if err != nil {
			return counts, err
		}
		counts[0] += n
	}
	for id, state := range recorded.States {
		if !state.At.After(from) {
			continue
		}
		changed, err := s.lowerState(ctx, id, subscriber.State(state.Value))
		if err != nil {
			return counts, err
		}
		switch {
		case changed && state.Value == string(subscriber.Erased):
			counts[2]++
		case changed:
			counts[0]++
		}
	}
	return counts, nil
}

// suppressHash suppresses the address with a hash in hex. It returns 1 if that changed
// anything, else 0.
func (s *Store) suppressHash(ctx context.Context, text string, p journal.Suppression) (n int64, err error) {
	hash, err := hex.DecodeString(text)
	if err != nil {
		return 0, nil // not a hash of this program
	}
	err = s.write(ctx, func(tx *conn) error {
		n, err = tx.Exec(ctx, "suppression.put", hash, p.Reason, "from the journal, after a restore", millis(p.At))
		return err
	})
	return n, err
}

// repeatUnsubscribe ends the subscriptions that a subscriber had ended in the lost time. It
// returns 1 if there was one, else 0.
func (s *Store) repeatUnsubscribe(ctx context.Context, recorded *journal.State, ended journal.SubscriptionKey) (int64, error) {
	current, err := s.Subscriptions(ctx, ended.Subscriber)
	if err != nil {
		return 0, err
	}
	count := int64(0)
	for _, subscription := range current {
		joined := recorded.Subscriptions[journal.SubscriptionKey{Subscriber: ended.Subscriber, Digest: subscription.Digest}].Value == journal.Joined
		if ended.Digest != subscription.Digest && (ended.Digest != "" || joined) {
			continue
		}
		if err := s.Unsubscribe(ctx, ended.Subscriber, subscription.Digest); err != nil {
			return count, err
		}
		count = 1
	}
	return count, nil
}

// lowerState restores a subscriber's recorded state if that state blocks mail.
func (s *Store) lowerState(ctx context.Context, id int64, state subscriber.State) (changed bool, err error) {
	switch state {
	case subscriber.Unsubscribed, subscriber.Bounced, subscriber.Complained, subscriber.Paused, subscriber.Erased:
	default:
		return false, nil
	}
	sub, err := s.Subscriber(ctx, id)
	if errors.Is(err, ErrNotFound) || err == nil && sub.State == state {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	err = s.SetState(ctx, id, state, "from the journal, after a restore")
	var impossible *SubscriberStateError
	if errors.As(err, &impossible) {
		return false, nil // for example, the subscriber has been erased since
	}
	return err == nil, err
}

// applyEdition stores what the journal recorded of an edition, for an owner to decide
// on. If the store lost the edition, its articles and its tick count as used, so that they
// are not sent again.
func (s *Store) applyEdition(ctx context.Context, tx *conn, e *journal.Edition) error {
	found, err := tx.editions(ctx, "edition.get", e.ID)
	if err != nil {
		return err
	}
	if len(found) == 1 && found[0].State.Final() {
		return nil
	}
	recipients, decision := e.Recipients(), ""
	recorded := int64(len(recipients))
	if !e.Ended.IsZero() {
		recorded, decision = e.Audience, string(DecideSent)
	}
	articles, err := json.Marshal(e.Articles)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, "quarantine.edition", e.ID, e.Digest, e.Number, e.ScheduledFor, e.Subject, string(articles), e.Audience, recorded,
		millis(e.Began), millis(e.Ended), decision); err != nil {
		return err
	}
	if len(recipients) > 0 {
		if _, err := tx.Exec(ctx, "quarantine.recipients", e.ID, jsonList(recipients)); err != nil {
			return err
		}
	}
	if len(found) == 1 {
		_, err = tx.Exec(ctx, "quarantine.markRecipients", found[0].Seq, e.ID, sentBeforeRestore, millis(s.Now()))
		return err
	}
	for _, id := range e.Articles {
		if strings.HasPrefix(e.ScheduledFor, digest.MessageKey) {
			break // a message takes no article from a digest
		}
		if _, err := tx.Exec(ctx, "ledger.insert", e.Digest, id, e.ID); err != nil {
			return err
		}
	}
	_, err = tx.Exec(ctx, "tick.insert", e.Digest, e.ScheduledFor, e.ID, "sent before the restore; the backup does not have it", millis(e.Began))
	return err
}
