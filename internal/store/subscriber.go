package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store/sqldb"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/token"
)

// ErrExists says that there is a subscriber, or an editor, with this address.
var ErrExists = errors.New("the address is there already")

// AddSubscriber keeps a new person in the state that sub has and returns them with
// the number they got. ErrExists says that there is one with this address;
// *SuppressedError that it must not be mailed. A Pending one is taken in spite of
// a suppression of their own making: confirming will lift it.
func (s *Store) AddSubscriber(ctx context.Context, sub subscriber.Subscriber) (subscriber.Subscriber, error) {
	if sub.Address.IsZero() {
		return sub, errors.New("a subscriber without an address; right would be one from subscriber.ParseAddress")
	}
	if !sub.State.Known() || sub.State == subscriber.Erased {
		return sub, fmt.Errorf("a new subscriber in state %q; right would be pending or active", sub.State)
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
		return err
	})
	if sqldb.Duplicate(err) {
		err = fmt.Errorf("add subscriber %s: %w", sub.Address, ErrExists)
	}
	return sub, err
}

// Subscriber returns the person with a number. An erased one has no address.
func (s *Store) Subscriber(ctx context.Context, id int64) (subscriber.Subscriber, error) {
	return s.oneSubscriber(ctx, "subscriber.byID", id)
}

// SubscriberByAddress finds a person by their address, however it is written.
func (s *Store) SubscriberByAddress(ctx context.Context, address subscriber.Address) (subscriber.Subscriber, error) {
	return s.oneSubscriber(ctx, "subscriber.byKey", address.Key())
}

// SubscriberByToken returns who a token is about. ErrNotFound says that nobody is: a token that
// names the number of a row is good only for people who were there when such tokens
// were made, since a restored store gives numbers out again.
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

// UpdateSubscriber keeps a person's name, language and timezone.
func (s *Store) UpdateSubscriber(ctx context.Context, sub subscriber.Subscriber) error {
	return s.write(ctx, func(tx *conn) error {
		n, err := tx.Exec(ctx, "subscriber.setDetails", sub.ID, sub.Name, sub.Language, sub.Timezone)
		if err == nil && n == 0 {
			err = notFound("subscriber", sub.ID)
		}
		return err
	})
}

// SetConsent records what a person agreed to: at the latest when they confirm.
func (s *Store) SetConsent(ctx context.Context, id int64, c subscriber.Consent) error {
	return s.write(ctx, func(tx *conn) error {
		n, err := tx.Exec(ctx, "subscriber.setConsent", id, c.Source, c.Text, c.IP, millis(c.At))
		if err == nil && n == 0 {
			err = notFound("subscriber", id)
		}
		return err
	})
}

// CountSubscribers says how many people are in each state.
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
		sub.Consent.IP, millis(sub.Consent.At), millis(sub.Created), millis(sub.Changed), int64(sub.Soft), millis(sub.SoftFrom), labelsText(sub.Labels)}
}

// scanSubscriber reads id, uid and columns(subscriber).
func scanSubscriber(rows *sql.Rows) (subscriber.Subscriber, error) {
	var sub subscriber.Subscriber
	var address, labels string
	var consented, created, changed, softFrom int64
	err := rows.Scan(&sub.ID, &sub.UID, &address, &sub.Name, &sub.State, &sub.Language, &sub.Timezone, &sub.Consent.Source,
		&sub.Consent.Text, &sub.Consent.IP, &consented, &created, &changed, &sub.Soft, &softFrom, &labels)
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

// labelsText keeps labels as JSON, and none as an empty text.
func labelsText(labels []string) string { return jsonText(labels, len(labels) == 0) }

// ClearFormLanguage makes the subscribers who came by the form and have a language receive
// articles in all languages, and returns how many they are; with dryRun it only counts.
// The form once stored the language of the site unasked.
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

// ListedSubscriber is a person with the digests they are on.
type ListedSubscriber struct {
	subscriber.Subscriber
	Subscriptions []subscriber.Subscription
}

// pageSize is how many rows are read at once where all are wanted.
const pageSize = 500

// Subscribers gives the people that a query asks for by their numbers, in constant
// memory. Who comes or goes meanwhile may be in it or not; everyone else is in it
// once. An error is the last thing yielded.
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
	out := make([]ListedSubscriber, len(people))
	ids := make([]int64, len(people))
	for i, sub := range people {
		out[i].Subscriber, ids[i] = sub, sub.ID
	}
	subscriptions, err := s.readers.subscriptions(ctx, "subscription.of", jsonList(ids))
	at := 0
	for _, p := range subscriptions { // both are in the order of the numbers
		for at < len(out) && out[at].ID < p.Subscriber {
			at++
		}
		out[at].Subscriptions = append(out[at].Subscriptions, p)
	}
	return out, err
}

// PersonalData is everything that is stored of a person.
type PersonalData struct {
	Subscriber    subscriber.Subscriber
	Subscriptions []subscriber.Subscription
	Deliveries    []digest.Delivery // of the newest editions
	Feedback      []Feedback
}

// mostKept bounds the mails and reports that are listed of a person.
const mostKept = 5000

// PersonalData returns everything that is stored of a person, for a copy of their own.
// ErrNotFound says that there is nobody with this number.
func (s *Store) PersonalData(ctx context.Context, id int64) (PersonalData, error) {
	var k PersonalData
	var err error
	if k.Subscriber, err = s.Subscriber(ctx, id); err != nil {
		return k, err
	}
	if k.Subscriptions, err = s.Subscriptions(ctx, id); err != nil {
		return k, err
	}
	if k.Feedback, err = s.FeedbackOf(ctx, id, mostKept); err != nil {
		return k, err
	}
	err = s.readers.Each(ctx, "delivery.ofSubscriber", []any{id, mostKept}, func(rows *sql.Rows) error {
		var d digest.Delivery
		var at int64
		err := rows.Scan(&d.Edition, &d.State, &d.Reason, &d.Tries, &d.Code, &d.Reply, &at)
		d.Subscriber, d.At = id, timeOf(at)
		k.Deliveries = append(k.Deliveries, d)
		return err
	})
	return k, err
}
