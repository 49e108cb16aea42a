package store

import (
	"context"
	"database/sql"

	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/subscriber"
)

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
