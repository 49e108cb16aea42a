package bounce

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
	"github.com/tidings-press/tidings/internal/token"
	"github.com/tidings-press/tidings/mailer"
)

// edition plans an edition of a digest.
func (s *stored) edition(t *testing.T, id, of string) {
	t.Helper()
	e := store.Edition{Edition: digest.Edition{ID: id, Digest: of, ScheduledFor: "manual:" + id, Created: s.now}}
	if _, err := s.CreateDraft(t.Context(), e, nil); err != nil {
		t.Fatal(err)
	}
}

// byMail leaves as a mail program does that takes List-Unsubscribe's mailto.
func (s *stored) byMail(t *testing.T, id mailer.DeliveryID) {
	t.Helper()
	verdict, err := s.Receive(t.Context(), "smtp", []string{s.paths.Unsubscribe(id)}, strings.NewReader("Subject: unsubscribe\r\n\r\n"))
	if err != nil || verdict != Recorded {
		t.Errorf("%s, %v", verdict, err)
	}
}

// byHook leaves as a service reports it.
func (s *stored) byHook(t *testing.T, id mailer.DeliveryID) {
	t.Helper()
	handler, err := s.Webhook("generic", hookSecret)
	if err != nil {
		t.Fatal(err)
	}
	body := `{"events":[{"type":"unsubscribe","message_id":"` + s.paths.MessageID(id) + `"}]}`
	if status := post(t, handler, body, func(r *http.Request) { r.Header.Set(SignatureHeader, SignWebhook(hookSecret, s.now, []byte(body))) }); status != 204 {
		t.Errorf("status %d", status)
	}
}

// TestLeavingIsAboutTheDigestThatTheMailWasOf: who leaves one digest keeps the
// others, but a wish whose digest nobody can tell any more is not ignored.
func TestLeavingIsAboutTheDigestThatTheMailWasOf(t *testing.T) {
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
		for way, leave := range map[string]func(*stored, *testing.T, mailer.DeliveryID){"mail": (*stored).byMail, "webhook": (*stored).byHook} {
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
					b.isOn(t, test.stays)
				})
			})
		}
	}
}

// isOn checks which digests the reader is on.
func (s *stored) isOn(t *testing.T, want []string) {
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
