package store_test

import (
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

// TestLeavingAgainByTheSameMailCounts: a person who left by a mail, subscribed again and uses the same mail once
// more has left. The report is known, and counts once.
func TestLeavingAgainByTheSameMailCounts(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		addSubscribers(t, s, "weekly", 1)
		sub, err := s.SubscriberByAddress(ctx, subscriber.MustParseAddress("reader0@example.org"))
		must(t, err)
		leave := store.Feedback{Key: "unsubscribed:mail", Subscriber: sub.ID, Kind: store.FeedbackUnsubscribed, Source: "smtp", At: time.Now()}
		for try := range 3 {
			fresh, err := s.RecordFeedback(ctx, leave, store.SoftRule{})
			if err != nil || fresh != (try == 0) {
				t.Errorf("try %d: fresh is %v, %v", try, fresh, err)
			}
			if _, state := softOf(t, s, sub.ID); state != subscriber.Unsubscribed {
				t.Errorf("try %d: the person is %s", try, state)
			}
			if left, err := s.Subscriptions(ctx, sub.ID); err != nil || len(left) != 0 {
				t.Errorf("try %d: subscriptions %v, %v", try, left, err)
			}
			if fresh, err := s.RecordFeedback(ctx, leave, store.SoftRule{}); err != nil || fresh { // sent again
				t.Errorf("try %d: fresh is %v, %v", try, fresh, err)
			}
			must(t, s.SetState(ctx, sub.ID, subscriber.Active, ""), s.Subscribe(ctx, sub.ID, "weekly", nil))
		}
		if all, err := s.FeedbackOf(ctx, sub.ID, 10); err != nil || len(all) != 1 {
			t.Errorf("%d reports, %v, want 1", len(all), err)
		}
	})
}

// TestRepeatedBouncesChangeNothing: the same report of a server may arrive twice, after an editor has lifted the
// suppression.
func TestRepeatedBouncesChangeNothing(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		addSubscribers(t, s, "weekly", 1)
		sub, err := s.SubscriberByAddress(ctx, subscriber.MustParseAddress("reader0@example.org"))
		must(t, err)
		for _, kind := range []store.FeedbackKind{store.FeedbackBounced, store.FeedbackSoft} {
			report := store.Feedback{Key: string(kind) + ":mail", Subscriber: sub.ID, Kind: kind, Code: 550, Source: "smtp", At: time.Now()}
			rule := store.SoftRule{Limit: 1}
			if fresh, err := s.RecordFeedback(ctx, report, rule); err != nil || !fresh {
				t.Fatalf("%s: fresh is %v, %v", kind, fresh, err)
			}
			if _, state := softOf(t, s, sub.ID); state != subscriber.Bounced {
				t.Fatalf("%s: the address is %s", kind, state)
			}
			must(t, s.SetState(ctx, sub.ID, subscriber.Active, ""))
			if fresh, err := s.RecordFeedback(ctx, report, rule); err != nil || fresh {
				t.Errorf("%s: fresh is %v, %v", kind, fresh, err)
			}
			if soft, state := softOf(t, s, sub.ID); state != subscriber.Active || soft != 0 {
				t.Errorf("%s: the repeated report makes the address %s with %d soft bounces", kind, state, soft)
			}
		}
	})
}

// TestReportsAboutUnknownSubscribersChangeNothing has a subscriber who does not exist, and one who was erased.
func TestReportsAboutUnknownSubscribersChangeNothing(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		addSubscribers(t, s, "weekly", 1)
		sub, err := s.SubscriberByAddress(ctx, subscriber.MustParseAddress("reader0@example.org"))
		must(t, err, s.Erase(ctx, sub.ID))
		for _, kind := range []store.FeedbackKind{store.FeedbackBounced, store.FeedbackSoft, store.FeedbackComplained, store.FeedbackUnsubscribed, store.FeedbackDelivered} {
			for _, id := range []int64{sub.ID, sub.ID + 1000} {
				for range 2 {
					if _, err := s.RecordFeedback(ctx, store.Feedback{Key: string(kind), Subscriber: id, Kind: kind, At: time.Now()}, store.SoftRule{Limit: 1}); err != nil {
						t.Errorf("%s about %d: %v", kind, id, err)
					}
				}
			}
		}
		if _, state := softOf(t, s, sub.ID); state != subscriber.Erased {
			t.Errorf("the erased person is %s", state)
		}
	})
}
