package mailer

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/emersion/go-message/textproto"
)

// deliveryStatus reads the part of a DSN for machines: a group of fields about
// the mail and one about each recipient (RFC 3464, section 2.1). Some servers
// have a single group for both.
func (r *reportReader) deliveryStatus(body []byte) {
	r.Kind = DeliveryReport
	for _, group := range fieldGroups(body, recipientsMax) {
		r.messageID(group.Get("X-Original-Message-ID"))
		if !group.Has("Final-Recipient") && !group.Has("Original-Recipient") && !group.Has("Action") && !group.Has("Status") {
			continue
		}
		r.Recipients = append(r.Recipients, recipientOf(group))
	}
}

// findStatusFields finds the fields of a DSN in the text for people, where gateways that take
// reports apart leave them.
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

// statusFields is a group of lines with the fields that each recipient of a DSN has.
var statusFields = regexp.MustCompile(`(?im)(?:^[A-Z][A-Za-z-]+: .*\n(?:[ \t].*\n)*)*^(?:Final-Recipient|Action): .*\n(?:[ \t].*\n)*(?:^[A-Z][A-Za-z-]+: .*\n(?:[ \t].*\n)*)*^(?:Final-Recipient|Action|Status): .*\n`)

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

// takeStatus puts a report's Status field beside the server's own reply, which
// outweighs it: the field is often only 5.0.0, or the class of the code.
func (r *Reply) takeStatus(status string) {
	own := r.Enhanced
	if !isEnhanced(status) || own != "" && !strings.HasSuffix(own, ".0.0") {
		return
	}
	if r.Code != 0 && status[0] != byte('0'+r.Code/100) {
		return // of another class than the reply
	}
	if own != "" && strings.HasSuffix(status, ".0.0") {
		return
	}
	r.Enhanced, r.coarse = status, r.Code != 0
}

// addressOfField cuts the type from "rfc822; name@example.org" (RFC 3464, section 2.1.2).
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

// diagnostic reads "smtp; 550 5.1.1 no such user" and the like. A code stands before
// a space, a hyphen, a colon or nothing at all.
func diagnostic(value string) Reply {
	text := strings.TrimSpace(diagnosticTo.ReplaceAllString(value, ""))
	if m := quotedIn.FindStringSubmatch(text); m != nil {
		text = m[1] + " " + m[2] // what the last server said, inside the words of one on the way
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

// codesFirst are the codes that a reply begins with, which Reply has apart.
var codesFirst = regexp.MustCompile(`^\W*[45][0-5][0-9](?:[- :]+|$)#?(?:[45]\.[0-9]{1,3}\.[0-9]{1,3}(?:[- :]+|$))?`)

// stageWords are how Postfix, Exim, Sendmail and Courier name the command that was
// refused.
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

// stageIn finds the step of the conversation that a report says was refused; it is
// empty when the report does not say.
func stageIn(text string) Stage {
	for _, s := range stageWords {
		if s.words.MatchString(text) {
			return s.stage
		}
	}
	return ""
}

// feedback reads the part of a complaint for machines (RFC 5965, section 3).
func (r *reportReader) feedback(body []byte) {
	r.Kind = ComplaintReport
	r.Feedback = "" // a report without a type is none that we understand
	for _, group := range fieldGroups(body, 1) {
		r.Feedback = strings.ToLower(firstWord(group.Get("Feedback-Type")))
		for f := group.FieldsByKey("Original-Rcpt-To"); f.Next() && len(r.Recipients) < recipientsMax; {
			r.Recipients = append(r.Recipients, Recipient{Address: addressOfField(f.Value())})
		}
		if from := addressOfField(group.Get("Original-Mail-From")); from != "" {
			r.To = append(r.To, from) // our own return path, which names the delivery
		}
	}
}

// ParseReply reads a server's refusal as reports and mail services quote it. status is
// an enhanced code that they give beside it, or empty; the server's own outweighs it.
func ParseReply(text, status string) Reply {
	reply := diagnostic(strings.Join(strings.Fields(text), " "))
	reply.takeStatus(firstWord(status))
	return reply
}

// BlamesSender reports whether the words of a refusal are about the sender: its address,
// its reputation, or what it sent.
func BlamesSender(text string) bool {
	return topicsOf(text).has(topicSender | topicRelaying | topicBlock | topicSize | topicPolicy)
}
