package inbox_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/smtp"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/inbox"
)

const mixed = "From: =?UTF-8?Q?L=C3=A9a?= <lea@example.org>\r\nTo: ann@example.org\r\nSubject: =?UTF-8?Q?Caf=C3=A9?=\r\nMIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n" +
	"--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nplain <b>words</b>\r\n.dot\r\n--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>rich <script>alert(1)</script></p>\r\n--b--\r\n"

type bundle struct {
	inbox *inbox.Inbox
	smtp  string
	web   *httptest.Server
}

func setup(t *testing.T, options inbox.Options) bundle {
	t.Helper()
	t.Parallel()
	in := inbox.New(options)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- in.ServeSMTP(l) }()
	web := httptest.NewServer(in.Handler())
	t.Cleanup(func() {
		web.Close()
		_ = in.Close()
		if err := <-done; err != nil {
			t.Errorf("ServeSMTP: %v", err)
		}
	})
	return bundle{in, l.Addr().String(), web}
}

func (b bundle) send(t *testing.T, source string) {
	t.Helper()
	if err := smtp.SendMail(b.smtp, nil, "bounce@example.org", []string{"ann@example.org"}, []byte(source)); err != nil {
		t.Fatal(err)
	}
}

func (b bundle) get(t *testing.T, path string) (*http.Response, string) {
	t.Helper()
	resp, err := http.Get(b.web.URL + path)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

func TestMailIsShownInEveryView(t *testing.T) {
	b := setup(t, inbox.Options{})
	b.send(t, mixed)
	for path, want := range map[string]string{
		"/":                        "Café",
		"/messages/1":              `<iframe src="/messages/1/html" sandbox=`,
		"/messages/1?view=text":    "plain &lt;b&gt;words&lt;/b&gt;\r\n.dot",
		"/messages/1?view=source":  "=?UTF-8?Q?Caf=C3=A9?=",
		"/messages/1?view=headers": "<dd>bounce@example.org</dd>",
		"/messages/1/source":       mixed,
	} {
		if resp, body := b.get(t, path); resp.StatusCode != 200 || !strings.Contains(body, want) {
			t.Errorf("GET %s: %s, want %q in:\n%s", path, resp.Status, want, body)
		}
	}
}

func TestRecipientsAreShownInUnicode(t *testing.T) {
	b := setup(t, inbox.Options{})
	if err := smtp.SendMail(b.smtp, nil, "bounce@example.org", []string{"jonas@xn--bcherfreund-thb.example", "ann@example.org"}, []byte(mixed)); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/", "/messages/1"} {
		if _, page := b.get(t, path); !strings.Contains(page, "jonas@bücherfreund.example, ann@example.org") {
			t.Errorf("%s lacks the recipients:\n%s", path, page)
		}
	}
}

func TestHTMLIsServedWithoutScripts(t *testing.T) {
	b := setup(t, inbox.Options{})
	b.send(t, mixed)
	resp, body := b.get(t, "/messages/1/html")
	if policy := resp.Header.Get("Content-Security-Policy"); !strings.HasPrefix(policy, "sandbox allow-popups") || strings.Contains(policy, "allow-scripts") {
		t.Errorf("policy %q lets scripts run", policy)
	}
	if !strings.Contains(body, "rich") {
		t.Errorf("the HTML part is missing: %s", body)
	}
}

func TestOnlyTheNewestMailsAreKept(t *testing.T) {
	b := setup(t, inbox.Options{Messages: 3})
	for i := 1; i <= 5; i++ {
		b.send(t, fmt.Sprintf("Subject: number %d\r\n\r\nbody\r\n", i))
	}
	if got := b.inbox.Count(); got != 5 {
		t.Errorf("Count() = %d, want 5", got)
	}
	kept := b.inbox.Messages()
	if len(kept) != 3 || kept[0].Subject != "number 5" || kept[2].Subject != "number 3" {
		t.Errorf("kept %d, newest %q, oldest %q", len(kept), kept[0].Subject, kept[len(kept)-1].Subject)
	}
	if m := b.inbox.Message(4); m == nil || m.Subject != "number 4" {
		t.Errorf("Message(4) = %v", m)
	}
	for _, id := range []string{"2", "6", "0", "-1", "x"} {
		if resp, _ := b.get(t, "/messages/"+id); resp.StatusCode != http.StatusNotFound {
			t.Errorf("message %s: %s, want 404", id, resp.Status)
		}
	}
}

func TestUnreadableMailIsStillShown(t *testing.T) {
	b := setup(t, inbox.Options{})
	for _, source := range []string{
		"no header at all",
		"Content-Type: multipart/mixed; boundary=never\r\n\r\nno part\r\n",
		"Content-Type: text/plain; charset=klingon\r\nSubject: =?klingon?Q?x?=\r\n\r\nqapla\r\n",
		"Content-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n\r\n****\r\n",
	} {
		b.send(t, source)
	}
	for i := 1; i <= 4; i++ {
		if resp, body := b.get(t, fmt.Sprintf("/messages/%d", i)); resp.StatusCode != 200 {
			t.Errorf("message %d: %s %s", i, resp.Status, body)
		}
	}
}

func TestTooLargeMailIsRefused(t *testing.T) {
	b := setup(t, inbox.Options{Size: 1000})
	err := smtp.SendMail(b.smtp, nil, "a@example.org", []string{"b@example.org"}, []byte("Subject: x\r\n\r\n"+strings.Repeat("word\r\n", 1000)))
	if err == nil || !strings.HasPrefix(err.Error(), "552") {
		t.Errorf("got %v, want a 552 reply", err)
	}
	if b.inbox.Count() != 0 {
		t.Error("the refused mail was kept")
	}
}
