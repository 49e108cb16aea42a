package bounce

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/tidings-press/tidings/internal/token"
	"github.com/tidings-press/tidings/mailer"
)

// TestDeliveriesAreFoundInAnyFieldOfAnEvent: services keep our ids in different fields and write them in
// different ways. Any other text is no id of ours.
func TestDeliveriesAreFoundInAnyFieldOfAnEvent(t *testing.T) {
	t.Parallel()
	b := setup(t)
	other, err := mailer.NewSignedAddresses([]byte("an attacker does not have the key"), "bounces.example.org")
	if err != nil {
		t.Fatal(err)
	}
	for raw, want := range map[string]bool{
		`{"a":"MSGID"}`:                           true,
		`{"a":"<MSGID>"}`:                         true,
		`{"a":"\u003cMSGID\u003e"}`:               true,
		`{"a":{"b":[{"c":"text <MSGID> text"}]}}`: true,
		`{"MSGID":1}`:                             true,
		`["VERP"]`:                                true,
		`{"a":"UPPER"}`:                           true,
		`{"a":"FORGED then <MSGID>"}`:             true,
		`{"a":"MSGID"`:                            true,  // cut off behind the id
		`{"a":"UNSUB"}`:                           false, // an unsubscribe address names no report
		`{"a":"FORGED"}`:                          false,
		`{"a":"xMSGID"}`:                          false,
		`{"a":"` + strings.Repeat("FORGED ", 30) + `"}`: false,
		`{}`:             false,
		`null`:           false,
		``:               false,
		`{"a":12345678}`: false,
		`not json MSGID`: false,
	} {
		body := strings.NewReplacer("UPPER", strings.ToUpper(b.paths.MessageID(testID)), "UNSUB", b.paths.Unsubscribe(testID), "FORGED", other.MessageID(testID)).Replace(b.fillIDs(raw))
		id, found := b.findDelivery([]byte(body))
		if found != want || found && id != testID {
			t.Errorf("%s: found %v, want %v", raw, found, want)
		}
	}
}

// TestEventsOfOneRequestAreOfTheirOwnDeliveries: a batch has events about many people. No one may be unsubscribed
// for another.
func TestEventsOfOneRequestAreOfTheirOwnDeliveries(t *testing.T) {
	t.Parallel()
	b := setup(t)
	rng := rand.New(rand.NewPCG(4, 2))
	types := map[string]Kind{"complaint": Complained, "unsubscribe": Unsubscribed}
	want := map[mailer.DeliveryID]Kind{}
	var events []string
	for range 60 {
		id := mailer.DeliveryID{Edition: uuid.NewString(), Person: token.PersonOf(uuid.New())}
		name := []string{"complaint", "unsubscribe"}[rng.IntN(2)]
		want[id] = types[name]
		field, value := "message_id", b.paths.MessageID(id)
		if rng.IntN(2) == 0 {
			field, value = "return_path", b.paths.ReturnPath(id)
		}
		events = append(events, fmt.Sprintf(`{"type":%q,%q:%q}`, name, field, value))
	}
	body := `{"events":[` + strings.Join(events, ",") + `]}`
	for range 2 { // the service sends it again
		status := post(t, b.hook(t, "generic", hookSecret), body, func(r *http.Request) {
			r.Header.Set(SignatureHeader, signWebhook(hookSecret, testNow, []byte(body)))
		})
		if status != http.StatusNoContent {
			t.Fatalf("status %d", status)
		}
	}
	all := b.recorder.all()
	if len(all) != len(want) {
		t.Errorf("%d outcomes, want %d", len(all), len(want))
	}
	for _, o := range all {
		if want[o.ID] != o.Kind {
			t.Errorf("%+v, want %s", o, want[o.ID])
		}
	}
}

// TestRandomMailsRecordNothing: pieces of reports without one of our ids, in any order, are about no subscriber.
func TestRandomMailsRecordNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	rng := rand.New(rand.NewPCG(7, 1))
	pieces := []string{
		"From: MAILER-DAEMON@mx.example\r\n", "To: press@example.org\r\n", "Subject: Undelivered Mail Returned to Sender\r\n", "Return-Path: <>\r\n",
		"Content-Type: multipart/report; report-type=delivery-status; boundary=\"x\"\r\n", "Content-Type: multipart/mixed; boundary=\r\n", "\r\n", "\r\n--x\r\n", "--x--\r\n",
		"Content-Type: message/delivery-status\r\n\r\n", "Content-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\n", "Content-Type: message/rfc822\r\n\r\n",
		"Final-Recipient: rfc822; a@b.example\r\n", "Action: failed\r\n", "Status: 5.1.1\r\n", "Diagnostic-Code: smtp; 550 5.1.1 no such user\r\n",
		"Message-ID: <m-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@bounces.example.org>\r\n", "Content-Transfer-Encoding: base64\r\n", "=\r\n", "\x00\xff", strings.Repeat("a", 2000), "\r", "\n\n",
	}
	for range 300 {
		var mail strings.Builder
		for range rng.IntN(25) {
			mail.WriteString(pieces[rng.IntN(len(pieces))])
		}
		for _, to := range [][]string{nil, {"postmaster@bounces.example.org"}, {"u-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@bounces.example.org"}} {
			if result, err := b.Receive(t.Context(), "smtp", to, strings.NewReader(mail.String())); err != nil || result != NotOurs {
				t.Fatalf("%q to %v: %s, %v", mail.String(), to, result, err)
			}
		}
	}
	if b.recorder.calls != 0 {
		t.Errorf("recorded %+v", b.recorder.all())
	}
}

// TestFeedbackOtherThanComplaintsChangesNothing has the types of RFC 5965, section 7.3, and of later RFCs.
func TestFeedbackOtherThanComplaintsChangesNothing(t *testing.T) {
	t.Parallel()
	for feedback, want := range map[string]Kind{
		"abuse": Complained, "Abuse": Complained, "ABUSE;": Complained, "fraud": Complained, "abuse (spam button)": Complained, "opt-out": Unsubscribed, "opt-out-list": Unsubscribed,
		"not-spam": "", "auth-failure": "", "virus": "", "other": "", "dmarc": "", "abusive": "", "x-abuse": "",
	} {
		b := setup(t)
		report := "From: fbl@isp.example\r\nTo: complaints@example.org\r\nMIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=feedback-report; boundary=\"x\"\r\n\r\n" +
			"--x\r\nContent-Type: text/plain\r\n\r\nA report.\r\n--x\r\nContent-Type: message/feedback-report\r\n\r\nFeedback-Type: " + feedback + "\r\nVersion: 1\r\nUser-Agent: FBL/1\r\n\r\n" +
			"--x\r\nContent-Type: message/rfc822\r\n\r\nFrom: press@example.org\r\nMessage-ID: <" + b.paths.MessageID(testID) + ">\r\n\r\nhello\r\n--x--\r\n"
		result, err := b.Receive(t.Context(), "smtp", []string{"complaints@example.org"}, strings.NewReader(report))
		if err != nil || result == NotOurs {
			t.Errorf("%s: %s, %v", feedback, result, err)
		}
		b.expect(t, feedback, want, "smtp")
	}
}
