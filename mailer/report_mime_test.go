package mailer

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
)

// TestPartsOfAMultipart splits bodies that keep to RFC 2046, section 5.1, and bodies that do not.
func TestPartsOfAMultipart(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		kind, body string
		want       []string
	}{
		"two parts":                   {"multipart/mixed; boundary=b", "before\n--b\n\none\n--b\n\ntwo\n--b--\nafter\n", []string{"\none\n", "\ntwo\n"}},
		"a part after the last one":   {"multipart/mixed; boundary=b", "--b\n\none\n--b--\nbetween\n--b\n\ntwo\n--b--\nafter", []string{"\none\n", "\ntwo\n"}},
		"white space after boundary":  {`multipart/mixed; boundary="b"`, "--b \t\n\none\n--b--  \n", []string{"\none\n"}},
		"a longer boundary inside":    {"multipart/mixed; boundary=b", "--b\n\n--bc\n x --b\n--b--\n", []string{"\n--bc\n x --b\n"}},
		"no last boundary":            {"multipart/mixed; boundary=b", "--b\n\none", []string{"\none"}},
		"another boundary than given": {"multipart/mixed; boundary=wrong", "text\n--real\n\none\n--real--\n", []string{"\none\n"}},
		"no boundary given":           {"multipart/report", "--real=_1\n\none\n--real=_1--\n", []string{"\none\n"}},
		"a boundary with spaces":      {`multipart/mixed; boundary="a b"`, "--a b\n\none\n--a b--\n", []string{"\none\n"}},
		"invalid parameters":          {"multipart/mixed; boundary=a=b; charset", "--a=b\n\none\n--a=b--\n", []string{"\none\n"}},
		"a signature is no boundary":  {"multipart/mixed; boundary=b", "hello\n-- \nAda\n", nil},
		"nothing":                     {"multipart/mixed; boundary=b", "", nil},
	} {
		p := parseMIMEPart([]byte("Content-Type: " + c.kind + "\n\n" + c.body))
		var got []string
		for _, part := range p.parts() {
			got = append(got, string(part))
		}
		if fmt.Sprintf("%q", got) != fmt.Sprintf("%q", c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	many := parseMIMEPart([]byte("Content-Type: multipart/mixed; boundary=b\n\n" + strings.Repeat("--b\n\nx\n", 2*partsMax)))
	if n := len(many.parts()); n != partsMax {
		t.Errorf("%d parts, want %d", n, partsMax)
	}
}

// TestBodyOfAPart decodes transfer encodings (RFC 2045, section 6). What cannot be decoded is kept as far as
// it could be, because it may contain the reason of a bounce.
func TestBodyOfAPart(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ header, body, want string }{
		"none":                            {"", "a=3Db", "a=3Db"},
		"quoted-printable":                {"Content-Transfer-Encoding: Quoted-Printable", "caf=C3=A9 =\nau lait=0D=0Aend", "café au lait\nend"},
		"quoted-printable, broken":        {"Content-Transfer-Encoding: quoted-printable", "550 user unknown=ZZ", "550 user unknown=ZZ"},
		"base64":                          {"Content-Transfer-Encoding: base64 ", base64.StdEncoding.EncodeToString([]byte("550 user\r\nunknown")), "550 user\nunknown"},
		"base64 in lines":                 {"Content-Transfer-Encoding: base64", "NTUw\nIHVz\nZXI=", "550 user"},
		"base64, cut off":                 {"Content-Transfer-Encoding: base64", "NTUwIHVzZXIgdW5r", "550 user unk"},
		"base64 that is text":             {"Content-Transfer-Encoding: base64", "550 user unknown", "550 user unknown"},
		"an encoding that does not exist": {"Content-Transfer-Encoding: x-uue", "550 no", "550 no"},
	} {
		p := parseMIMEPart([]byte(c.header + "\nX: y\n\n" + c.body))
		if got := string(p.body()); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	long := parseMIMEPart([]byte("X: y\n\n" + strings.Repeat("x", 2*partMax)))
	encoded := parseMIMEPart([]byte("Content-Transfer-Encoding: base64\n\n" + base64.StdEncoding.EncodeToString(make([]byte, 2*partMax))))
	if len(long.body()) != partMax || len(encoded.body()) != partMax {
		t.Errorf("bodies of %d and %d octets, want %d", len(long.body()), len(encoded.body()), partMax)
	}
}

// TestTextOfAPartIsReadable: charsets become UTF-8, and of HTML only what is seen is kept.
func TestTextOfAPartIsReadable(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ kind, body, want string }{
		"Latin-1":                   {"text/plain; charset=ISO-8859-1", "gel\xf6scht", "gelöscht"},
		"Windows-1252 in quotes":    {`text/plain; charset="windows-1252"`, "l\x92adresse", "l’adresse"},
		"KOI8-R":                    {"text/plain; charset=koi8-r", "\xcf\xdb\xc9\xc2\xcb\xc1", "ошибка"},
		"ISO-2022-JP":               {"text/plain; charset=iso-2022-jp", "\x1b$B%(%i!<\x1b(B", "エラー"},
		"UTF-8":                     {"text/plain; charset=UTF-8", "größe", "größe"},
		"an unknown charset":        {"text/plain; charset=x-unknown", "550 no", "550 no"},
		"HTML":                      {"text/html", "<html><head><title>x</title></head><style>p{}</style><p>550 <b>user</b><br>unknown</p>", "\n550  user \nunknown\n"},
		"HTML with entities":        {"text/html", "&lt;a@b.example&gt;&nbsp;&amp;lt;", "<a@b.example> &lt;"},
		"an address is no HTML tag": {"text/html", "<a@b.example>: full", "<a@b.example>: full"},
		"scripts in several lines":  {"text/html", "a<SCRIPT type=x>\n550\n</script >b<script>c</script>", "a"},
	} {
		p := parseMIMEPart([]byte("Content-Type: " + c.kind + "\n\n" + c.body))
		got := p.text()
		if name == "scripts in several lines" {
			if strings.Contains(got, "<script>") || !strings.HasPrefix(got, "a") {
				t.Errorf("%s: %q", name, got)
			}
			continue
		}
		if strings.TrimSpace(got) != strings.TrimSpace(c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// TestFieldsAreReadLeniently: lines that are no fields do not hide the fields after them.
func TestFieldsAreReadLeniently(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ group, field, want string }{
		"folded":                        {"Status: 5.1.1\n  (bad\n\tmailbox)\nAction: failed", "Status", "5.1.1 (bad mailbox)"},
		"after a line that is no field": {"This is junk\nAction: failed", "Action", "failed"},
		"after an mbox line":            {"From ada@b.example Sun Nov  1 10:00:00 2026\nAction: failed", "Action", "failed"},
		"continued before any field":    {" junk\nAction: failed", "Action", "failed"},
		"a name with a space":           {"Final Recipient: x\nAction: failed", "Final Recipient", ""},
		"without a space":               {"Action:failed", "Action", "failed"},
		"in upper case":                 {"ACTION: failed", "Action", "failed"},
		"a boundary without indent":     {"Content-Type: multipart/report;\nboundary=\"x\"\nAction: failed", "Content-Type", "multipart/report; boundary=\"x\""},
		"a parameter of another field":  {"Action: failed\nboundary=\"x\"", "Action", "failed"},
	} {
		header := readFields([]byte(c.group))
		if got := header.Get(c.field); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	groups := fieldGroups([]byte("A: 1\r\n\r\n\r\n\r\njunk\r\n\r\nB: 2\r\n\r\nC: 3\r\n"), 2)
	if len(groups) != 2 || groups[0].Get("A") != "1" || groups[1].Get("B") != "2" {
		t.Errorf("%d groups: %v", len(groups), groups)
	}
}

func TestHeaderTextIsDecoded(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{
		"Undelivered":                         "Undelivered",
		"=?utf-8?q?Zur=C3=BCck?= an Absender": "Zurück an Absender",
		"=?ISO-8859-1?Q?Zur=FCck?=":           "Zurück",
		"=?koi8-r?B?z9vJwsvB?=":               "ошибка",
		"=?utf-8?b?w6k=?= =?utf-8?b?w6k=?=":   "éé",
		"=?x-unknown?q?Undelivered?=":         "=?x-unknown?q?Undelivered?=",
		"=?utf-8?q?not ended":                 "=?utf-8?q?not ended",
	} {
		p := parseMIMEPart([]byte("Subject: " + value + "\n\n"))
		if got := headerText(p.header, "Subject"); got != want {
			t.Errorf("%q is read as %q, want %q", value, got, want)
		}
	}
}

// TestAutomaticMailsAreRecognised has the marks of RFC 3834, sections 2 and 5, and those of mail programs
// that do not use them. A mail of a person must not count as automatic: it may ask to unsubscribe.
func TestAutomaticMailsAreRecognised(t *testing.T) {
	t.Parallel()
	const person = "From: Ada <ada@reader.example>\r\n"
	for header, want := range map[string]bool{
		person + "Subject: unsubscribe":                                     false,
		person + "Subject: Re: Weekly":                                      false,
		person + "Auto-Submitted: no":                                       false,
		person + "Auto-Submitted: auto-replied (vacation)":                  true,
		person + "auto-submitted: AUTO-GENERATED":                           true,
		person + "Precedence: first-class":                                  false,
		person + "Precedence: Bulk":                                         true,
		person + "Precedence: auto_reply":                                   true,
		person + "List-Id: <x.example.org>":                                 true,
		person + "X-Autoreply: yes":                                         true,
		person + "X-Autoreply: No":                                          false,
		person + "X-Auto-Response-Suppress: All":                            true,
		person + "X-Failed-Recipients: a@b.example":                         true,
		person + "Content-Type: multipart/report; boundary=x":               true,
		person + "Content-Type: message/delivery-status":                    true,
		person + "Subject: Automatic reply: Weekly":                         true,
		person + "Subject: Out of Office: unsubscribe":                      true,
		person + "Subject: =?utf-8?q?R=C3=A9ponse_automatique?=":            true,
		person + "Subject: Abwesenheitsnotiz":                               true,
		person + "Subject: Автоответ: Weekly":                               true,
		person + "Subject: The autorotation of helicopters":                 false,
		person + "Subject: I left my office":                                false,
		"From: MAILER-DAEMON@mx.example\r\nSubject: hello":                  true,
		"Return-Path: <>\r\n" + person + "Subject: Re: Weekly":              true,
		"Return-Path: <>\r\n" + person + "Subject: Unsubscribe":             false,
		"Return-Path: <>\r\n" + person + "Subject: Re: unsubscribe":         true,
		"Return-Path: <ada@reader.example>\r\n" + person + "Subject: hello": false,
	} {
		for _, ends := range []string{"\r\n", "\n"} {
			mail := strings.ReplaceAll(header+"\r\n\r\nAuto-Submitted: auto-replied\r\n", "\r\n", ends) // the body does not count
			if got := IsAutomatic([]byte(mail)); got != want {
				t.Errorf("%q: automatic is %v, want %v", header, got, want)
			}
		}
	}
	if got := ReturnPathHeader("a@b.example\r\nBcc: x@y"); got != "Return-Path: <a@b.example  Bcc: x@y>\r\n" {
		t.Errorf("a line break in the envelope gives %q", got)
	}
}
