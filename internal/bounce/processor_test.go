package bounce

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
	"github.com/tidings-press/tidings/internal/token"
	"github.com/tidings-press/tidings/mailer"
)

func TestReportsBecomeOutcomes(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]struct {
		result Result
		kind   Kind
		code   int
	}{
		"postfix": {Recorded, Bounced, 550}, "gmail": {Recorded, Bounced, 550}, "exchange": {Recorded, Soft, 554}, "exim": {Recorded, Bounced, 550},
		"yahoo": {Recorded, Bounced, 554}, "qmail": {Recorded, Bounced, 550}, "japanese": {NoAction, "", 0}, "arf": {Recorded, Complained, 0},
		"arf-redacted": {Recorded, Complained, 0}, "outlook-complaint": {Recorded, Complained, 0}, "only-verp": {Recorded, Bounced, 0},
		"truncated": {Recorded, Soft, 550}, "missing-status": {NoAction, "", 0}, "vacation": {NotOurs, "", 0}, "relayed": {NoAction, "", 0},
		"german": {Recorded, Bounced, 550}, "first-part-only": {Recorded, Soft, 552}, "headers-only": {Recorded, Bounced, 550}, "exchange-html": {Recorded, Bounced, 550},
		"exim-delayed": {NoAction, "", 0}, "exim-unrouteable": {Recorded, Soft, 0}, "qmail-local": {Recorded, Bounced, 0}, "gave-up": {Recorded, Soft, 0},
		"arf-bare": {Recorded, Complained, 0}, "gateway-dialogue": {Recorded, Bounced, 550}, "null-sender": {Recorded, Bounced, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			for range 2 { // the repeated report changes nothing
				result, err := b.Receive(t.Context(), "smtp", nil, bytes.NewReader(b.sample(t, name)))
				if err != nil || result != want.result {
					t.Fatalf("%s, %v, want %s", result, err, want.result)
				}
			}
			if want.kind == "" {
				if all := b.recorder.all(); len(all) != 0 {
					t.Errorf("recorded %+v", all)
				}
				return
			}
			got := b.recorder.only(t)
			if got.Kind != want.kind || got.ID != testID || got.Code != want.code || !got.At.Equal(testNow) || got.Source != "smtp" {
				t.Errorf("%+v, want %+v", got, want)
			}
		})
	}
}

func TestForgedReportsDoNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	other, err := mailer.NewSignedAddresses([]byte("an attacker does not have the key"), "bounces.example.org")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"postfix", "gmail", "arf", "qmail"} {
		data := string(b.sample(t, name))
		data = strings.ReplaceAll(data, b.paths.ReturnPath(testID), other.ReturnPath(testID))
		data = strings.ReplaceAll(data, b.paths.MessageID(testID), other.MessageID(testID))
		result, err := b.Receive(t.Context(), "smtp", []string{other.ReturnPath(testID), other.Unsubscribe(testID)}, strings.NewReader(data))
		if err != nil || result != NotOurs {
			t.Errorf("%s: %s, %v", name, result, err)
		}
	}
	if b.recorder.calls != 0 {
		t.Errorf("recorded %+v", b.recorder.all())
	}
}

func TestEnvelopeReturnPathIdentifiesDelivery(t *testing.T) {
	t.Parallel()
	b := setup(t)
	other := mailer.DeliveryID{Edition: testID.Edition, Person: token.PersonOf(uuid.New())}
	if _, err := b.Receive(t.Context(), "smtp", []string{b.paths.ReturnPath(other)}, bytes.NewReader(b.sample(t, "postfix"))); err != nil {
		t.Fatal(err)
	}
	if got := b.recorder.only(t); got.ID != other {
		t.Errorf("%+v", got)
	}
}

func TestMailToUnsubscribeAddressUnsubscribes(t *testing.T) {
	t.Parallel()
	letter := "From: Reader <r@example.net>\r\nTo: <ADDRESS>\r\nSubject: unsubscribe\r\n\r\n"
	for name, known := range map[string]bool{"by its envelope": true, "by its header": false} {
		b := setup(t)
		address := b.paths.Unsubscribe(testID)
		var to []string
		if known {
			to = []string{address}
		}
		result, err := b.Receive(t.Context(), "imap", to, strings.NewReader(strings.ReplaceAll(letter, "ADDRESS", address)))
		if got := b.recorder.only(t); err != nil || result != Recorded || got.Kind != Unsubscribed || got.ID != testID {
			t.Errorf("%s: %s, %v, %+v", name, result, err, got)
		}
	}
}

// stored is a Processor on a real store, with one active subscriber of two digests.
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
		Addresses: paths, Recorder: StoreRecorder{Store: s, Soft: func() store.SoftRule { return store.SoftRule{Limit: 3, Days: 7} }}, Log: slog.New(slog.DiscardHandler),
		Now: func() time.Time { return out.now },
	})
	return out
}

// editionID returns the id of an edition that a test calls by a short name.
func editionID(name string) string {
	if _, err := uuid.Parse(name); err == nil || name == "" {
		return name
	}
	return uuid.NewSHA1(uuid.Nil, []byte(name)).String()
}

// report passes a report about one of the subscriber's deliveries to the Processor.
func (s *stored) report(t *testing.T, name, edition string) {
	t.Helper()
	id := mailer.DeliveryID{Edition: editionID(edition), Person: token.PersonOf(s.reader.UID)}
	b := &env{paths: s.paths}
	data := b.sample(t, name)
	data = bytes.ReplaceAll(data, []byte(s.paths.ReturnPath(testID)), []byte(s.paths.ReturnPath(id)))
	data = bytes.ReplaceAll(data, []byte(s.paths.MessageID(testID)), []byte(s.paths.MessageID(id)))
	if result, err := s.Receive(t.Context(), "smtp", nil, bytes.NewReader(data)); err != nil || result != Recorded {
		t.Fatalf("%s: %s, %v", name, result, err)
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
		b.report(t, "postfix", testID.Edition)
		b.report(t, "postfix", testID.Edition)
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
		b.report(t, "arf", testID.Edition)
		b.expect(t, subscriber.Complained, store.ComplainedReason)
		b.report(t, "postfix", "another")
		b.expect(t, subscriber.Complained, store.ComplainedReason)
	})
}

func TestTooManySoftBouncesSuppressTheAddress(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		b := newStored(t, s)
		for day := range 4 {
			b.report(t, "exchange", fmt.Sprintf("edition-%d", day))
			b.report(t, "exchange", fmt.Sprintf("edition-%d", day)) // counts once
			if day < 3 {
				b.expect(t, subscriber.Active, "")
			}
			b.now = b.now.AddDate(0, 0, 3)
		}
		b.expect(t, subscriber.Bounced, store.BouncedReason) // four of them over nine days
	})
}

func TestMailUnsubscribesInTheStore(t *testing.T) {
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

func TestFeedbackOnAnUnknownSubscriberIsNotAnError(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		b := newStored(t, s)
		if err := s.Erase(t.Context(), b.reader.ID); err != nil {
			t.Fatal(err)
		}
		b.report(t, "postfix", testID.Edition)
		b.reader.UID = uuid.New()
		b.report(t, "postfix", testID.Edition)
	})
}

// TestBouncedConfirmationIsRecorded for the subscriber; a forged bounce is ignored, and the bounce of
// a mail to an editor concerns no subscriber.
func TestBouncedConfirmationIsRecorded(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		b := newStored(t, s)
		address := subscriber.MustParseAddress("ada@example.net")
		sub, err := s.AddSubscriber(t.Context(), subscriber.Subscriber{Address: address, State: subscriber.Pending})
		if err != nil {
			t.Fatal(err)
		}
		forged, err := mailer.NewSignedAddresses([]byte("an attacker does not have the key"), "bounces.example.org")
		if err != nil {
			t.Fatal(err)
		}
		notice := mailer.DeliveryID{Edition: "5a3c1f0e-8d2b-4c47-9b11-1f2e3d4c5b6a", Person: token.PersonOf(sub.UID)}
		state := func(path string) subscriber.State {
			t.Helper()
			if _, err := b.Receive(t.Context(), "smtp", []string{path}, strings.NewReader(setup(t).report("Action: failed\r\nStatus: 5.1.1"))); err != nil {
				t.Fatal(err)
			}
			got, err := s.Subscriber(t.Context(), sub.ID)
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

func TestLogOfABounceNamesNoAddress(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var log bytes.Buffer
	b.Processor.log = slog.New(slog.NewTextHandler(&log, nil))
	if result, err := b.Receive(t.Context(), "smtp", nil, bytes.NewReader(b.sample(t, "postfix"))); err != nil || result != Recorded {
		t.Fatalf("%s, %v", result, err)
	}
	if text := log.String(); !strings.Contains(text, "550") || strings.Contains(text, "@") {
		t.Errorf("the log contains an address: %s", text)
	}
}

// edition plans an edition of a digest.
func (s *stored) edition(t *testing.T, id, of string) {
	t.Helper()
	e := store.Edition{Edition: digest.Edition{ID: id, Digest: of, ScheduledFor: "manual:" + id, Created: s.now}}
	if _, err := s.CreateDraft(t.Context(), e, nil); err != nil {
		t.Fatal(err)
	}
}

// unsubscribeByMail sends the mail that a mail program sends to the mailto address of
// List-Unsubscribe.
func (s *stored) unsubscribeByMail(t *testing.T, id mailer.DeliveryID) {
	t.Helper()
	result, err := s.Receive(t.Context(), "smtp", []string{s.paths.Unsubscribe(id)}, strings.NewReader("Subject: unsubscribe\r\n\r\n"))
	if err != nil || result != Recorded {
		t.Errorf("%s, %v", result, err)
	}
}

// unsubscribeByWebhook posts the event that a mail service sends when a subscriber unsubscribes.
func (s *stored) unsubscribeByWebhook(t *testing.T, id mailer.DeliveryID) {
	t.Helper()
	handler, err := s.Webhook("generic", hookSecret, hookAddress)
	if err != nil {
		t.Fatal(err)
	}
	body := `{"events":[{"type":"unsubscribe","message_id":"` + s.paths.MessageID(id) + `"}]}`
	if status := post(t, handler, body, func(r *http.Request) { r.Header.Set(SignatureHeader, signWebhook(hookSecret, s.now, []byte(body))) }); status != 204 {
		t.Errorf("status %d", status)
	}
}

// TestUnsubscribingByMailLeavesTheDigestOfTheMail unsubscribes from mails of one digest, which
// keeps the other digests. When the mail's digest is unknown, all digests end.
func TestUnsubscribingByMailLeavesTheDigestOfTheMail(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		editions []string // of the mails that are answered
		stays    []string
		state    subscriber.State
		reason   store.SuppressionReason
	}{
		"one digest":               {[]string{"w1"}, []string{"daily"}, subscriber.Active, ""},
		"two editions of it":       {[]string{"w1", "w2"}, []string{"daily"}, subscriber.Active, ""},
		"the same mail twice":      {[]string{"w1", "w1"}, []string{"daily"}, subscriber.Active, ""},
		"one after the other":      {[]string{"w1", "d1"}, nil, subscriber.Unsubscribed, store.LeftReason},
		"one they are not on":      {[]string{"m1"}, []string{"daily", "weekly"}, subscriber.Active, ""},
		"a mail of no edition":     {[]string{""}, nil, subscriber.Unsubscribed, store.LeftReason},
		"an edition that is gone":  {[]string{"old"}, nil, subscriber.Unsubscribed, store.LeftReason},
		"one, and then everything": {[]string{"d1", ""}, nil, subscriber.Unsubscribed, store.LeftReason},
	} {
		for way, leave := range map[string]func(*stored, *testing.T, mailer.DeliveryID){"mail": (*stored).unsubscribeByMail, "webhook": (*stored).unsubscribeByWebhook} {
			t.Run(name+" by "+way, func(t *testing.T) {
				t.Parallel()
				storetest.Each(t, func(t *testing.T, s *store.Store) {
					b := newStored(t, s)
					for id, of := range map[string]string{"w1": "weekly", "w2": "weekly", "d1": "daily", "m1": "monthly"} {
						b.edition(t, editionID(id), of)
					}
					for _, edition := range test.editions {
						leave(b, t, mailer.DeliveryID{Edition: editionID(edition), Person: token.PersonOf(b.reader.UID)})
					}
					b.expect(t, test.state, test.reason)
					b.wantDigests(t, test.stays)
				})
			})
		}
	}
}

// wantDigests checks the digests that the subscriber is subscribed to.
func (s *stored) wantDigests(t *testing.T, want []string) {
	t.Helper()
	all, err := s.Subscriptions(t.Context(), s.reader.ID)
	if err != nil {
		t.Fatal(err)
	}
	var on []string
	for _, one := range all {
		on = append(on, one.Digest)
	}
	if slices.Sort(on); !slices.Equal(on, want) {
		t.Errorf("on %v, want %v", on, want)
	}
}
