package mailer

import (
	"bytes"
	"strings"
	"testing"
)

func TestCastRefusesWhatCannotBeSent(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(*Message){
		"needs a text or an HTML part":   func(m *Message) { m.Text, m.HTML = "", "" },
		`mark "short"`:                   func(m *Message) { m.Placeholders = []string{"short"} },
		`mark "with space"`:              func(m *Message) { m.Placeholders = []string{"with space"} },
		"is a part of mark":              func(m *Message) { m.Placeholders = []string{"abcdefgh", "xabcdefghx"} },
		`From address "nobody"`:          func(m *Message) { m.From.Email = "nobody" },
		`From address "a@b\r\nBcc: c@d"`: func(m *Message) { m.From.Email = "a@b\r\nBcc: c@d" },
		"Reply-To address":               func(m *Message) { m.ReplyTo.Email = "x y@example.org" },
		"header Subject is there":        func(m *Message) { m.Headers = []Header{{"Subject", "again"}} },
		"header Content-Type is there":   func(m *Message) { m.Headers = []Header{{"Content-Type", "text/plain"}} },
		`header name "Bad Name"`:         func(m *Message) { m.Headers = []Header{{"Bad Name", "x"}} },
		"header List-Help":               func(m *Message) { m.Headers = []Header{{"List-Help", "<https://x>\r\nBcc: a@b"}} },
		"cannot be folded":               func(m *Message) { m.Headers = []Header{{"List-Help", strings.Repeat("x", 999)}} },
		"at most 99":                     func(m *Message) { m.Headers = make([]Header, 120) },
	} {
		msg := testMessage()
		change(&msg)
		if _, err := Compile(msg); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

func TestCastIsDeterministic(t *testing.T) {
	t.Parallel()
	a, b := signedMail(t, testMessage(), testValues), signedMail(t, testMessage(), testValues)
	if !bytes.Equal(a, b) {
		t.Errorf("two castings differ:\n%s\n%s", a, b)
	}
}

func TestMailsOfOnePart(t *testing.T) {
	t.Parallel()
	msg := testMessage()
	for name, want := range map[string]string{"text": "Dear Ann <b>,", "html": "Dear Ann &lt;b&gt;,"} {
		one := msg
		if name == "text" {
			one.HTML = ""
		} else {
			one.Text = ""
		}
		mail := signedMail(t, one, []string{"Ann <b>", "a@example.net", "u", "i@x"})
		checkWire(t, mail)
		if parts := readParts(t, mail); len(parts) != 1 || !strings.Contains(parts[0], want) {
			t.Errorf("%s: %q", name, parts)
		}
	}
}

// TestDigestHeaders are those that receivers and mail programs look for.
func TestDigestHeaders(t *testing.T) {
	t.Parallel()
	msg := testMessage()
	msg.Headers = List{
		ID: "weekly.example.org", Title: "The Weekly", Unsubscribe: markStop, Mailto: "u-abc@example.org",
		Help: "https://example.org/help", Archive: "https://example.org/editions", Owner: "editor@example.org", Feedback: "7:weekly:tidings:example",
	}.Headers()
	mail := string(signedMail(t, msg, []string{"Ann", "ann@bücher.example", "https://example.org/u/1\r\nBcc: x@y", "i@x"}))
	for _, line := range []string{
		"List-Id: The Weekly <weekly.example.org>",
		"List-Unsubscribe: <https://example.org/u/1%0D%0ABcc:%20x@y>,\r\n <mailto:u-abc@example.org?subject=unsubscribe>",
		"List-Unsubscribe-Post: List-Unsubscribe=One-Click",
		"List-Help: <https://example.org/help>", "List-Archive: <https://example.org/editions>",
		"List-Owner: <mailto:editor@example.org>", "Precedence: bulk", "Auto-Submitted: auto-generated",
		"Feedback-ID: 7:weekly:tidings:example", "To: Ann <ann@xn--bcher-kva.example>", "Message-ID: <i@x>",
		"Date: Fri, 27 Mar 2026 08:00:00 +0100", "From: \"Tidings, weekly\" <news@example.org>", "MIME-Version: 1.0",
	} {
		if !strings.Contains("\r\n"+mail, "\r\n"+line+"\r\n") {
			t.Errorf("no header %q in\n%s", line, mail)
		}
	}
	if head, _, _ := strings.Cut(mail, "\r\n\r\n"); strings.Contains(mail, "go-mail") || strings.Contains(head, "\r\nBcc") {
		t.Error("a header that is not ours")
	}
}

func TestAddressesInUnicodeAreWrittenInASCII(t *testing.T) {
	t.Parallel()
	msg := testMessage()
	msg.Headers = List{
		ID: "weekly.example.org", Title: "Bücher", Unsubscribe: markStop, Help: "https://bücher.example:8443/hilfe/für?a=ä",
		Archive: "https://bücher.example", Owner: "redaktion@bücher.example",
	}.Headers()
	msg.From.Email = "news@bücher.example"
	mail := string(signedMail(t, msg, []string{"Ann", "a@example.net", "https://bücher.example/u/1", "i@x"}))
	for _, line := range []string{
		"List-Help: <https://xn--bcher-kva.example:8443/hilfe/f%C3%BCr?a=%C3%A4>", "List-Archive: <https://xn--bcher-kva.example>",
		"List-Owner: <mailto:redaktion@xn--bcher-kva.example>", "List-Unsubscribe: <https://xn--bcher-kva.example/u/1>",
		"List-Id: =?utf-8?b?QsO8Y2hlcg==?= <weekly.example.org>", "From: \"Tidings, weekly\" <news@xn--bcher-kva.example>",
	} {
		if !strings.Contains(mail, "\r\n"+line+"\r\n") {
			t.Errorf("no header %q in\n%s", line, mail)
		}
	}
	checkWire(t, []byte(mail))
}

func TestRecipientWithoutAnAddressGetsAValidHeader(t *testing.T) {
	t.Parallel()
	mail := string(signedMail(t, testMessage(), nil))
	if !strings.Contains(mail, "\r\nTo: undisclosed-recipients:;\r\n") {
		t.Error(mail)
	}
}
