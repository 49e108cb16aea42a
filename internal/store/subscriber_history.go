package store

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"time"

	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/subscriber"
)

// SubscriberEvent is something that happened to a subscriber: one of its pointers is set.
type SubscriberEvent struct {
	At       time.Time
	Consent  *subscriber.Consent // their present consent
	Change   *SubscriberChange
	Delivery *HistoryDelivery
	Feedback *Feedback
}

// HistoryDelivery is a delivery with the subject and digest of its edition.
type HistoryDelivery struct {
	digest.Delivery
	Subject string
	Digest  string
	Relay   string
}

// SubscriberHistory returns the latest events about a subscriber, the newest first, up to limit of
// each kind.
func (s *Store) SubscriberHistory(ctx context.Context, sub subscriber.Subscriber, limit int) ([]SubscriberEvent, error) {
	var out []SubscriberEvent
	if !sub.Consent.At.IsZero() {
		out = append(out, SubscriberEvent{At: sub.Consent.At, Consent: &sub.Consent})
	}
	changes, err := s.SubscriberChanges(ctx, sub.ID, limit)
	if err != nil {
		return nil, err
	}
	for i := range changes {
		out = append(out, SubscriberEvent{At: changes[i].At, Change: &changes[i]})
	}
	feedback, err := s.FeedbackOf(ctx, sub.ID, limit)
	if err != nil {
		return nil, err
	}
	for i := range feedback {
		out = append(out, SubscriberEvent{At: feedback[i].At, Feedback: &feedback[i]})
	}
	err = s.readers.Each(ctx, "delivery.historyOfSubscriber", []any{sub.ID, limit}, func(rows *sql.Rows) error {
		var d HistoryDelivery
		var at int64
		err := rows.Scan(&d.Edition, &d.Subject, &d.Digest, &d.State, &d.Reason, &d.Tries, &d.Code, &d.Reply, &d.Relay, &at)
		d.Subscriber, d.At = sub.ID, timeOf(at)
		out = append(out, SubscriberEvent{At: d.At, Delivery: &d})
		return err
	})
	slices.SortStableFunc(out, func(a, b SubscriberEvent) int { return cmp.Compare(b.At.UnixMilli(), a.At.UnixMilli()) })
	return out, err
}
