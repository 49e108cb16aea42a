package mailer

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// TestNoAddressAddsACommand: whatever the addresses of an envelope are, MAIL and RCPT are one line each, with the
// address between the only brackets outside of quotes, or the envelope is refused and nothing is sent.
func TestNoAddressAddsACommand(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(3, 9))
	pieces := []string{"a", "ada", ".", "@", "@", "example.org", "bücher.example", "ü", " ", "\r\n", "\n", "\r", "\x00", "\t", "<", ">", `"`, `\`, `"a b"@`, "RCPT TO:<x@y.example>", "\x7f", "\u0085", "\u2028", "\xff",
		"SIZE=1", ":", ",", strings.Repeat("a", 100), "xn--bcher-kva.example", "[127.0.0.1]", "\u200b", "嵐"}
	offers := []extensions{{}, {utf8: true}, {utf8: true, hasSize: true, maxSize: 5000}, {hasSize: true}}
	random := func() string {
		var b strings.Builder
		for range rng.IntN(7) {
			b.WriteString(pieces[rng.IntN(len(pieces))])
		}
		return b.String()
	}
	sent := 0
	for range 3000 {
		env := Envelope{From: random(), To: random(), Size: rng.IntN(10_000), NeedsUTF8: rng.IntN(4) == 0}
		if rng.IntN(2) == 0 {
			env.From = ""
		}
		if rng.IntN(4) == 0 {
			env.To = "ada@example.org"
		}
		offer := offers[rng.IntN(len(offers))]
		got := env.commands(offer)
		if got.refused.Code != 0 {
			if got.mail+got.rcpt != "" || !got.refused.Local || got.refused.OK() || got.refused.Temporary() {
				t.Fatalf("%+v is refused with %+v, and sends %q %q", env, got.refused, got.mail, got.rcpt)
			}
			continue
		}
		sent++
		for _, line := range []string{got.mail, got.rcpt} {
			text, ended := strings.CutSuffix(line, "\r\n")
			if !ended || strings.ContainsAny(text, "\r\n\x00") || len(line) > 512 { // RFC 5321, section 4.5.3.1.4
				t.Fatalf("%+v gives the line %q of %d octets", env, line, len(line))
			}
			if !offer.utf8 && !isASCII(line) {
				t.Fatalf("%+v sends %q to a server without SMTPUTF8", env, line)
			}
		}
		if !strings.HasPrefix(got.mail, "MAIL FROM:<") || !strings.HasPrefix(got.rcpt, "RCPT TO:<") || !strings.HasSuffix(got.rcpt, ">\r\n") || got.rcpt == "RCPT TO:<>\r\n" {
			t.Fatalf("%+v gives %q and %q", env, got.mail, got.rcpt)
		}
		if needs := env.NeedsUTF8 || !isASCII(got.mail) || !isASCII(got.rcpt); needs != strings.HasSuffix(got.mail, " SMTPUTF8\r\n") {
			t.Fatalf("%+v gives %q and %q: SMTPUTF8 is needed: %v", env, got.mail, got.rcpt, needs)
		}
	}
	if sent < 100 {
		t.Errorf("%d envelopes were sent, too few to show anything", sent)
	}
}

// TestSizeLimitOfARelayIsKept has the sizes at the limit (RFC 1870, section 4).
func TestSizeLimitOfARelayIsKept(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		size, limit int
		refused     bool
	}{{0, 1000, false}, {1, 1000, false}, {999, 1000, false}, {1000, 1000, false}, {1001, 1000, true}, {1 << 30, 1000, true}, {1 << 30, 0, false}} {
		got := Envelope{To: "ada@example.org", Size: c.size}.commands(extensions{hasSize: true, maxSize: c.limit})
		if refused := got.refused.Code != 0; refused != c.refused {
			t.Errorf("%d octets of %d: refused is %v", c.size, c.limit, refused)
		}
		if c.refused {
			if class := Classify(got.refused, nil); class != OurFault {
				t.Errorf("a mail that is too large is %s: no address may be suppressed for it", class)
			}
			continue
		}
		if named := strings.Contains(got.mail, " SIZE="); named != (c.size > 0) {
			t.Errorf("%d octets: %q", c.size, got.mail)
		}
	}
}

// TestTokensInHeadersStayOneWord: a value of a recipient in a header of ids and URLs can neither end it nor add
// another, and keeps the line below 998 octets (RFC 5322, section 2.1.1).
func TestTokensInHeadersStayOneWord(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{
		"":                                "",
		"https://example.org/u?t=a-b_c":   "https://example.org/u?t=a-b_c",
		"https://bücher.example/u":        "https://xn--bcher-kva.example/u",
		"https://bücher.example:8443/ü?q": "https://xn--bcher-kva.example:8443/%C3%BC?q",
		"https://example.org/a b":         "https://example.org/a%20b",
		"x>\r\nBcc: everyone@example.org": "x%3E%0D%0ABcc:%20everyone@example.org",
		"<\"\x00\x7f\xff":                 "%3C%22%00%7F%FF",
		"https://example.org/%20":         "https://example.org/%20",
	} {
		if got := string(appendToken(nil, value)); got != want {
			t.Errorf("%q is written as %q, want %q", value, got, want)
		}
	}
	for _, piece := range []string{"a", "\n", "ü", "嵐", "%"} {
		got := appendToken([]byte("before"), strings.Repeat(piece, 5000))
		if len(got) > len("before")+tokenMax+2 || strings.ContainsAny(string(got), "\r\n <>") || !isASCII(string(got)) {
			t.Errorf("many %q give %d octets", piece, len(got))
		}
	}
}

// TestRepliesKeepWhatIsShown: the text of a reply is stored and shown, so it is one line of valid UTF-8 within its
// bound, whatever the server sends.
func TestRepliesKeepWhatIsShown(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(8, 8))
	pieces := []string{"no such user", "5.1.1", "\x00", "\x1b[31m", "\xff\xfe", "é", "嵐", "\t", "  ", "\u0085", strings.Repeat("x", 300), "<ada@example.org>", "\u202e"}
	for range 300 {
		var reply Reply
		lines := 1 + rng.IntN(6)
		for i := range lines {
			line := "550-"
			if i == lines-1 {
				line = "550 "
			}
			for range rng.IntN(5) {
				line += pieces[rng.IntN(len(pieces))] + " "
			}
			more, err := reply.addLine([]byte(line))
			if err != nil || more != (i < lines-1) {
				t.Fatalf("%q: more is %v, %v", line, more, err)
			}
		}
		if len(reply.Text) > replyText {
			t.Fatalf("%d octets: %q", len(reply.Text), reply.Text)
		}
		if strings.ContainsAny(reply.Text, "\x00\x1b\r\n\t\u0085") || strings.ToValidUTF8(reply.Text, "") != reply.Text || reply.Code != 550 {
			t.Fatalf("%d %q", reply.Code, reply.Text)
		}
		if reply.OK() || reply.Temporary() || Classify(reply, nil) == Accepted {
			t.Fatalf("%+v counts as an acceptance", reply)
		}
	}
}
