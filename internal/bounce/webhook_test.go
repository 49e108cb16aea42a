package bounce

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"
)

// signWebhook returns the value of SignatureHeader for a body.
func signWebhook(secret string, at time.Time, body []byte) string {
	stamp := strconv.FormatInt(at.Unix(), 10)
	return "t=" + stamp + ",v1=" + hex.EncodeToString(webhookMAC(secret, stamp, body))
}

const (
	hookSecret  = "a secret of enough octets"
	hookAddress = "https://press.example.org/webhooks/hook"
)

// post sends a body to a handler over HTTP.
func post(t *testing.T, handler http.Handler, body string, prepare func(*http.Request)) int {
	t.Helper()
	server := httptest.NewServer(handler)
	defer server.Close()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if prepare != nil {
		prepare(request)
	}
	response, err := server.Client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	return response.StatusCode
}

func (b *env) hook(t *testing.T, name, secret string) http.Handler {
	t.Helper()
	handler, err := b.Webhook(name, secret, hookAddress)
	if err != nil {
		t.Fatal(err)
	}
	return handler
}

// fillIDs puts our ids into a body.
func (b *env) fillIDs(body string) string {
	return strings.NewReplacer("MSGID", b.paths.MessageID(testID), "VERP", b.paths.ReturnPath(testID)).Replace(body)
}

// expect checks what was recorded; an empty kind means nothing.
func (b *env) expect(t *testing.T, name string, kind Kind, source string) {
	t.Helper()
	if kind == "" {
		if all := b.recorder.all(); len(all) != 0 {
			t.Errorf("%s: recorded %+v", name, all)
		}
		return
	}
	if got := b.recorder.only(t); got.Kind != kind || got.ID != testID || got.Source != source {
		t.Errorf("%s: %+v, want %s", name, got, kind)
	}
}

func TestGenericWebhook(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		body   string
		status int
		kind   Kind
	}{
		"bounce":        {`{"events":[{"type":"bounce","message_id":"MSGID","code":550,"status":"5.1.1","reason":"no such user"}]}`, 204, Bounced},
		"return path":   {`{"events":[{"type":"bounce","return_path":"VERP","status":"5.1.1"}]}`, 204, Bounced},
		"full":          {`{"events":[{"type":"bounce","message_id":"<MSGID>","code":552,"status":"5.2.2"}]}`, 204, Soft},
		"our fault":     {`{"events":[{"type":"bounce","message_id":"MSGID","code":550,"status":"5.7.1"}]}`, 204, ""},
		"complaint":     {`{"events":[{"type":"complaint","message_id":"MSGID"}]}`, 204, Complained},
		"unsubscribe":   {`{"events":[{"type":"unsubscribe","message_id":"MSGID"}]}`, 204, Unsubscribed},
		"not ours":      {`{"events":[{"type":"complaint","message_id":"m-aaaaaaaaaaaaaaaaaaaaaaaaaaaa@example.org"}]}`, 204, ""},
		"no events":     {`{"events":[]}`, 204, ""},
		"unknown type":  {`{"events":[{"type":"party","message_id":"MSGID"}]}`, 400, ""},
		"unknown field": {`{"events":[{"type":"complaint","messageid":"MSGID"}]}`, 400, ""},
		"no JSON":       {`hello`, 400, ""},
		"too large":     {`{"events":[` + strings.Repeat(" ", requestMax) + `]}`, 413, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			body := b.fillIDs(test.body)
			for range 2 {
				status := post(t, b.hook(t, "generic", hookSecret), body, func(r *http.Request) {
					r.Header.Set(SignatureHeader, signWebhook(hookSecret, testNow.Add(time.Minute), []byte(body)))
				})
				if status != test.status {
					t.Errorf("status %d, want %d", status, test.status)
				}
			}
			b.expect(t, name, test.kind, "generic")
		})
	}
}

func TestGenericWebhookRefusesWrongSignatures(t *testing.T) {
	t.Parallel()
	b := setup(t)
	body := b.fillIDs(`{"events":[{"type":"complaint","message_id":"MSGID"}]}`)
	for name, signature := range map[string]string{
		"none": "", "junk": "t=1,v1=zz", "another key": signWebhook("another secret of octets", testNow, []byte(body)),
		"another body": signWebhook(hookSecret, testNow, []byte(body+" ")), "old": signWebhook(hookSecret, testNow.Add(-6*time.Minute), []byte(body)),
		"ahead": signWebhook(hookSecret, testNow.Add(6*time.Minute), []byte(body)), "no time": strings.TrimPrefix(signWebhook(hookSecret, testNow, []byte(body)), "t="),
	} {
		if status := post(t, b.hook(t, "generic", hookSecret), body, func(r *http.Request) { r.Header.Set(SignatureHeader, signature) }); status != 401 {
			t.Errorf("%s: status %d, want 401", name, status)
		}
	}
	b.expect(t, "unsigned", "", "")
}

func TestWebhooksAcceptOnlyPOST(t *testing.T) {
	t.Parallel()
	b := setup(t)
	recorder := httptest.NewRecorder()
	b.hook(t, "generic", hookSecret).ServeHTTP(recorder, httptest.NewRequestWithContext(context.Background(), http.MethodGet, "/", nil))
	if recorder.Code != http.StatusMethodNotAllowed || recorder.Header().Get("Allow") != http.MethodPost {
		t.Errorf("%d", recorder.Code)
	}
}

func TestWebhookEventsAreRequestedAgainWhileStoreIsUnreachable(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.recorder.setBroken(true)
	body := b.fillIDs(`{"events":[{"type":"complaint","message_id":"MSGID"}]}`)
	if status := post(t, b.hook(t, "generic", hookSecret), body, func(r *http.Request) {
		r.Header.Set(SignatureHeader, signWebhook(hookSecret, testNow, []byte(body)))
	}); status != 503 {
		t.Errorf("status %d, want 503", status)
	}
}

func TestPostmarkWebhook(t *testing.T) {
	t.Parallel()
	bounce := func(kind, details string) string {
		return fmt.Sprintf(`{"RecordType":"Bounce","MessageStream":"broadcast","ID":42,"Type":%q,"TypeCode":1,"Tag":"","MessageID":"883953f4-6105-42a2-a16a-77a8eac79483",
			"Details":%q,"Email":"reader@example.net","From":"news@example.org","Content":"Return-Path: <>\r\nMessage-ID: <MSGID>\r\n","Subject":"This week"}`, kind, details)
	}
	for name, test := range map[string]struct {
		body string
		kind Kind
	}{
		"hard":               {bounce("HardBounce", "smtp;550 5.1.1 The email account does not exist"), Bounced},
		"hard, silent":       {bounce("HardBounce", ""), Bounced},
		"policy":             {bounce("HardBounce", "smtp;550 5.7.1 not accepted"), ""},
		"soft":               {bounce("SoftBounce", "smtp;452 4.2.2 mailbox full"), Soft},
		"away":               {bounce("AutoResponder", ""), ""},
		"blocked":            {bounce("Blocked", "smtp;550 your address is listed"), ""},
		"deactivated":        {bounce("ManuallyDeactivated", ""), ""},
		"not valid":          {bounce("BadEmailAddress", "The 'To' address is not a valid address"), ""},
		"not accepted":       {bounce("SMTPApiError", "You tried to send to recipients that have been marked as inactive"), ""},
		"complaint":          {`{"RecordType":"SpamComplaint","Type":"SpamComplaint","Content":"Message-ID: <MSGID>"}`, Complained},
		"unsubscribe":        {`{"RecordType":"SubscriptionChange","SuppressSending":true,"Metadata":{"delivery":"MSGID"}}`, Unsubscribed},
		"unsubscribed there": {`{"RecordType":"SubscriptionChange","SuppressSending":true,"SuppressionReason":"ManualSuppression","Origin":"Recipient","Metadata":{"delivery":"MSGID"}}`, Unsubscribed},
		"complained there":   {`{"RecordType":"SubscriptionChange","SuppressSending":true,"SuppressionReason":"SpamComplaint","Origin":"Recipient","Metadata":{"delivery":"MSGID"}}`, Complained},
		"listed, refused":    {`{"RecordType":"SubscriptionChange","SuppressSending":true,"SuppressionReason":"HardBounce","Origin":"Recipient","Metadata":{"delivery":"MSGID"}}`, ""},
		"listed by us":       {`{"RecordType":"SubscriptionChange","SuppressSending":true,"SuppressionReason":"ManualSuppression","Origin":"Customer","Metadata":{"delivery":"MSGID"}}`, ""},
		"listed by Postmark": {`{"RecordType":"SubscriptionChange","SuppressSending":true,"SuppressionReason":"ManualSuppression","Origin":"Admin","Metadata":{"delivery":"MSGID"}}`, ""},
		"subscribe":          {`{"RecordType":"SubscriptionChange","SuppressSending":false,"Metadata":{"delivery":"MSGID"}}`, ""},
		"delivery":           {`{"RecordType":"Delivery","Metadata":{"delivery":"MSGID"}}`, ""},
	} {
		b := setup(t)
		if status := post(t, b.hook(t, "postmark", hookSecret), b.fillIDs(test.body), func(r *http.Request) { r.SetBasicAuth("hook", hookSecret) }); status != 204 {
			t.Errorf("%s: status %d", name, status)
		}
		b.expect(t, name, test.kind, "postmark")
		if status := post(t, b.hook(t, "postmark", hookSecret), b.fillIDs(test.body), func(r *http.Request) { r.SetBasicAuth("hook", "wrong") }); status != 401 {
			t.Errorf("%s with a wrong password: status %d", name, status)
		}
	}
}

func TestSendGridWebhook(t *testing.T) {
	t.Parallel()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	public := base64.StdEncoding.EncodeToString(der)
	sign := func(body string) func(*http.Request) {
		sum := sha256.Sum256([]byte("1774594800" + body))
		signature, err := ecdsa.SignASN1(rand.Reader, key, sum[:])
		if err != nil {
			t.Fatal(err)
		}
		return func(r *http.Request) {
			r.Header.Set(sendgridTimestamp, "1774594800")
			r.Header.Set(sendgridSignature, base64.StdEncoding.EncodeToString(signature))
		}
	}
	for name, test := range map[string]struct {
		body string
		kind Kind
	}{
		"bounce":      {`[{"email":"a@b","event":"bounce","type":"bounce","smtp-id":"<MSGID>","reason":"550 5.1.1 unknown","status":"5.1.1"}]`, Bounced},
		"full":        {`[{"event":"bounce","type":"bounce","smtp-id":"<MSGID>","reason":"552 5.2.2 full","status":"5.2.2"}]`, Soft},
		"blocked":     {`[{"event":"bounce","type":"blocked","smtp-id":"<MSGID>","reason":"550 5.7.1 listed"}]`, ""},
		"dropped":     {`[{"event":"dropped","smtp-id":"<MSGID>","reason":"Bounced Address","status":"5.0.0"}]`, ""},
		"complaint":   {`[{"event":"processed","smtp-id":"<MSGID>"},{"event":"spamreport","smtp-id":"<MSGID>"}]`, Complained},
		"unsubscribe": {`[{"event":"unsubscribe","smtp-id":"<MSGID>"}]`, Unsubscribed},
		"delivered":   {`[{"event":"delivered","smtp-id":"<MSGID>"},{"event":"deferred","smtp-id":"<MSGID>"},{"event":"open"}]`, ""},
	} {
		b := setup(t)
		body := b.fillIDs(test.body)
		if status := post(t, b.hook(t, "sendgrid", public), body, sign(body)); status != 204 {
			t.Errorf("%s: status %d", name, status)
		}
		b.expect(t, name, test.kind, "sendgrid")
		if status := post(t, b.hook(t, "sendgrid", public), body, sign(body+" ")); status != 401 {
			t.Errorf("%s with a wrong signature: status %d", name, status)
		}
	}
}

func TestWebhooksRefuseWeakSecrets(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for service, secret := range map[string]string{"generic": "short", "postmark": "", "sendgrid": "bm8ga2V5", "ses": "no ARN", "pigeon": hookSecret,
		"mailgun": "key-1", "brevo": "short", "mailjet": "", "sparkpost": "password", "resend": "whsec_c2hvcnQ=", "mandrill": "k"} {
		if _, err := b.Webhook(service, secret, hookAddress); err == nil {
			t.Errorf("%s accepted the secret %q", service, secret)
		}
	}
}

func FuzzWebhookEvents(f *testing.F) {
	f.Add([]byte(`{"events":[{"type":"bounce","message_id":"x","code":550}]}`))
	f.Add([]byte(`[{"event":"bounce","type":"bounce","smtp-id":"<x>"}]`))
	f.Add([]byte(`{"RecordType":"Bounce","Type":"HardBounce"}`))
	f.Add([]byte(`{"signature":{"timestamp":"1","token":"x"},"event-data":{"event":"failed","severity":"permanent","delivery-status":{"code":550}}}`))
	f.Add([]byte(`{"event":"hard_bounce","reason":"550 5.1.1 x","X-Mailin-custom":"m-x@y"}`))
	f.Add([]byte(`[{"event":"bounce","hard_bounce":true,"error":"user unknown","CustomID":"m-x@y"}]`))
	f.Add([]byte(`[{"msys":{"message_event":{"type":"bounce","bounce_class":"10","raw_reason":"550 x"}}},{"msys":{}}]`))
	f.Add([]byte(`{"type":"email.bounced","data":{"bounce":{"type":"Permanent","diagnosticCode":["smtp; 550 x"]}}}`))
	f.Add([]byte("mandrill_events=" + url.QueryEscape(`[{"event":"hard_bounce","msg":{"diag":"smtp;550 x"}}]`)))
	f.Fuzz(func(t *testing.T, body []byte) {
		p := setup(t)
		for name, secret := range map[string]string{
			"generic": hookSecret, "postmark": hookSecret, "mailgun": hookSecret, "brevo": hookSecret, "mailjet": hookSecret,
			"sparkpost": hookSecret, "resend": svixSecret, "mandrill": hookSecret,
		} {
			s, err := webhookFormats[name].open(p.Processor, secret, hookAddress)
			if err != nil {
				t.Fatal(err)
			}
			_ = s.verify(t.Context(), http.Header{}, body)
			events, err := s.events(t.Context(), body)
			for _, e := range events {
				if err != nil || e.kind != "" && e.note != "" {
					t.Errorf("%s: %+v, %v", name, e, err)
				}
			}
		}
		_, _ = sendgrid{}.events(t.Context(), body)
		_, _ = sesEvents(body)
		var m snsMessage
		if json.Unmarshal(body, &m) == nil {
			m.signed()
		}
	})
}
