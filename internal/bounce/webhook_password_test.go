package bounce

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// withPassword posts a body with the password of the webhook.
func withPassword(body string) (string, func(*http.Request)) {
	return body, func(r *http.Request) { r.SetBasicAuth("hook", hookSecret) }
}

func TestBrevoWebhook(t *testing.T) {
	t.Parallel()
	sample := func(kind, reason string) string {
		return fmt.Sprintf(`{"event":%q,"email":"reader@example.net","id":1234,"date":"2026-03-27 08:00:00","ts":1774598400,"ts_event":1774598400,"ts_epoch":1774598400000,
			"message-id":"<202603270800.27287306012@smtp-relay.mailin.fr>","subject":"This week","X-Mailin-custom":"MSGID","sending_ip":"192.0.2.9","reason":%q}`, kind, reason)
	}
	postEvents(t, "brevo", hookSecret, withPassword, map[string]webhookCase{
		"unknown user":       {sample("hard_bounce", " RecipientError: 550 5.1.1 no such user"), Bounced},
		"Outlook":            {sample("hard_bounce", " RecipientError: 550 5.5.0 Requested action not taken: mailbox unavailable."), Bounced},
		"silent":             {sample("hard_bounce", ""), Bounced},
		"hard, blocked":      {sample("hard_bounce", "550 5.7.1 your IP is on a block list"), ""},
		"hard, full":         {sample("hard_bounce", "552 5.2.2 mailbox full"), Soft},
		"soft":               {sample("soft_bounce", "452 4.2.2 mailbox full"), Soft},
		"no mail host":       {sample("soft_bounce", "undefined Unable to find MX of domain example.net"), Soft},
		"soft, unknown user": {sample("soft_bounce", "550 5.1.1 no such user"), Soft},
		"soft, blocked":      {sample("soft_bounce", "421 4.7.0 your IP has a poor reputation"), ""},
		"deferred":           {sample("deferred", "550 5.1.1 no such user"), ""},
		"suppressed before":  {sample("blocked", "blocked : due to blacklist user"), ""},
		"invalid to Brevo":   {sample("invalid_email", "550 5.1.1 no such user"), ""},
		"complaint":          {sample("spam", ""), Complained},
		"complaint, renamed": {sample("complaint", ""), Complained},
		"unsubscribe":        {sample("unsubscribed", ""), Unsubscribed},
		"several":            {`[` + sample("delivered", "") + `,` + sample("hardBounce", "550 5.1.1 no such user") + `]`, Bounced},
		"the Message-ID":     {`{"event":"spam","message-id":"<MSGID>"}`, Complained},
		"delivered":          {sample("delivered", ""), ""},
		"opened":             {sample("unique_opened", ""), ""},
		"an unknown event":   {sample("party", ""), ""},
	})
}

func TestMailjetWebhook(t *testing.T) {
	t.Parallel()
	sample := func(kind, more string) string {
		return fmt.Sprintf(`{"event":%q,"time":1774598400,"MessageID":20547674933128000,"Message_GUID":"1ab23cd4","email":"reader@example.net","mj_campaign_id":7276,"mj_contact_id":320,
			"customcampaign":"","CustomID":"MSGID","Payload":""%s}`, kind, more)
	}
	bounce := func(hard bool, about, name, comment string) string {
		return "[" + sample("sent", `,"smtp_reply":"sent (250 2.0.0 OK)"`) + "," + sample("bounce", fmt.Sprintf(`,"blocked":false,"hard_bounce":%v,"error_related_to":%q,"error":%q,"comment":%q`, hard, about, name, comment)) + "]"
	}
	postEvents(t, "mailjet", hookSecret, withPassword, map[string]webhookCase{
		"unknown user":         {bounce(true, "recipient", "user unknown", "550 5.1.1 no such user"), Bounced},
		"silent":               {bounce(true, "recipient", "user unknown", ""), Bounced},
		"no such domain":       {bounce(true, "domain", "invalid domain", "Host or domain name not found. Name service error for name=nomx.example.net type=MX: Host not found"), Bounced},
		"unknown, but blocked": {bounce(true, "recipient", "user unknown", "550 5.7.1 rejected, poor reputation"), ""},
		"unknown, but full":    {bounce(true, "recipient", "user unknown", "552 5.2.2 over quota"), Soft},
		"unknown, for now":     {bounce(false, "recipient", "user unknown", ""), Soft},
		"full":                 {bounce(false, "recipient", "quota exceeded", ""), Soft},
		"greylisted":           {bounce(false, "domain", "greylisted", ""), ""},
		"refused as spam":      {bounce(true, "spam", "content blocked", "550 5.1.1 refused"), ""},
		"relaying":             {bounce(true, "domain", "relay/access denied", ""), ""},
		"suppressed before":    {sample("blocked", `,"error_related_to":"mailjet","error":"preblocked"`), ""},
		"complained there":     {sample("blocked", `,"error_related_to":"recipient","error":"spam reporter"`), ""},
		"complaint":            {sample("spam", `,"source":"JMRPP"`), Complained},
		"unsubscribe":          {sample("unsub", `,"mj_list_id":0,"ip":"192.0.2.3","agent":"Mail"`), Unsubscribed},
		"the payload":          {`[{"event":"spam","Payload":"{\"delivery\": \"MSGID\"}"}]`, Complained},
		"opened":               {sample("open", ""), ""},
		"an unknown event":     {sample("party", ""), ""},
	})
}

// sparkPostSample returns a batch with one event, and what SparkPost sends as a test.
func sparkPostSample(class, event string) string {
	return fmt.Sprintf(`[{"msys":{}},{"msys":{%q:{"event_id":"8434","customer_id":"1","message_id":"0004e3724f57753a3561","rcpt_to":"reader@example.net","raw_rcpt_to":"reader@example.net",
		"rcpt_meta":{"delivery":"MSGID"},"rcpt_tags":[],"timestamp":"1774598400","transmission_id":"84345317650824116",%s}},"cust":{"id":"1"}}]`, class, event)
}

func TestSparkPostWebhook(t *testing.T) {
	t.Parallel()
	bounce := func(kind, class, reason string) string {
		return sparkPostSample("message_event", fmt.Sprintf(`"type":%q,"bounce_class":%s,"error_code":"550","raw_reason":%q`, kind, class, reason))
	}
	postEvents(t, "sparkpost", hookSecret, withPassword, map[string]webhookCase{
		"unknown user":       {bounce("bounce", `"10"`, "550 5.1.1 <reader@example.net>: Recipient address rejected: User unknown"), Bounced},
		"class as a number":  {bounce("bounce", `10`, ""), Bounced},
		"reported later":     {bounce("out_of_band", `"10"`, "550 5.1.1 no such user"), Bounced},
		"invalid, but full":  {bounce("bounce", `"10"`, "552 5.2.2 over quota"), Soft},
		"SparkPost's words":  {bounce("bounce", `"10"`, "550 5.1.2 [internal] no MX or A for domain"), Soft},
		"undetermined":       {bounce("bounce", `"1"`, "550 5.1.1 no such user"), Bounced},
		"no class":           {sparkPostSample("message_event", `"type":"bounce","raw_reason":"550 5.1.1 no such user"`), Bounced},
		"full":               {bounce("bounce", `"22"`, "552 5.2.2 mailbox full"), Soft},
		"soft, unknown user": {bounce("bounce", `"20"`, "550 5.1.1 no such user"), Soft},
		"DNS":                {bounce("bounce", `"21"`, "454 4.4.4 [internal] no MX or A for domain"), Soft},
		"mail block":         {bounce("bounce", `"50"`, "550 5.1.1 blocked"), ""},
		"spam block":         {bounce("bounce", `"51"`, "554 5.7.1 listed"), ""},
		"automatic reply":    {bounce("out_of_band", `"60"`, ""), ""},
		"unsubscribe mail":   {bounce("out_of_band", `"90"`, ""), Unsubscribed},
		"delay":              {bounce("delay", `"21"`, "454 4.4.4 try later"), ""},
		"suppressed before":  {sparkPostSample("gen_event", `"type":"generation_rejection","raw_reason":"554 5.7.1 recipient address suppressed due to customer policy"`), ""},
		"refused by rules":   {sparkPostSample("message_event", `"type":"policy_rejection","bounce_class":"25","raw_reason":"550 5.1.1 suppressed"`), ""},
		"complaint":          {sparkPostSample("message_event", `"type":"spam_complaint","fbtype":"abuse","report_by":"server.email.example"`), Complained},
		"untyped complaint":  {sparkPostSample("message_event", `"type":"spam_complaint"`), Complained},
		"other feedback":     {sparkPostSample("message_event", `"type":"spam_complaint","fbtype":"auth-failure"`), ""},
		"unsubscribe":        {sparkPostSample("unsubscribe_event", `"type":"list_unsubscribe"`), Unsubscribed},
		"by a link":          {sparkPostSample("unsubscribe_event", `"type":"link_unsubscribe"`), Unsubscribed},
		"delivered":          {sparkPostSample("message_event", `"type":"delivery"`), ""},
		"opened":             {sparkPostSample("track_event", `"type":"open"`), ""},
		"an unknown event":   {sparkPostSample("party_event", `"type":"party"`), ""},
	})
}

func TestPasswordWebhooksRefuseWrongRequests(t *testing.T) {
	t.Parallel()
	bodies := map[string]string{
		"brevo":     `{"event":"spam","X-Mailin-custom":"MSGID"}`,
		"mailjet":   `[{"event":"spam","CustomID":"MSGID"}]`,
		"sparkpost": sparkPostSample("message_event", `"type":"spam_complaint"`),
	}
	for service, body := range bodies {
		b := setup(t)
		hook := b.hook(t, service, hookSecret)
		body = b.fillIDs(body)
		for name, prepare := range map[string]func(*http.Request){
			"no password":      nil,
			"another password": func(r *http.Request) { r.SetBasicAuth("hook", "another one of octets") },
			"another token":    func(r *http.Request) { r.Header.Set("Authorization", "Bearer another one of octets") },
		} {
			if status := post(t, hook, body, prepare); status != 401 {
				t.Errorf("%s, %s: status %d, want 401", service, name, status)
			}
		}
		for _, junk := range []string{"hello", "", "3", "[3]", `["x"]`, `{"event":[]}x`, `[{"msys":{"a":{},"b":{}}},{"event":1}]`} {
			_, prepare := withPassword(junk)
			if status := post(t, hook, junk, prepare); status != 400 {
				t.Errorf("%s, %q: status %d, want 400", service, junk, status)
			}
		}
		b.expect(t, service, "", "")
		if status := post(t, hook, body, func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+hookSecret) }); status != 200 {
			t.Errorf("%s with a token: status %d", service, status)
		}
		b.expect(t, service, Complained, service)
	}
}

// TestPasswordIsCheckedBeforeTheBodyIsRead: large batches are only for those who know the password.
func TestPasswordIsCheckedBeforeTheBodyIsRead(t *testing.T) {
	t.Parallel()
	b := setup(t)
	body := strings.NewReader("[]")
	recorder := httptest.NewRecorder()
	b.hook(t, "sparkpost", hookSecret).ServeHTTP(recorder, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", io.NopCloser(body)))
	if recorder.Code != 401 || body.Len() != 2 {
		t.Errorf("status %d, %d of 2 octets left", recorder.Code, body.Len())
	}
}

// TestBatchIsAppliedWhollyOrRequestedAgain: what was recorded before the store failed counts once.
func TestBatchIsAppliedWhollyOrRequestedAgain(t *testing.T) {
	t.Parallel()
	b := setup(t)
	hook := b.hook(t, "sparkpost", hookSecret)
	event := `{"msys":{"message_event":{"type":"spam_complaint","rcpt_meta":{"delivery":"MSGID"}}}}`
	other := `{"msys":{"unsubscribe_event":{"type":"list_unsubscribe","rcpt_meta":{"delivery":"MSGID"}}}}`
	opened := `{"msys":{"track_event":{"type":"open","rcpt_meta":{"delivery":"MSGID"}}}}`
	body := b.fillIDs("[" + event + strings.Repeat(","+opened, 5000) + "," + other + "]")
	_, prepare := withPassword(body)
	b.recorder.setBroken(true)
	if status := post(t, hook, body, prepare); status != 503 {
		t.Errorf("status %d, want 503", status)
	}
	b.recorder.setBroken(false)
	for range 2 {
		if status := post(t, hook, body, prepare); status != 200 {
			t.Errorf("status %d, want 200", status)
		}
	}
	if all := b.recorder.all(); len(all) != 2 {
		t.Errorf("recorded %+v, want a complaint and an unsubscription", all)
	}
}

func TestBadRequestSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	recorder := httptest.NewRecorder()
	request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(`[{"event":"open"},{"event":7}]`))
	request.SetBasicAuth("hook", hookSecret)
	setup(t).hook(t, "mailjet", hookSecret).ServeHTTP(recorder, request)
	if text := recorder.Body.String(); recorder.Code != 400 || !strings.Contains(text, "event 1") {
		t.Errorf("%d %s", recorder.Code, text)
	}
}
