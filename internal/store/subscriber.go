package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"time"

	"github.com/tidings-press/tidings/internal/store/sqldb"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/token"
)

// ErrExists reports that a subscriber, or an editor, has this address already.
var ErrExists = errors.New("the address exists already")

// AddSubscriber stores a new subscriber in the state of sub and returns it with its ids.
// ErrExists reports that the address exists, *SuppressedError that it must not be mailed.
// A pending subscriber is accepted despite a suppression at their own request:
// confirming lifts it.
func (s *Store) AddSubscriber(ctx context.Context, sub subscriber.Subscriber) (subscriber.Subscriber, error) {
	if sub.Address.IsZero() {
		return sub, errors.New("a subscriber needs an address; use one from subscriber.ParseAddress")
	}
	if !sub.State.Known() || sub.State == subscriber.Erased {
		return sub, fmt.Errorf("a new subscriber cannot be %q; use pending or active", sub.State)
	}
	keys, err := s.Keys(ctx)
	if err != nil {
		return sub, err
	}
	sub.Created = s.Now()
	sub.Changed, sub.Soft, sub.SoftFrom = sub.Created, 0, time.Time{}
	err = s.write(ctx, func(tx *conn) error {
		held, err := tx.suppression(ctx, keys, sub.Address)
		if err != nil {
			return err
		}
		if held.Reason != "" && (sub.State != subscriber.Pending || !held.Reason.Personal()) {
			return &SuppressedError{Address: sub.Address, Suppression: held}
		}
		_, err = tx.One(ctx, "subscriber.insert", append([]any{sub.Address.Key()}, subscriberValues(&sub)...), &sub.ID, &sub.UID)
		if err != nil {
			return err
		}
		noteAuditObject(ctx, strconv.FormatInt(sub.ID, 10))
		return s.recordChange(ctx, tx, sub.ID, ChangedAdded, string(sub.State))
	})
	if sqldb.Duplicate(err) {
		err = fmt.Errorf("add subscriber %s: %w", sub.Address, ErrExists)
	}
	return sub, err
}

// Subscriber returns the subscriber with an id. An erased one has no address.
func (s *Store) Subscriber(ctx context.Context, id int64) (subscriber.Subscriber, error) {
	return s.oneSubscriber(ctx, "subscriber.byID", id)
}

// SubscriberByAddress finds a subscriber by address, in any spelling.
func (s *Store) SubscriberByAddress(ctx context.Context, address subscriber.Address) (subscriber.Subscriber, error) {
	return s.oneSubscriber(ctx, "subscriber.byKey", address.Key())
}

// SubscriberByToken returns the subscriber that a token names, or ErrNotFound. A token
// with the number of a row is valid only for subscribers from the time when such tokens
// were made, since a restored store assigns numbers again.
func (s *Store) SubscriberByToken(ctx context.Context, p token.Person) (subscriber.Subscriber, error) {
	if p.Row != 0 {
		return s.oneSubscriber(ctx, "subscriber.byLegacyRow", p.Row)
	}
	return s.oneSubscriber(ctx, "subscriber.byUID", p.ID[:])
}

func (s *Store) oneSubscriber(ctx context.Context, query string, key any) (subscriber.Subscriber, error) {
	found, err := s.readers.subscribers(ctx, query, key)
	if err == nil && len(found) == 0 {
		err = notFound("subscriber", key)
	}
	if err != nil {
		return subscriber.Subscriber{}, err
	}
	return found[0], nil
}

// UpdateSubscriber stores a subscriber's name, languages and timezone.
func (s *Store) UpdateSubscriber(ctx context.Context, sub subscriber.Subscriber) error {
	return s.write(ctx, func(tx *conn) error {
		found, err := tx.subscribers(ctx, "subscriber.byID", sub.ID)
		if err != nil {
			return err
		}
		if len(found) == 0 || found[0].State == subscriber.Erased {
			return notFound("subscriber", sub.ID)
		}
		return s.setDetails(ctx, tx, found[0], sub)
	})
}

// SetConsent records what a subscriber agreed to, at the latest when they confirm.
func (s *Store) SetConsent(ctx context.Context, id int64, c subscriber.Consent) error {
	return s.write(ctx, func(tx *conn) error { return s.setConsent(ctx, tx, id, c) })
}

// setConsent is SetConsent within a transaction. The change records the earlier consent.
func (s *Store) setConsent(ctx context.Context, tx *conn, id int64, c subscriber.Consent) error {
	found, err := tx.subscribers(ctx, "subscriber.byID", id)
	if err != nil {
		return err
	}
	n, err := tx.Exec(ctx, "subscriber.setConsent", id, c.Source, c.Text, c.IP, millis(c.At))
	if err == nil && n == 0 {
		err = notFound("subscriber", id)
	}
	if err != nil {
		return err
	}
	earlier := found[0].Consent
	detail := strings.Trim(earlier.Source+": "+earlier.Text, ": ")
	if !earlier.At.IsZero() {
		detail += " (" + earlier.At.Format(time.DateOnly) + ")"
	}
	return s.recordChange(ctx, tx, id, ChangedConsent, detail)
}

// CountSubscribers returns the number of subscribers in each state.
func (s *Store) CountSubscribers(ctx context.Context) (map[subscriber.State]int64, error) {
	out := map[subscriber.State]int64{}
	err := s.readers.Each(ctx, "subscriber.counts", nil, func(rows *sql.Rows) error {
		var state subscriber.State
		var n int64
		err := rows.Scan(&state, &n)
		out[state] = n
		return err
	})
	return out, err
}

func (c *conn) subscribers(ctx context.Context, query string, args ...any) ([]subscriber.Subscriber, error) {
	var out []subscriber.Subscriber
	err := c.Each(ctx, query, args, func(rows *sql.Rows) error {
		sub, err := scanSubscriber(rows)
		out = append(out, sub)
		return err
	})
	return out, err
}

// subscriberValues returns the values of columns(subscriber).
func subscriberValues(sub *subscriber.Subscriber) []any {
	return []any{sub.Address.ASCII(), sub.Name, string(sub.State), sub.Language, sub.Timezone, sub.Consent.Source, sub.Consent.Text,
		sub.Consent.IP, millis(sub.Consent.At), millis(sub.Created), millis(sub.Changed), int64(sub.Soft), millis(sub.SoftFrom), labelsText(sub.Labels), sub.MailLanguage}
}

// scanSubscriber reads id, uid and columns(subscriber).
func scanSubscriber(rows *sql.Rows) (subscriber.Subscriber, error) {
	var sub subscriber.Subscriber
	var address, labels string
	var consented, created, changed, softFrom int64
	err := rows.Scan(&sub.ID, &sub.UID, &address, &sub.Name, &sub.State, &sub.Language, &sub.Timezone, &sub.Consent.Source,
		&sub.Consent.Text, &sub.Consent.IP, &consented, &created, &changed, &sub.Soft, &softFrom, &labels, &sub.MailLanguage)
	if err != nil {
		return sub, err
	}
	sub.Consent.At, sub.Created, sub.Changed, sub.SoftFrom = timeOf(consented), timeOf(created), timeOf(changed), timeOf(softFrom)
	if labels != "" {
		if err := json.Unmarshal([]byte(labels), &sub.Labels); err != nil {
			return sub, fmt.Errorf("labels of subscriber %d: %w", sub.ID, err)
		}
	}
	if address != "" {
		if sub.Address, err = subscriber.ParseAddress(address); err != nil {
			return sub, fmt.Errorf("subscriber %d: %w", sub.ID, err)
		}
	}
	return sub, nil
}

// labelsText returns labels as JSON, and an empty text for none.
func labelsText(labels []string) string { return jsonText(labels, len(labels) == 0) }

// ClearFormLanguage makes subscribers from the form who have a language receive articles
// in all languages, and returns their number; with dryRun it only counts them. The form
// once stored the language of the site without asking.
func (s *Store) ClearFormLanguage(ctx context.Context, language string, dryRun bool) (n int64, err error) {
	if dryRun {
		_, err = s.readers.One(ctx, "subscriber.countFormLanguage", []any{language}, &n)
		return n, err
	}
	err = s.write(ctx, func(tx *conn) (err error) {
		n, err = tx.Exec(ctx, "subscriber.clearFormLanguage", language)
		return err
	})
	return n, err
}

// SubscriberQuery asks for subscribers.
type SubscriberQuery struct {
	State  subscriber.State // any when empty
	Digest string           // those who are on it; any when empty
	After  int64            // only those with a higher number
	Limit  int              // no limit when 0
}

// ListedSubscriber is a subscriber with their subscriptions.
type ListedSubscriber struct {
	subscriber.Subscriber
	Subscriptions []subscriber.Subscription
}

// pageSize is how many rows are read at a time where all are needed.
const pageSize = 500

// Subscribers yields the subscribers of a query in the order of their ids, in constant
// memory. A subscriber who joins or leaves meanwhile may be missing; every other one is
// yielded once. An error is the last thing yielded.
func (s *Store) Subscribers(ctx context.Context, q SubscriberQuery) iter.Seq2[ListedSubscriber, error] {
	return func(yield func(ListedSubscriber, error) bool) {
		left := q.Limit
		for {
			size := pageSize
			if q.Limit > 0 {
				size = min(size, left)
			}
			page, err := s.subscriberPage(ctx, q, size)
			if err != nil {
				yield(ListedSubscriber{}, err)
				return
			}
			for _, listed := range page {
				if !yield(listed, nil) {
					return
				}
				q.After = listed.ID
			}
			if left -= len(page); len(page) < size || q.Limit > 0 && left <= 0 {
				return
			}
		}
	}
}

func (s *Store) subscriberPage(ctx context.Context, q SubscriberQuery, size int) ([]ListedSubscriber, error) {
	query, args := "subscriber.page", []any{q.After, size}
	switch {
	case q.Digest != "":
		query, args = "subscriber.pageOfDigest", append(args, q.Digest, string(q.State))
	case q.State != "":
		query, args = "subscriber.pageOfState", append(args, string(q.State))
	}
	people, err := s.readers.subscribers(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	return s.readers.withSubscriptions(ctx, people)
}

// withSubscriptions returns subscribers with their subscriptions.
func (c *conn) withSubscriptions(ctx context.Context, people []subscriber.Subscriber) ([]ListedSubscriber, error) {
	out := make([]ListedSubscriber, len(people))
	ids := make([]int64, len(people))
	at := make(map[int64]*ListedSubscriber, len(people))
	for i, sub := range people {
		out[i].Subscriber, ids[i] = sub, sub.ID
		at[sub.ID] = &out[i]
	}
	subscriptions, err := c.subscriptions(ctx, "subscription.of", jsonList(ids))
	for _, p := range subscriptions {
		at[p.Subscriber].Subscriptions = append(at[p.Subscriber].Subscriptions, p)
	}
	return out, err
}
