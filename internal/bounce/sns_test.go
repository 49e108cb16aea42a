package bounce

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestWhatSNSTellsIsNotLostWhileAmazonCannotBeAsked: SNS sends an event again after
// a 503, and never after a 401.
func TestWhatSNSTellsIsNotLostWhileAmazonCannotBeAsked(t *testing.T) {
	t.Parallel()
	b, s := setup(t), testSNS()
	m := notification(b.filled(`{"notificationType":"Complaint","complaint":{},"mail":{"source":"VERP"}}`), "2")
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

func TestSNSMessagesOfOtherKinds(t *testing.T) {
	t.Parallel()
	b, s := setup(t), testSNS()
	subject := "Amazon SES Email Event Notification"
	m := notification(b.filled(`{"eventType":"Complaint","complaint":{},"mail":{"source":"VERP"}}`), "2")
	m.Type, m.SubscribeURL = "UnsubscribeConfirmation", "https://sns.eu-west-1.amazonaws.com/?Action=Resubscribe"
	if status := post(t, b.sesHook(s), s.sign(t, m), nil); status != 204 || s.visits("Resubscribe") != 0 {
		t.Errorf("a farewell: status %d, %d visits", status, s.visits("Resubscribe"))
	}
	b.expect(t, "a farewell", "", "")
	m.Type, m.Subject = "Notification", &subject
	if status := post(t, b.sesHook(s), s.sign(t, m), nil); status != 204 {
		t.Errorf("with a subject: status %d", status)
	}
	b.expect(t, "with a subject", Complained, "ses")
}

func TestOnlyAnAnswerOf200IsACertificate(t *testing.T) {
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

func TestWebhooksTakeSoManyEventsAtOnce(t *testing.T) {
	t.Parallel()
	event := `{"type":"complaint","message_id":"MSGID"}`
	for n, want := range map[int]int{eventsMax: 204, eventsMax + 1: 400} {
		b := setup(t)
		body := `{"events":[` + strings.TrimSuffix(strings.Repeat(event+",", n), ",") + `]}`
		body = b.filled(body)
		status := post(t, b.hook(t, "generic", hookSecret), body, func(r *http.Request) {
			r.Header.Set(SignatureHeader, SignWebhook(hookSecret, testNow, []byte(body)))
		})
		if status != want {
			t.Errorf("%d events: status %d, want %d", n, status, want)
		}
	}
}
