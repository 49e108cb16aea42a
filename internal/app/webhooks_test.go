package app_test

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"net/mail"
	"net/url"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/app"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/internal/testkit/sink"
	"github.com/tidings-press/tidings/templates"
)

const webhookSettings = `
site: {url: "http://%[1]s"}
digests: [{name: weekly, schedule: "0 8 1 1 *", sender: news@press.example}]
relays: [{name: main, host: 127.0.0.1, port: %[2]d, tls: none, auth: none, extra_headers: ['X-MC-Metadata: {"delivery": "{message_id}"}']}]
bounces: {webhooks: [{name: md, service: mandrill, secret: sixteen-octets-of-secret}, {service: sparkpost, secret: sixteen-octets-of-secret}]}
log: {level: error}
`

// TestServicesReportConfirmationsToTheSite: Mandrill signs the address of the webhook below the site's
// URL, and returns the metadata of a confirmation. A batch of SparkPost may be larger than other requests.
func TestServicesReportConfirmationsToTheSite(t *testing.T) {
	t.Parallel()
	wire := testkit.StartSMTPServer(t, sink.Options{})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	site := "http://" + listener.Addr().String()
	p := open(t, fmt.Sprintf(webhookSettings, listener.Addr(), wire.Port()))
	runNodeOn(t, &app.Node{Service: p}, listener)
	send := func(method, path, body string, header map[string]string) int {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), method, site+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		for name, value := range header {
			request.Header.Set(name, value)
		}
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		return answer.StatusCode
	}
	for path, want := range map[string]int{"/webhooks/md": 200, "/webhooks/sparkpost": 200, "/webhooks/mandrill": 404} {
		if status := send(http.MethodHead, path, "", nil); status != want {
			t.Errorf("HEAD %s: status %d, want %d", path, status, want)
		}
	}

	sub, err := p.Store.AddSubscriber(t.Context(), subscriber.Subscriber{Address: subscriber.MustParseAddress("ada@example.org"), State: subscriber.Pending})
	if err != nil {
		t.Fatal(err)
	}
	engine, err := p.Engine(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := engine.SendToSubscriber(t.Context(), sub, "", templates.Rendered{Subject: "Please confirm", Text: "Hello\n"}); err != nil {
		t.Fatal(err)
	}
	until(t, "the confirmation is sent", func() bool { return len(wire.Mails()) == 1 })
	sent, err := mail.ReadMessage(strings.NewReader(string(wire.Mails()[0].Data)))
	if err != nil {
		t.Fatal(err)
	}
	events := fmt.Sprintf(`[{"event":"hard_bounce","msg":{"bounce_description":"bad_mailbox","diag":"smtp;550 5.1.1 no such user","metadata":%s}}]`, sent.Header.Get("X-MC-Metadata"))
	mac := hmac.New(sha1.New, []byte("sixteen-octets-of-secret"))
	mac.Write([]byte(site + "/webhooks/md" + "mandrill_events" + events))
	form := url.Values{"mandrill_events": {events}}.Encode()
	if status := send(http.MethodPost, "/webhooks/md", form, map[string]string{
		"Content-Type": "application/x-www-form-urlencoded", "X-Mandrill-Signature": base64.StdEncoding.EncodeToString(mac.Sum(nil)),
	}); status != 200 {
		t.Errorf("Mandrill: status %d", status)
	}
	if got, err := p.Store.Subscriber(t.Context(), sub.ID); err != nil || got.State != subscriber.Bounced {
		t.Errorf("after the bounce: %s, %v", got.State, err)
	}

	batch := "[" + strings.Repeat(`{"msys":{"track_event":{"type":"open","padding":"`+strings.Repeat("x", 900)+`"}}},`, 2000) + `{"msys":{}}]`
	password := "Basic " + base64.StdEncoding.EncodeToString([]byte("hook:sixteen-octets-of-secret"))
	if status := send(http.MethodPost, "/webhooks/sparkpost", batch, map[string]string{"Authorization": password}); status != 200 {
		t.Errorf("a batch of %d KB: status %d", len(batch)>>10, status)
	}
	if status := send(http.MethodPost, "/webhooks/sparkpost", "[]", nil); status != 401 {
		t.Errorf("without a password: status %d", status)
	}
}
