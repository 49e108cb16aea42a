package inbox

import (
	"fmt"
	"io"
	"strings"
	"testing"
)

// TestPartsOfAMailAreFound: the first text and the first HTML part are shown, wherever they stand, and what
// cannot be read does not hide what could be.
func TestPartsOfAMailAreFound(t *testing.T) {
	t.Parallel()
	const (
		text = "Content-Type: text/plain; charset=utf-8\r\n\r\n"
		page = "Content-Type: text/html; charset=utf-8\r\n\r\n"
	)
	part := func(boundary string, parts ...string) string {
		return "Content-Type: multipart/mixed; boundary=" + boundary + "\r\n\r\n--" + boundary + "\r\n" + strings.Join(parts, "\r\n--"+boundary+"\r\n") + "\r\n--" + boundary + "--\r\n"
	}
	for name, c := range map[string]struct{ source, text, html, problem string }{
		"text only":                  {text + "hello", "hello", "", ""},
		"HTML only":                  {page + "<p>hello", "", "<p>hello", ""},
		"no Content-Type":            {"Subject: x\r\n\r\nhello", "hello", "", ""},
		"both":                       {part("b", text+"one", page+"<p>two"), "one", "<p>two", ""},
		"several of each":            {part("b", text+"one", text+"two", page+"<p>three", page+"<p>four"), "one", "<p>three", ""},
		"an attached text":           {part("b", "Content-Type: text/plain\r\nContent-Disposition: attachment; filename=a.txt\r\n\r\nattached", text+"shown"), "shown", "", ""},
		"nested":                     {part("a", part("b", text+"one", page+"<p>two"), "Content-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\niVBORw0=\r\n"), "one", "<p>two", ""},
		"quoted-printable":           {"Content-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\ncaf=E9 =\r\nau lait", "café au lait", "", ""},
		"base64":                     {"Content-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n\r\nPGI+aGVsbG88L2I+", "", "<b>hello</b>", ""},
		"base64 that ends early":     {"Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\naGVsbG8*", "hel", "", "a part of this message cannot be decoded"},
		"a broken part before one":   {part("b", "Content-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n\r\n****", text+"shown"), "shown", "", "a part of this message cannot be decoded"},
		"a charset that is unknown":  {"Content-Type: text/plain; charset=klingon\r\n\r\nqapla", "qapla", "", ""},
		"a boundary that is missing": {"Content-Type: multipart/mixed; boundary=never\r\n\r\nhello", "", "", "a part of this message cannot be read"},
		"no header":                  {"hello", "", "", "this message's header cannot be read"},
	} {
		got := parseMessage([]byte(c.source))
		if strings.TrimSpace(got.Text) != c.text || strings.TrimSpace(got.HTML) != c.html || c.problem == "" && got.Problem != "" || !strings.HasPrefix(got.Problem, c.problem) {
			t.Errorf("%s: text %q, HTML %q, problem %q", name, got.Text, got.HTML, got.Problem)
		}
	}
}

func TestSubjectAndSenderOfTheList(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		"From: Ada <ada@example.org>\r\nSubject: Hello\r\n\r\n":                                  "Hello, Ada",
		"From: ada@example.org\r\nSubject: =?utf-8?q?Caf=C3=A9?=\r\n\r\n":                        "Café, ada@example.org",
		"From: =?utf-8?q?Zo=C3=AB?= <z@example.org>, b@example.org\r\nSubject: a\r\n  b\r\n\r\n": "a b, Zoë",
		"Subject: none\r\n\r\n": "none, ",
		"From: <<>>\r\n\r\nx":   ", ",
		"no header at all":      "(cannot be read), ",
	} {
		subject, name := subjectAndSender([]byte(source))
		if got := strings.Join(strings.Fields(subject), " ") + ", " + name; got != want {
			t.Errorf("%q: %q, want %q", source, got, want)
		}
	}
}

// TestSessionsDoNotMixTheirMails: a second mail of a connection has its own recipients, and so has one after
// a reset.
func TestSessionsDoNotMixTheirMails(t *testing.T) {
	t.Parallel()
	in := New(Options{})
	s := &session{inbox: in}
	send := func(from string, to ...string) {
		s.Reset()
		if err := s.Mail(from, nil); err != nil {
			t.Fatal(err)
		}
		for _, one := range to {
			if err := s.Rcpt(one, nil); err != nil {
				t.Fatal(err)
			}
		}
	}
	send("a@example.org", "x@example.org", "y@example.org")
	send("b@example.org", "z@example.org") // the first was never sent
	if err := s.Data(strings.NewReader("Subject: one\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	send("", "v@example.org")
	if err := s.Data(strings.NewReader("Subject: two\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	if err := s.Data(io.MultiReader(strings.NewReader("Subject: three"), failing{})); err == nil {
		t.Error("a mail that broke off is kept")
	}
	var got []string
	for _, m := range in.Messages() {
		got = append(got, fmt.Sprintf("%d %s from <%s> to %v", m.ID, m.Subject, m.From, m.To))
	}
	if want := "2 two from <> to [v@example.org]; 1 one from <b@example.org> to [z@example.org]"; strings.Join(got, "; ") != want {
		t.Errorf("%q, want %q", strings.Join(got, "; "), want)
	}
	if m := in.Message(1); m.Name != "b@example.org" {
		t.Errorf("a mail without From is shown as that of %q", m.Name)
	}
}

// failing is the body of a connection that was lost.
type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
