package mailer

import (
	"bytes"
	"encoding/base64"
	"math/rand/v2"
	"mime"
	"net/mail"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

// textAtRandom returns a text of words, spaces and characters that headers treat in their own way.
func textAtRandom(rng *rand.Rand) string {
	pieces := []string{"a", "word", "The week", " ", "  ", "\t", "\r\n", "é", "嵐", "👩‍👩‍👧", "=?", "?=", "=?utf-8?q?x?=", "=", "_", "\"", "\\", "(", ")", "<", ">", "@", ",", ";", ":", ".",
		"\x00", "\x7f", "\u0085", "\u2028", "\xff", "\u200d", strings.Repeat("x", 69), strings.Repeat("y", 71), strings.Repeat("ö", 40)}
	var b strings.Builder
	for range rng.IntN(12) {
		b.WriteString(pieces[rng.IntN(len(pieces))])
	}
	return b.String()
}

var wordsOfHeader = regexp.MustCompile(`=\?utf-8\?([bq])\?([^?]*)\?=`)

// checkFolded fails unless a header is folded as RFC 5322, section 2.2.3, and RFC 2047, section 2, require:
// short lines of ASCII that go on with one space, and encoded words of at most 75 characters, each of which
// is valid UTF-8 by itself.
func checkFolded(t *testing.T, header string) {
	t.Helper()
	for i, line := range strings.Split(header, "\r\n") {
		if len(line) > 100 || strings.ContainsAny(line, "\r\n\t\x00") || !isASCII(line) {
			t.Errorf("line %d of %q has %d octets, or one that may not stand there", i, header, len(line))
		}
		if i > 0 && (len(line) < 2 || line[0] != ' ' || line[1] == ' ') {
			t.Errorf("line %d of %q does not go on with one space", i, header)
		}
	}
	for _, m := range wordsOfHeader.FindAllStringSubmatch(header, -1) {
		text := []byte(strings.ReplaceAll(m[2], "_", " "))
		if m[1] == "b" {
			var err error
			if text, err = base64.StdEncoding.DecodeString(m[2]); err != nil {
				t.Errorf("%q: %v", m[0], err)
			}
		} else if decoded, err := new(mime.WordDecoder).Decode(m[0]); err == nil {
			text = []byte(decoded)
		}
		if len(m[0]) > wordMax || !utf8.Valid(text) {
			t.Errorf("the encoded word %q has %d characters, or splits a letter", m[0], len(m[0]))
		}
	}
}

// TestHeaderTextIsReadBack: what a mail program decodes is the text on one line, whatever was in it.
func TestHeaderTextIsReadBack(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(20, 47))
	for range 2000 {
		text := textAtRandom(rng)
		header := "Subject: " + string(appendText(nil, len("Subject: "), text))
		checkFolded(t, header)
		value := strings.ReplaceAll(strings.TrimPrefix(header, "Subject: "), "\r\n", "")
		got, err := new(mime.WordDecoder).DecodeHeader(value)
		if want := singleLine(text); err != nil || got != want {
			t.Fatalf("%q was written as %q and is read as %q (%v)", text, header, got, err)
		}
	}
}

// TestMailboxesAreReadBack by net/mail, with names and local parts of all kinds.
func TestMailboxesAreReadBack(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(53, 22))
	addresses := []string{"ada@example.org", "a.b+c@example.org", `"a b"@example.org`, `"a@b"@example.org`, strings.Repeat("l", 60) + "@" + strings.Repeat("d", 60) + ".example"}
	for range 2000 {
		name, address := textAtRandom(rng), addresses[rng.IntN(len(addresses))]
		header := "Reply-To: " + string(appendMailbox(nil, len("Reply-To: "), name, address))
		if len(address) < 60 {
			checkFolded(t, header)
		}
		got, err := mail.ParseAddress(strings.ReplaceAll(strings.TrimPrefix(header, "Reply-To: "), "\r\n", ""))
		if err != nil {
			t.Fatalf("%q <%s> was written as %q: %v", name, address, header, err)
		}
		if got.Name != singleLine(name) || got.Address != strings.ReplaceAll(address, `"`, "") {
			t.Fatalf("%q <%s> was written as %q and is read as %q <%s>", name, address, header, got.Name, got.Address)
		}
	}
}

// TestStructuredHeadersAreRefusedOrFit: ids and addresses cannot be folded, so the text around a placeholder
// and its value together must stay below the 998 octets of a line (RFC 5322, section 2.1.1).
func TestStructuredHeadersAreRefusedOrFit(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ header, value, problem string }{
		"the longest text":          {"List-Help", "<" + strings.Repeat("x", staticMax-1), ""},
		"a longer text":             {"List-Help", "<" + strings.Repeat("x", staticMax), "cannot be folded, at most 380 octets fit a line"},
		"many short ones":           {"References", strings.Repeat("<a@b> ", 500), ""},
		"a letter beyond ASCII":     {"List-Id", "<é>", "only printable ASCII"},
		"a name with a colon":       {"X:Y", "z", "use printable ASCII without a colon"},
		"no name":                   {"", "z", "use printable ASCII without a colon"},
		"a name beyond ASCII":       {"É", "z", "use printable ASCII without a colon"},
		"a header of every message": {"mime-version", "2.0", "header mime-version is given twice"},
		"text with a line break":    {"X-Note", "a\r\nBcc: x", ""}, // it becomes a space
	} {
		msg := testMessage()
		msg.Headers = []Header{{c.header, c.value + "<" + unsubscribePlaceholder + ">"}}
		if c.header == "List-Help" || c.header == "List-Id" {
			msg.Headers[0].Value = c.value + unsubscribePlaceholder + ">"
		}
		compiled, err := Compile(msg)
		if c.problem != "" {
			if err == nil || !strings.Contains(err.Error(), c.problem) {
				t.Errorf("%s: %v, want %q", name, err, c.problem)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		rendered := compiled.Render(nil, []string{"Ada", "ada@example.net", "https://example.org/" + strings.Repeat("y", 5000), "id@example.org"})
		head, _, _ := bytes.Cut(rendered, []byte("\r\n\r\n"))
		for line := range bytes.SplitSeq(head, []byte("\r\n")) {
			if len(line) > 998 || bytes.HasPrefix(line, []byte("Bcc")) {
				t.Errorf("%s: a line of %d octets: %.80q", name, len(line), line)
			}
		}
	}
}
