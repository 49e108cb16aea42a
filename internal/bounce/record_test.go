package bounce

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
	"github.com/tidings-press/tidings/internal/token"
	"github.com/tidings-press/tidings/mailer"
)

// stored is a Desk over a real store, with one active subscriber on two digests.
type stored struct {
	*Processor
	*store.Store
	paths  *mailer.SignedAddresses
	reader subscriber.Subscriber
	now    time.Time
}

func newStored(t *testing.T, s *store.Store) *stored {
	t.Helper()
	paths, err := mailer.NewSignedAddresses([]byte("0123456789abcdef0123456789abcdef"), "bounces.example.org")
	if err != nil {
		t.Fatal(err)
	}
	address, err := subscriber.ParseAddress("reader1@example.net")
	if err != nil {
		t.Fatal(err)
	}
	reader, err := s.AddSubscriber(t.Context(), subscriber.Subscriber{Address: address, State: subscriber.Active})
	if err != nil {
		t.Fatal(err)
	}
	for _, digest := range []string{"daily", "weekly"} {
		if err := s.Subscribe(t.Context(), reader.ID, digest, nil); err != nil {
			t.Fatal(err)
		}
	}
	out := &stored{Store: s, paths: paths, reader: reader, now: testNow}
	out.Processor = New(Options{
		Addresses: paths, Recorder: Book{Store: s, Soft: func() store.SoftRule { return store.SoftRule{Limit: 3, Days: 7} }}, Log: slog.New(slog.DiscardHandler),
		Now: func() time.Time { return out.now },
	})
	return out
}

// editionID is the id of an edition that a test calls by a short name.
func editionID(name string) string {
	if _, err := uuid.Parse(name); err == nil || name == "" {
		return name
	}
	return uuid.NewSHA1(uuid.Nil, []byte(name)).String()
}

// take has the Desk judge a report about one of the reader's deliveries.
func (s *stored) take(t *testing.T, name, edition string) {
	t.Helper()
	id := mailer.DeliveryID{Edition: editionID(edition), Person: token.PersonOf(s.reader.UID)}
	b := &bundle{paths: s.paths}
	data := b.sample(t, name)
	data = bytes.ReplaceAll(data, []byte(s.paths.ReturnPath(testID)), []byte(s.paths.ReturnPath(id)))
	data = bytes.ReplaceAll(data, []byte(s.paths.MessageID(testID)), []byte(s.paths.MessageID(id)))
	if verdict, err := s.Receive(t.Context(), "smtp", nil, bytes.NewReader(data)); err != nil || verdict != Recorded {
		t.Fatalf("%s: %s, %v", name, verdict, err)
	}
}

func (s *stored) expect(t *testing.T, state subscriber.State, reason store.SuppressionReason) {
	t.Helper()
	got, err := s.Subscriber(t.Context(), s.reader.ID)
	if err != nil || got.State != state {
		t.Errorf("state %s (%v), want %s", got.State, err, state)
	}
	suppression, err := s.Suppression(t.Context(), s.reader.Address)
	if err != nil || suppression.Reason != reason {
		t.Errorf("suppressed as %q (%v), want %q", suppression.Reason, err, reason)
	}
}

func TestBouncesSuppressInTheStore(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		b := newStored(t, s)
		b.take(t, "postfix", testID.Edition)
		b.take(t, "postfix", testID.Edition)
		b.expect(t, subscriber.Bounced, store.BouncedReason)
		all, err := s.FeedbackOf(t.Context(), b.reader.ID, 10)
		if err != nil || len(all) != 1 || all[0].Code != 550 || !strings.Contains(all[0].Text, "User unknown") || !all[0].At.Equal(testNow) {
			t.Errorf("%+v, %v", all, err)
		}
		counts, err := s.CountFeedback(t.Context(), testID.Edition)
		if err != nil || counts[store.FeedbackBounced] != 1 {
			t.Errorf("%v, %v", counts, err)
		}
	})
}

func TestComplaintsSuppressInTheStore(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		b := newStored(t, s)
		b.take(t, "arf", testID.Edition)
		b.expect(t, subscriber.Complained, store.ComplainedReason)
		b.take(t, "postfix", "another")
		b.expect(t, subscriber.Complained, store.ComplainedReason)
	})
}

func TestSoftBouncesCountUntilTheyAreTooMany(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		b := newStored(t, s)
		for day := range 4 {
			b.take(t, "exchange", fmt.Sprintf("edition-%d", day))
			b.take(t, "exchange", fmt.Sprintf("edition-%d", day)) // counts once
			if day < 3 {
				b.expect(t, subscriber.Active, "")
			}
			b.now = b.now.AddDate(0, 0, 3)
		}
		b.expect(t, subscriber.Bounced, store.BouncedReason) // four of them over nine days
	})
}

func TestUnsubscribingByMail(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		b := newStored(t, s)
		address := b.paths.Unsubscribe(mailer.DeliveryID{Person: token.PersonOf(b.reader.UID)})
		for range 2 {
			if _, err := b.Receive(t.Context(), "smtp", []string{address}, strings.NewReader("Subject: unsubscribe\r\n\r\n")); err != nil {
				t.Fatal(err)
			}
		}
		b.expect(t, subscriber.Unsubscribed, store.LeftReason)
		if left, err := s.Subscriptions(t.Context(), b.reader.ID); err != nil || len(left) != 0 {
			t.Errorf("%v, %v", left, err)
		}
	})
}

func TestFeedbackOnNobodyIsNoError(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		b := newStored(t, s)
		if err := s.Erase(t.Context(), b.reader.ID); err != nil {
			t.Fatal(err)
		}
		b.take(t, "postfix", testID.Edition)
		b.reader.UID = uuid.New()
		b.take(t, "postfix", testID.Edition)
	})
}

// TestABouncedConfirmationIsRecorded with who was asked; a forged one is not, and one
// about a mail to an editor concerns no subscriber.
func TestABouncedConfirmationIsRecorded(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		b := newStored(t, s)
		address := subscriber.MustParseAddress("ada@example.net")
		who, err := s.AddSubscriber(t.Context(), subscriber.Subscriber{Address: address, State: subscriber.Pending})
		if err != nil {
			t.Fatal(err)
		}
		forged, err := mailer.NewSignedAddresses([]byte("an attacker does not have the key"), "bounces.example.org")
		if err != nil {
			t.Fatal(err)
		}
		notice := mailer.DeliveryID{Edition: "5a3c1f0e-8d2b-4c47-9b11-1f2e3d4c5b6a", Person: token.PersonOf(who.UID)}
		state := func(path string) subscriber.State {
			t.Helper()
			if _, err := b.Receive(t.Context(), "smtp", []string{path}, strings.NewReader(setup(t).report("Action: failed\r\nStatus: 5.1.1"))); err != nil {
				t.Fatal(err)
			}
			got, err := s.Subscriber(t.Context(), who.ID)
			if err != nil {
				t.Fatal(err)
			}
			return got.State
		}
		if got := state(forged.ReturnPath(notice)); got != subscriber.Pending {
			t.Errorf("after a forged bounce: %s", got)
		}
		if got := state(b.paths.ReturnPath(mailer.DeliveryID{Edition: notice.Edition})); got != subscriber.Pending {
			t.Errorf("after the bounce of a mail to an editor: %s", got)
		}
		if got := state(b.paths.ReturnPath(notice)); got != subscriber.Bounced {
			t.Errorf("after a bounce: %s", got)
		}
		if held, err := s.Suppression(t.Context(), address); err != nil || held.Reason != store.BouncedReason {
			t.Errorf("%+v, %v", held, err)
		}
	})
}
