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
func (r *reading) deliveryStatus(body []byte) {
	r.Kind = DeliveryReport
	for _, group := range fieldGroups(body, recipientsMax) {
		r.messageID(group.Get("X-Original-Message-ID"))
		if !group.Has("Final-Recipient") && !group.Has("Original-Recipient") && !group.Has("Action") && !group.Has("Status") {
			continue
		}
		r.Recipients = append(r.Recipients, recipientOf(group))
	}
}

func recipientOf(group textproto.Header) Recipient {
	recipient := Recipient{
		Address: typed(group.Get("Original-Recipient")),
		Action:  strings.ToLower(firstWord(group.Get("Action"))),
		Reply:   diagnostic(group.Get("Diagnostic-Code")),
	}
	if recipient.Address == "" {
		recipient.Address = typed(group.Get("Final-Recipient"))
	}
	// The diagnostic code's own enhanced code is what the last server said; the
	// Status field is often only 5.0.0.
	if status := firstWord(group.Get("Status")); isEnhanced(status) && (recipient.Reply.Enhanced == "" || !strings.HasSuffix(status, ".0.0")) {
		recipient.Reply.Enhanced = status
	}
	if recipient.Action == "" {
		recipient.Action = "failed"
	}
	return recipient
}

// typed cuts the type from "rfc822; name@example.org" (RFC 3464, section 2.1.2).
func typed(value string) string {
	if _, address, found := strings.Cut(value, ";"); found {
		value = address
	}
	value = strings.Trim(value, " <>\t\r\n")
	return oneLine(value[:min(len(value), 320)])
}

func firstWord(s string) string {
	for word := range strings.FieldsSeq(s) {
		return strings.TrimRight(word, ";,")
	}
	return ""
}

var (
	smtpCode     = regexp.MustCompile(`(?:^|[^0-9.])([45][0-9][0-9])(?:[- ]|$)`)
	enhancedCode = regexp.MustCompile(`(?:^|[^0-9.])([45]\.[0-9]{1,3}\.[0-9]{1,3})(?:[^0-9.]|$)`)
)

// diagnostic reads "smtp; 550 5.1.1 no such user" and the like.
func diagnostic(value string) Reply {
	_, text, found := strings.Cut(value, ";")
	if !found {
		text = value
	}
	reply := Reply{Stage: StageRcpt}
	if m := smtpCode.FindStringSubmatch(text); m != nil {
		reply.Code, _ = strconv.Atoi(m[1])
	}
	if m := enhancedCode.FindStringSubmatch(text); m != nil {
		reply.Enhanced = m[1]
	}
	reply.addText(text)
	return reply
}

// feedback reads the part of a complaint for machines (RFC 5965, section 3).
func (r *reading) feedback(body []byte) {
	r.Kind = ComplaintReport
	for _, group := range fieldGroups(body, 1) {
		r.Feedback = strings.ToLower(firstWord(group.Get("Feedback-Type")))
		for f := group.FieldsByKey("Original-Rcpt-To"); f.Next() && len(r.Recipients) < recipientsMax; {
			r.Recipients = append(r.Recipients, Recipient{Address: typed(f.Value())})
		}
		if from := typed(group.Get("Original-Mail-From")); from != "" {
			r.To = append(r.To, from) // our own return path, which names the delivery
		}
	}
}
