package app_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/app"
	"github.com/tidings-press/tidings/internal/doctor"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/internal/testkit/sink"
)

// testMailSettings is a service whose test mails arrive in a mailbox: keys, port of the relay, mailbox.
const testMailSettings = `
site: {title: The Gazette é, url: "https://gazette.example"}
digests: [{name: weekly, schedule: "0 8 1 1 *", sender: The Gazette <news@gazette.example>}]
mail:
  return_path_domain: bounces.gazette.example
  dkim:
  - {domain: gazette.example, selector: r26, key_file: %[1]s/rsa.pem}
  - {domain: gazette.example, selector: e26, key_file: %[1]s/ed25519.pem}
  test_mailbox: %[3]s
bounces: {read_elsewhere: true}
relays: [{name: main, host: 127.0.0.1, port: %[2]d, tls: none}]
log: {level: error}
`

// gazetteZone is the DNS of the sender: it lets this machine send.
const gazetteZone = `_dmarc.gazette.example. TXT "v=DMARC1; p=reject"
bounces.gazette.example. TXT "v=spf1 ip4:127.0.0.1 -all"
gazette.example. TXT "v=spf1 ip4:127.0.0.1 -all"`

// sendTestMail runs the check of the test mail with a zone and the keys of the settings.
func sendTestMail(t *testing.T, port int, mailbox, zone string, wait time.Duration) []doctor.Finding {
	t.Helper()
	keys, records := keyFiles(t)
	dns := testkit.StartDNS(t, zone)
	for name, record := range records {
		dns.Add(t, name+`. TXT "`+record[:len(record)/2]+`" "`+record[len(record)/2:]+`"`)
	}
	resolver, err := doctor.NewResolver(dns.Address)
	if err != nil {
		t.Fatal(err)
	}
	p := open(t, fmt.Sprintf(testMailSettings, keys, port, mailbox))
	report, err := p.Diagnose(t.Context(), app.DoctorOptions{DNS: resolver, Only: []string{"test-mail"}, SendTo: subscriber.MustParseAddress("test@reader.example"), Wait: wait})
	if err != nil {
		t.Fatal(err)
	}
	return report.Findings
}

// wantFindings fails unless the findings that are not in order are those wanted, each with a severity and a text.
func wantFindings(t *testing.T, got []doctor.Finding, want ...string) {
	t.Helper()
	var lines []string
	for _, f := range got {
		if f.Severity != doctor.OK {
			lines = append(lines, string(f.Severity)+": "+f.What)
			if f.Check != "test-mail" || f.Why+f.Fix == "" {
				t.Errorf("%+v is of another check, or has neither a reason nor a remedy", f)
			}
		}
	}
	same := len(lines) == len(want)
	for i := range want {
		severity, text, _ := strings.Cut(want[i], ": ")
		same = same && i < len(lines) && strings.HasPrefix(lines[i], severity+": ") && strings.Contains(lines[i], text)
	}
	if !same {
		t.Errorf("it found\n%s\nwant\n%s\nall: %+v", strings.Join(lines, "\n"), strings.Join(want, "\n"), got)
	}
}

// hasOK fails unless a finding that is in order has each text.
func hasOK(t *testing.T, got []doctor.Finding, texts ...string) {
	t.Helper()
	for _, text := range texts {
		found := false
		for _, f := range got {
			found = found || f.Severity == doctor.OK && strings.Contains(f.What, text)
		}
		if !found {
			t.Errorf("nothing in order with %q; it found %+v", text, got)
		}
	}
}

// TestTestMailIsReadBackFromPostfix sends test mails through Postfix, which delivers them to a Maildir.
func TestTestMailIsReadBackFromPostfix(t *testing.T) {
	t.Parallel()
	testkit.Slow(t)
	for name, c := range map[string]struct {
		settings string // of Postfix
		zone     string
		ok       []string
		want     []string
	}{
		"in order": {"", gazetteZone, []string{
			"arrived in the Maildir", "the return path is the signed address", "the DKIM signature of gazette.example is valid",
			"127.0.0.1, which connected to the receiving server, may send for bounces.gazette.example", "the signature of gazette.example and the return path (bounces.gazette.example) align",
		}, nil},
		"changed body": {"body_checks = regexp:{{/^Code:/ REPLACE Checked by a virus scanner}}", gazetteZone, []string{"the return path is the signed address"}, []string{
			"error: the DKIM signature of gazette.example on the test mail over relay main is not valid: body hash did not verify",
			"error: body hash did not verify",
			"warning: no valid signature aligns with From (gazette.example); only the return path",
		}},
		"foreign return path": {"sender_canonical_maps = static:bounce@relay.example\nsender_canonical_classes = envelope_sender", gazetteZone + "\nrelay.example. TXT \"v=spf1 ip4:127.0.0.1 -all\"", []string{"may send for relay.example"}, []string{
			"warning: relay main replaced the return path by <bounce@relay.example>",
			"warning: the return path of the test mail (relay.example) does not align with From (gazette.example)",
		}},
		"foreign return path and changed body": {"body_checks = regexp:{{/^Code:/ REPLACE Checked}}\nsender_canonical_maps = static:bounce@relay.example\nsender_canonical_classes = envelope_sender", gazetteZone, nil, []string{
			"warning: relay main replaced the return path",
			"error: body hash did not verify",
			"error: body hash did not verify",
			"notice: from 127.0.0.1, an address of this network",
			"error: neither a valid signature nor the return path (relay.example) aligns",
		}},
		"verdicts of the receiving server": {"smtpd_recipient_restrictions = check_recipient_access static:{PREPEND Authentication-Results: mx.reader.example; spf=softfail (not; permitted) smtp.mailfrom=x; dkim=pass header.d=gazette.example; dmarc=fail}, permit_mynetworks, reject", gazetteZone, []string{"the receiving server found dkim=pass"}, []string{
			"error: the receiving server found the SPF result softfail for bounces.gazette.example",
			"error: the receiving server found dmarc=fail",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			postfix := testkit.StartPostfix(t, testkit.PostfixOptions{Domain: "reader.example", Settings: c.settings})
			got := sendTestMail(t, postfix.Port, "{protocol: maildir, folder: "+postfix.Maildir+"}", c.zone, testkit.Timeout)
			wantFindings(t, got, c.want...)
			hasOK(t, got, c.ok...)
		})
	}
}

func TestTestMailThatDoesNotArriveIsAnError(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	server := testkit.StartSMTPServer(t, sink.Options{})
	got := sendTestMail(t, server.Port(), "{protocol: maildir, folder: "+t.TempDir()+"}", gazetteZone, time.Second)
	wantFindings(t, got, "error: the test mail over relay main did not arrive in the Maildir")
	if mails := server.Mails(); len(mails) != 1 || mails[0].To[0] != "test@reader.example" || !strings.HasSuffix(mails[0].From, "@bounces.gazette.example") {
		t.Errorf("the server has %+v", mails)
	}
}

// TestTestMailWithoutAMailboxNamesTheHeaders: the mail is sent, and the findings name what to look at.
func TestTestMailWithoutAMailboxNamesTheHeaders(t *testing.T) {
	t.Parallel()
	server := testkit.StartSMTPServer(t, sink.Options{})
	got := sendTestMail(t, server.Port(), "null", gazetteZone, 0)
	wantFindings(t, got, "notice: relay main took a test mail to test@reader.example; no mailbox is configured")
	if mails := server.Mails(); len(mails) != 1 || !strings.Contains(got[0].Fix, "Return-Path should be <"+mails[0].From+">") {
		t.Errorf("the server has %+v, and the remedy is %q", mails, got[0].Fix)
	}
}

func TestTestMailThatCannotBeSentIsAnError(t *testing.T) {
	t.Parallel()
	got := sendTestMail(t, freePort(t), "null", gazetteZone, 0)
	wantFindings(t, got, "error: the test mail to test@reader.example could not be sent over relay main")
}

// TestTestMailIsReadByIMAPAndPOP3: the mailbox is read without a change, also when it cannot be signed in to.
func TestTestMailIsReadByIMAPAndPOP3(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	for _, protocol := range []string{"imap", "pop3"} {
		t.Run(protocol, func(t *testing.T) {
			t.Parallel()
			var box interface {
				Port() int
				Put(mail []byte)
				Count() int
			}
			if protocol == "imap" {
				box = testkit.StartIMAP(t, nil, false)
			} else {
				box = testkit.StartPOP3(t, nil, false)
			}
			box.Put([]byte("From: Mail Delivery <mailer-daemon@mx.example>\r\nSubject: Undelivered: Test mail of another service\r\n\r\nhello\r\n"))
			server := testkit.StartSMTPServer(t, sink.Options{Keep: func(m sink.Mail) {
				box.Put(append([]byte("Return-Path: <"+m.From+">\r\nReceived: from main (main [203.0.113.9]) by mx.reader.example; Sun, 1 Nov 2026 10:00:00 +0000\r\n"), m.Data...))
			}})
			mailbox := fmt.Sprintf("{protocol: %s, host: 127.0.0.1, port: %d, tls: none, username: press, password: %%s}", protocol, box.Port())
			got := sendTestMail(t, server.Port(), fmt.Sprintf(mailbox, "secret"), gazetteZone, testkit.Timeout)
			wantFindings(t, got, "error: 203.0.113.9, which connected to the receiving server, gets the SPF result fail for bounces.gazette.example")
			hasOK(t, got, "the mailbox of press at 127.0.0.1", "the return path is the signed address", "the DKIM signature of gazette.example is valid")
			if box.Count() != 2 {
				t.Errorf("the mailbox has %d mails, want 2", box.Count())
			}
			got = sendTestMail(t, server.Port(), fmt.Sprintf(mailbox, "wrong"), gazetteZone, testkit.Timeout)
			wantFindings(t, got, "error: the mailbox of press at 127.0.0.1 cannot be read")
		})
	}
}
