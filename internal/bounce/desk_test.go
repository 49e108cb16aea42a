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
		"postfix": {Acted, Bounced, 550}, "gmail": {Acted, Bounced, 550}, "exchange": {Acted, Soft, 554}, "exim": {Acted, Bounced, 550},
		"yahoo": {Acted, Bounced, 554}, "qmail": {Acted, Bounced, 550}, "japanese": {Noted, "", 0}, "arf": {Acted, Complained, 0},
		"arf-redacted": {Acted, Complained, 0}, "outlook-complaint": {Acted, Complained, 0}, "only-verp": {Acted, Bounced, 0},
		"truncated": {Acted, Soft, 550}, "missing-status": {Noted, "", 0}, "vacation": {Unknown, "", 0}, "relayed": {Noted, "", 0},
		"german": {Acted, Bounced, 550}, "first-part-only": {Acted, Soft, 552}, "headers-only": {Acted, Bounced, 550}, "exchange-html": {Acted, Bounced, 550},
		"exim-delayed": {Noted, "", 0}, "exim-unrouteable": {Acted, Soft, 0}, "qmail-local": {Acted, Bounced, 0}, "gave-up": {Acted, Soft, 0},
		"arf-bare": {Acted, Complained, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			for range 2 { // the second time changes nothing
				verdict, err := b.Mail(t.Context(), "smtp", nil, bytes.NewReader(b.sample(t, name)))
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
	other, err := mailer.NewPaths([]byte("an attacker does not have the key"), "bounces.example.org")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"postfix", "gmail", "arf", "qmail"} {
		data := string(b.sample(t, name))
		data = strings.ReplaceAll(data, b.paths.ReturnPath(testID), other.ReturnPath(testID))
		data = strings.ReplaceAll(data, b.paths.MessageID(testID), other.MessageID(testID))
		verdict, err := b.Mail(t.Context(), "smtp", []string{other.ReturnPath(testID), other.Unsubscribe(testID)}, strings.NewReader(data))
		if err != nil || verdict != Unknown {
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
	other := mailer.ID{Edition: testID.Edition, Person: token.PersonOf(uuid.New())}
	if _, err := b.Mail(t.Context(), "smtp", []string{b.paths.ReturnPath(other)}, bytes.NewReader(b.sample(t, "postfix"))); err != nil {
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
		verdict, err := b.Mail(t.Context(), "imap", to, strings.NewReader(strings.ReplaceAll(letter, "ADDRESS", address)))
		if got := b.book.only(t); err != nil || verdict != Acted || got.Kind != Unsubscribed || got.ID != testID {
			t.Errorf("%s: %s, %v, %+v", name, verdict, err, got)
		}
	}
}
