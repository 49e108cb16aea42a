package mailer

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-message"
	"github.com/emersion/go-message/mail"
	gomail "github.com/wneessen/go-mail"
)

func TestCompileRefusesInvalidMessages(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(*Message){
		"needs a text or an HTML part":       func(m *Message) { m.Text, m.HTML = "", "" },
		`placeholder "short"`:                func(m *Message) { m.Placeholders = []string{"short"} },
		`placeholder "with space"`:           func(m *Message) { m.Placeholders = []string{"with space"} },
		"is a part of placeholder":           func(m *Message) { m.Placeholders = []string{"abcdefgh", "xabcdefghx"} },
		`From address "nobody"`:              func(m *Message) { m.From.Email = "nobody" },
		`From address "a@b\r\nBcc: c@d"`:     func(m *Message) { m.From.Email = "a@b\r\nBcc: c@d" },
		"Reply-To address":                   func(m *Message) { m.ReplyTo.Email = "x y@example.org" },
		"header Subject is given twice":      func(m *Message) { m.Headers = []Header{{"Subject", "again"}} },
		"header Content-Type is given twice": func(m *Message) { m.Headers = []Header{{"Content-Type", "text/plain"}} },
		`header name "Bad Name"`:             func(m *Message) { m.Headers = []Header{{"Bad Name", "x"}} },
		"header List-Help":                   func(m *Message) { m.Headers = []Header{{"List-Help", "<https://x>\r\nBcc: a@b"}} },
		"cannot be folded":                   func(m *Message) { m.Headers = []Header{{"List-Help", strings.Repeat("x", 999)}} },
		"at most 99":                         func(m *Message) { m.Headers = make([]Header, 120) },
	} {
		msg := testMessage()
		change(&msg)
		if _, err := Compile(msg); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

func TestCompileIsDeterministic(t *testing.T) {
	t.Parallel()
	a, b := signedMail(t, testMessage(), testValues), signedMail(t, testMessage(), testValues)
	if !bytes.Equal(a, b) {
		t.Errorf("two compilations differ:\n%s\n%s", a, b)
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

// TestDigestHeaders checks the headers that receivers and mail programs use.
func TestDigestHeaders(t *testing.T) {
	t.Parallel()
	msg := testMessage()
	msg.Headers = List{
		Name: "weekly", Domain: "example.org", Title: "The Weekly", Edition: "7", Unsubscribe: unsubscribePlaceholder, Mailto: "u-abc@example.org", Subscribe: "https://example.org/subscribe",
		Help: "https://example.org/help", Archive: "https://example.org/editions/7", Owner: "editor@example.org",
	}.Headers()
	mail := string(signedMail(t, msg, []string{"Ann", "ann@bücher.example", "https://example.org/u/1\r\nBcc: x@y", "i@x"}))
	for _, line := range []string{
		"List-Id: The Weekly <weekly.example.org>",
		"List-Unsubscribe: <https://example.org/u/1%0D%0ABcc:%20x@y>,\r\n <mailto:u-abc@example.org?subject=unsubscribe>",
		"List-Unsubscribe-Post: List-Unsubscribe=One-Click",
		"List-Help: <https://example.org/help>", "List-Archive: <https://example.org/editions/7>", "List-Post: NO", "List-Subscribe: <https://example.org/subscribe>",
		"List-Owner: <mailto:editor@example.org>", "Precedence: bulk", "Auto-Submitted: auto-generated",
		"Feedback-ID: 7:weekly:digest:exampleorg", "To: Ann <ann@xn--bcher-kva.example>", "Message-ID: <i@x>",
		"Date: Fri, 27 Mar 2026 08:00:00 +0100", "From: \"Tidings, weekly\" <news@example.org>", "MIME-Version: 1.0",
	} {
		if !strings.Contains("\r\n"+mail, "\r\n"+line+"\r\n") {
			t.Errorf("no header %q in\n%s", line, mail)
		}
	}
	if head, _, _ := strings.Cut(mail, "\r\n\r\n"); strings.Contains(mail, "go-mail") || strings.Contains(head, "\r\nBcc") {
		t.Error("an unexpected header")
	}
}

func TestAddressesInUnicodeAreWrittenInASCII(t *testing.T) {
	t.Parallel()
	msg := testMessage()
	msg.Headers = List{
		Name: "weekly", Domain: "bücher.example", Title: "Bücher", Unsubscribe: unsubscribePlaceholder, Help: "https://bücher.example:8443/hilfe/für?a=ä",
		Archive: "https://bücher.example", Owner: "redaktion@bücher.example",
	}.Headers()
	msg.From.Email = "news@bücher.example"
	mail := string(signedMail(t, msg, []string{"Ann", "a@example.net", "https://bücher.example/u/1", "i@x"}))
	for _, line := range []string{
		"List-Help: <https://xn--bcher-kva.example:8443/hilfe/f%C3%BCr?a=%C3%A4>", "List-Archive: <https://xn--bcher-kva.example>",
		"List-Owner: <mailto:redaktion@xn--bcher-kva.example>", "List-Unsubscribe: <https://xn--bcher-kva.example/u/1>",
		"List-Id: =?utf-8?b?QsO8Y2hlcg==?= <weekly.xn--bcher-kva.example>", "From: \"Tidings, weekly\" <news@xn--bcher-kva.example>",
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

const (
	namePlaceholder        = "m0name4f1c"
	addressPlaceholder     = "m1addr9b22"
	unsubscribePlaceholder = "m2stop77aa"
	idPlaceholder          = "m3id5512cc"
)

var testPlaceholders = []string{namePlaceholder, addressPlaceholder, unsubscribePlaceholder, idPlaceholder}

var testDate = time.Date(2026, 3, 27, 8, 0, 0, 0, time.FixedZone("", 3600))

// TestSenderIDHasTheLengthThatGoogleAccepts: 5 to 15 characters, and the same for a domain whatever
// else changes.
func TestSenderIDHasTheLengthThatGoogleAccepts(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, domain := range []string{"example.org", "www.example.org", "x.io", "a.b", "127.0.0.1", "localhost", "", "newsletter.the-very-long-gazette.example", "newsletter.the-very-long-courier.example", "xn--bcher-kva.example"} {
		id := senderID(domain)
		if len(id) < 5 || len(id) > 15 || strings.ContainsFunc(id, func(r rune) bool { return !isWord(r) }) || id != senderID(domain) {
			t.Errorf("%s gives %q", domain, id)
		}
		if other, taken := seen[id]; taken && domain != "www."+other {
			t.Errorf("%s and %s both give %q", domain, other, id)
		}
		seen[id] = domain
	}
	if id := senderID("example.org"); id != "exampleorg" {
		t.Errorf("%q, want a name that can be recognised", id)
	}
}

func testMessage() Message {
	return Message{
		From:      Address{"Tidings, weekly", "news@example.org"},
		To:        Address{namePlaceholder, addressPlaceholder},
		Subject:   "This week: sixteen articles, and one for " + namePlaceholder,
		Date:      testDate,
		MessageID: idPlaceholder,
		Text:      "Dear " + namePlaceholder + ",\n\n.a line with a dot\n\nStop: " + unsubscribePlaceholder + "\n",
		HTML:      "<p>Dear " + namePlaceholder + ",</p>\n<p><a href=\"" + unsubscribePlaceholder + "\">stop</a></p>",
		Headers: List{
			Name: "weekly", Domain: "example.org", Title: "Die Woche für alle", Unsubscribe: unsubscribePlaceholder,
			Mailto: "u-1@example.org", Help: "https://example.org/help",
		}.Headers(),
		Placeholders: testPlaceholders,
	}
}

var hostile = []string{
	"", "Ann", ".", "..", ".\r\n.\r\n", "a\r\nBcc: victim@example.org", "\n", "\r", " lead", "trail ", "tab\tbed\t",
	"<script>alert('x')</script>", `"quoted" \ name`, "a&b;c", "=?utf-8?q?fake?=", "=C3=A9", "Élodie Œuvre",
	"山田太郎", "أحمد", "👩‍👩‍👧", "\xff\xfe", "nul\x00nul", "From the start", "a,b;c:d@e", "(comment)",
	strings.Repeat("x", 1000), strings.Repeat("é", 500), strings.Repeat(".", 200), strings.Repeat("word ", 300),
	"https://example.org/unsubscribe/abc?x=1&y=2#z", "two  spaces", "\u2028line", "=", "==\r\n=",
}

// TestRenderedEqualsBuilt compares a rendered mail with one that go-mail writes with the values
// filled in beforehand, as a mail program would read them.
func TestRenderedEqualsBuilt(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range 600 {
		msg := testMessage()
		if i > 50 {
			msg.Text, msg.HTML = randomBody(rng), randomBody(rng)
		}
		values := make([]string, len(testPlaceholders))
		for j := range values {
			values[j] = hostile[rng.IntN(len(hostile))]
		}
		values[1], values[3] = fmt.Sprintf("reader%d@example.net", i), fmt.Sprintf("id%d@example.org", i)
		compareRendered(t, msg, values)
		if t.Failed() {
			t.Fatalf("values %q, text %q", values, msg.Text)
		}
	}
}

// randomBody returns a text with placeholders, dots, long lines and line ends at random.
func randomBody(rng *rand.Rand) string {
	pieces := append([]string{"\n", "\r\n", "\n.", ".", "\n..\n", " ", "\t", "word ", "é", "=", "=3D", "From ", "\nFrom me",
		strings.Repeat("a", 75), strings.Repeat("é", 40), strings.Repeat("l", 1000), "C3", "\n\n"}, testPlaceholders...)
	var b strings.Builder
	for range rng.IntN(30) + 1 {
		b.WriteString(pieces[rng.IntN(len(pieces))])
	}
	return b.String()
}

func compareRendered(t *testing.T, msg Message, values []string) {
	t.Helper()
	compiled, err := Compile(msg)
	if err != nil {
		t.Fatalf("Compile: %v", err)
	}
	rendered := compiled.Render(nil, values)
	checkWire(t, rendered)
	got, want := readParts(t, rendered), readParts(t, buildSlowly(t, msg, values))
	if len(got) != len(want) {
		t.Fatalf("%d parts, want %d\n%s", len(got), len(want), rendered)
	}
	for i := range want {
		if strings.TrimSuffix(got[i], "\n") != strings.TrimSuffix(want[i], "\n") {
			t.Errorf("part %d is\n%q, want\n%q", i, got[i], want[i])
		}
	}
	compareHeaders(t, rendered, msg, values)
}

// checkWire checks that a mail meets the requirements of SMTP.
func checkWire(t *testing.T, data []byte) {
	t.Helper()
	if !bytes.HasSuffix(data, []byte("\r\n")) {
		t.Error("the mail does not end with a line end")
	}
	head := true
	for line := range bytes.SplitSeq(bytes.TrimSuffix(data, []byte("\r\n")), []byte("\r\n")) {
		switch {
		case len(line) == 0:
			head = false
		case line[0] == '.':
			t.Errorf("line starts with a dot: %q", line)
		case bytes.ContainsAny(line, "\r\n"):
			t.Errorf("bare line end in %q", line)
		case len(line) > 998, !head && len(line) > 76:
			t.Errorf("line of %d octets: %q", len(line), line)
		}
		for _, b := range line {
			if b >= 0x80 {
				t.Errorf("eight-bit octet in %q", line)
				break
			}
		}
	}
}

func buildSlowly(t *testing.T, msg Message, values []string) []byte {
	t.Helper()
	plain, escaped := []string{}, []string{}
	for i, mark := range msg.Placeholders {
		value := strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(strings.ToValidUTF8(values[i], "\uFFFD"))
		plain = append(plain, mark, value)
		escaped = append(escaped, mark, strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&#34;", "'", "&#39;").Replace(value))
	}
	m := gomail.NewMsg()
	m.SetBodyString(gomail.TypeTextPlain, strings.NewReplacer(plain...).Replace(msg.Text))
	m.AddAlternativeString(gomail.TypeTextHTML, strings.NewReplacer(escaped...).Replace(msg.HTML))
	var out bytes.Buffer
	if _, err := m.WriteTo(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func readParts(t *testing.T, data []byte) []string {
	t.Helper()
	entity, err := message.Read(bytes.NewReader(data))
	if err != nil {
		t.Fatalf("reading: %v\n%s", err, data)
	}
	var parts []string
	err = entity.Walk(func(_ []int, e *message.Entity, err error) error {
		if err != nil {
			return err
		}
		if kind, _, _ := e.Header.ContentType(); strings.HasPrefix(kind, "multipart/") {
			return nil
		}
		body, err := io.ReadAll(e.Body)
		parts = append(parts, strings.ReplaceAll(string(body), "\r\n", "\n"))
		return err
	})
	if err != nil {
		t.Fatalf("walking: %v\n%s", err, data)
	}
	return parts
}

func compareHeaders(t *testing.T, rendered []byte, msg Message, values []string) {
	t.Helper()
	r, err := mail.CreateReader(bytes.NewReader(rendered))
	if err != nil {
		t.Fatal(err)
	}
	subject, err := r.Header.Subject()
	if want := singleLine(strings.ReplaceAll(msg.Subject, namePlaceholder, values[0])); err != nil || subject != want {
		t.Errorf("Subject %q (%v), want %q", subject, err, want)
	}
	to, err := r.Header.AddressList("To")
	if err != nil || len(to) != 1 || to[0].Address != values[1] || to[0].Name != singleLine(values[0]) {
		t.Errorf("To %v (%v), want %q <%s>\n%s", to, err, singleLine(values[0]), values[1], rendered[:600])
	}
	if id, err := r.Header.MessageID(); err != nil || id != values[3] {
		t.Errorf("Message-ID %q (%v)", id, err)
	}
	count := map[string]int{}
	for f := r.Header.Fields(); f.Next(); {
		count[f.Key()]++
	}
	for key, n := range count {
		if n != 1 {
			t.Errorf("%d headers %s", n, key)
		}
	}
	if len(count) != 7+len(msg.Headers) {
		t.Errorf("%d headers, want %d: %v", len(count), 7+len(msg.Headers), count)
	}
}

func FuzzRender(f *testing.F) {
	for _, value := range hostile {
		f.Add("Dear "+namePlaceholder+",\n.\n"+unsubscribePlaceholder, "<p>"+namePlaceholder+"</p>", value)
	}
	newlines := strings.NewReplacer("\r\n", "\n", "\r", "\n")
	f.Fuzz(func(t *testing.T, text, html, value string) {
		msg := testMessage()
		msg.Text, msg.HTML = newlines.Replace(text), newlines.Replace(html)
		if msg.Text == "" || msg.HTML == "" {
			return
		}
		compareRendered(t, msg, []string{newlines.Replace(value), "reader@example.net", newlines.Replace(value), "id@example.org"})
	})
}
