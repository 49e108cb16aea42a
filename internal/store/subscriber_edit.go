package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/words"
)

// SubscriberEdit is what an editor sets for a subscriber.
type SubscriberEdit struct {
	Name         string
	Language     string // of articles
	MailLanguage string
	Timezone     string
	Labels       []string
	Digests      map[string][]string // the topics of each digest that the person is to have; nil changes no digest
}

// ErrEdited reports that a subscriber was changed since an editor saw them.
var ErrEdited = errors.New("the subscriber was changed since the page was shown")

// Version identifies what EditSubscriber can change: it differs after each such change.
func (l ListedSubscriber) Version() string {
	data, err := json.Marshal([]any{l.Name, l.Language, l.MailLanguage, l.Timezone, l.Labels, l.Subscriptions, l.State})
	if err != nil { // cannot happen with these types
		return ""
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:8])
}

// ListedSubscriber returns a subscriber with their subscriptions.
func (s *Store) ListedSubscriber(ctx context.Context, id int64) (ListedSubscriber, error) {
	return s.readers.listedSubscriber(ctx, id)
}

func (c *conn) listedSubscriber(ctx context.Context, id int64) (ListedSubscriber, error) {
	people, err := c.subscribers(ctx, "subscriber.byID", id)
	if err == nil && len(people) == 0 {
		err = notFound("subscriber", id)
	}
	if err != nil {
		return ListedSubscriber{}, err
	}
	listed, err := c.withSubscriptions(ctx, people)
	if err != nil {
		return ListedSubscriber{}, err
	}
	return listed[0], nil
}

// EditSubscriber changes a subscriber who still has the version that the editor saw, else it
// returns ErrEdited. It changes no state: digests can be changed only of someone who gets mail or
// paused it, and one digest must stay.
func (s *Store) EditSubscriber(ctx context.Context, id int64, version string, edit SubscriberEdit) error {
	return s.write(ctx, func(tx *conn) error {
		have, err := tx.listedSubscriber(ctx, id)
		if err != nil {
			return err
		}
		switch {
		case have.State == subscriber.Erased:
			return notFound("subscriber", id)
		case have.Version() != version:
			return ErrEdited
		}
		after := have.Subscriber
		after.Name, after.Language, after.MailLanguage, after.Timezone = subscriber.NormalizeName(edit.Name), edit.Language, edit.MailLanguage, edit.Timezone
		if err := s.setDetails(ctx, tx, have.Subscriber, after); err != nil {
			return err
		}
		if err := s.setLabels(ctx, tx, have.Subscriber, edit.Labels); err != nil {
			return err
		}
		if edit.Digests == nil {
			return nil
		}
		return s.setDigests(ctx, tx, have, edit.Digests)
	})
}

// setDetails stores the details of a subscriber in a transaction, and records which changed.
func (s *Store) setDetails(ctx context.Context, tx *conn, before, after subscriber.Subscriber) error {
	var changed []string
	for _, one := range []struct{ name, before, after string }{
		{"name", before.Name, after.Name}, {"language of articles", before.Language, after.Language},
		{"language of mails", before.MailLanguage, after.MailLanguage}, {"timezone", before.Timezone, after.Timezone},
	} {
		if one.before != one.after {
			changed = append(changed, one.name)
		}
	}
	if len(changed) == 0 {
		return nil
	}
	if _, err := tx.Exec(ctx, "subscriber.setDetails", after.ID, after.Name, after.Language, after.Timezone, after.MailLanguage); err != nil {
		return err
	}
	return s.recordChange(ctx, tx, after.ID, ChangedDetails, strings.Join(changed, ", "))
}

func (s *Store) setLabels(ctx context.Context, tx *conn, before subscriber.Subscriber, labels []string) error {
	if slices.Equal(before.Labels, labels) {
		return nil
	}
	if _, err := tx.Exec(ctx, "subscriber.setLabels", before.ID, labelsText(labels)); err != nil {
		return err
	}
	return s.recordChange(ctx, tx, before.ID, ChangedLabels, strings.Join(labels, ", "))
}

// setDigests changes the subscriptions of a subscriber to the given digests.
func (s *Store) setDigests(ctx context.Context, tx *conn, have ListedSubscriber, digests map[string][]string) error {
	changed := len(have.Subscriptions) != len(digests)
	for _, one := range have.Subscriptions {
		topics, keeps := digests[one.Digest]
		changed = changed || !keeps || !slices.Equal(topics, one.Topics)
	}
	switch {
	case !changed:
		return nil
	case have.State != subscriber.Active && have.State != subscriber.Paused:
		return InvalidInput(words.T("this subscriber is {0}, so their digests cannot be changed; they must subscribe again first", words.T(string(have.State))))
	case len(digests) == 0:
		return InvalidInput(words.T("a subscriber keeps at least one digest; use Unsubscribe to end all"))
	}
	for _, one := range have.Subscriptions {
		if _, keeps := digests[one.Digest]; !keeps {
			if err := s.leaveDigest(ctx, tx, have.ID, one.Digest); err != nil {
				return err
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(digests)) {
		if err := s.subscribe(ctx, tx, have.ID, name, digests[name]); err != nil {
			return err
		}
	}
	return nil
}
