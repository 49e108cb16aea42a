package bounce

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	testTopic = "arn:aws:sns:eu-west-1:123456789012:bounces"
	testCert  = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-1.pem"
)

// sns signs messages as Amazon does, and serves its certificate.
type sns struct {
	key     *rsa.PrivateKey
	cert    []byte
	mu      sync.Mutex
	visited []string
}

var testSNS = sync.OnceValue(func() *sns {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "sns.amazonaws.com"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		panic(err)
	}
	return &sns{key: key, cert: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})}
})

func (s *sns) get(_ context.Context, url string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.visited = append(s.visited, url)
	if strings.HasSuffix(url, ".pem") {
		return s.cert, nil
	}
	if strings.Contains(url, "ConfirmSubscription") {
		return []byte("<ok/>"), nil
	}
	return nil, errors.New("not found")
}

func (s *sns) fetches(part string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, url := range s.visited {
		if strings.Contains(url, part) {
			n++
		}
	}
	return n
}

// sign returns the body of a signed request.
func (s *sns) sign(t *testing.T, m snsMessage) string {
	t.Helper()
	var err error
	var signature []byte
	if m.SignatureVersion == "1" {
		sum := sha1.Sum(m.signed())
		signature, err = rsa.SignPKCS1v15(nil, s.key, crypto.SHA1, sum[:])
	} else {
		sum := sha256.Sum256(m.signed())
		signature, err = rsa.SignPKCS1v15(nil, s.key, crypto.SHA256, sum[:])
	}
	if err != nil {
		t.Fatal(err)
	}
	m.Signature = base64.StdEncoding.EncodeToString(signature)
	body, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func (b *env) sesHook(s *sns) http.Handler {
	return newWebhook(b.Processor, "ses", &ses{topic: testTopic, certs: newCertificates(s.get), get: s.get, log: slog.New(slog.DiscardHandler)})
}

func notification(message, version string) snsMessage {
	return snsMessage{
		Type: "Notification", MessageID: "22b80b92", TopicArn: testTopic, Message: message,
		Timestamp: "2026-03-27T08:00:00.000Z", SignatureVersion: version, SigningCertURL: testCert,
	}
}

func TestSESWebhook(t *testing.T) {
	t.Parallel()
	mail := `"mail":{"timestamp":"2026-03-27T08:00:00Z","source":"VERP","messageId":"00000137860315fd","headers":[{"name":"Message-ID","value":"<MSGID>"}]}`
	bounced := func(kind, sub, status, code string) string {
		return `"bounce":{"bounceType":"` + kind + `","bounceSubType":"` + sub + `","bouncedRecipients":[{"emailAddress":"reader@example.net","status":"` + status + `","action":"failed","diagnosticCode":"` + code + `"}]}`
	}
	for name, test := range map[string]struct {
		message string
		kind    Kind
	}{
		"unknown user":    {`{"notificationType":"Bounce",` + bounced("Permanent", "General", "5.1.1", "smtp; 550 5.1.1 user unknown") + "," + mail + `}`, Bounced},
		"suppressed":      {`{"eventType":"Bounce",` + bounced("Permanent", "OnAccountSuppressionList", "", "Amazon SES did not send the message") + "," + mail + `}`, ""},
		"of all senders":  {`{"notificationType":"Bounce",` + bounced("Permanent", "Suppressed", "5.1.1", "Amazon SES has suppressed sending to this address because it has a recent history of bouncing as an invalid address.") + "," + mail + `}`, ""},
		"left its list":   {`{"eventType":"Bounce",` + bounced("Permanent", "UnsubscribedRecipient", "", "") + "," + mail + `}`, ""},
		"complained once": {`{"eventType":"Complaint","complaint":{"complaintSubType":"OnAccountSuppressionList","complaintFeedbackType":"abuse"},` + mail + `}`, ""},
		"a virus":         {`{"eventType":"Reject","reject":{"reason":"Bad content"},` + mail + `}`, ""},
		"policy":          {`{"eventType":"Bounce",` + bounced("Permanent", "General", "5.7.1", "smtp; 550 5.7.1 no") + "," + mail + `}`, ""},
		"full":            {`{"eventType":"Bounce",` + bounced("Transient", "MailboxFull", "4.2.2", "smtp; 452 4.2.2 full") + "," + mail + `}`, Soft},
		"complaint":       {`{"notificationType":"Complaint","complaint":{"complaintFeedbackType":"abuse"},` + mail + `}`, Complained},
		"not spam":        {`{"notificationType":"Complaint","complaint":{"complaintFeedbackType":"not-spam"},` + mail + `}`, ""},
		"delivery":        {`{"notificationType":"Delivery",` + mail + `}`, ""},
		"of others":       {`{"notificationType":"Complaint","complaint":{},"mail":{"source":"news@example.com"}}`, ""},
		"named in reply":  {`{"notificationType":"Complaint","complaint":{"userAgent":"VERP"},"mail":{}}`, ""},
	} {
		for _, version := range []string{"1", "2"} {
			b := setup(t)
			s := testSNS()
			if status := post(t, b.sesHook(s), s.sign(t, notification(b.fillIDs(test.message), version)), nil); status != 204 {
				t.Errorf("%s: status %d", name, status)
			}
			b.expect(t, name, test.kind, "ses")
		}
	}
}

func TestSESWebhookRefusesForeignSignatures(t *testing.T) {
	t.Parallel()
	b, s := setup(t), testSNS()
	message := b.fillIDs(`{"notificationType":"Complaint","complaint":{},"mail":{"source":"VERP"}}`)
	for name, change := range map[string]func(*snsMessage){
		"another topic":           func(m *snsMessage) { m.TopicArn = "arn:aws:sns:eu-west-1:666:evil" },
		"certificate elsewhere":   func(m *snsMessage) { m.SigningCertURL = "https://evil.example/cert.pem" },
		"certificate over HTTP":   func(m *snsMessage) { m.SigningCertURL = strings.Replace(testCert, "https", "http", 1) },
		"host that looks alike":   func(m *snsMessage) { m.SigningCertURL = "https://sns.eu-west-1.amazonaws.com.evil.example/c.pem" },
		"user in the address":     func(m *snsMessage) { m.SigningCertURL = "https://sns.eu-west-1.amazonaws.com@evil.example/c.pem" },
		"bucket of a stranger":    func(m *snsMessage) { m.SigningCertURL = "https://evil.s3.amazonaws.com/c.pem" },
		"unknown version":         func(m *snsMessage) { m.SignatureVersion = "3" },
		"port in the certificate": func(m *snsMessage) { m.SigningCertURL = "https://sns.eu-west-1.amazonaws.com:8443/c.pem" },
	} {
		m := notification(message, "2")
		change(&m)
		if status := post(t, b.sesHook(s), s.sign(t, m), nil); status != 401 {
			t.Errorf("%s: status %d, want 401", name, status)
		}
	}
	tampered := strings.Replace(s.sign(t, notification(message, "2")), "Complaint", "complaint", 1)
	if status := post(t, b.sesHook(s), tampered, nil); status != 401 {
		t.Errorf("a changed message: status %d, want 401", status)
	}
	b.expect(t, "unsigned", "", "")
	if s.fetches("evil") != 0 {
		t.Errorf("visited %q", s.visited)
	}
}

func TestSNSSubscriptionIsConfirmed(t *testing.T) {
	t.Parallel()
	b, s := setup(t), testSNS()
	m := notification("You have chosen to subscribe", "1")
	m.Type, m.Token = "SubscriptionConfirmation", "2336412f37"
	m.SubscribeURL = "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=2336412f37"
	if status := post(t, b.sesHook(s), s.sign(t, m), nil); status != 204 || s.fetches("ConfirmSubscription") != 1 {
		t.Errorf("status %d, %d visits", status, s.fetches("ConfirmSubscription"))
	}
	m.SubscribeURL = "https://evil.example/?Action=ConfirmSubscription"
	if status := post(t, b.sesHook(s), s.sign(t, m), nil); status != 400 || s.fetches("evil") != 0 {
		t.Errorf("another host: status %d", status)
	}
}

func TestSNSCertificateIsFetchedOnce(t *testing.T) {
	t.Parallel()
	calls := 0
	certs := newCertificates(func(context.Context, string) ([]byte, error) { calls++; return testSNS().cert, nil })
	for range 5 {
		if _, err := certs.key(t.Context(), testCert); err != nil {
			t.Fatal(err)
		}
	}
	if calls != 1 {
		t.Errorf("fetched %d times", calls)
	}
}

// TestSNSEventsAreRequestedAgainWhileAmazonIsUnreachable: SNS repeats an event after a 503, and
// never after a 401.
func TestSNSEventsAreRequestedAgainWhileAmazonIsUnreachable(t *testing.T) {
	t.Parallel()
	b, s := setup(t), testSNS()
	m := notification(b.fillIDs(`{"notificationType":"Complaint","complaint":{},"mail":{"source":"VERP"}}`), "2")
	m.SigningCertURL = "https://sns.eu-west-1.amazonaws.com/gone"
	if status := post(t, b.sesHook(s), s.sign(t, m), nil); status != 503 {
		t.Errorf("without the certificate: status %d, want 503", status)
	}
	b.expect(t, "not verified", "", "")
	m.SigningCertURL = testCert
	if status := post(t, b.sesHook(s), s.sign(t, m), nil); status != 204 {
		t.Errorf("the second time: status %d", status)
	}
	b.expect(t, "verified", Complained, "ses")

	m = notification("You have chosen to subscribe", "2")
	m.Type, m.SubscribeURL = "SubscriptionConfirmation", "https://sns.eu-west-1.amazonaws.com/?Action=Gone"
	if status := post(t, b.sesHook(s), s.sign(t, m), nil); status != 503 {
		t.Errorf("not confirmed: status %d, want 503", status)
	}
}

func TestOtherSNSMessagesAreHandled(t *testing.T) {
	t.Parallel()
	b, s := setup(t), testSNS()
	subject := "Amazon SES Email Event Notification"
	m := notification(b.fillIDs(`{"eventType":"Complaint","complaint":{},"mail":{"source":"VERP"}}`), "2")
	m.Type, m.SubscribeURL = "UnsubscribeConfirmation", "https://sns.eu-west-1.amazonaws.com/?Action=Resubscribe"
	if status := post(t, b.sesHook(s), s.sign(t, m), nil); status != 204 || s.fetches("Resubscribe") != 0 {
		t.Errorf("a farewell: status %d, %d visits", status, s.fetches("Resubscribe"))
	}
	b.expect(t, "a farewell", "", "")
	m.Type, m.Subject = "Notification", &subject
	if status := post(t, b.sesHook(s), s.sign(t, m), nil); status != 204 {
		t.Errorf("with a subject: status %d", status)
	}
	b.expect(t, "with a subject", Complained, "ses")
}

func TestOnlyResponsesWith200AreCertificates(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var status int
		_, _ = fmt.Sscanf(r.URL.Path, "/%d", &status)
		w.WriteHeader(status)
		_, _ = w.Write([]byte(strings.Repeat("x", 1<<20)))
	}))
	defer server.Close()
	for path, good := range map[string]bool{"/200": true, "/404": false, "/500": false, "/204": false} {
		data, err := fetch(t.Context(), server.Client(), server.URL+path)
		if (err == nil) != good || len(data) > 64<<10 {
			t.Errorf("%s: %d octets, %v", path, len(data), err)
		}
	}
	for name, data := range map[string]string{"nothing": "", "no PEM": "hello", "no certificate": "-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n"} {
		if key, err := publicKey([]byte(data)); err == nil {
			t.Errorf("%s gives the key %v", name, key)
		}
	}
}

func TestWebhooksLimitEventsPerRequest(t *testing.T) {
	t.Parallel()
	event := `{"type":"complaint","message_id":"MSGID"}`
	for n, want := range map[int]int{eventsMax: 204, eventsMax + 1: 400} {
		b := setup(t)
		body := `{"events":[` + strings.TrimSuffix(strings.Repeat(event+",", n), ",") + `]}`
		body = b.fillIDs(body)
		status := post(t, b.hook(t, "generic", hookSecret), body, func(r *http.Request) {
			r.Header.Set(SignatureHeader, signWebhook(hookSecret, testNow, []byte(body)))
		})
		if status != want {
			t.Errorf("%d events: status %d, want %d", n, status, want)
		}
	}
}

// TestSESEventsArriveByMail covers an SNS topic with a subscription by mail. Sendmail breaks its
// long line.
func TestSESEventsArriveByMail(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		event  string
		result Result
		kind   Kind
	}{
		"bounce":    {`{"notificationType":"Bounce","bounce":{"bounceType":"Permanent","bouncedRecipients":[{"emailAddress":"ada@example.net","action":"failed","status":"5.1.1","diagnosticCode":"smtp; 550 5.1.1 user unknown"}]},"mail":{"source":"VERP"}}`, Recorded, Bounced},
		"complaint": {`{"notificationType":"Complaint","complaint":{"complaintFeedbackType":"abuse"},"mail":{"source":"VERP"}}`, Recorded, Complained},
		"delivery":  {`{"notificationType":"Delivery","mail":{"source":"VERP"}}`, NoAction, ""},
		"another":   {`{"notificationType":"Bounce","bounce":{"bounceType":"Permanent"},"mail":{"source":"b-aeaaaaaabbbbccccddddeeee@bounces.example.org"}}`, NotOurs, ""},
		"no event":  {`{"greeting":"hello from VERP"}`, NotOurs, ""},
	} {
		b := setup(t)
		event := strings.ReplaceAll(test.event, "VERP", b.paths.ReturnPath(testID))
		broken := event[:30] + "!\r\n " + event[30:]
		mail := "From: no-reply@sns.amazonaws.com\r\nTo: bounces@example.org\r\nSubject: AWS Notification Message\r\nContent-Type: text/plain; charset=UTF-8\r\n\r\n" +
			broken + "\r\n\r\n--\r\nIf you wish to stop receiving notifications from this topic, please visit\r\nhttps://sns.example.com/unsubscribe\r\n"
		result, err := b.Receive(t.Context(), "imap", nil, strings.NewReader(mail))
		if err != nil || result != test.result {
			t.Errorf("%s: %s, %v, want %s", name, result, err, test.result)
		}
		if all := b.recorder.all(); test.kind != "" && (len(all) != 1 || all[0].Kind != test.kind || all[0].ID != testID) || test.kind == "" && len(all) > 0 {
			t.Errorf("%s: recorded %+v, want %q", name, all, test.kind)
		}
	}
}
