package press

import (
	"context"

	"github.com/tidings-press/tidings/bounce"
	"github.com/tidings-press/tidings/store"
)

// recorder keeps in the store what comes back about deliveries.
type recorder struct{ press *Press }

// Record implements bounce.Recorder.
func (r recorder) Record(ctx context.Context, outcome bounce.Outcome) (fresh bool, err error) {
	feedback := store.Feedback{
		Key:        outcome.Key,
		Subscriber: outcome.ID.Subscriber,
		Edition:    outcome.ID.Edition,
		Kind:       store.FeedbackKind(outcome.Kind),
		Code:       outcome.Code,
		Text:       outcome.Text,
		Source:     outcome.Source,
		At:         outcome.At,
	}
	return r.press.Store.RecordFeedback(ctx, feedback, softRule(r.press.Config.Delivery))
}
