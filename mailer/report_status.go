package mailer

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/emersion/go-message/textproto"
)

// deliveryStatus reads the machine-readable part of a DSN: a group of fields about the mail and one
// about each recipient (RFC 3464, section 2.1). Some servers write a single group for both.
func (r *reportReader) deliveryStatus(body []byte) {
	r.Kind = DeliveryReport
	for _, group := range fieldGroups(body, recipientsMax) {
		r.messageID(group.Get("X-Original-Message-ID"))
		if !group.Has("Final-Recipient") && !group.Has("Original-Recipient") && !group.Has("Action") && !group.Has("Status") {
			continue
		}
		if len(r.Recipients) == recipientsMax { // a report may have several parts
			return
		}
		r.Recipients = append(r.Recipients, recipientOf(group))
	}
}

// findStatusFields reads the fields of a DSN from the text parts, to which some gateways move them.
func (r *reportReader) findStatusFields() {
	if !r.fromSystem() {
		return
	}
	text := r.text.String()
	if at := statusFields.FindStringIndex(text); at != nil {
		end := len(text)
		if blank := strings.Index(text[at[1]:], "\n\n"); blank >= 0 {
			end = at[1] + blank
		}
		r.deliveryStatus([]byte(text[at[0]:end]))
	}
}

// statusFields matches a group of fields about a recipient of a DSN.
var statusFields = regexp.MustCompile(`(?im)(?:^[A-Z][A-Za-z-]+: .*\n(?:[ \t].*\n)*)*^(?:Final-Recipient|Action): .*\n(?:[ \t].*\n)*(?:^[A-Z][A-Za-z-]+: .*\n(?:[ \t].*\n)*)*^(?:Final-Recipient|Action|Status): .*\n`)

// recipientOf returns the recipient that a group of fields describes.
func recipientOf(group textproto.Header) Recipient {
	recipient := Recipient{
		Address: addressOfField(group.Get("Original-Recipient")),
		Action:  strings.ToLower(firstWord(group.Get("Action"))),
		Reply:   diagnostic(group.Get("Diagnostic-Code")),
	}
	if recipient.Address == "" {
		recipient.Address = addressOfField(group.Get("Final-Recipient"))
	}
	recipient.Reply.takeStatus(firstWord(group.Get("Status")))
	if recipient.Action == "" {
		recipient.Action = "failed"
	}
	return recipient
}

// takeStatus sets Enhanced to the Status field of a report, unless the server's reply has a more
// specific code: the field is often only 5.0.0, or derived from the reply code.
func (r *Reply) takeStatus(status string) {
	own := r.Enhanced
	if !isEnhanced(status) || own != "" && !strings.HasSuffix(own, ".0.0") {
		return
	}
	if r.Code != 0 && status[0] != byte('0'+r.Code/100) {
		return // the class differs from the reply's
	}
	if own != "" && strings.HasSuffix(status, ".0.0") {
		return
	}
	r.Enhanced, r.fromStatusField = status, r.Code != 0
}

// addressOfField returns the address of a field such as "rfc822; name@example.org" (RFC 3464,
// section 2.1.2).
func addressOfField(value string) string {
	if _, address, found := strings.Cut(value, ";"); found {
		value = address
	}
	value = strings.Trim(value, " <>\t\r\n")
	return singleLine(value[:min(len(value), 320)])
}

func firstWord(s string) string {
	for word := range strings.FieldsSeq(s) {
		return strings.TrimRight(word, ";,")
	}
	return ""
}

var (
	smtpCode     = regexp.MustCompile(`(?:^|[^0-9A-Za-z.])([45][0-5][0-9])(?:[^0-9A-Za-z.]|\.\s|\.?$)`)
	firstCode    = regexp.MustCompile(`^\W*([45][0-5][0-9])(?:[^0-9]|$)`)
	enhancedCode = regexp.MustCompile(`(?:^|[^0-9.])([45]\.[0-9]{1,3}\.[0-9]{1,3})(?:[^0-9.]|\.\D|\.?$)`)
	quotedIn     = regexp.MustCompile(`\b([45][0-5][0-9])[- ]'([^']{3,})'`)
	diagnosticTo = regexp.MustCompile(`^\s*[A-Za-z][A-Za-z0-9.-]*\s*;`)
)

// diagnostic reads a reply such as "smtp; 550 5.1.1 no such user". The codes may be anywhere in it,
// or missing.
func diagnostic(value string) Reply {
	text := strings.TrimSpace(diagnosticTo.ReplaceAllString(value, ""))
	if m := quotedIn.FindStringSubmatch(text); m != nil {
		text = m[1] + " " + m[2] // the reply of the last server, quoted in that of a server on the way
	}
	reply := Reply{Stage: stageIn(text)}
	m := firstCode.FindStringSubmatch(text)
	if m == nil {
		m = smtpCode.FindStringSubmatch(text)
	}
	if m != nil {
		reply.Code, _ = strconv.Atoi(m[1])
	}
	for _, m := range enhancedCode.FindAllStringSubmatch(text, 3) {
		if reply.Code == 0 || m[1][0] == byte('0'+reply.Code/100) {
			reply.Enhanced = m[1]
			break
		}
	}
	reply.addText(codesFirst.ReplaceAllString(text, ""))
	return reply
}

// codesFirst matches the codes at the start of a reply, which Reply.Text does not repeat.
var codesFirst = regexp.MustCompile(`^\W*[45][0-5][0-9](?:[- :]+|$)#?(?:[45]\.[0-9]{1,3}\.[0-9]{1,3}(?:[- :]+|$))?`)

// stageWords match how Postfix, Exim, Sendmail and Courier name the refused command.
var stageWords = []struct {
	words *regexp.Regexp
	stage Stage
}{
	{regexp.MustCompile(`(?i)(?:in reply to|after|response to|<<<|>>>) (?:pipelined )?(?:sending )?RCPT|end of RCPT`), StageRcpt},
	{regexp.MustCompile(`(?i)(?:in reply to|after|response to) (?:the )?end of data|after (?:sending )?(?:the )?(?:message|data|\.)|in reply to end of DATA|response to (?:\.|data)`), StageFinal},
	{regexp.MustCompile(`(?i)(?:in reply to|after|response to|>>>) (?:pipelined )?(?:sending )?MAIL`), StageMail},
	{regexp.MustCompile(`(?i)refused to talk to me|after initial connection|(?:in reply to|after|response to|>>>) (?:EHLO|HELO|LHLO)|while performing the (?:EHLO|HELO|initial)`), StageGreeting},
	{regexp.MustCompile(`(?i)(?:in reply to|after|response to|>>>) (?:pipelined )?(?:sending )?DATA`), StageData},
}

// stageIn returns the stage of the command that was refused according to a report, or "" if the
// report does not name it.
func stageIn(text string) Stage {
	for _, s := range stageWords {
		if s.words.MatchString(text) {
			return s.stage
		}
	}
	return ""
}

// feedback reads the machine-readable part of a complaint (RFC 5965, section 3).
func (r *reportReader) feedback(body []byte) {
	r.Kind = ComplaintReport
	r.Feedback = "" // stays empty if the report names no type
	for _, group := range fieldGroups(body, 1) {
		r.Feedback = strings.ToLower(firstWord(group.Get("Feedback-Type")))
		for f := group.FieldsByKey("Original-Rcpt-To"); f.Next() && len(r.Recipients) < recipientsMax; {
			r.Recipients = append(r.Recipients, Recipient{Address: addressOfField(f.Value())})
		}
		if from := addressOfField(group.Get("Original-Mail-From")); from != "" {
			r.To = append(r.To, from) // our return path, which identifies the delivery
		}
	}
}

// ParseReply reads a server's refusal as quoted by a report or a mail service. status is the enhanced
// code that they give in addition, or ""; a more specific code in the text outweighs it.
func ParseReply(text, status string) Reply {
	reply := diagnostic(strings.Join(strings.Fields(text), " "))
	reply.takeStatus(firstWord(status))
	return reply
}

// BlamesSender reports whether the words of a refusal are about the sender: its address, its
// reputation or its content.
func BlamesSender(text string) bool {
	return causesOf(text).has(causeSender | causeRelaying | causeBlock | causeSize | causePolicy)
}
