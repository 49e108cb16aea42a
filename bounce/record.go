package bounce

import (
	"context"

	"github.com/tidings-press/tidings/store"
)

// Book records outcomes in the store.
type Book struct {
	Store *store.Store
	Soft  func() store.SoftRule // asked each time, as settings may be read anew
}

// Record keeps an outcome and changes the subscriber's state by it.
func (b Book) Record(ctx context.Context, o Outcome) (fresh bool, err error) {
	return b.Store.RecordFeedback(ctx, store.Feedback{
		Key: o.Key, Subscriber: o.ID.Subscriber, Edition: o.ID.Edition, Kind: feedbackKinds[o.Kind],
		Code: o.Code, Text: o.Text, Source: o.Source, At: o.At,
	}, b.Soft())
}

var feedbackKinds = map[Kind]store.FeedbackKind{
	Bounced: store.FeedbackBounced, Soft: store.FeedbackSoft, Complained: store.FeedbackComplained, Unsubscribed: store.FeedbackUnsubscribed,
}
