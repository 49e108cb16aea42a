package bounce

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/internal/token"
	"github.com/tidings-press/tidings/mailer"
)

// TestMailToSeveralUnsubscribeAddressesUnsubscribesEach: all of them were accepted, so none may be lost.
func TestMailToSeveralUnsubscribeAddressesUnsubscribesEach(t *testing.T) {
	t.Parallel()
	ids := []mailer.DeliveryID{testID, {Edition: uuid.NewString(), Person: testID.Person}, {Edition: testID.Edition, Person: token.PersonOf(uuid.New())}}
	for _, byEnvelope := range []bool{true, false} {
		b := setup(t)
		var addresses []string
		for _, id := range ids {
			addresses = append(addresses, b.paths.Unsubscribe(id))
		}
		addresses = append(addresses, addresses[0], "postmaster@bounces.example.org") // twice, and one of another purpose
		letter := "From: r@example.net\r\nTo: <" + strings.Join(addresses, ">, <") + ">\r\nSubject: unsubscribe\r\n\r\n"
		var to []string
		if byEnvelope {
			to = addresses
		}
		if result, err := b.Receive(t.Context(), "lmtp", to, strings.NewReader(letter)); err != nil || result != Recorded {
			t.Fatalf("%s, %v", result, err)
		}
		all := b.recorder.all()
		if len(all) != len(ids) || b.recorder.calls != len(ids) {
			t.Errorf("by the envelope %v: %d outcomes by %d calls, want %d", byEnvelope, len(all), b.recorder.calls, len(ids))
		}
		for _, o := range all {
			if o.Kind != Unsubscribed {
				t.Errorf("%+v", o)
			}
		}
	}
}

// TestUnsubscriptionsAreTriedAgainWhileTheStoreFails: the server that delivers the mail must keep it.
func TestUnsubscriptionsAreTriedAgainWhileTheStoreFails(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.recorder.setBroken(true)
	letter := "From: r@example.net\r\nSubject: unsubscribe\r\n\r\n"
	to := []string{b.paths.Unsubscribe(testID)}
	if _, err := b.Receive(t.Context(), "smtp", to, strings.NewReader(letter)); err == nil {
		t.Error("the mail counts as handled")
	}
	b.recorder.setBroken(false)
	if result, err := b.Receive(t.Context(), "smtp", to, strings.NewReader(letter)); err != nil || result != Recorded {
		t.Errorf("%s, %v", result, err)
	}
}

// TestRequestsThatProgramsSendForPeopleUnsubscribe: a mail program may mark them as generated. Automatic replies
// do not unsubscribe.
func TestRequestsThatProgramsSendForPeopleUnsubscribe(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]Result{
		"Subject: unsubscribe":                                        Recorded,
		"Subject: Unsubscribe":                                        Recorded,
		"Subject: unsubscribe\r\nAuto-Submitted: no":                  Recorded,
		"Subject: unsubscribe\r\nAuto-Submitted: auto-generated":      Recorded,
		"Subject:   UNSUBSCRIBE  \r\nAuto-Submitted: AUTO-GENERATED":  Recorded,
		"Subject: =?utf-8?b?dW5zdWJzY3JpYmU=?=":                       Recorded,
		"Subject: please remove me":                                   Recorded,
		"X-No-Subject: 1":                                             Recorded,
		"Subject: unsubscribe\r\nReturn-Path: <>":                     Recorded,
		"Subject: unsubscribe\r\nAuto-Submitted: auto-replied":        NoAction,
		"Subject: Re: unsubscribe\r\nAuto-Submitted: auto-generated":  NoAction,
		"Subject: Out of office\r\nAuto-Submitted: auto-generated":    NoAction,
		"Subject: Automatic reply: unsubscribe":                       NoAction,
		"Subject: unsubscribe\r\nList-Id: <x.example.net>":            NoAction,
		"Subject: Re: unsubscribe\r\nReturn-Path: <>":                 NoAction,
		"Subject: unsubscribe\r\nAuto-Submitted: auto-notified; id=1": NoAction,
		"Subject: unsubscribe\r\nAuto-Submitted: auto-generated\r\nContent-Type: multipart/report; boundary=x": NoAction,
	} {
		b := setup(t)
		letter := "From: Reader <r@example.net>\r\n" + header + "\r\n\r\n"
		result, err := b.Receive(t.Context(), "smtp", []string{b.paths.Unsubscribe(testID)}, strings.NewReader(letter))
		if err != nil || result != want || len(b.recorder.all()) != map[Result]int{Recorded: 1}[want] {
			t.Errorf("%q: %s, %v, %d outcomes, want %s", header, result, err, len(b.recorder.all()), want)
		}
	}
}

// TestGenericWebhookRefusesBodiesWithoutEvents: the sender must learn that its body was not understood. A single
// complaint without the list around it was answered with success and lost.
func TestGenericWebhookRefusesBodiesWithoutEvents(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]int{
		`{"type":"complaint","message_id":"MSGID"}`:             400,
		`{"event":[{"type":"complaint","message_id":"MSGID"}]}`: 400,
		`{"events":null}`: 400,
		`{}`:              400,
		`null`:            400,
		``:                400,
		`[{"type":"complaint","message_id":"MSGID"}]`:          400,
		`{"events":{"type":"complaint","message_id":"MSGID"}}`: 400,
		`{"events":[null]}`:        400,
		`{"events":["complaint"]}`: 400,
		`{"events":[{"type":"complaint","message_id":"MSGID","recipient":"a@b.c"}]}`: 400,
		`{"events":[{"type":"complained","message_id":"MSGID"}]}`:                    400,
		`{"events":[]}`: 204,
		`{"events":[{"type":"complaint","message_id":"<MSGID>"}]}`: 204,
	} {
		b := setup(t)
		body = b.fillIDs(body)
		status := post(t, b.hook(t, "generic", hookSecret), body, func(r *http.Request) {
			r.Header.Set(SignatureHeader, signWebhook(hookSecret, testNow, []byte(body)))
		})
		if status != want {
			t.Errorf("%s: status %d, want %d", body, status, want)
		}
		if recorded := len(b.recorder.all()); recorded > 0 && want != 204 {
			t.Errorf("%s: %d outcomes", body, recorded)
		}
	}
}

// TestMailsBehindAnUnreadableOneAreRead: a server that cannot read one mail stopped every poll there, and no
// unsubscription behind it was read.
func TestMailsBehindAnUnreadableOneAreRead(t *testing.T) {
	t.Parallel()
	type server interface {
		Put(mail []byte)
		Count() int
		Port() int
	}
	for protocol, s := range map[string]server{"pop3": testkit.StartPOP3(t, nil, false), "imap": testkit.StartIMAP(t, nil, false)} {
		t.Run(protocol, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			s.Put(nil)
			s.Put([]byte("From: r@example.net\r\nTo: " + b.paths.Unsubscribe(testID) + "\r\nSubject: unsubscribe\r\n\r\n"))
			s.Put(nil)
			s.Put([]byte("From: somebody@example.net\r\n\r\nhello\r\n"))
			box := Mailbox{Protocol: protocol, Host: "127.0.0.1", Port: s.Port(), TLS: "none", Username: "press", Password: "secret"}.withDefaults()
			run, err := box.poller()
			if err != nil {
				t.Fatal(err)
			}
			for poll := range 2 {
				err := b.pollOnce(t.Context(), box, run)
				if err == nil || strings.Count(err.Error(), "the mail cannot be read") != 2 {
					t.Errorf("poll %d: %v, want the answer about both mails", poll, err)
				}
				if got := b.recorder.only(t); got.Kind != Unsubscribed || got.ID != testID {
					t.Errorf("poll %d: %+v", poll, got)
				}
				if n := s.Count(); n != 3 { // the request was deleted, and all others stay
					t.Errorf("poll %d: %d mails are left, want 3", poll, n)
				}
			}
			var seen []string
			reader := NewMailboxReader(box)
			if err := reader.Pass(t.Context(), func(mail []byte) bool { seen = append(seen, string(mail)); return false }); err != nil || len(seen) != 1 {
				t.Errorf("the reader shows %q, %v", seen, err)
			}
		})
	}
}
