package mailer

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

const (
	sampleVERP = "b-aeaaaaaa@bounces.example.org"
	sampleID   = "m-aeaaaaaa@example.org"
)

// sample returns a report with our addresses filled in.
func sample(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "reports", name+".eml"))
	if err != nil {
		t.Fatal(err)
	}
	data = bytes.ReplaceAll(data, []byte("VERP"), []byte(sampleVERP))
	return bytes.ReplaceAll(data, []byte("MSGID"), []byte(sampleID))
}

func TestReportsOfManySystemsAreRead(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]struct {
		kind    ReportKind
		address string
		class   Class
		code    int
		verp    bool
		id      bool
	}{
		"postfix":           {DeliveryReport, "reader1@example.net", Suppress, 550, true, true},
		"gmail":             {DeliveryReport, "reader2@example.net", Suppress, 550, true, true},
		"exchange":          {DeliveryReport, "reader3@corp.example", Soft, 554, true, true},
		"exim":              {DeliveryReport, "reader4@example.com", Suppress, 550, true, true},
		"yahoo":             {DeliveryReport, "reader5@yahoo.example", Suppress, 554, true, false},
		"qmail":             {DeliveryReport, "", Suppress, 550, true, true},
		"japanese":          {DeliveryReport, "reader7@example.jp", Later, 0, true, false},
		"arf":               {ComplaintReport, "reader8@example.com", Soft, 0, true, true},
		"arf-redacted":      {ComplaintReport, "redacted", Soft, 0, false, true},
		"outlook-complaint": {ComplaintReport, "", "", 0, false, true},
		"only-verp":         {DeliveryReport, "", Suppress, 0, true, false},
		"truncated":         {DeliveryReport, "reader10@example.net", Soft, 550, true, false},
		"missing-status":    {DeliveryReport, "", OurFault, 550, true, true},
		"german":            {DeliveryReport, "", Suppress, 550, true, true},
		"first-part-only":   {DeliveryReport, "", Soft, 552, true, false},
		"headers-only":      {DeliveryReport, "lectrice@example.fr", Suppress, 550, true, true},
		"exchange-html":     {DeliveryReport, "", Suppress, 550, true, true},
		"exim-delayed":      {DeliveryReport, "", Later, 550, true, false},
		"exim-unrouteable":  {DeliveryReport, "reader15@example.com", Soft, 0, true, false},
		"qmail-local":       {DeliveryReport, "", Suppress, 0, true, true},
		"gave-up":           {DeliveryReport, "reader17@example.net", Soft, 0, true, false},
		"gateway-dialogue":  {DeliveryReport, "", Suppress, 550, true, true},
		"null-sender":       {DeliveryReport, "", Suppress, 0, true, false},
		"arf-bare":          {ComplaintReport, "", "", 0, true, false},
		"relayed":           {DeliveryReport, "reader12@example.net", Accepted, 0, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, ends := range []string{"\n", "\r\n"} {
				data := bytes.ReplaceAll(sample(t, name), []byte("\n"), []byte(ends))
				report, err := ParseReport(bytes.NewReader(data))
				if err != nil {
					t.Fatal(err)
				}
				if report.Kind != want.kind || slices.Contains(report.To, sampleVERP) != want.verp || slices.Contains(report.MessageIDs, sampleID) != want.id {
					t.Errorf("%+v", report)
				}
				if want.class == "" {
					continue
				}
				if len(report.Recipients) != 1 {
					t.Fatalf("recipients %+v, want one", report.Recipients)
				}
				got := report.Recipients[0]
				if got.Address != want.address || want.kind == DeliveryReport && got.Class() != want.class || got.Reply.Code != want.code {
					t.Errorf("recipient %+v of class %s, want %+v", got, got.Class(), want)
				}
			}
		})
	}
}

func TestRepliesOfPeopleAreNotReports(t *testing.T) {
	t.Parallel()
	for name, data := range map[string]string{
		"vacation": string(sample(t, "vacation")), "empty": "", "no header": "hello", "nothing": "\r\n\r\n",
		"a person who quotes a dialogue":              "From: Ada <ada@example.net>\r\nTo: x@example.org\r\nSubject: Re: This week\r\n\r\nMy server says:\r\n>>> RCPT TO:<b@example.net>\r\n<<< 550 5.1.1 user unknown\r\n",
		"an automatic reply from the null sender":     "Return-Path: <>\r\nFrom: ada@example.net\r\nTo: x@example.org\r\nSubject: Automatic reply: Undeliverable\r\n\r\nI am away. 550 5.1.1 user unknown.\r\n",
		"a system's notice that mentions the command": "From: postmaster@example.net\r\nTo: x@example.org\r\n\r\nFrom Monday on RCPT TO is limited to 550 a day.\r\n",
		"notice of a system":                          "From: postmaster@example.net\r\nTo: x@example.org\r\n\r\nWelcome to our server.\r\n",
	} {
		if report, err := ParseReport(strings.NewReader(data)); !errors.Is(err, ErrNoReport) {
			t.Errorf("%s: %+v, %v", name, report, err)
		}
	}
}

func TestReportsAreReadWithinBounds(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat("Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n", 5000)
	wide := "From: mailer-daemon@x\r\nContent-Type: multipart/report; boundary=a\r\n\r\n" + strings.Repeat("--a\r\nContent-Type: message/delivery-status\r\n\r\nFinal-Recipient: rfc822; a@b\r\n\r\n", 5000)
	many := "Content-Type: message/delivery-status\r\n\r\n" + strings.Repeat("Final-Recipient: rfc822; a@b\r\nAction: failed\r\n\r\n", 9000)
	for name, data := range map[string]string{"deep": deep, "wide": wide, "many": many, "long": "From: mailer-daemon@x\r\n\r\n" + strings.Repeat("550 5.1.1 ", 1<<20)} {
		report, _ := ParseReport(strings.NewReader(data))
		if len(report.Recipients) > recipientsMax {
			t.Errorf("%s: %d recipients", name, len(report.Recipients))
		}
	}
}

func FuzzParseReport(f *testing.F) {
	files, err := filepath.Glob("testdata/reports/*.eml")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		f.Add(sample(f, strings.TrimSuffix(filepath.Base(file), ".eml")))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		report, err := ParseReport(bytes.NewReader(data))
		if (err == nil) != (report.Kind != "") {
			t.Errorf("%+v, %v", report, err)
		}
		for _, r := range report.Recipients {
			r.Class()
		}
	})
}

// TestHostileReportsAreReadInBoundedTime: anyone can send mail to the address for complaints.
func TestHostileReportsAreReadInBoundedTime(t *testing.T) {
	head := "From: mailer-daemon@example.net\r\nSubject: undeliverable\r\n\r\n"
	parts := "From: mailer-daemon@example.net\r\nContent-Type: multipart/report; boundary=a\r\n\r\n" +
		strings.Repeat("--a\r\nContent-Type: text/html\r\n\r\n"+strings.Repeat("<p>550 user<", 1000)+"\r\n", 80)
	for name, mail := range map[string]string{
		"one long line":  head + strings.Repeat("550 5.1.1 x ", 1<<17),
		"many replies":   head + strings.Repeat("550 a@b: user \r\n", 1<<16),
		"open brackets":  head + strings.Repeat("<", 1<<20),
		"fields":         head + strings.Repeat("Action: x\r\n", 1<<16) + "z",
		"dashes":         head + strings.Repeat("-- ", 1<<18),
		"Chinese":        head + strings.Repeat("收件人", 1<<17),
		"words":          head + strings.Repeat("user mailbox account ", 1<<15),
		"many parts":     parts,
		"nested parts":   strings.Repeat("Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n", 1<<14),
		"one long field": "From: mailer-daemon@example.net\r\nSubject: undeliverable\r\nX: " + strings.Repeat("=?utf-8?q?a?= ", 1<<16) + "\r\n\r\nx",
	} {
		began := time.Now()
		_, _ = ParseReport(strings.NewReader(mail))
		IsAutomatic([]byte(mail))
		if took := time.Since(began); took > time.Minute {
			t.Errorf("%s: %d bytes took %s", name, len(mail), took)
		}
	}
}
