package bounce

import (
	"net/http"
	"strings"
	"testing"
)

// The samples below have the format of the services' events. They differ in which of our ids each
// service keeps, and in how it writes them.

const sesHeaders = `"headersTruncated":false,"headers":[
	{"name":"Received","value":"from press.example.org ([192.0.2.7]) by email-smtp.eu-west-1.amazonaws.com with SMTP (SimpleEmailService-d-X1) id z8"},
	{"name":"Message-ID","value":"LTMSGIDGT"},{"name":"From","value":"\"The Gazette\" LTnews@example.orgGT"},
	{"name":"List-Unsubscribe","value":"LThttps://example.org/unsubscribe/xGT, LTmailto:u-aaaaaaaaaaaaaaaaaaaaaaaa@bounces.example.orgGT"}],
	"commonHeaders":{"from":["The Gazette LTnews@example.orgGT"],"messageId":"LTMSGIDGT","subject":"Cette semaine"}`

func sesSample(mail string) string {
	return `{"notificationType":"Bounce","bounce":{"feedbackId":"0102018f-0000","bounceType":"Permanent","bounceSubType":"General",
		"bouncedRecipients":[{"emailAddress":"reader@example.net","action":"failed","status":"5.1.1","diagnosticCode":"smtp; 550 5.1.1 user unknown"}],
		"timestamp":"2026-03-27T08:00:01.000Z","remoteMtaIp":"198.51.100.4","reportingMTA":"dns; a4-2.smtp-out.eu-west-1.amazonses.com"},
		"mail":{"timestamp":"2026-03-27T08:00:00.000Z","sourceIp":"192.0.2.7","messageId":"0102018f3b2c-0000","destination":["reader@example.net"],` + mail + `}}`
}

// withBrackets returns a sample with the brackets written as a service writes them.
func (b *env) withBrackets(sample, lt, gt string) string {
	return b.fillIDs(strings.NewReplacer("LT", lt, "GT", gt).Replace(sample))
}

// brackets are the spellings of < and >: plain, as .NET and Java write them by default, and as Go
// does.
var brackets = [][2]string{{"<", ">"}, {`\u003C`, `\u003E`}, {`\u003c`, `\u003e`}}

func TestSESEventsAreMatchedByTheIDsTheyKeep(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		mail string
		kind Kind
	}{
		"the return path":             {`"source":"VERP"`, Bounced},
		"the return path, named":      {`"source":"The Gazette LTVERPGT"`, Bounced},
		"the headers":                 {`"source":"news@example.org",` + sesHeaders, Bounced},
		"both":                        {`"source":"VERP",` + sesHeaders, Bounced},
		"only the names of SES":       {`"source":"news@example.org","headers":[{"name":"Message-ID","value":"LT0102018f3b2c@eu-west-1.amazonses.comGT"}]`, ""},
		"only whom to unsubscribe at": {`"source":"news@example.org","headers":[{"name":"List-Unsubscribe","value":"LTmailto:u-aaaaaaaaaaaaaaaaaaaaaaaa@example.orgGT"}]`, ""},
	} {
		for _, way := range brackets {
			b, s := setup(t), testSNS()
			message := b.withBrackets(sesSample(test.mail), way[0], way[1])
			if status := post(t, b.sesHook(s), s.sign(t, notification(message, "2")), nil); status != 204 {
				t.Errorf("%s: status %d", name, status)
			}
			b.expect(t, name+" with "+way[0], test.kind, "ses")
		}
	}
}

func TestPostmarkEventsAreMatchedByTheIDsTheyKeep(t *testing.T) {
	t.Parallel()
	bounce := func(fields string) string {
		return `{"RecordType":"Bounce","MessageStream":"broadcast","ID":4323372036854775807,"Type":"HardBounce","TypeCode":1,"Name":"Hard bounce","Tag":"",
			"MessageID":"883953f4-6105-42a2-a16a-77a8eac79483","ServerID":23,"Description":"The server was unable to deliver your message.",
			"Details":"smtp;550 5.1.1 The email account that you tried to reach does not exist","Email":"reader@example.net","From":"news@example.org",
			"BouncedAt":"2026-03-27T08:00:01Z","DumpAvailable":true,"Inactive":true,"CanActivate":true,"Subject":"Cette semaine"` + fields + `}`
	}
	for name, test := range map[string]struct {
		body string
		kind Kind
	}{
		"metadata":                   {bounce(`,"Metadata":{"delivery":"MSGID"}`), Bounced},
		"content with the kept id":   {bounce(`,"Content":"Return-Path: LTGT\r\nReceived: by mta\r\nMessage-ID: LTMSGIDGT\r\n\r\nbody"`), Bounced},
		"content, the id on a line":  {bounce(`,"Content":"Message-ID:\r\nMSGID\r\n"`), Bounced},
		"neither":                    {bounce(`,"Metadata":{},"Content":""`), ""},
		"content with Postmark's id": {bounce(`,"Content":"Message-ID: LT883953f4-6105-42a2-a16a-77a8eac79483@mtasv.netGT"`), ""},
		"complaint by metadata":      {`{"RecordType":"SpamComplaint","Type":"SpamComplaint","TypeCode":512,"MessageID":"883953f4","Email":"reader@example.net","Metadata":{"delivery":"MSGID"}}`, Complained},
		"left by metadata":           {`{"RecordType":"SubscriptionChange","Recipient":"reader@example.net","Origin":"Recipient","SuppressSending":true,"SuppressionReason":"ManualSuppression","Metadata":{"delivery":"MSGID"}}`, Unsubscribed},
	} {
		for _, way := range brackets {
			b := setup(t)
			body := b.withBrackets(test.body, way[0], way[1])
			if status := post(t, b.hook(t, "postmark", hookSecret), body, func(r *http.Request) { r.SetBasicAuth("hook", hookSecret) }); status != 204 {
				t.Errorf("%s: status %d", name, status)
			}
			b.expect(t, name+" with "+way[0], test.kind, "postmark")
		}
	}
}

func TestSendGridEventsAreMatchedByTheIDsTheyKeep(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		sample string
		found  bool
	}{
		"smtp-id":                     {`{"email":"reader@example.net","timestamp":1774594800,"smtp-id":"LTMSGIDGT","event":"spamreport","sg_event_id":"x","sg_message_id":"14c5d75ce93.dfd.64b469.filter0001"}`, true},
		"unique argument":             {`{"email":"reader@example.net","event":"spamreport","delivery":"MSGID","sg_event_id":"x","sg_message_id":"14c5d75ce93"}`, true},
		"an id that SendGrid gave it": {`{"email":"reader@example.net","event":"spamreport","smtp-id":"LT14c5d75ce93.dfd.64b469@ismtpd-555GT"}`, false},
	} {
		for _, way := range brackets {
			b := setup(t)
			events, err := sendgrid{}.events(t.Context(), []byte("["+b.withBrackets(test.sample, way[0], way[1])+"]"))
			if err != nil || len(events) != 1 || events[0].kind != Complained {
				t.Fatalf("%s: %+v, %v", name, events, err)
			}
			if id, found := b.findDelivery(events[0].raw); found != test.found || found && id != testID {
				t.Errorf("%s with %s: found %v, %+v", name, way[0], found, id)
			}
		}
	}
}
