package bounce

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"testing"
)

// report returns a delivery report with the fields of one recipient.
func (b *env) report(fields string) string {
	return "From: MAILER-DAEMON@mx.example.net (Mail System)\r\nTo: " + b.paths.ReturnPath(testID) + "\r\nSubject: Returned mail\r\nMIME-Version: 1.0\r\n" +
		"Content-Type: multipart/report; report-type=delivery-status; boundary=\"r\"\r\n\r\n--r\r\nContent-Type: text/plain\r\n\r\nYour mail was not delivered.\r\n\r\n" +
		"--r\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example.net\r\n\r\nFinal-Recipient: rfc822; ada@example.net\r\n" + fields + "\r\n\r\n--r--\r\n"
}

// expectVerdict passes a mail to the Processor and checks what it recorded.
func (b *env) expectVerdict(t *testing.T, to []string, mail string, want Kind) {
	t.Helper()
	if _, err := b.Receive(t.Context(), "smtp", to, strings.NewReader(mail)); err != nil {
		t.Fatal(err)
	}
	if want != "" {
		if got := b.recorder.only(t); got.Kind != want {
			t.Errorf("recorded %+v, want %s", got, want)
		}
	} else if all := b.recorder.all(); len(all) != 0 {
		t.Errorf("recorded %+v, want nothing", all)
	}
}

// TestServerWordsOutweighTheStatusField: relays fill Status with their reading of a code; the last
// server's own reply is in the diagnostic code.
func TestServerWordsOutweighTheStatusField(t *testing.T) {
	t.Parallel()
	for fields, want := range map[string]Kind{
		"Action: failed\r\nStatus: 5.1.1\r\nDiagnostic-Code: smtp; 550 5.7.1 this host is blacklisted here":       "",
		"Action: failed\r\nStatus: 5.1.1\r\nDiagnostic-Code: smtp; 550 message refused, bad reputation":           "",
		"Action: failed\r\nStatus: 5.1.1\r\nDiagnostic-Code: smtp; 552 5.2.2 user over quota":                     Soft,
		"Action: failed\r\nStatus: 5.1.1\r\nDiagnostic-Code: smtp; 550 denied":                                    Soft,
		"Action: failed\r\nStatus: 5.7.1\r\nDiagnostic-Code: smtp; 550 there is no such user":                     Bounced,
		"Action: failed\r\nStatus: 5.5.0\r\nDiagnostic-Code: smtp; 550 5.5.0 Adresse invalide. Invalid recipient": Bounced,
		"Action: failed\r\nStatus: 5.1.1":                                                                                       Bounced,
		"Action: failed\r\nStatus: 5.0.0\r\nDiagnostic-Code: smtp; 554 Bad PTR record":                                          "",
		"Action: failed\r\nStatus: 5.0.0\r\nDiagnostic-Code: smtp; 550 failed DMARC":                                            "",
		"Action: failed\r\nStatus: 4.7.1\r\nDiagnostic-Code: smtp; 451 4.7.1 your network is rate limited":                      "",
		"Action: failed\r\nStatus: 4.4.7\r\nDiagnostic-Code: smtp; 421 connection timed out":                                    Soft,
		"Action: failed\r\nStatus: 5.0.0\r\nDiagnostic-Code: smtp; 550 5.1.0 - odd 550-'5.7.1 Access denied' (tries: 0)":        "",
		"Action: failed\r\nStatus: 5.0.0\r\nDiagnostic-Code: smtp; 550":                                                         Soft,
		"Action: failed\r\nStatus: 5.0.0\r\nDiagnostic-Code: smtp; 550: no such mailbox":                                        Bounced,
		"Action: delayed\r\nStatus: 4.2.2\r\nDiagnostic-Code: smtp; 452 mailbox full":                                           "",
		"Action: relayed\r\nStatus: 2.0.0\r\nDiagnostic-Code: smtp; 250 2.0.0 ok":                                               "",
		"Action: deliverable\r\nStatus: 2.1.5\r\nDiagnostic-Code: smtp; 250 2.1.5 ok":                                           "",
		"Action: delivered\r\nStatus: 2.0.0":                                                                                    Delivered,
		"Action: failed\r\nStatus: 5.1.1\r\n\r\nFinal-Recipient: rfc822; bob@example.net\r\nAction: delivered\r\nStatus: 2.0.0": Soft,
	} {
		b := setup(t)
		t.Log(fields)
		b.expectVerdict(t, nil, b.report(fields), want)
	}
}

// TestReportsWithBrokenPartsAreRead: an unreadable part does not hide the parts after it.
func TestReportsWithBrokenPartsAreRead(t *testing.T) {
	t.Parallel()
	b := setup(t)
	status := "Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example.net\r\n\r\nFinal-Recipient: rfc822; ada@example.net\r\nAction: failed\r\nStatus: 5.1.1\r\nDiagnostic-Code: smtp; 550 5.1.1 no such user\r\n\r\n"
	head := "From: postmaster@example.net\r\nTo: " + b.paths.ReturnPath(testID) + "\r\nSubject: Undeliverable: news\r\n"
	for name, mail := range map[string]string{
		"a parameter without indent":   head + "Content-Type: multipart/report; report-type=delivery-status; boundary=\"o\"\r\n\r\n--o\r\nContent-Type: multipart/alternative;\r\nboundary=\"i\"\r\n\r\n--i\r\nContent-Type: text/plain\r\n\r\nhello\r\n--i--\r\n\r\n--o\r\n" + status + "--o--\r\n",
		"a header that is none":        head + "Content-Type: multipart/report; boundary=o\r\n\r\n--o\r\nthis is no header : at all\r\n\r\nhello\r\n--o\r\n" + status + "--o--\r\n",
		"broken base64":                head + "Content-Type: multipart/report; boundary=o\r\n\r\n--o\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n%%%%\r\n--o\r\n" + status + "--o--\r\n",
		"an unknown encoding":          head + "Content-Type: multipart/report; boundary=o\r\n\r\n--o\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: x-uu\r\n\r\nhi\r\n--o\r\n" + status + "--o--\r\n",
		"another boundary":             head + "Content-Type: multipart/report; report-type=delivery-status; boundary=\"wrong\"\r\n\r\n--right\r\nContent-Type: text/plain\r\n\r\nhello\r\n--right\r\n" + status + "--right--\r\n",
		"no boundary":                  head + "Content-Type: multipart/report; report-type=delivery-status\r\n\r\n--right\r\nContent-Type: text/plain\r\n\r\nhello\r\n--right\r\n" + status + "--right--\r\n",
		"a content type that is none":  head + "Content-Type: multipart/report; report-type=\"delivery-status; boundary=o\r\n\r\n--o\r\nContent-Type: text/plain; charset==\r\n\r\nhello\r\n--o\r\n" + status + "--o--\r\n",
		"cut short":                    head + "Content-Type: multipart/report; boundary=o\r\n\r\n--o\r\nContent-Type: text/plain\r\n\r\nhello\r\n--o\r\n" + status,
		"its fields among the text":    head + "Content-Type: multipart/mixed; boundary=o\r\n\r\n--o\r\nContent-Type: text/plain\r\n\r\nYour mail was not delivered.\r\n\r\nReporting-MTA: dns; mx.example.net\r\n\r\nFinal-Recipient: rfc822; ada@example.net\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n--o--\r\n",
		"another report around it":     head + "Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: text/plain\r\n\r\nThe following failed.\r\n--x\r\nContent-Type: message/rfc822\r\n\r\nFrom: MAILER-DAEMON@in.example.net\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=o\r\n\r\n--o\r\n" + status + "--o--\r\n--x--\r\n",
		"carriage returns as line end": strings.ReplaceAll(head+"Content-Type: multipart/report; boundary=o\r\n\r\n--o\r\n"+status+"--o--\r\n", "\r\n", "\r"),
	} {
		b := setup(t)
		t.Log(name)
		b.expectVerdict(t, []string{b.paths.ReturnPath(testID)}, mail, Bounced)
	}
}

// TestReportsInWordsAlone covers systems whose reports have no machine-readable part.
func TestReportsInWordsAlone(t *testing.T) {
	t.Parallel()
	for mail, want := range map[string]Kind{
		"From: MAILER-DAEMON@mx.example.net\nSubject: Failure Notice\n\nSorry, we were unable to deliver your message.\n\n<ada@example.net>:\n550: <ada@example.net>: User unknown\n":                                                                                                                         Bounced,
		"From: MAILER-DAEMON@qmail.example.net\nSubject: failure notice\n\nI'm afraid I wasn't able to deliver your message.\n\n<ada@example.net>:\nSorry, no mailbox here by that name. (#5.1.1)\n":                                                                                                          Bounced,
		"From: MAILER-DAEMON@qmail.example.net\nSubject: failure notice\n\n<ada@example.net>:\nThe mailfolder is over the allowed quota. (#5.2.2)\n":                                                                                                                                                          Soft,
		"From: Mail System <mailer-daemon@mx.example.net>\nSubject: Mail delivery failed\nX-Failed-Recipients: ada@example.net\n\n  ada@example.net\n    host mx [192.0.2.9]\n    SMTP error from remote mail server after RCPT TO:<ada@example.net>:\n    550 5.1.1 User unknown\n":                          Bounced,
		"From: Mail System <mailer-daemon@mx.example.net>\nSubject: Mail delivery failed\nX-Failed-Recipients: ada@example.net\n\n  ada@example.net\n    SMTP error from remote mail server after end of data:\n    550-5.7.1 Our system has detected that this is\n    550-5.7.1 likely unsolicited mail.\n": "",
		"From: Mail System <mailer-daemon@mx.example.net>\nSubject: Mail delivery failed\nX-Failed-Recipients: ada@example.net\n\n  ada@example.net\n    SMTP error from remote mail server after MAIL FROM:<b@x>:\n    550 no such user\n":                                                                   "",
		"From: Mail System <mailer-daemon@mx.example.net>\nSubject: Warning: message delayed 24 hours\n\nhas not yet been delivered\n  ada@example.net\n    Delay reason: 451 4.7.1 try later\n":                                                                                                              "",
		"From: postmaster@example.de\nSubject: =?utf-8?q?Unzustellbar=3A_Nachrichten?=\n\nDie Nachricht konnte nicht zugestellt werden.\n\n550 Unbekannter Empfaenger\n":                                                                                                                                      Bounced,
		"From: MAILER-DAEMON@example.fr\nSubject: Message non remis\nContent-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\n\nNon remis :\n\n550 Bo=EEte inexistante\n":                                                                                                   Bounced,
		"From: MAILER-DAEMON@example.net\nSubject: Undelivered Mail\nContent-Type: text/html\n\n<p>could not be delivered</p><p>550 5.1.1 User unknown</p>":                                                                                                                                                   Bounced,
		"From: MAILER-DAEMON <>\nSubject: Mail delivery failed\n\nThere was an error delivering your mail to <ada@example.net>.\n\n550 5.1.1 no such user\n":                                                                                                                                                  Bounced,
		"From: MAILER-DAEMON@example.net\nSubject: Undelivered Mail\n\ncould not be delivered\n\n550 5.7.1 blocked\n\n--- Below this line is a copy of the message.\n\nSubject: 550 5.1.1 user unknown\n":                                                                                                     "",
	} {
		b := setup(t)
		t.Log(mail)
		b.expectVerdict(t, []string{b.paths.ReturnPath(testID)}, strings.ReplaceAll(mail, "\n", "\r\n"), want)
	}
}

// automaticReplies returns replies of people and their programs that contain what looks like reply
// codes.
func automaticReplies() []string {
	var all []string
	text := "I am away until 5.1.1.\n\n550 5.1.1 user unknown was my old desk, now call 550 1234.\nMailbox full of joy.\n"
	for _, from := range []string{
		"Ada <ada@example.net>", "postmaster@example.net", "\"Postmaster Lovelace\" <ada@example.net>", "\"MAILER-DAEMON\" <ada@example.net>",
		"Mailer Daemon Smith <smith@example.net>", "mailer-daemon@example.net", "root@example.net",
	} {
		for _, subject := range []string{"Automatic reply: The Week", "Out of office", "=?utf-8?q?R=C3=A9ponse_automatique?=", "Abwesenheitsnotiz", "Away", "Autosvar: news", "Re: The Week"} {
			all = append(all, fmt.Sprintf("Return-Path: <>\nFrom: %s\nSubject: %s\nAuto-Submitted: auto-replied\nPrecedence: bulk\nX-Autoreply: yes\nIn-Reply-To: MSGID\n\n%s", from, subject, text))
		}
	}
	return append(all,
		"From: postmaster@example.net\nSubject: Closed\n\nWe are closed. Call +49 30 550 1234.\n",
		"From: Ada <ada@example.net>\nSubject: Re: The Week\n\nMy address is no longer valid: user unknown. 550 5.1.1\n",
		"From: Exchange <postmaster@example.net>\nSubject: Read: news\nContent-Type: multipart/report; report-type=disposition-notification; boundary=m\n\n--m\nContent-Type: text/plain\n\nYour message was deleted. 550 5.1.1 user unknown could not be delivered\n--m\nContent-Type: message/disposition-notification\n\nFinal-Recipient: rfc822; ada@example.net\nDisposition: automatic-action; deleted\n--m--\n",
	)
}

func TestVacationMailsAreNotBounces(t *testing.T) {
	t.Parallel()
	for _, mail := range automaticReplies() {
		b := setup(t)
		t.Log(mail)
		mail = strings.ReplaceAll(strings.ReplaceAll(mail, "MSGID", "<"+b.paths.MessageID(testID)+">"), "\n", "\r\n")
		b.expectVerdict(t, []string{b.paths.ReturnPath(testID)}, mail, "")
	}
}

// TestAutomaticMailDoesNotUnsubscribe: only a mail that a person wrote unsubscribes.
func TestAutomaticMailDoesNotUnsubscribe(t *testing.T) {
	t.Parallel()
	mails := []string{
		setup(t).report("Action: failed\r\nStatus: 5.1.1"),
		"From: ada@example.net\r\nSubject: unsubscribe\r\nAuto-Submitted: auto-replied\r\n\r\n",
		"From: ada@example.net\r\nSubject: unsubscribe\r\nX-Autoreply: yes\r\n\r\n",
		"From: ada@example.net\r\nSubject: unsubscribe\r\nPrecedence: bulk\r\n\r\n",
		"From: ada@example.net\r\nSubject: unsubscribe\r\nPrecedence: auto_reply\r\n\r\n",
		"From: ada@example.net\r\nSubject: Automatic reply: unsubscribe\r\n\r\n",
		"From: MAILER-DAEMON@example.net\r\nSubject: unsubscribe\r\n\r\n",
		"Return-Path: <>\r\nFrom: ada@example.net\r\nSubject: Re: unsubscribe\r\n\r\n",
		"From: mx@example.net\r\nSubject: failure\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=x\r\n\r\n--x--\r\n",
	}
	for _, mail := range mails {
		b := setup(t)
		t.Log(mail)
		b.expectVerdict(t, []string{b.paths.Unsubscribe(testID)}, mail, "")
		b.expectVerdict(t, nil, "To: "+b.paths.Unsubscribe(testID)+"\r\n"+mail, "")
	}
	for _, mail := range []string{
		"From: ada@example.net\r\nSubject: unsubscribe\r\n\r\n", "From: ada@example.net\r\nSubject: Please stop\r\nAuto-Submitted: no\r\n\r\nThanks\r\n",
		"Return-Path: <>\r\nFrom: ada@example.net\r\nSubject: Unsubscribe\r\n\r\n",
	} {
		b := setup(t)
		b.expectVerdict(t, []string{b.paths.Unsubscribe(testID)}, mail, Unsubscribed)
	}
}

// TestFeedbackTypes: only types that express a request of the subscriber count.
func TestFeedbackTypes(t *testing.T) {
	t.Parallel()
	for feedback, want := range map[string]Kind{
		"abuse": Complained, "fraud": Complained, "opt-out": Unsubscribed, "opt-out-list": Unsubscribed,
		"auth-failure": "", "virus": "", "not-spam": "", "other": "", "dmarc": "", "": "", "something-new": "",
	} {
		b := setup(t)
		mail := "From: fbl@example.net\r\nTo: abuse@bounces.example.org\r\nSubject: complaint\r\nContent-Type: multipart/report; report-type=feedback-report; boundary=f\r\n\r\n" +
			"--f\r\nContent-Type: message/feedback-report\r\n\r\nFeedback-Type: " + feedback + "\r\nVersion: 1\r\nOriginal-Mail-From: <" + b.paths.ReturnPath(testID) + ">\r\n\r\n--f--\r\n"
		t.Log(feedback)
		b.expectVerdict(t, nil, mail, want)
	}
}

// TestServiceEventsWithoutAVerdictAreIgnored covers SES and Postmark, whose event types are as
// unclear as some reports by mail.
func TestServiceEventsWithoutAVerdictAreIgnored(t *testing.T) {
	t.Parallel()
	for event, want := range map[string]Kind{
		`{"eventType":"Complaint","complaint":{"complaintFeedbackType":"auth-failure"}}`:                                                                                                       "",
		`{"eventType":"Complaint","complaint":{"complaintFeedbackType":"virus"}}`:                                                                                                              "",
		`{"eventType":"Complaint","complaint":{"complaintFeedbackType":"not-spam"}}`:                                                                                                           "",
		`{"eventType":"Complaint","complaint":{}}`:                                                                                                                                             Complained,
		`{"eventType":"Complaint","complaint":{"complaintFeedbackType":"abuse"}}`:                                                                                                              Complained,
		`{"eventType":"Bounce","bounce":{"bounceType":"Transient","bounceSubType":"General"}}`:                                                                                                 "",
		`{"eventType":"Bounce","bounce":{"bounceType":"Transient","bounceSubType":"ContentRejected"}}`:                                                                                         "",
		`{"eventType":"Bounce","bounce":{"bounceType":"Transient","bounceSubType":"MailboxFull"}}`:                                                                                             Soft,
		`{"eventType":"Bounce","bounce":{"bounceType":"Undetermined","bounceSubType":"Undetermined"}}`:                                                                                         "",
		`{"eventType":"Bounce","bounce":{"bounceType":"Permanent","bounceSubType":"General","bouncedRecipients":[{"status":"5.1.1","diagnosticCode":"smtp; 550 5.1.1 user unknown"}]}}`:        Bounced,
		`{"eventType":"Bounce","bounce":{"bounceType":"Permanent","bounceSubType":"General","bouncedRecipients":[{"status":"5.1.1","diagnosticCode":"smtp; 550 blocked by spam filter"}]}}`:    "",
		`{"eventType":"Bounce","bounce":{"bounceType":"Permanent","bounceSubType":"OnAccountSuppressionList","bouncedRecipients":[{"diagnosticCode":"Amazon SES did not send the message"}]}}`: "",
		`{"eventType":"Bounce","bounce":{"bounceType":"Permanent","bounceSubType":"NoEmail"}}`:                                                                                                 Bounced,
	} {
		all, err := sesEvents([]byte(event))
		if err != nil || len(all) != 1 || all[0].kind != want {
			t.Errorf("%s is %+v (%v), want %q", event, all, err, want)
		}
	}
	for kind, want := range map[string]Kind{"HardBounce": Bounced, "BadEmailAddress": "", "ManuallyDeactivated": "", "SoftBounce": Soft, "Transient": Soft,
		"AutoResponder": "", "Blocked": "", "DMARCPolicy": "", "VirusNotification": "", "ChallengeVerification": "", "Unknown": "", "Unconfirmed": ""} {
		all, err := postmark{}.events(t.Context(), []byte(`{"RecordType":"Bounce","Type":"`+kind+`"}`))
		if err != nil || len(all) != 1 || all[0].kind != want {
			t.Errorf("%s is %+v (%v), want %q", kind, all, err, want)
		}
	}
	all, err := postmark{}.events(t.Context(), []byte(`{"RecordType":"Bounce","Type":"HardBounce","Details":"smtp;550 5.7.1 listed by a block list"}`))
	if err != nil || all[0].kind != "" {
		t.Errorf("a block of the type HardBounce: %+v, %v", all, err)
	}
}

// TestMailsThatAServiceDidNotSendSuppressNoAddress: no server refused them. They are counted apart, so that
// an operator can compare the lists.
func TestMailsThatAServiceDidNotSendSuppressNoAddress(t *testing.T) {
	t.Parallel()
	ses := func(_ context.Context, body []byte) ([]event, error) { return sesEvents(body) }
	for _, test := range []struct {
		service string
		read    func(context.Context, []byte) ([]event, error)
		body    string
	}{
		{"ses", ses, `{"eventType":"Bounce","bounce":{"bounceType":"Permanent","bounceSubType":"Suppressed","bouncedRecipients":[{"status":"5.1.1","diagnosticCode":"Amazon SES has suppressed sending to this address because it has a recent history of bouncing as an invalid address"}]}}`},
		{"ses", ses, `{"eventType":"Bounce","bounce":{"bounceType":"Permanent","bounceSubType":"OnAccountSuppressionList"}}`},
		{"ses", ses, `{"eventType":"Bounce","bounce":{"bounceType":"Permanent","bounceSubType":"UnsubscribedRecipient"}}`},
		{"ses", ses, `{"eventType":"Complaint","complaint":{"complaintSubType":"OnAccountSuppressionList"}}`},
		{"postmark", postmark{}.events, `{"RecordType":"Bounce","Type":"ManuallyDeactivated"}`},
		{"postmark", postmark{}.events, `{"RecordType":"Bounce","Type":"BadEmailAddress"}`},
		{"postmark", postmark{}.events, `{"RecordType":"Bounce","Type":"SMTPApiError"}`},
		{"postmark", postmark{}.events, `{"RecordType":"SubscriptionChange","SuppressSending":true,"SuppressionReason":"ManualSuppression","Origin":"Customer"}`},
		{"sendgrid", sendgrid{}.events, `[{"event":"dropped","reason":"Bounced Address"}]`},
		{"mailgun", mailgun{}.events, `{"event-data":{"event":"failed","severity":"permanent","reason":"suppress-bounce","delivery-status":{"code":605}}}`},
		{"brevo", brevo{}.events, `{"event":"blocked","reason":"blocked : due to blacklist user"}`},
		{"brevo", brevo{}.events, `{"event":"invalid_email"}`},
		{"mailjet", mailjet{}.events, `{"event":"blocked","error_related_to":"mailjet","error":"preblocked"}`},
		{"sparkpost", sparkPost{}.events, `[{"msys":{"gen_event":{"type":"generation_rejection","raw_reason":"554 5.7.1 recipient address suppressed due to customer policy"}}}]`},
		{"resend", resend{}.events, `{"type":"email.suppressed","data":{}}`},
		{"resend", resend{}.events, `{"type":"email.bounced","data":{"bounce":{"type":"Permanent","subType":"Suppressed"}}}`},
		{"mandrill", mandrill{}.events, "mandrill_events=" + url.QueryEscape(`[{"event":"reject","msg":{}}]`)},
	} {
		all, err := test.read(t.Context(), []byte(test.body))
		if err != nil || len(all) != 1 || all[0].kind != "" || all[0].note != noteSuppressed {
			t.Errorf("%s: %s is %+v (%v), want no kind and the note %q", test.service, test.body, all, err, noteSuppressed)
		}
	}
	b := setup(t)
	b.expectVerdict(t, []string{b.paths.ReturnPath(testID)}, "From: MAILER-DAEMON@amazonses.com\r\nSubject: Delivery Status Notification (Failure)\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=r\r\n\r\n"+
		"--r\r\nContent-Type: text/plain\r\n\r\nAn error occurred while trying to deliver the mail to the following recipients:\r\nreader@example.net\r\n\r\n"+
		"--r\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; amazonses.com\r\n\r\nAction: failed\r\nFinal-Recipient: rfc822; reader@example.net\r\n"+
		"Diagnostic-Code: Amazon SES has suppressed sending to this address because it has a recent history of bouncing as an invalid address.\r\nStatus: 5.1.1\r\n\r\n--r--\r\n", "")
}
