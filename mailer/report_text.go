package mailer

import (
	"regexp"
	"strings"
)

// parseText reads a report without a machine-readable part, as qmail, old versions of Exim and many
// gateways write them. Return paths also get replies of people and out-of-office replies. So the mail
// must come from a mail system, state that a mail was not delivered, and give a reason.
func (r *reportReader) parseText() {
	text := r.text.String()
	report, quoted := splitOriginal(text)
	for _, m := range messageIDLine.FindAllStringSubmatch(quoted+text, recipientsMax) {
		r.messageID(m[1])
	}
	failed := r.top.header.Get("X-Failed-Recipients")
	if !r.isBounceText(report, failed) {
		return
	}
	reply, found := quotedReply(report)
	if failed == "" && !found {
		return // a notice without a refusal
	}
	r.Kind = DeliveryReport
	action := r.action(reply)
	for address := range strings.FieldsFuncSeq(failed, func(c rune) bool { return strings.ContainsRune(", \t\r\n", c) }) {
		if len(r.Recipients) < recipientsMax {
			r.Recipients = append(r.Recipients, Recipient{Address: addressOfField(address), Action: action, Reply: reply})
		}
	}
	if len(r.Recipients) == 0 {
		r.Recipients = []Recipient{{Action: action, Reply: reply}}
	}
}

// messageIDLine matches the Message-ID of the returned mail in the text of a report.
var messageIDLine = regexp.MustCompile(`(?im)^[> \t]*Message-ID:\s*(<[^<>\s]+@[^<>\s]+>)`)

// originalBelow matches the line that separates a report from the copy of the returned mail, or the
// first header line of the copy. The text from there on was written by us, not by the mail system.
var originalBelow = regexp.MustCompile(`(?im)^[ \t>*]*(?:[-=*_ ]{2,}\s*(?:below this line|this is a copy|original (?:message|mail)|message (?:header|text|body)|returned message|undelivered message|copy of|unsent message|forwarded message|start of|the (?:original|following) (?:message|mail|headers?|text)? ?(?:is|follows|was sent|text|headers?)|the (?:header|body) (?:of|is|follows)|message from|included is).*|(?:received|return-path|dkim-signature|mime-version|feedback-id|list-unsubscribe): .*)$`)

// splitOriginal splits the text of a report from the returned mail that it quotes.
func splitOriginal(text string) (report, quoted string) {
	if at := originalBelow.FindStringIndex(text); at != nil {
		return text[:at[0]], text[at[0]:]
	}
	return text, ""
}

// isBounceText reports whether a mail is a mail system's notice that a mail was not delivered. failed
// is its X-Failed-Recipients header.
func (r *reportReader) isBounceText(text, failed string) bool {
	subject := headerText(r.top.header, "Subject")
	kind := r.top.params["report-type"]
	undelivered := undeliveredPhrases.in(subject)
	switch {
	case kind != "" && !strings.EqualFold(kind, "delivery-status"):
		return false // such as a read receipt (RFC 8098)
	case awayPhrases.in(subject):
		return false
	case failed != "" || undelivered && r.nullSender():
		return true
	case !r.fromSystem():
		return false
	}
	return undelivered || undeliveredPhrases.in(text[:min(len(text), 4096)]) || quotesDialogue(text)
}

var rcptCommand = regexp.MustCompile(`(?i)\bRCPT TO\b`)

// quotesDialogue reports whether a text quotes RCPT TO and a refusal, as some gateways do instead of
// explaining the failure.
func quotesDialogue(text string) bool {
	reply, found := quotedReply(text)
	return found && reply.Code >= 500 && rcptCommand.MatchString(text)
}

// action returns the Action of the recipients, by the subject and the reply that the report quotes.
func (r *reportReader) action(reply Reply) string {
	if delayedPhrases.in(headerText(r.top.header, "Subject")) {
		return "delayed"
	}
	text := r.text.String()
	if (reply.Temporary() || strings.HasPrefix(reply.Enhanced, "4.")) && !expiredPhrases.in(text[:min(len(text), 2048)]) {
		return "delayed"
	}
	return "failed"
}

// systemNames matches the local parts of the addresses that mail systems send from.
var systemNames = regexp.MustCompile(`^(?:mailer-?_?daemon\S*|mail-?_?daemon|post_?master|mdaemon|mail[-.]?delivery\S*|mail-?system|mail[-.]delivery[-.]system|mta|root|bounces?|microsoftexchange[0-9a-f]+|mail_?admin|double-bounce)$`)

// fromSystem reports whether a mail system sent the mail. It ignores the display name, because a
// person's name may look like a system's.
func (r *reportReader) fromSystem() bool {
	from := strings.ToLower(r.top.header.Get("From"))
	if at := strings.LastIndexByte(from, '<'); at >= 0 && !strings.HasPrefix(from[at:], "<>") {
		from = from[at+1:]
	} else if at >= 0 {
		from = from[:at] // "MAILER-DAEMON <>"
	} else if at := strings.IndexByte(from, '('); at >= 0 { // RFC 822 comments
		from = from[:at]
	}
	local, _, _ := strings.Cut(strings.Trim(from, " \t<>\""), "@")
	if local != "" && !strings.Contains(local, " ") && systemNames.MatchString(local) || local == "mailer-daemon" {
		return true
	}
	if strings.EqualFold(r.top.params["report-type"], "delivery-status") {
		return true
	}
	// Some systems use the null address in From, or none.
	return r.nullSender() && (from == "" || !strings.Contains(from, "@") || strings.HasPrefix(from, "@"))
}

// nullSender reports whether the mail has the null return path (RFC 5321, section 4.5.5) according to
// the Return-Path header that the receiving server added.
func (r *reportReader) nullSender() bool {
	return r.top.header.Has("Return-Path") && strings.Trim(r.top.header.Get("Return-Path"), " <>") == ""
}

// replyBegins matches a reply code at the start of a line or after the name of its server.
var replyBegins = regexp.MustCompile(`(?:^\W*|[:>]\s*)[45][0-5][0-9](?:[ :-]|$)`)

// quotedReply returns the reply that a report quotes. It prefers lines with a reply code and known
// words to known words without a code, such as Exim's "Unrouteable address", and those to a code alone.
func quotedReply(text string) (best Reply, found bool) {
	rank := 0
	stage := stageIn(text)
	for _, block := range replyCandidates(text) {
		reply := diagnostic(block)
		known := causesOf(reply.Text)
		score := 0
		switch {
		case reply.Code != 0 && (known != 0 || reply.Enhanced != ""):
			score = 4
		case reply.Enhanced != "":
			score = 3
		case known.has(causeUnknownUser | causeFull | causeUnknownHost | causeInactive | causeUnavailable | causeRouting | causeSize):
			score = 2
		case reply.Code != 0 && replyBegins.MatchString(block):
			score = 1
		}
		if score > rank {
			rank, best = score, reply
		}
	}
	if best.Stage == "" {
		best.Stage = stage
	}
	return best, rank > 0
}

// nextRecipient matches the start of the reply about the next recipient.
var nextRecipient = regexp.MustCompile(`^\s*<?[^\s@]+@[^\s@]+>?:`)

// replyCandidates returns the places of a report that may contain a reply: each line, joined with up to
// three lines after it, until an empty line or the next recipient.
func replyCandidates(text string) []string {
	lines := strings.Split(text, "\n")
	lines = lines[:min(len(lines), candidatesMax)]
	var all []string
	for i, line := range lines {
		if strings.TrimSpace(line) == "" {
			continue
		}
		block := line
		for j := i + 1; j < len(lines) && j < i+4 && strings.TrimSpace(lines[j]) != "" && !nextRecipient.MatchString(lines[j]); j++ {
			block += " " + strings.TrimSpace(lines[j])
		}
		all = append(all, block[:min(len(block), candidateMax)])
	}
	return all
}

// candidatesMax is how many lines are searched for a reply, candidateMax the length of a candidate.
const (
	candidatesMax = 300
	candidateMax  = 1000
)

// fillReplies completes recipients without a reply, or with a code only, from the text parts: with the
// reply quoted there and the stage named there.
func (r *reportReader) fillReplies() {
	text, _ := splitOriginal(r.text.String())
	stage := stageIn(text)
	for i := range r.Recipients {
		reply := &r.Recipients[i].Reply
		if reply.Stage == "" {
			reply.Stage = stage
		}
		if r.Recipients[i].Action != "failed" || reply.Text != "" {
			continue
		}
		if quoted, found := quotedReply(text); found && causesOf(quoted.Text) != 0 {
			status := reply.Enhanced
			*reply = quoted
			reply.takeStatus(status)
		}
	}
}
