package bounce

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
	"github.com/tidings-press/tidings/internal/token"
	"github.com/tidings-press/tidings/mailer"
)

// inbox is a way in which reports about a mail arrive.
type inbox struct {
	source string
	report func(t *testing.T, b *stored, id mailer.DeliveryID)
}

// dsn returns the delivery report of a mail to an unknown user.
func (s *stored) dsn(id mailer.DeliveryID) []byte {
	report := (&env{paths: s.paths}).report("Action: failed\r\nStatus: 5.1.1\r\nDiagnostic-Code: smtp; 550 5.1.1 no such user")
	return []byte(strings.ReplaceAll(report, s.paths.ReturnPath(testID), s.paths.ReturnPath(id)))
}

// inboxes returns the listeners, the mailboxes and the webhooks.
func inboxes(t *testing.T) []inbox {
	var all []inbox
	for _, protocol := range []mailer.Protocol{mailer.SMTP, mailer.LMTP} {
		all = append(all, inbox{string(protocol), func(t *testing.T, b *stored, id mailer.DeliveryID) {
			relay := (&env{Processor: b.Processor}).startListener(t, protocol)
			if reply := deliver(t, relay, b.paths.ReturnPath(id), b.dsn(id)); reply.Code != 250 {
				t.Errorf("reply %s", reply)
			}
		}})
	}
	for _, s := range servers(t) {
		if s.box.TLS == "none" {
			all = append(all, inbox{s.box.Protocol, func(t *testing.T, b *stored, id mailer.DeliveryID) {
				s.Put(b.dsn(id))
				(&env{Processor: b.Processor}).startPolling(t, s.box)
			}})
		}
	}
	hook := func(service, body string, sign func(string) (string, func(*http.Request))) inbox {
		return inbox{service, func(t *testing.T, b *stored, id mailer.DeliveryID) {
			body, prepare := sign(strings.ReplaceAll(body, "MSGID", b.paths.MessageID(id)))
			if status := post(t, (&env{Processor: b.Processor}).hook(t, service, hookSecret), body, prepare); status != http.StatusOK {
				t.Errorf("status %d", status)
			}
		}}
	}
	return append(all,
		hook("mailgun", mailgunFailure("permanent", "bounce", `{"code":550,"message":"5.1.1 no such user"}`), func(body string) (string, func(*http.Request)) {
			return mailgunSigned(hookSecret, fmt.Sprint(testNow.Unix()), "token", body), nil
		}),
		hook("brevo", `{"event":"hard_bounce","reason":"550 5.1.1 no such user","X-Mailin-custom":"MSGID"}`, withPassword))
}

// TestBounceOfASingleMailCountsOverEveryInbox: a confirmation or welcome mail that comes back bounces
// its subscriber, whichever way the report takes. The address is not mailed again.
func TestBounceOfASingleMailCountsOverEveryInbox(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		b := newStored(t, s)
		for i, in := range inboxes(t) {
			address := subscriber.MustParseAddress(fmt.Sprintf("new%d@example.net", i))
			sub, err := s.AddSubscriber(t.Context(), subscriber.Subscriber{Address: address, State: subscriber.Pending})
			if err != nil {
				t.Fatal(err)
			}
			mail := uuid.NewString()
			in.report(t, b, mailer.DeliveryID{Edition: mail, Person: token.PersonOf(sub.UID)})
			testkit.Eventually(t, "the bounce by "+in.source, func() bool {
				got, err := s.Subscriber(t.Context(), sub.ID)
				return err == nil && got.State == subscriber.Bounced
			})
			feedback, err := s.FeedbackOf(t.Context(), sub.ID, 10)
			if err != nil || len(feedback) != 1 || feedback[0].Source != in.source || feedback[0].Edition != mail || feedback[0].Code != 550 {
				t.Errorf("%s: %+v, %v", in.source, feedback, err)
			}
			var held *store.SuppressedError
			if _, err := s.AddSubscriber(t.Context(), subscriber.Subscriber{Address: address, State: subscriber.Pending}); !errors.As(err, &held) && !errors.Is(err, store.ErrExists) {
				t.Errorf("%s: the address can be added again: %v", in.source, err)
			}
			story, err := s.SubscriberHistory(t.Context(), sub, 10)
			if err != nil || len(story) == 0 || !strings.Contains(fmt.Sprint(storyFeedback(story)), "no such user") {
				t.Errorf("%s: the story has no bounce: %+v, %v", in.source, story, err)
			}
		}
	})
}

// storyFeedback returns the texts of the reports in a story.
func storyFeedback(story []store.SubscriberEvent) []string {
	var out []string
	for _, e := range story {
		if e.Feedback != nil {
			out = append(out, e.Feedback.Text)
		}
	}
	return out
}
