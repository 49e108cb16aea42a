package bounce

import (
	"context"
	"errors"

	"github.com/tidings-press/tidings/internal/store"
)

// Book records outcomes in the store.
type Book struct {
	Store *store.Store
	Soft  func() store.SoftRule // asked each time, as settings may be read anew
}

// Record keeps an outcome and changes the subscriber's state by it. An outcome about a
// person who is not in the store is dropped: it came back on a mail that was sent before
// the store was restored.
func (b Book) Record(ctx context.Context, o Outcome) (fresh bool, err error) {
	who, err := b.Store.SubscriberByToken(ctx, o.ID.Person)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return b.Store.RecordFeedback(ctx, store.Feedback{
		Key: o.Key, Subscriber: who.ID, Edition: o.ID.Edition, Kind: feedbackKinds[o.Kind],
		Code: o.Code, Text: o.Text, Source: o.Source, At: o.At,
	}, b.Soft())
}

var feedbackKinds = map[Kind]store.FeedbackKind{
	Bounced: store.FeedbackBounced, Soft: store.FeedbackSoft, Complained: store.FeedbackComplained, Unsubscribed: store.FeedbackUnsubscribed,
	Delivered: store.FeedbackDelivered,
}
