package store

import (
	"context"
	"iter"

	"github.com/tidings-press/tidings/internal/subscriber"
)

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
