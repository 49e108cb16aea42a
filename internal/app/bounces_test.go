package app_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/smtp"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-message/mail"
	"github.com/emersion/go-msgauth/dkim"

	"github.com/tidings-press/tidings/internal/app"
	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/subscription"
	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/internal/testkit/sink"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
	"github.com/tidings-press/tidings/mailer"
	"github.com/tidings-press/tidings/templates"
)

const twoSenders = `
site: {title: The Gazette, url: "https://gazette.example"}
digests:
- {name: weekly, schedule: "0 8 1 1 *", sender: The Gazette <news@gazette.example>}
- {name: daily, schedule: "0 8 1 1 *", sender: news@courier.example}
mail:
  dkim:
  - {domain: gazette.example, selector: r26, key_file: %[1]s/rsa.pem}
  - {domain: gazette.example, selector: e26, key_file: %[1]s/ed25519.pem}
relays: [{name: main, host: 127.0.0.1, port: %[2]d, tls: none}]
bounces: {smtp: "127.0.0.1:%[3]d", addresses: [loops@gazette.example]}
log: {level: error}
`

// TestBounceOfASentMailSuppressesItsAddress: an edition is signed with keys from files and sent. A
// bounce to its return path by SMTP suppresses the address, whichever digest the mail came from.
func TestBounceOfASentMailSuppressesItsAddress(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	wire := testkit.StartSMTPServer(t, sink.Options{})
	keys, records := keyFiles(t)
	door := freePort(t)
	p := open(t, fmt.Sprintf(twoSenders, keys, wire.Port(), door))
	run(t, p)
	for i, name := range []string{"weekly", "daily"} {
		address := fmt.Sprintf("reader%d@example.org", i)
		if _, err := p.Subscribers().Add(t.Context(), subscription.NewSubscriber{Address: subscriber.MustParseAddress(address), Digests: []string{name}}); err != nil {
			t.Fatal(err)
		}
	}
	now := p.Store.Now()
	a := article.Article{Source: "test:ferries", Slug: "ferries", Title: "Ferries", Summary: "Late.", HTML: "<p>Late.</p>", Language: "en", Published: now, Updated: now, Status: article.Published, Hash: "1"}
	if _, err := p.Store.PutArticle(t.Context(), &a, nil, nil); err != nil {
		t.Fatal(err)
	}
	engine, err := p.Engine(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i, name := range []string{"weekly", "daily"} {
		if err := p.Store.SetDigestSince(t.Context(), name, now.Add(-time.Hour)); err != nil {
			t.Fatal(err)
		}
		if _, err := engine.SendNow(t.Context(), name, "ann"); err != nil {
			t.Fatal(err)
		}
		until(t, "the mail is sent", func() bool { return len(wire.Mails()) == i+1 })
		sent := wire.Mails()[i]
		checkSent(t, sent, name, records)
		bounceOf(t, door, sent)
		address := subscriber.MustParseAddress(sent.To[0])
		until(t, "the address is suppressed", func() bool {
			got, err := p.Store.SubscriberByAddress(t.Context(), address)
			return err == nil && got.State == subscriber.Bounced
		})
		if held, err := p.Store.Suppression(t.Context(), address); err != nil || held.Reason != store.BouncedReason {
			t.Errorf("suppressed for %q, %v", held.Reason, err)
		}
	}
	for _, taken := range []string{"abuse@gazette.example", "postmaster@courier.example", "loops@gazette.example"} {
		if err := sendMail(door, taken, "Subject: hello\r\n\r\nhello\r\n"); err != nil {
			t.Errorf("%s: %v", taken, err)
		}
	}
	if err := sendMail(door, "news@gazette.example", "Subject: hello\r\n\r\nhello\r\n"); err == nil || !strings.Contains(err.Error(), "550") {
		t.Errorf("the listener accepts mail for other addresses: %v", err)
	}
}

// TestBounceOfAConfirmationIsRecorded: a confirmation that the relay took comes back by SMTP. The
// pending subscriber gets no further mail.
func TestBounceOfAConfirmationIsRecorded(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	wire := testkit.StartSMTPServer(t, sink.Options{})
	keys, _ := keyFiles(t)
	door := freePort(t)
	p := open(t, fmt.Sprintf(twoSenders, keys, wire.Port(), door))
	run(t, p)
	engine, err := p.Engine(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	sub, err := p.Store.AddSubscriber(t.Context(), subscriber.Subscriber{Address: subscriber.MustParseAddress("ada@example.org"), State: subscriber.Pending})
	if err != nil {
		t.Fatal(err)
	}
	confirm := func() {
		if err := engine.SendToSubscriber(t.Context(), sub, "", templates.Rendered{Subject: "Please confirm", Text: "Hello\n"}); err != nil {
			t.Fatal(err)
		}
	}
	confirm()
	until(t, "the confirmation is sent", func() bool { return len(wire.Mails()) == 1 })
	bounceOf(t, door, wire.Mails()[0])
	until(t, "the bounce is recorded", func() bool {
		got, err := p.Store.Subscriber(t.Context(), sub.ID)
		return err == nil && got.State == subscriber.Bounced
	})
	confirm()
	until(t, "the second one is given up", func() bool { return storetest.CountJobs(t, p.Store, "failed") == 1 })
	if n := len(wire.Mails()); n != 1 {
		t.Errorf("%d mails were sent, want 1", n)
	}
}

// keyFiles writes two keys to a folder and returns the TXT records that verifiers look up.
func keyFiles(t *testing.T) (dir string, records map[string]string) {
	t.Helper()
	dir, records = t.TempDir(), map[string]string{}
	for kind, selector := range map[string]string{"rsa": "r26", "ed25519": "e26"} {
		key, err := mailer.GenerateKey(kind)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, kind+".pem"), key.PEM, 0o600); err != nil {
			t.Fatal(err)
		}
		records[selector+"._domainkey.gazette.example"] = key.Record
	}
	return dir, records
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// run runs the service as a worker until the test ends.
func run(t *testing.T, p *app.Service) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ready, ended := make(chan struct{}), make(chan error, 1)
	service := &app.Node{Service: p, Ready: func() { close(ready) }}
	go func() { ended <- service.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	select {
	case <-ready:
	case <-time.After(testkit.Timeout):
		t.Fatal("the service does not start")
	}
}

func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(testkit.Timeout); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if holds() {
			return
		}
	}
	t.Fatalf("never: %s", what)
}

// checkSent checks the headers and signatures of a sent mail.
func checkSent(t *testing.T, sent testkit.Mail, digest string, records map[string]string) {
	t.Helper()
	r, err := mail.CreateReader(bytes.NewReader(sent.Data))
	if err != nil {
		t.Fatal(err)
	}
	domain := map[string]string{"weekly": "gazette.example", "daily": "courier.example"}[digest]
	id, _ := r.Header.MessageID()
	if !strings.HasPrefix(sent.From, "b-") || !strings.HasSuffix(sent.From, "@"+domain) || !strings.HasPrefix(id, "m-") || !strings.HasSuffix(id, "@"+domain) {
		t.Errorf("return path %s, Message-ID %s", sent.From, id)
	}
	for name, want := range map[string]string{
		"From": "news@" + domain, "To": sent.To[0], "List-Id": digest + ".gazette.example", "List-Help": "<https://gazette.example", "List-Archive": "<https://gazette.example/digests/", "List-Post": "NO",
		"List-Owner": "<mailto:news@" + domain, "List-Unsubscribe": "mailto:u-", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click", "Precedence": "bulk",
		"Auto-Submitted": "auto-generated", "Feedback-ID": ":" + digest + ":digest:gazetteexample", "MIME-Version": "1.0", "Date": "20",
	} {
		if all := r.Header.Values(name); len(all) != 1 || !strings.Contains(all[0], want) {
			t.Errorf("header %s is %q, want one that contains %q", name, all, want)
		}
	}
	if strings.Contains(r.Header.Get("Feedback-ID"), sent.To[0]) {
		t.Error("the feedback id identifies the subscriber")
	}
	verified, err := dkim.VerifyWithOptions(bytes.NewReader(sent.Data), &dkim.VerifyOptions{LookupTXT: func(name string) ([]string, error) {
		if record := records[name]; record != "" {
			return []string{record}, nil
		}
		return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
	}})
	if err != nil || len(verified) != 2 {
		t.Fatalf("%d signatures, %v", len(verified), err)
	}
	for _, v := range verified {
		if v.Err != nil || v.Domain != "gazette.example" {
			t.Errorf("the signature of %s: %v", v.Domain, v.Err)
		}
	}
}

// bounceOf sends the delivery report of a mail to an unknown user (RFC 3464).
func bounceOf(t *testing.T, door int, sent testkit.Mail) {
	t.Helper()
	report := strings.ReplaceAll(`From: MAILER-DAEMON@mx.example.org
To: `+sent.From+`
Subject: Undelivered
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

It could not be delivered.

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.org

Final-Recipient: rfc822; `+sent.To[0]+`
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 no such user

--b--
`, "\n", "\r\n")
	if err := sendMail(door, sent.From, report); err != nil {
		t.Fatal(err)
	}
}

// sendMail sends a mail to the listener by SMTP.
func sendMail(door int, to, text string) error {
	return smtp.SendMail(fmt.Sprintf("127.0.0.1:%d", door), nil, "", []string{to}, []byte(text))
}
