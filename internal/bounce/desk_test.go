package bounce

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/tidings-press/tidings/internal/token"
	"github.com/tidings-press/tidings/mailer"
)

func TestReportsBecomeOutcomes(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]struct {
		verdict Verdict
		kind    Kind
		code    int
	}{
		"postfix": {Recorded, Bounced, 550}, "gmail": {Recorded, Bounced, 550}, "exchange": {Recorded, Soft, 554}, "exim": {Recorded, Bounced, 550},
		"yahoo": {Recorded, Bounced, 554}, "qmail": {Recorded, Bounced, 550}, "japanese": {NoAction, "", 0}, "arf": {Recorded, Complained, 0},
		"arf-redacted": {Recorded, Complained, 0}, "outlook-complaint": {Recorded, Complained, 0}, "only-verp": {Recorded, Bounced, 0},
		"truncated": {Recorded, Soft, 550}, "missing-status": {NoAction, "", 0}, "vacation": {NotOurs, "", 0}, "relayed": {NoAction, "", 0},
		"german": {Recorded, Bounced, 550}, "first-part-only": {Recorded, Soft, 552}, "headers-only": {Recorded, Bounced, 550}, "exchange-html": {Recorded, Bounced, 550},
		"exim-delayed": {NoAction, "", 0}, "exim-unrouteable": {Recorded, Soft, 0}, "qmail-local": {Recorded, Bounced, 0}, "gave-up": {Recorded, Soft, 0},
		"arf-bare": {Recorded, Complained, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			for range 2 { // the second time changes nothing
				verdict, err := b.Receive(t.Context(), "smtp", nil, bytes.NewReader(b.sample(t, name)))
				if err != nil || verdict != want.verdict {
					t.Fatalf("%s, %v, want %s", verdict, err, want.verdict)
				}
			}
			if want.kind == "" {
				if all := b.book.all(); len(all) != 0 {
					t.Errorf("recorded %+v", all)
				}
				return
			}
			got := b.book.only(t)
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
		verdict, err := b.Receive(t.Context(), "smtp", []string{other.ReturnPath(testID), other.Unsubscribe(testID)}, strings.NewReader(data))
		if err != nil || verdict != NotOurs {
			t.Errorf("%s: %s, %v", name, verdict, err)
		}
	}
	if b.book.calls != 0 {
		t.Errorf("recorded %+v", b.book.all())
	}
}

func TestTheReturnPathOfTheEnvelopeCounts(t *testing.T) {
	t.Parallel()
	b := setup(t)
	other := mailer.DeliveryID{Edition: testID.Edition, Person: token.PersonOf(uuid.New())}
	if _, err := b.Receive(t.Context(), "smtp", []string{b.paths.ReturnPath(other)}, bytes.NewReader(b.sample(t, "postfix"))); err != nil {
		t.Fatal(err)
	}
	if got := b.book.only(t); got.ID != other {
		t.Errorf("%+v", got)
	}
}

func TestMailToTheUnsubscribeAddress(t *testing.T) {
	t.Parallel()
	letter := "From: Reader <r@example.net>\r\nTo: <ADDRESS>\r\nSubject: unsubscribe\r\n\r\n"
	for name, known := range map[string]bool{"by its envelope": true, "by its header": false} {
		b := setup(t)
		address := b.paths.Unsubscribe(testID)
		var to []string
		if known {
			to = []string{address}
		}
		verdict, err := b.Receive(t.Context(), "imap", to, strings.NewReader(strings.ReplaceAll(letter, "ADDRESS", address)))
		if got := b.book.only(t); err != nil || verdict != Recorded || got.Kind != Unsubscribed || got.ID != testID {
			t.Errorf("%s: %s, %v, %+v", name, verdict, err, got)
		}
	}
}
