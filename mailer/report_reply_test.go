package mailer

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestRefusalsInReports reads replies as reports quote them: with codes at the beginning, in the middle, in
// both places or missing.
func TestRefusalsInReports(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Reply{
		"smtp; 550 5.1.1 <a@b.example>: no such user":                                      {Code: 550, Enhanced: "5.1.1", Text: "<a@b.example>: no such user"},
		"smtp;550-5.7.26 This mail is unauthenticated":                                     {Code: 550, Enhanced: "5.7.26", Text: "This mail is unauthenticated"},
		"550 #5.1.0 Address rejected.":                                                     {Code: 550, Enhanced: "5.1.0", Text: "Address rejected."},
		"smtp; 5.3.0 - Other problem 550-'5.1.1 No such user' (x)":                         {Code: 550, Enhanced: "5.1.1", Text: "No such user"},
		"X-Postfix; host mx[192.0.2.1] said: 452 4.2.2 full (in reply to RCPT TO command)": {Stage: StageRcpt, Code: 452, Enhanced: "4.2.2", Text: "host mx[192.0.2.1] said: 452 4.2.2 full (in reply to RCPT TO command)"},
		"smtp; 5.1.1 unknown":                                                              {Enhanced: "5.1.1", Text: "5.1.1 unknown"},
		"smtp; User unknown":                                                               {Text: "User unknown"},
		"550 4.2.2 full":                                                                   {Code: 550, Text: "full"},
		"550 5.1.1.1 no code":                                                              {Code: 550, Text: "5.1.1.1 no code"},
		"error: 554":                                                                       {Code: 554, Text: "error: 554"},
		"see ticket A550 or 5501, 55":                                                      {Text: "see ticket A550 or 5501, 55"},
		"(<<< 551 moved)":                                                                  {Code: 551, Text: "moved)"},
		"mail of 450 octets, then 550 bad":                                                 {Code: 450, Text: "mail of 450 octets, then 550 bad"},
		"":                                                                                 {},
	} {
		if got := diagnostic(text); got != want {
			t.Errorf("%q gives\n%+v, want\n%+v", text, got, want)
		}
	}
}

// TestStatusFieldCompletesTheReply: the field Status (RFC 3464, section 2.3.4) is often derived from the
// reply code, so it counts only where it says more than the reply.
func TestStatusFieldCompletesTheReply(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text, status, want string
		fromField          bool
	}{
		{"550 no such user", "5.1.1", "5.1.1", true},
		{"550 no such user", "5.1.1 (bad mailbox)", "5.1.1", true},
		{"550 no such user", "5.1.1;", "5.1.1", true},
		{"unknown", "5.1.1", "5.1.1", false},
		{"550 5.2.2 full", "5.1.1", "5.2.2", false},
		{"550 5.0.0 no", "5.1.1", "5.1.1", true},
		{"550 5.0.0 no", "5.0.0", "5.0.0", false},
		{"450 busy", "5.1.1", "", false},
		{"450 busy", "4.2.1", "4.2.1", true},
		{"550 no", "5.1", "", false},
		{"550 no", "3.1.1", "", false},
		{"550 no", "5.1.1234", "", false},
		{"550 no", "", "", false},
	} {
		if got := ParseReply(c.text, c.status); got.Enhanced != c.want || got.fromStatusField != c.fromField {
			t.Errorf("%q with the status %q: %q, from the field %v; want %q, %v", c.text, c.status, got.Enhanced, got.fromStatusField, c.want, c.fromField)
		}
	}
	if got := ParseReply("550\n 5.1.1\t no \r\n such  user", ""); got.Text != "no such user" {
		t.Errorf("a refusal of several lines is %q", got.Text)
	}
}

// TestStageIsNamedByTheReport has the words with which servers name the refused command.
func TestStageIsNamedByTheReport(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Stage{
		"said: 550 no (in reply to RCPT TO command)":                            StageRcpt,
		"SMTP error from remote mail server after RCPT TO:<a@b.example>: 550":   StageRcpt,
		"SMTP error from remote mail server after pipelined RCPT TO:<a@b>: 550": StageRcpt,
		">>> RCPT To:<a@b.example>\n<<< 550 no":                                 StageRcpt,
		"said: 554 spam (in reply to end of DATA command)":                      StageFinal,
		"SMTP error from remote mail server after end of data: 554":             StageFinal,
		"failed after I sent the message":                                       "",
		"error after sending message body":                                      StageFinal,
		"said: 550 no (in reply to MAIL FROM command)":                          StageMail,
		"SMTP error from remote mail server after pipelined MAIL FROM:<x>: 550": StageMail,
		"host mx refused to talk to me: 554 no":                                 StageGreeting,
		"SMTP error from remote mail server after initial connection: 554":      StageGreeting,
		"said: 550 no (in reply to EHLO command)":                               StageGreeting,
		"said: 451 no (in reply to DATA command)":                               StageData,
		"User unknown": "",
	} {
		if got := stageIn(text); got != want {
			t.Errorf("%q names the stage %q, want %q", text, got, want)
		}
	}
}

// TestReplyIsFoundInTheTextOfAReport: the most specific line counts, wherever it is.
func TestReplyIsFoundInTheTextOfAReport(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text     string
		code     int
		enhanced string
		words    string
		stage    Stage
		none     bool
	}{
		"a code with known words":            {text: "Your mail of 550 words\nwas refused.\n\n<a@b.example>:\n550 User unknown\n", code: 550, words: "User unknown"},
		"an enhanced code alone":             {text: "Delivery failed\n\n  5.2.2 over limit\n", enhanced: "5.2.2", words: "5.2.2 over limit"},
		"known words alone":                  {text: "The following address failed:\n\n  a@b.example: Unrouteable address\n", words: "Unrouteable address"},
		"a code outweighs words":             {text: "mailbox full\n\n552 5.2.2 quota\n", code: 552, enhanced: "5.2.2", words: "quota"},
		"continued on the next lines":        {text: "550 5.1.1 The email account\n that you tried to reach\n does not exist\n", code: 550, enhanced: "5.1.1", words: "The email account that you tried to reach does not exist"},
		"not beyond the next recipient":      {text: "<a@b.example>: 550 User unknown\n<c@d.example>: 552 full\n", code: 550, words: "User unknown"},
		"with the stage named elsewhere":     {text: "550 5.1.1 User unknown\n\nSMTP error after RCPT TO:<a@b.example>\n", code: 550, enhanced: "5.1.1", words: "User unknown", stage: StageRcpt},
		"no reply":                           {text: "Dear Ada,\nwe are on holiday until May.\n", none: true},
		"a number within a sentence":         {text: "We moved 550 desks.\n", none: true},
		"beyond the lines that are searched": {text: strings.Repeat("x\n", candidatesMax) + "550 5.1.1 User unknown\n", none: true},
	} {
		got, found := quotedReply(c.text)
		if found == c.none || got.Code != c.code || got.Enhanced != c.enhanced || !strings.Contains(got.Text, c.words) || !c.none && got.Stage != c.stage {
			t.Errorf("%s: %+v, found %v", name, got, found)
		}
	}
}

// systemMail returns the reader of a mail with a header.
func systemMail(header string) *reportReader {
	return &reportReader{top: parseMIMEPart([]byte(header + "\n\n"))}
}

// TestSendersThatAreMailSystems: only the address counts, because people have names of all kinds.
func TestSendersThatAreMailSystems(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]bool{
		"From: MAILER-DAEMON@mx.example":                                   true,
		"From: MAILER-DAEMON (Mail Delivery System)":                       true,
		"From: Mail Delivery Subsystem <mailer-daemon@mx.example>":         true,
		"From: MAILER-DAEMON <>":                                           true,
		"From: <Postmaster@mx.example>":                                    true,
		"From: Post <post_master@mx.example>":                              true,
		"From: <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@x.test>": true,
		"From: double-bounce@mx.example":                                   true,
		"From: Mail Delivery System <Mailer-Daemon>":                       true,
		"From: Mailer-Daemon <ada@reader.example>":                         false,
		"From: \"postmaster\" <ada@reader.example>":                        false,
		"From: rooty@reader.example":                                       false,
		"From: bounce-management@reader.example":                           false,
		"From: ada@reader.example\nReturn-Path: <>":                        false,
		"From: Ada\nReturn-Path: <>":                                       true,
		"From: @mx.example\nReturn-Path: <>":                               true,
		"Return-Path: <>":                                                  true,
		"Return-Path: < >":                                                 true,
		"Return-Path: <ada@reader.example>":                                false,
		"Subject: nothing else":                                            false,
		"From: ada@reader.example\nContent-Type: multipart/report; report-type=Delivery-Status; boundary=x": true,
	} {
		if got := systemMail(header).fromSystem(); got != want {
			t.Errorf("%q: from a system is %v, want %v", header, got, want)
		}
	}
}

// TestActionOfATextReport: a delay is no failure, until the server gives up (RFC 3464, section 2.3.3).
func TestActionOfATextReport(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		subject, text, reply, want string
	}{
		"refused":                          {"Undelivered Mail", "550 no", "550 5.1.1 no", "failed"},
		"delayed by its subject":           {"Delayed Mail (still being retried)", "550 no", "550 no", "delayed"},
		"delayed, in German":               {"Zustellung verzögert", "", "550 no", "delayed"},
		"temporary":                        {"Undelivered Mail", "will try again", "450 4.2.1 busy", "delayed"},
		"temporary by the enhanced code":   {"Undelivered Mail", "", "4.4.1 no answer", "delayed"},
		"temporary, given up":              {"Undelivered Mail", "Giving up after 5 days", "450 busy", "failed"},
		"temporary, in the queue too long": {"Undelivered Mail", "Message expired, it was in the queue for 5 days", "4.4.7 expired", "failed"},
	} {
		r := systemMail("Subject: " + c.subject)
		r.text.WriteString(c.text)
		if got := r.action(diagnostic(c.reply)); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// TestTextOfTheReturnedMailIsNotAReply: the text of our own mail says nothing about its delivery.
func TestTextOfTheReturnedMailIsNotAReply(t *testing.T) {
	t.Parallel()
	for _, line := range []string{
		"--- Below this line is a copy of the message.", "------ This is a copy of the message, including all the headers. ------", "----- Original message -----",
		"-- The header of the original message is following.", "   ----- Transcript of session follows -----\n== Returned message ==", "Received: from us (us [192.0.2.1])",
		"> DKIM-Signature: v=1; a=rsa-sha256", "  List-Unsubscribe: <https://example.org>", "***** Message header follows",
	} {
		report, quoted := splitOriginal("550 full\n" + line + "\nSubject: 550 5.1.1 user unknown\n")
		if !strings.HasPrefix(report, "550 full\n") || strings.Contains(report, "user unknown") || !strings.Contains(quoted, "user unknown") {
			t.Errorf("%q: the report is %q and the mail %q", line, report, quoted)
		}
	}
	for _, line := range []string{"-- Ada", "Below is what happened:", "Reason: original message too large", "received: yes"} {
		if report, quoted := splitOriginal("550 full\n" + line + "\nend\n"); line != "received: yes" && (quoted != "" || !strings.HasSuffix(report, "end\n")) {
			t.Errorf("%q: the report ends before it: %q", line, report)
		}
	}
}

// TestClassOfARecipient has the outcomes of RFC 3464, section 2.3.3, with what the reply adds.
func TestClassOfARecipient(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		action, reply string
		want          Class
	}{
		{"delivered", "550 5.1.1 user unknown", Accepted}, {"relayed", "", Accepted}, {"expanded", "", Accepted}, {"", "2.0.0 sent", Soft},
		{"delayed", "550 5.1.1 user unknown", Later}, {"failed", "550 5.1.1 user unknown", Suppress}, {"failed", "", Soft},
		{"failed", "452 4.2.2 mailbox full", Soft}, {"failed", "4.4.1 no answer", Soft}, {"failed", "450 4.7.1 greylisted", OurFault},
		{"failed", "451 blocked using zen.spamhaus.org", OurFault}, {"failed", "450 rejected by policy", OurFault}, {"failed", "450 policy: mailbox full", Soft},
		{"failed", "421 4.3.2 too busy (in reply to MAIL FROM command)", OurFault},
	} {
		r := Recipient{Action: c.action, Reply: diagnostic(c.reply)}
		if got := r.Class(); got != c.want {
			t.Errorf("%s, %q: %s, want %s (%+v)", c.action, c.reply, got, c.want, r.Reply)
		}
	}
	if got := (Recipient{Reply: Reply{Enhanced: "2.1.5"}}).Class(); got != Accepted {
		t.Errorf("a status of success is %s", got)
	}
}

// TestRecipientsOfAllPartsAreBounded: a report may have many parts, each with many recipients.
func TestRecipientsOfAllPartsAreBounded(t *testing.T) {
	t.Parallel()
	part := "--a\nContent-Type: message/delivery-status\n\n" + strings.Repeat("Action: failed\nStatus: 5.1.1\n\n", 90)
	report, err := ParseReport(strings.NewReader("From: mailer-daemon@x\nContent-Type: multipart/report; boundary=a\n\n" + strings.Repeat(part, 20) + "--a--\n"))
	if err != nil || len(report.Recipients) != recipientsMax {
		t.Errorf("%d recipients, %v; want %d", len(report.Recipients), err, recipientsMax)
	}
	var to []string
	for i := range 300 {
		to = append(to, fmt.Sprintf("a%d@example.org", i))
	}
	got := AddressedTo([]byte("Delivered-To: first@example.org\r\nTo: " + strings.Join(to, ", ") + "\r\n\r\n"))
	if len(got) != recipientsMax || got[0] != "first@example.org" || !slices.Contains(got, "a98@example.org") {
		t.Errorf("%d addresses, the first %q", len(got), got[0])
	}
}
