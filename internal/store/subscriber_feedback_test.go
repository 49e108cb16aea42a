package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

const day = 24 * time.Hour

// sendAll records all mails of a new edition as accepted by a relay.
func sendAll(t *testing.T, s *store.Store, id string) {
	t.Helper()
	approveEdition(t, s, id, "article of "+id)
	r := s.NewRecorder()
	defer r.Close()
	c := claim(t, s, "n1", time.Minute)
	people, err := s.Recipients(t.Context(), c, false)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range people {
		in := store.Intent{Chunk: c, Subscriber: p.Subscriber, Nonce: 1}
		if granted, err := r.Record(t.Context(), store.RecorderEntry{Intent: &in}); err != nil || !granted {
			t.Fatalf("granted %v, %v", granted, err)
		}
		if _, err := r.Record(t.Context(), store.RecorderEntry{Outcome: &store.Outcome{Intent: in, State: digest.DeliverySent, Code: 250}}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.ReleaseChunk(t.Context(), c, false); err != nil {
		t.Fatal(err)
	}
}

// recordReport records a report about an edition's mail.
func recordReport(t *testing.T, s *store.Store, id int64, edition string, kind store.FeedbackKind, at time.Time) {
	t.Helper()
	f := store.Feedback{Key: fmt.Sprint(kind, edition, id), Subscriber: id, Edition: edition, Kind: kind, Code: 552, Text: "full", Source: "smtp", At: at}
	if fresh, err := s.RecordFeedback(t.Context(), f, store.SoftRule{Limit: 3, Days: 7}); err != nil || !fresh {
		t.Fatalf("fresh %v, %v", fresh, err)
	}
}

func softOf(t *testing.T, s *store.Store, id int64) (int, subscriber.State) {
	t.Helper()
	sub, err := s.Subscriber(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return sub.Soft, sub.State
}

// TestSoftBouncesAddUpBehindAQueueingRelay: the relay accepts every mail with 250, and the bounce
// of each comes days later.
func TestSoftBouncesAddUpBehindAQueueingRelay(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		addSubscribers(t, s, "weekly", 1)
		sub, err := s.SubscriberByAddress(t.Context(), subscriber.MustParseAddress("reader0@example.org"))
		if err != nil {
			t.Fatal(err)
		}
		now := time.Now()
		for i := range 3 {
			edition := fmt.Sprintf("e%d", i)
			sendAll(t, s, edition)
			if soft, state := softOf(t, s, sub.ID); soft != i || state != subscriber.Active {
				t.Fatalf("after the 250 of %s: %d soft bounces, %s", edition, soft, state)
			}
			recordReport(t, s, sub.ID, edition, store.FeedbackSoft, now.Add(time.Duration(i)*4*day))
		}
		if soft, state := softOf(t, s, sub.ID); soft != 3 || state != subscriber.Bounced {
			t.Errorf("after three soft bounces in eight days: %d, %s", soft, state)
		}
		if err := s.SetState(t.Context(), sub.ID, subscriber.Active, ""); err != nil {
			t.Fatal(err)
		}
		if soft, _ := softOf(t, s, sub.ID); soft != 0 {
			t.Errorf("after an editor lifted the suppression: %d soft bounces", soft)
		}
	})
}

// TestDeliveryReportEndsASeriesOfSoftBounces covers a reported delivery, and a mail that has not
// bounced for a week.
func TestDeliveryReportEndsASeriesOfSoftBounces(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		addSubscribers(t, s, "weekly", 1)
		sub, err := s.SubscriberByAddress(t.Context(), subscriber.MustParseAddress("reader0@example.org"))
		if err != nil {
			t.Fatal(err)
		}
		now := time.Now()
		bounce := func(edition string, at time.Time, want int) {
			t.Helper()
			recordReport(t, s, sub.ID, edition, store.FeedbackSoft, at)
			if soft, state := softOf(t, s, sub.ID); soft != want || state != subscriber.Active {
				t.Errorf("after the bounce of %s: %d soft bounces, %s, want %d", edition, soft, state, want)
			}
		}
		bounce("before", now.Add(-time.Hour), 1)
		sendAll(t, s, "kept")
		bounce("early", now.Add(6*day), 2) // "kept" may still bounce
		recordReport(t, s, sub.ID, "e", store.FeedbackDelivered, now.Add(7*day))
		if soft, _ := softOf(t, s, sub.ID); soft != 0 {
			t.Errorf("after a delivery report: %d", soft)
		}
		bounce("again", now.Add(-time.Hour), 1)
		bounce("late", now.Add(9*day), 1) // "kept" has not bounced for a week
		bounce("much later", now.Add(200*day), 1)
	})
}
