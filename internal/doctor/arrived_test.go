package doctor

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/mailer"
)

// sentMail is the test mail of the tests in this file.
var sentMail = SentMail{Relay: "main", Code: "QX7", From: "news@gazette.example", ReturnPath: "b-1@bounces.gazette.example", MessageID: "m-1@gazette.example"}

const sentText = "From: The Gazette <news@gazette.example>\r\nTo: ada@reader.example\r\nSubject: Test mail QX7\r\nDate: Sun, 01 Nov 2026 10:00:00 +0000\r\nMessage-ID: <m-1@gazette.example>\r\n\r\nCode: QX7\r\n"

// receivedHead is what the servers on the way put above it.
const receivedHead = "Return-Path: <b-1@bounces.gazette.example>\r\nReceived: from out.gazette.example (out.gazette.example [203.0.113.9])\r\n by mx.reader.example with ESMTPS; Sun, 01 Nov 2026 10:00:01 +0000\r\n"

// gazette returns options with the DNS of the sender and more records.
func gazette(t *testing.T, zone string) *Options {
	t.Helper()
	server := testkit.StartDNS(t, "_dmarc.gazette.example. TXT \"v=DMARC1; p=reject\"\n"+zone)
	resolver, err := NewResolver(server.Address)
	if err != nil {
		t.Fatal(err)
	}
	o := &Options{Config: config.Default(), DNS: resolver, TestMail: &TestMail{Mailbox: "the mailbox"}}
	o.Config.Bounces.ReadElsewhere = true
	return o
}

// wantLines fails unless the findings are those wanted, in their order: each a severity and a part of What.
func wantLines(t *testing.T, got []Finding, want ...string) {
	t.Helper()
	same := len(got) == len(want)
	for i := range want {
		severity, text, _ := strings.Cut(want[i], ": ")
		same = same && string(got[i].Severity) == severity && strings.Contains(got[i].What, text)
	}
	if !same {
		t.Errorf("the findings are\n%+v\nwant\n%s", got, strings.Join(want, "\n"))
	}
	for _, f := range got {
		if f.Severity.rank() >= Warning.rank() && (f.Why == "" || f.Fix == "") {
			t.Errorf("%q lacks a reason or a remedy", f.What)
		}
	}
}

// mailWith returns the test mail with header lines above it.
func mailWith(lines ...string) *received {
	data := []byte(strings.Join(append(lines, sentText), "\r\n"))
	return &received{sent: sentMail, data: data, header: header(data), returnPath: sentMail.ReturnPath}
}

func TestTestMailIsRecognised(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		mail string
		want bool
	}{
		"as sent":                        {sentText, true},
		"with another Message-ID":        {strings.Replace(sentText, "<m-1@", "<other@", 1), true},
		"with an encoded subject":        {strings.NewReplacer("<m-1@", "<other@", "Test mail QX7", "=?utf-8?q?Test_mail_=51X7?=").Replace(sentText), true},
		"with a sender in upper case":    {strings.NewReplacer("<m-1@", "<other@", "<news@gazette", "<NEWS@Gazette").Replace(sentText), true},
		"a bounce that quotes the code":  {"From: MAILER-DAEMON@mx.example\r\nSubject: Undelivered: Test mail QX7\r\n\r\n", false},
		"a mail of the sender":           {"From: news@gazette.example\r\nSubject: Weekly\r\n\r\nQX7", false},
		"with two authors":               {"From: news@gazette.example, ada@reader.example\r\nSubject: QX7\r\n\r\n", false},
		"a subject that has no encoding": {"From: news@gazette.example\r\nSubject: =?utf-7?q?QX7?=\r\n\r\n", false},
		"not a mail":                     {"QX7", false},
	} {
		if got := sentMail.isIn([]byte(c.mail)); got != c.want {
			t.Errorf("%s: recognised is %v, want %v", name, got, c.want)
		}
	}
}

func TestReturnPathOfTheTestMail(t *testing.T) {
	t.Parallel()
	const kept = "Return-Path: <b-1@bounces.gazette.example>"
	for name, c := range map[string]struct {
		head    string
		webhook bool
		unread  bool // nothing reads bounces
		id      string
		want    []string
	}{
		"kept":                       {head: kept, want: []string{"ok: the return path is the signed address"}},
		"kept, in upper case":        {head: "Return-Path: B-1@BOUNCES.gazette.example", want: []string{"ok: the return path is the signed address"}},
		"kept, and nothing reads it": {head: kept, unread: true, want: []string{"ok: the return path is the sender b-1@bounces.gazette.example, because nothing reads bounces"}},
		"not shown":                  {head: "X: y", want: []string{"notice: the mailbox shows no Return-Path"}},
		"replaced":                   {head: "Return-Path: <x@esp.example>", want: []string{"warning: relay main replaced the return path by <x@esp.example>"}},
		"removed":                    {head: "Return-Path: <>", want: []string{"warning: relay main replaced the return path by <>"}},
		"replaced, with a webhook":   {head: "Return-Path: <x@esp.example>", webhook: true, want: []string{"notice: relay main replaced the return path by <x@esp.example>"}},
		"of two, the last server's":  {head: kept + "\r\nReturn-Path: <x@esp.example>", want: []string{"ok: the return path is the signed address"}},
		"with another Message-ID":    {head: kept, id: "z@esp.example", want: []string{"notice: relay main replaced the Message-ID", "ok: the return path is the signed address"}},
	} {
		r := mailWith(c.head)
		if c.id != "" {
			r.header["Message-Id"] = []string{"<" + c.id + ">"}
		}
		o := &Options{Config: config.Default()}
		o.Config.Bounces.ReadElsewhere = !c.unread
		if c.webhook {
			o.Config.Bounces.Webhooks = []config.Webhook{{Service: "postmark"}}
		}
		t.Run(name, func(t *testing.T) { wantLines(t, r.checkReturnPath(o), c.want...) })
	}
}

// TestSPFOfTheTestMail: what the receiving server found outweighs what is evaluated here.
func TestSPFOfTheTestMail(t *testing.T) {
	t.Parallel()
	const from = "Received: from out.gazette.example (out [203.0.113.9]) by mx.reader.example; Sun, 1 Nov 2026 10:00:01 +0000"
	record := func(text string) string { return "bounces.gazette.example. TXT \"" + text + "\"" }
	for name, c := range map[string]struct {
		head, zone string
		want       string
		result     string
	}{
		"found by the server":          {"Authentication-Results: mx.reader.example; spf=pass smtp.mailfrom=bounces.gazette.example", record("v=spf1 -all"), "ok: SPF passes for bounces.gazette.example", "pass"},
		"with comments":                {"Authentication-Results: mx (a; b (c)); dkim=none; spf=SoftFail (x; spf=pass) smtp.mailfrom=x", "", "error: the SPF result softfail", "softfail"},
		"with white space and version": {"Authentication-Results: mx 1; spf/1 = fail", "", "error: the SPF result fail", "fail"},
		"the last server's counts":     {"Authentication-Results: mx; spf=temperror\r\nAuthentication-Results: relay; spf=pass", "", "error: the SPF result temperror", "temperror"},
		"in Received-SPF":              {"Received-SPF: Pass (mx: domain designates)", "", "ok: SPF passes", "pass"},
		"only other methods":           {"Authentication-Results: mx; dkim=pass; x-spf=pass\r\n" + from, record("v=spf1 ip4:203.0.113.0/24 -all"), "ok: 203.0.113.9, which connected to the receiving server, may send", "pass"},
		"evaluated, refused":           {from, record("v=spf1 ip4:192.0.2.1 ~all"), "error: gets the SPF result softfail for bounces.gazette.example", "softfail"},
		"evaluated, no term matches":   {from, record("v=spf1 ip4:192.0.2.1"), "error: gets the SPF result neutral", "neutral"},
		"evaluated, no record":         {from, "", "error: gets the SPF result none", "none"},
		"evaluated, invalid record":    {from, record("v=spf1 a:203.0.113.9 -all"), "error: gets the SPF result permerror", "permerror"},
		"depends on macros":            {from, record("v=spf1 exists:%{i}.x.example -all"), "notice: depends on macros", ""},
		"from this network":            {"Received: from out (out [192.168.1.2]) by mx; Sun, 1 Nov 2026 10:00:01 +0000", record("v=spf1 -all"), "notice: from 192.168.1.2, an address of this network", ""},
		"no address":                   {"Received: by mx.reader.example; Sun, 1 Nov 2026 10:00:01 +0000", "", "notice: the headers do not show which address connected", ""},
	} {
		r := mailWith(c.head)
		t.Run(name, func(t *testing.T) {
			wantLines(t, r.checkSPF(t.Context(), gazette(t, c.zone)), c.want)
			if r.spf != c.result {
				t.Errorf("the result is %q, want %q", r.spf, c.result)
			}
		})
	}
}

// TestConnectedAddress reads Received as Postfix, Exim, Gmail, Sendmail and others write it (RFC 5321,
// section 4.4). The name in EHLO may be an address too.
func TestConnectedAddress(t *testing.T) {
	t.Parallel()
	for field, want := range map[string]string{
		"from out.example (out.example [203.0.113.9]) by mx.example (Postfix) with ESMTPS id 1": "203.0.113.9",
		"from out.example (unknown [IPv6:2001:db8::9]) by mx.example":                           "2001:db8::9",
		"from [198.51.100.1] (out.example [203.0.113.9]) by mx.example":                         "203.0.113.9",
		"from [IPv6:2001:db8::1] (unknown [203.0.113.9]) by mx.example":                         "203.0.113.9",
		"from [203.0.113.9] (helo=[198.51.100.1]) by mx.example with esmtp (Exim 4.97)":         "203.0.113.9",
		"from out.example ([203.0.113.9] helo=[198.51.100.1]) by mx.example with esmtp":         "203.0.113.9",
		"from [203.0.113.9] by mx.example":                                                      "203.0.113.9",
		"from out (out [::ffff:203.0.113.9]) by mx.example":                                     "203.0.113.9",
		"from inner (inner [10.0.0.1]) by mx.example; \n from x (x [203.0.113.9]) by inner":     "10.0.0.1",
		"from out ([not:an:address:x]) by [203.0.113.1]":                                        "",
		"by mx.example with LMTP id 7 for <ada@[203.0.113.7]>":                                  "",
	} {
		r := &received{header: map[string][]string{"Received": {field}}}
		got, found := r.connected()
		if found != (want != "") || found && got.String() != want {
			t.Errorf("%s: %v, %v, want %q", field, got, found, want)
		}
	}
	r := &received{header: map[string][]string{"Received": {"by box.example with LMTP", "from mx (mx [10.0.0.1]) by box", "from out (out [203.0.113.9]) by mx", "from app (app [198.51.100.1]) by out"}}}
	if got, _ := r.connected(); got.String() != "203.0.113.9" {
		t.Errorf("behind servers of the network: %v, want the first public address", got)
	}
}

func TestAlignmentOfTheTestMail(t *testing.T) {
	t.Parallel()
	const strict = "_dmarc.gazette.example. TXT \"v=DMARC1; p=none; adkim=s; aspf=s\"\n"
	for name, c := range map[string]struct {
		from, path, spf string
		signed          []string
		zone, want      string
	}{
		"signature and return path":     {path: "b@bounces.gazette.example", spf: "pass", signed: []string{"esp.example", "gazette.example"}, want: "ok: the signature of gazette.example and the return path (bounces.gazette.example) align with From (gazette.example)"},
		"signature of a subdomain":      {path: "b@gazette.example", spf: "pass", signed: []string{"mail.gazette.example"}, want: "ok: the signature of mail.gazette.example and the return path"},
		"SPF not known":                 {path: "b@gazette.example", signed: []string{"gazette.example"}, want: "ok: the signature of gazette.example and the return path"},
		"SPF failed":                    {path: "b@gazette.example", spf: "fail", signed: []string{"gazette.example"}, want: "ok: the signature of gazette.example aligns with From"},
		"return path of the relay":      {path: "b@esp.example", spf: "pass", signed: []string{"gazette.example"}, want: "warning: the return path of the test mail (esp.example) does not align"},
		"signature of the relay":        {path: "b@gazette.example", spf: "pass", signed: []string{"esp.example"}, want: "warning: no valid signature aligns with From (gazette.example); only the return path"},
		"no signature, SPF failed":      {path: "b@gazette.example", spf: "softfail", want: "error: neither a valid signature nor the return path (gazette.example) aligns"},
		"nothing of the sender":         {path: "b@esp.example", spf: "pass", signed: []string{"esp.example"}, want: "error: neither a valid signature nor the return path (esp.example) aligns"},
		"the null return path":          {path: "", signed: []string{"gazette.example"}, want: "warning: the return path of the test mail () does not align"},
		"another organization below it": {path: "b@shop.gazette.example", spf: "pass", signed: []string{"gazette.example"}, zone: "_dmarc.shop.gazette.example. TXT \"v=DMARC1; p=none; psd=n\"", want: "warning: the return path of the test mail (shop.gazette.example) does not align"},
		"strict, subdomains":            {from: "news@strict.example", path: "b@b.strict.example", spf: "pass", signed: []string{"m.strict.example"}, zone: strings.ReplaceAll(strict, "gazette", "strict"), want: "error: neither a valid signature nor the return path (b.strict.example) aligns"},
		"strict, the same domain":       {from: "news@strict.example", path: "b@strict.example", spf: "pass", signed: []string{"strict.example"}, zone: strings.ReplaceAll(strict, "gazette", "strict"), want: "ok: the signature of strict.example and the return path"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := mailWith("X: y")
			r.returnPath, r.spf, r.signed = c.path, c.spf, c.signed
			if c.from != "" {
				r.sent.From, r.header["From"] = c.from, []string{c.from}
			}
			wantLines(t, r.checkAlignment(t.Context(), gazette(t, c.zone)), c.want)
		})
	}
	for name, from := range map[string]string{"replaced": "esp@esp.example", "missing": "", "two authors": "news@gazette.example, x@esp.example"} {
		r := mailWith("X: y")
		r.header["From"] = []string{from}
		t.Run(name, func(t *testing.T) {
			wantLines(t, r.checkAlignment(t.Context(), gazette(t, "")), fmt.Sprintf("error: From is %q and not the sender news@gazette.example", from))
		})
	}
}

func TestVerdictsOfTheReceivingServer(t *testing.T) {
	t.Parallel()
	for head, want := range map[string][]string{
		"X: y":                             nil,
		"Authentication-Results: mx; none": nil,
		"Authentication-Results: mx; dkim=pass header.d=gazette.example; dmarc=pass":     {"ok: dkim=pass", "ok: dmarc=pass"},
		"Authentication-Results: mx; dkim=fail header.d=esp.example; dkim=pass":          {"ok: dkim=pass"},
		"Authentication-Results: mx; dkim=fail\r\nAuthentication-Results: mx; dkim=pass": {"ok: dkim=pass"},
		"Authentication-Results: mx; dkim=neutral (no key); dmarc=fail (p=reject)":       {"error: dkim=neutral", "error: dmarc=fail"},
		"Authentication-Results: mx; DMARC=Fail":                                         {"error: dmarc=fail"},
		"Authentication-Results: dkim=fail":                                              nil, // the name of the server is missing
	} {
		t.Run(head, func(t *testing.T) { wantLines(t, mailWith(head).checkVerdicts(), want...) })
	}
}

// signedBy returns the test mail signed with a new key, the key and the zone with its record.
func signedBy(t *testing.T, domain string) (string, mailer.DKIMKey, string) {
	t.Helper()
	generated, err := mailer.GenerateKey("ed25519")
	if err != nil {
		t.Fatal(err)
	}
	private, err := mailer.ParsePrivateKey(generated.PEM)
	if err != nil {
		t.Fatal(err)
	}
	key := mailer.DKIMKey{Domain: domain, Selector: "r26", Signer: private}
	signer, err := mailer.NewSigner(key)
	if err != nil {
		t.Fatal(err)
	}
	mail, err := signer.Sign(nil, []byte(sentText))
	if err != nil {
		t.Fatal(err)
	}
	return string(mail), key, "r26._domainkey." + asciiName(domain) + ". TXT \"" + generated.Record + "\"\n"
}

func TestSignaturesOfTheTestMail(t *testing.T) {
	t.Parallel()
	own, key, zone := signedBy(t, "gazette.example")
	foreign, _, foreignZone := signedBy(t, "esp.example")
	both := strings.TrimSuffix(foreign, sentText) + own
	changed := func(mail string) string { return strings.Replace(mail, "Code: QX7", "Code: QX8", 1) }
	for name, c := range map[string]struct {
		mail, zone string
		unsigned   bool // no key is configured
		want       []string
		signed     string
		fix        string // a part of the last remedy
	}{
		"as sent":                    {mail: own, zone: zone, want: []string{"ok: the DKIM signature of gazette.example is valid"}, signed: "gazette.example"},
		"with that of the relay":     {mail: both, zone: zone + foreignZone, want: []string{"ok: of esp.example is valid", "ok: of gazette.example is valid"}, signed: "esp.example gazette.example"},
		"changed body":               {mail: changed(own), zone: zone, want: []string{"error: the DKIM signature of gazette.example on the test mail over relay main is not valid: body hash"}, fix: "changes the body"},
		"changed subject":            {mail: strings.Replace(own, "Subject: Test", "Subject: [list] Test", 1), zone: zone, want: []string{"error: is not valid: signature did not verify"}, fix: "changes headers such as From"},
		"an added second Subject":    {mail: "Subject: other\r\n" + own, zone: zone, want: []string{"error: is not valid: signature did not verify"}, fix: "changes headers"},
		"no record of the key":       {mail: own, zone: "", want: []string{"error: is not valid: no valid key found"}, fix: "Publish the record"},
		"record of another key":      {mail: own, zone: strings.ReplaceAll(foreignZone, "esp.example", "gazette.example"), want: []string{"error: is not valid: signature did not verify"}, fix: "Check the record in DNS"},
		"only the relay's is broken": {mail: both, zone: zone, want: []string{"warning: the DKIM signature of esp.example", "ok: of gazette.example is valid"}, signed: "gazette.example"},
		"own signature removed":      {mail: foreign, zone: foreignZone, want: []string{"ok: of esp.example is valid", "error: the test mail over relay main arrived without the signature of gazette.example"}, signed: "esp.example", fix: "keep the header DKIM-Signature"},
		"the relay should have":      {mail: sentText, unsigned: true, want: []string{"warning: the test mail has no DKIM signature"}, fix: "tidings dkim keygen"},
		"no mail":                    {mail: "DKIM-Signature", unsigned: true, want: []string{"error: the signatures of the test mail cannot be verified"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := gazette(t, c.zone)
			if !c.unsigned {
				o.DKIM = []mailer.DKIMKey{key}
			}
			r := &received{sent: sentMail, data: []byte(c.mail)}
			got := r.checkSignatures(t.Context(), o)
			wantLines(t, got, c.want...)
			if strings.Join(r.signed, " ") != c.signed {
				t.Errorf("valid signatures of %q, want %q", r.signed, c.signed)
			}
			if len(got) > 0 && !strings.Contains(got[len(got)-1].Fix, c.fix) {
				t.Errorf("the remedy is %q, want %q", got[len(got)-1].Fix, c.fix)
			}
		})
	}
}

// TestTestMailIsReadWithItsLineEnds: mailboxes in files have LF, over which no signature is valid.
func TestTestMailIsReadWithItsLineEnds(t *testing.T) {
	t.Parallel()
	mail, key, zone := signedBy(t, "gazette.example")
	o := gazette(t, zone+`bounces.gazette.example. TXT "v=spf1 ip4:203.0.113.9 -all"`)
	o.DKIM = []mailer.DKIMKey{key}
	for _, ends := range []string{"\r\n", "\n"} {
		data := crlf([]byte(strings.ReplaceAll(receivedHead+mail, "\r\n", ends)))
		wantLines(t, checkArrived(t.Context(), o, &arrived{sentMail, data}),
			"ok: the test mail over relay main arrived in the mailbox", "ok: the return path is the signed address", "ok: the DKIM signature of gazette.example is valid",
			"ok: 203.0.113.9, which connected to the receiving server, may send for bounces.gazette.example", "ok: the signature of gazette.example and the return path (bounces.gazette.example) align")
	}
}

// TestMailboxIsReadUntilAllMailsArrived: other mails in it are passed over, each test mail is taken once.
func TestMailboxIsReadUntilAllMailsArrived(t *testing.T) {
	t.Parallel()
	second := sentMail
	second.Code, second.MessageID = "QX8", "m-2@gazette.example"
	passes := [][]string{{"Subject: other\r\n\r\n"}, {sentText, sentText}, {strings.NewReplacer("m-1@", "m-2@", "QX7", "QX8").Replace(sentText), "Subject: later\r\n\r\n"}}
	shown, stopped := 0, false
	box := TestMail{Wait: testkit.Timeout, Read: func(_ context.Context, visit func([]byte) bool) error {
		for _, mail := range passes[shown] {
			if stopped = visit([]byte(mail)); stopped {
				break
			}
		}
		shown++
		return nil
	}}
	mails := []*arrived{{sent: second}, {sent: sentMail}}
	if err := box.await(t.Context(), mails); err != nil || shown != 3 || !stopped {
		t.Fatalf("%v after %d passes, stopped %v", err, shown, stopped)
	}
	if !strings.Contains(string(mails[0].data), "QX8") || !strings.Contains(string(mails[1].data), "QX7") {
		t.Errorf("the mails were mixed up: %q, %q", mails[0].data, mails[1].data)
	}
}

func TestWaitForTheTestMailEnds(t *testing.T) {
	t.Parallel()
	nothing := func(context.Context, func([]byte) bool) error { return nil }
	refused := errors.New("refused")
	stopped, stop := context.WithCancel(t.Context())
	stop()
	for name, c := range map[string]struct {
		ctx  context.Context
		read func(context.Context, func([]byte) bool) error
		want error
	}{
		"when the time is over":            {t.Context(), nothing, nil},
		"when the time is over in a read":  {t.Context(), func(ctx context.Context, _ func([]byte) bool) error { <-ctx.Done(); return ctx.Err() }, nil},
		"when the mailbox cannot be read":  {t.Context(), func(context.Context, func([]byte) bool) error { return refused }, refused},
		"when the program is stopped":      {stopped, nothing, context.Canceled},
		"when it is stopped during a read": {stopped, func(ctx context.Context, _ func([]byte) bool) error { return ctx.Err() }, context.Canceled},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			box := TestMail{Read: c.read, Wait: time.Millisecond}
			if name != "when the time is over" && name != "when the time is over in a read" {
				box.Wait = testkit.Timeout
			}
			mail := &arrived{sent: sentMail}
			if err := box.await(c.ctx, []*arrived{mail}); !errors.Is(err, c.want) || mail.data != nil {
				t.Errorf("%v, %q; want %v", err, mail.data, c.want)
			}
		})
	}
}
