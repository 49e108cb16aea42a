package inbox_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/smtp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/inbox"
)

// TestTextOfAMailIsNotTakenForHTML sends a mail whose every field tries to become part of the page.
func TestTextOfAMailIsNotTakenForHTML(t *testing.T) {
	b := setup(t, inbox.Options{})
	const attack = `"><script>alert(1)</script>`
	b.send(t, "From: \"<script>alert(1)</script>\" <a@example.org>\r\nSubject: "+attack+"\r\nX-Header: "+attack+"\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"+attack+"\r\n")
	for _, path := range []string{"/", "/messages/1", "/messages/1?view=text", "/messages/1?view=headers", "/messages/1?view=source", "/messages/1?view=%22%3E%3Cscript%3E"} {
		resp, body := b.get(t, path)
		if resp.StatusCode != 200 || strings.Contains(body, "<script") {
			t.Errorf("GET %s: %s\n%s", path, resp.Status, body)
		}
		if policy := resp.Header.Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'none'") || !strings.Contains(policy, "frame-ancestors 'none'") {
			t.Errorf("GET %s has the policy %q", path, policy)
		}
	}
	if resp, body := b.get(t, "/messages/1/source"); !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/plain") || resp.Header.Get("X-Content-Type-Options") != "nosniff" || !strings.Contains(body, attack) {
		t.Errorf("the source has the type %q", resp.Header.Get("Content-Type"))
	}
}

func TestViewOfAMailFollowsFromItsParts(t *testing.T) {
	b := setup(t, inbox.Options{})
	const text = "Subject: text\r\nContent-Type: text/plain\r\n\r\nonly text\r\n"
	b.send(t, text)
	b.send(t, mixed)
	b.send(t, "Subject: none\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\niVBORw0=\r\n")
	for path, want := range map[string]string{
		"/messages/1":             `<pre dir="auto">only text`,
		"/messages/1?view=html":   `<iframe src="/messages/1/html"`,
		"/messages/1?view=nobody": `<pre dir="auto">only text`,
		"/messages/1?view=HTML":   `<pre dir="auto">only text`,
		"/messages/2":             `<iframe src="/messages/2/html"`,
		"/messages/2?view=":       `<iframe src="/messages/2/html"`,
		"/messages/3":             `<pre dir="auto"></pre>`,
	} {
		if resp, body := b.get(t, path); resp.StatusCode != 200 || !strings.Contains(body, want) {
			t.Errorf("GET %s: %s, want %q in:\n%s", path, resp.Status, want, body)
		}
	}
	for path, want := range map[string][2]string{"/messages/1": {"/messages/2", ""}, "/messages/2": {"/messages/3", "/messages/1"}, "/messages/3": {"", "/messages/2"}} {
		_, body := b.get(t, path)
		for i, name := range []string{"Newer", "Older"} {
			link := fmt.Sprintf(`<a href="%s?view=`, want[i])
			if (want[i] != "") != strings.Contains(body, ">"+name+"<") || want[i] != "" && !strings.Contains(body, link) {
				t.Errorf("%s: the link %s is not to %q", path, name, want[i])
			}
		}
	}
}

func TestPagesOfTheInboxTakeOnlyGET(t *testing.T) {
	b := setup(t, inbox.Options{})
	b.send(t, mixed)
	for _, path := range []string{"/", "/messages/1", "/messages/1/html", "/messages/1/source", "/inbox.css"} {
		resp, err := http.Post(b.web.URL+path, "text/plain", strings.NewReader("x"))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusMethodNotAllowed {
			t.Errorf("POST %s: %s", path, resp.Status)
		}
	}
	for _, path := range []string{"/nothing", "/messages", "/messages/", "/messages/1/other", "/messages/1/html/", "/inbox.css/x", "/pages/list.html", "/..%2finbox.go"} {
		if resp, body := b.get(t, path); resp.StatusCode != http.StatusNotFound {
			t.Errorf("GET %s: %s %s", path, resp.Status, body)
		}
	}
	if resp, body := b.get(t, "/inbox.css"); resp.StatusCode != 200 || !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/css") || body == "" {
		t.Errorf("the stylesheet: %s %s", resp.Status, resp.Header.Get("Content-Type"))
	}
}

func TestNumberOfAMailThatIsGoneIsExplained(t *testing.T) {
	b := setup(t, inbox.Options{Messages: 2})
	for range 3 {
		b.send(t, mixed)
	}
	for _, id := range []string{"1", "4", "9223372036854775807", "-9223372036854775808", "99999999999999999999", "1.0", "%20", "1%00", "٣"} {
		for _, part := range []string{"", "/html", "/source"} {
			resp, body := b.get(t, "/messages/"+id+part)
			if resp.StatusCode != http.StatusNotFound || !strings.Contains(body, "older than the newest 2 that are kept") {
				t.Errorf("message %s%s: %s %s", id, part, resp.Status, body)
			}
		}
	}
	if _, body := b.get(t, "/"); !strings.Contains(body, "3 mails so far, the newest 2 kept.") {
		t.Errorf("the list: %s", body)
	}
}

func TestListSaysHowManyMailsCame(t *testing.T) {
	b := setup(t, inbox.Options{Clock: func() time.Time { return time.Date(2026, 3, 1, 14, 5, 9, 0, time.UTC) }})
	if _, body := b.get(t, "/"); !strings.Contains(body, "No mails yet") || !strings.Contains(body, "<title>Inbox (0)</title>") {
		t.Errorf("an empty inbox: %s", body)
	}
	b.send(t, "\r\nno header\r\n")
	if _, body := b.get(t, "/"); !strings.Contains(body, "1 mail so far.") || !strings.Contains(body, "(no subject)") || !strings.Contains(body, "<time>14:05:09</time>") || !strings.Contains(body, "bounce@example.org") {
		t.Errorf("a mail without a header: %s", body)
	}
}

func TestMailWithTooManyRecipientsIsRefused(t *testing.T) {
	b := setup(t, inbox.Options{})
	var to []string
	for i := range 101 {
		to = append(to, fmt.Sprintf("reader%d@example.org", i))
	}
	if err := smtp.SendMail(b.smtp, nil, "a@example.org", to, []byte(mixed)); err == nil || !strings.HasPrefix(err.Error(), "452") {
		t.Errorf("101 recipients: %v", err)
	}
	if err := smtp.SendMail(b.smtp, nil, "a@example.org", to[:100], []byte(mixed)); err != nil {
		t.Errorf("100 recipients: %v", err)
	}
	if m := b.inbox.Message(1); b.inbox.Count() != 1 || len(m.To) != 100 || m.To[99] != "reader99@example.org" {
		t.Errorf("%d mails were kept", b.inbox.Count())
	}
}

func TestLargestMailIsKeptWhole(t *testing.T) {
	b := setup(t, inbox.Options{Size: 5000})
	head := "Subject: x\r\n\r\n"
	source := head + strings.Repeat("0123456789abcdef\r\n", 276) // 4,982 bytes
	source += strings.Repeat("y", 5000-len(source)-2) + "\r\n"
	b.send(t, source)
	if m := b.inbox.Message(1); m == nil || !bytes.Equal(m.Source, []byte(source)) {
		t.Errorf("%d mails are kept", b.inbox.Count())
	}
	if err := smtp.SendMail(b.smtp, nil, "a@example.org", []string{"b@example.org"}, []byte(source[:len(source)-2]+"y\r\n")); err == nil || !strings.HasPrefix(err.Error(), "552") {
		t.Errorf("a byte more: %v", err)
	}
}

func TestMailsOfConcurrentClientsAreAllKept(t *testing.T) {
	b := setup(t, inbox.Options{Messages: 15})
	var all sync.WaitGroup
	for client := range 4 {
		all.Go(func() {
			for i := range 10 {
				source := fmt.Sprintf("Subject: mail %d of client %d\r\n\r\n%s\r\n", i, client, strings.Repeat("x", client*100))
				if err := smtp.SendMail(b.smtp, nil, "a@example.org", []string{fmt.Sprintf("c%d@example.org", client)}, []byte(source)); err != nil {
					t.Error(err)
				}
				b.inbox.Messages()
			}
		})
	}
	all.Wait()
	kept := b.inbox.Messages()
	if b.inbox.Count() != 40 || len(kept) != 15 {
		t.Fatalf("%d mails came and %d are kept, want 40 and 15", b.inbox.Count(), len(kept))
	}
	for i, m := range kept {
		if m.ID != 40-i || b.inbox.Message(m.ID) != m {
			t.Errorf("the mail at %d has the number %d", i, m.ID)
		}
		if !strings.HasSuffix(m.Subject, "of client "+m.To[0][1:2]) {
			t.Errorf("%q was sent to %v", m.Subject, m.To)
		}
	}
}

func TestClosedInboxStillShowsItsMails(t *testing.T) {
	b := setup(t, inbox.Options{})
	b.send(t, mixed)
	if err := b.inbox.Close(); err != nil {
		t.Fatal(err)
	}
	if resp, _ := b.get(t, "/messages/1"); resp.StatusCode != 200 {
		t.Errorf("after Close: %s", resp.Status)
	}
	if err := smtp.SendMail(b.smtp, nil, "a@example.org", []string{"b@example.org"}, []byte(mixed)); err == nil {
		t.Error("a closed inbox takes mail")
	}
}
