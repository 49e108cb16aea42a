package bounce

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"
)

// webhookCase is an event of a service and what it must record.
type webhookCase struct {
	body string
	kind Kind
}

// postEvents posts each event twice, since services repeat requests, and checks what is recorded. sign
// returns the body to post and prepares the request.
func postEvents(t *testing.T, service, secret string, sign func(body string) (string, func(*http.Request)), cases map[string]webhookCase) {
	t.Helper()
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			hook := b.hook(t, service, secret)
			body, prepare := sign(b.fillIDs(test.body))
			for range 2 {
				if status := post(t, hook, body, prepare); status != http.StatusOK {
					t.Fatalf("status %d, want 200", status)
				}
			}
			b.expect(t, name, test.kind, service)
		})
	}
}

// mailgunSigned returns a body with an event as Mailgun posts it.
func mailgunSigned(key, stamp, token, event string) string {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(stamp + token))
	return fmt.Sprintf(`{"signature":{"timestamp":%q,"token":%q,"signature":%q},"event-data":%s}`, stamp, token, hex.EncodeToString(mac.Sum(nil)), event)
}

func mailgunFailure(severity, reason, status string) string {
	return fmt.Sprintf(`{"event":"failed","severity":%q,"reason":%q,"id":"G9Bn5sl1TC6nu79C8C0bwg","timestamp":1774598400.12,"log-level":"error","recipient":"reader@example.net",
		"recipient-domain":"example.net","message":{"size":40123,"attachments":[],"headers":{"to":"reader@example.net","from":"news@example.org","subject":"This week","message-id":"MSGID"}},
		"user-variables":{},"tags":[],"flags":{"is-test-mode":false},"delivery-status":%s}`, severity, reason, status)
}

func TestMailgunWebhook(t *testing.T) {
	t.Parallel()
	other := func(kind, more string) string {
		return fmt.Sprintf(`{"event":%q,"timestamp":1774598400.5,"recipient":"reader@example.net","message":{"headers":{"message-id":"MSGID"}}%s}`, kind, more)
	}
	sign := func(body string) (string, func(*http.Request)) {
		return mailgunSigned(hookSecret, strconv.FormatInt(testNow.Unix(), 10), strings.Repeat("5a", 25), body), nil
	}
	postEvents(t, "mailgun", hookSecret, sign, map[string]webhookCase{
		"unknown user":          {mailgunFailure("permanent", "bounce", `{"code":550,"message":"5.1.1 The email account does not exist","description":"","attempt-no":1,"tls":true,"mx-host":"mx.example.net"}`), Bounced},
		"its code apart":        {mailgunFailure("permanent", "generic", `{"code":550,"enhanced-code":"5.1.1","message":"rejected"}`), Soft},
		"full":                  {mailgunFailure("permanent", "bounce", `{"code":552,"message":"5.2.2 Mailbox is over quota"}`), Soft},
		"blocked":               {mailgunFailure("permanent", "bounce", `{"code":554,"message":"5.7.1 Service refused, your host is on a block list"}`), ""},
		"plain refusal":         {mailgunFailure("permanent", "generic", `{"code":550,"message":"denied"}`), Soft},
		"temporary":             {mailgunFailure("temporary", "generic", `{"code":451,"message":"4.3.0 try later","retry-seconds":600}`), ""},
		"no mail host":          {mailgunFailure("permanent", "generic", `{"code":498,"message":"No MX for nomx.example.net"}`), Soft},
		"given up":              {mailgunFailure("permanent", "old", `{"code":602,"message":"","description":"Too old"}`), Soft},
		"suppressed before":     {mailgunFailure("permanent", "suppress-bounce", `{"code":605,"message":"","description":"Not delivering to previously bounced address"}`), ""},
		"unsubscribed there":    {mailgunFailure("permanent", "suppress-unsubscribe", `{"code":606,"description":"Not delivering to unsubscribed address"}`), ""},
		"a code of Mailgun":     {mailgunFailure("permanent", "generic", `{"code":620,"message":"user unknown"}`), ""},
		"complaint":             {other("complained", `,"tags":[]`), Complained},
		"unsubscribe":           {other("unsubscribed", `,"ip":"192.0.2.4"`), Unsubscribed},
		"rejected":              {other("rejected", `,"reject":{"reason":"Sandbox subdomains are for test purposes only"}`), ""},
		"delivered":             {other("delivered", ""), ""},
		"opened":                {other("opened", ""), ""},
		"an unknown event":      {other("party", ""), ""},
		"the variable":          {`{"event":"complained","message":{"headers":{"message-id":"20260327@mailgun.example"}},"user-variables":{"delivery":"MSGID"}}`, Complained},
		"another sender's mail": {`{"event":"complained","message":{"headers":{"message-id":"m-aaaaaaaaaaaaaaaaaaaaaaaaaaaa@example.org"}}}`, ""},
	})
}

func TestMailgunWebhookRefusesWrongSignatures(t *testing.T) {
	t.Parallel()
	b := setup(t)
	hook := b.hook(t, "mailgun", hookSecret)
	event := b.fillIDs(`{"event":"complained","message":{"headers":{"message-id":"MSGID"}}}`)
	at := func(d time.Duration) string { return strconv.FormatInt(testNow.Add(d).Unix(), 10) }
	for name, test := range map[string]struct {
		body   string
		status int
	}{
		"no JSON":      {"hello", 400},
		"no signature": {`{"event-data":` + event + `}`, 401},
		"another key":  {mailgunSigned("another key of 16 octets", at(0), "t", event), 401},
		"old":          {mailgunSigned(hookSecret, at(-13*time.Hour), "t", event), 401},
		"ahead":        {mailgunSigned(hookSecret, at(6*time.Minute), "t", event), 401},
		"no time":      {mailgunSigned(hookSecret, "", "t", event), 401},
	} {
		if status := post(t, hook, test.body, nil); status != test.status {
			t.Errorf("%s: status %d, want %d", name, status, test.status)
		}
	}
	if status := post(t, hook, mailgunSigned(hookSecret, at(0), "u", "3"), nil); status != 400 {
		t.Errorf("an event that is no object: status %d", status)
	}
	b.expect(t, "refused", "", "")
}

// TestMailgunTokenIsTakenForOneEvent: the signature does not cover the event, so a token must not come
// with another one. A repeated request has the same.
func TestMailgunTokenIsTakenForOneEvent(t *testing.T) {
	t.Parallel()
	b := setup(t)
	hook := b.hook(t, "mailgun", hookSecret)
	stamp := strconv.FormatInt(testNow.Add(-8*time.Hour).Unix(), 10)
	delivered := b.fillIDs(`{"event":"delivered", "message":{"headers":{"message-id":"MSGID"}}}`)
	if status := post(t, hook, mailgunSigned(hookSecret, stamp, "token", delivered), nil); status != 200 {
		t.Errorf("a request that Mailgun repeats for hours: status %d", status)
	}
	if status := post(t, hook, mailgunSigned(hookSecret, stamp, "token", strings.ReplaceAll(delivered, ", ", ",")), nil); status != 200 {
		t.Errorf("the same event again: status %d", status)
	}
	forged := mailgunSigned(hookSecret, stamp, "token", b.fillIDs(`{"event":"complained","message":{"headers":{"message-id":"MSGID"}}}`))
	if status := post(t, hook, forged, nil); status != 401 {
		t.Errorf("another event with the signature: status %d", status)
	}
	b.expect(t, "forged", "", "")
}

// svixSecret is a signing secret of Svix.
var svixSecret = "whsec_" + base64.StdEncoding.EncodeToString([]byte(hookSecret))

// svixSigned signs a body as Svix does.
func svixSigned(key, body string, at time.Time) func(*http.Request) {
	stamp := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte("msg_2aBc." + stamp + "." + body))
	return func(r *http.Request) {
		r.Header.Set("svix-id", "msg_2aBc")
		r.Header.Set("svix-timestamp", stamp)
		r.Header.Set("svix-signature", "v1,bm90IHRoaXMgb25l v1a,x v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	}
}

func resendSample(kind, more string) string {
	return fmt.Sprintf(`{"type":%q,"created_at":"2026-03-27T08:00:00.000Z","data":{"created_at":"2026-03-27T07:59:59.1Z","email_id":"56761188-7520-42d8-8898-ff6fc54ce618",
		"message_id":"<MSGID>","from":"The Gazette <news@example.org>","to":["reader@example.net"],"subject":"This week"%s}}`, kind, more)
}

func TestResendWebhook(t *testing.T) {
	t.Parallel()
	bounce := func(kind, sub, diagnostic string) string {
		return resendSample("email.bounced", fmt.Sprintf(`,"bounce":{"type":%q,"subType":%q,"message":"The recipient's email provider sent a hard bounce message. This can hurt your reputation as a sender.","diagnosticCode":%s}`, kind, sub, diagnostic))
	}
	sign := func(body string) (string, func(*http.Request)) { return body, svixSigned(hookSecret, body, testNow) }
	postEvents(t, "resend", svixSecret, sign, map[string]webhookCase{
		"unknown user":      {bounce("Permanent", "General", `["smtp; 550-5.1.1 The email account does not exist","smtp; 550 5.1.1 check the address"]`), Bounced},
		"as one text":       {bounce("Permanent", "General", `"smtp; 550 5.1.1 no such user"`), Bounced},
		"silent":            {bounce("Permanent", "NoEmail", `[]`), Bounced},
		"blocked":           {bounce("Permanent", "General", `["smtp; 550 5.7.1 your address has a poor reputation"]`), ""},
		"full":              {bounce("Transient", "MailboxFull", `[]`), Soft},
		"temporary":         {bounce("Transient", "General", `["smtp; 550 5.1.1 no such user"]`), Soft},
		"automatic reply":   {bounce("Transient", "General", `[]`), ""},
		"too large":         {bounce("Transient", "MessageTooLarge", `["smtp; 552 5.3.4 too large"]`), ""},
		"suppressed before": {bounce("Permanent", "Suppressed", `[]`), ""},
		"on the list there": {bounce("Permanent", "OnAccountSuppressionList", `["smtp; 550 5.1.1 no such user"]`), ""},
		"undetermined":      {bounce("Undetermined", "Undetermined", `[]`), ""},
		"no details":        {resendSample("email.bounced", ""), ""},
		"suppressed":        {resendSample("email.suppressed", `,"suppressed":{"message":"on the suppression list","type":"OnAccountSuppressionList"}`), ""},
		"complaint":         {resendSample("email.complained", ""), Complained},
		"a header":          {`{"type":"email.complained","data":{"message_id":"<0102@email.amazonses.com>","headers":[{"name":"X-Delivery","value":"MSGID"}]}}`, Complained},
		"delivered":         {resendSample("email.delivered", ""), ""},
		"delayed":           {resendSample("email.delivery_delayed", ""), ""},
		"failed":            {resendSample("email.failed", `,"failed":{"reason":"reached_daily_quota"}`), ""},
		"a contact":         {`{"type":"contact.updated","data":{"id":"x","unsubscribed":true}}`, ""},
		"an unknown event":  {resendSample("email.partied", ""), ""},
	})
}

func TestResendWebhookRefusesWrongSignatures(t *testing.T) {
	t.Parallel()
	b := setup(t)
	hook := b.hook(t, "resend", svixSecret)
	body := b.fillIDs(resendSample("email.complained", ""))
	for name, prepare := range map[string]func(*http.Request){
		"none":         nil,
		"another key":  svixSigned("another secret of octets", body, testNow),
		"another body": svixSigned(hookSecret, body+" ", testNow),
		"old":          svixSigned(hookSecret, body, testNow.Add(-6*time.Minute)),
		"ahead":        svixSigned(hookSecret, body, testNow.Add(6*time.Minute)),
		"another id": func(r *http.Request) {
			svixSigned(hookSecret, body, testNow)(r)
			r.Header.Set("svix-id", "msg_other")
		},
	} {
		if status := post(t, hook, body, prepare); status != 401 {
			t.Errorf("%s: status %d, want 401", name, status)
		}
	}
	for _, junk := range []string{"hello", "", "3", `{"type":3}`, `{"type":"email.bounced","data":[]}`} {
		if status := post(t, hook, junk, svixSigned(hookSecret, junk, testNow)); status != 400 {
			t.Errorf("%q: status %d, want 400", junk, status)
		}
	}
	b.expect(t, "refused", "", "")
}

// mandrillSigned returns the form and the signature of a batch of events.
func mandrillSigned(key, address, events string) (string, func(*http.Request)) {
	mac := hmac.New(sha1.New, []byte(key))
	mac.Write([]byte(address + "a" + "first" + "mandrill_events" + events))
	return url.Values{"mandrill_events": {events}, "a": {"first"}}.Encode(), func(r *http.Request) {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("X-Mandrill-Signature", base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	}
}

func TestMandrillWebhook(t *testing.T) {
	t.Parallel()
	sample := func(kind, description, diag string) string {
		return fmt.Sprintf(`[{"event":"send","msg":{"state":"sent"}},{"event":%q,"_id":"1f2e","ts":1774598400,"msg":{"ts":1774598390,"_id":"1f2e","subject":"Für Sie + & =","email":"reader@example.net",
			"sender":"news@example.org","tags":[],"state":"bounced","metadata":{"delivery":"MSGID"},"bounce_description":%q,"bgtools_code":10,"diag":%q}}]`, kind, description, diag)
	}
	sign := func(body string) (string, func(*http.Request)) {
		return mandrillSigned(hookSecret, hookAddress, body)
	}
	postEvents(t, "mandrill", hookSecret, sign, map[string]webhookCase{
		"unknown user":        {sample("hard_bounce", "bad_mailbox", "smtp;550 5.1.1 The email account does not exist"), Bounced},
		"silent":              {sample("hard_bounce", "bad_mailbox", ""), Bounced},
		"hard, without cause": {sample("hard_bounce", "general", ""), Soft},
		"hard, blocked":       {sample("hard_bounce", "bad_mailbox", "smtp;550 5.7.1 message refused as spam"), ""},
		"hard, full":          {sample("hard_bounce", "bad_mailbox", "smtp;552 5.2.2 over quota"), Soft},
		"full":                {sample("soft_bounce", "mailbox_full", "smtp;452 4.2.2 mailbox full"), Soft},
		"full, silent":        {sample("soft_bounce", "mailbox_full", ""), Soft},
		"soft, unknown user":  {sample("soft_bounce", "general", "smtp;550 5.1.1 no such user"), Soft},
		"spam":                {sample("soft_bounce", "spam_content", ""), ""},
		"suppressed before":   {sample("reject", "", ""), ""},
		"complaint":           {sample("spam", "", ""), Complained},
		"unsubscribe":         {sample("unsub", "", ""), Unsubscribed},
		"deferral":            {sample("deferral", "", "451 4.3.5 try again later"), ""},
		"a list":              {`[{"type":"blacklist","action":"add","reject":{"email":"reader@example.net","reason":"manual"}}]`, ""},
		"no events":           {`[]`, ""},
		"an unknown event":    {sample("party", "", ""), ""},
	})
}

func TestMandrillWebhookRefusesWrongSignatures(t *testing.T) {
	t.Parallel()
	b := setup(t)
	hook := b.hook(t, "mandrill", hookSecret)
	events := b.fillIDs(`[{"event":"spam","msg":{"metadata":{"delivery":"MSGID"}}}]`)
	for name, test := range map[string]struct{ key, address, events string }{
		"another key":  {"another key of 16 octets", hookAddress, events},
		"another URL":  {hookSecret, "https://press.example.org/webhooks/other", events},
		"another list": {hookSecret, hookAddress, events + " "},
	} {
		body, _ := mandrillSigned(hookSecret, hookAddress, events)
		_, prepare := mandrillSigned(test.key, test.address, test.events)
		if status := post(t, hook, body, prepare); status != 401 {
			t.Errorf("%s: status %d, want 401", name, status)
		}
	}
	for _, junk := range []string{"hello", "", `[3]`, `[{"event":[]}]`} {
		body, prepare := mandrillSigned(hookSecret, hookAddress, junk)
		if status := post(t, hook, body, prepare); status != 400 {
			t.Errorf("%q: status %d, want 400", junk, status)
		}
	}
	if status := post(t, hook, "%zz", nil); status != 400 {
		t.Errorf("no form: status %d, want 400", status)
	}
	b.expect(t, "refused", "", "")
}

func TestWebhooksAnswerHEAD(t *testing.T) {
	t.Parallel()
	b := setup(t)
	recorder := httptest.NewRecorder()
	b.hook(t, "mandrill", hookSecret).ServeHTTP(recorder, httptest.NewRequestWithContext(t.Context(), http.MethodHead, "/", nil))
	if recorder.Code != http.StatusOK {
		t.Errorf("status %d, want 200", recorder.Code)
	}
}
