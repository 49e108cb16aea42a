package mailer

import (
	"regexp"
	"strings"
)

// parseText reads reports without a part for machines, as qmail, old Exims and many
// gateways write them. Answers of people and of their holidays come to return
// paths too, so the mail must come from a mail system, say that a mail was not
// delivered, and give a reason.
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
		return // a notice of some kind, not a failure
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

// messageIDLine finds the id of the mail that came back where it is quoted in the
// text of a report.
var messageIDLine = regexp.MustCompile(`(?im)^[> \t]*Message-ID:\s*(<[^<>\s]+@[^<>\s]+>)`)

// originalBelow are the lines above the copy of the mail that came back. What stands
// below are our own words.
var originalBelow = regexp.MustCompile(`(?im)^[ \t>*]*(?:[-=*_ ]{2,}\s*(?:below this line|this is a copy|original (?:message|mail)|message (?:header|text|body)|returned message|undelivered message|copy of|unsent message|forwarded message|start of|the (?:original|following) (?:message|mail|headers?|text)? ?(?:is|follows|was sent|text|headers?)|the (?:header|body) (?:of|is|follows)|message from|included is).*|(?:received|return-path|dkim-signature|mime-version|feedback-id|list-unsubscribe): .*)$`)

// splitOriginal parts the words of a report from the mail that it quotes.
func splitOriginal(text string) (report, quoted string) {
	if at := originalBelow.FindStringIndex(text); at != nil {
		return text[:at[0]], text[at[0]:]
	}
	return text, ""
}

// isBounceText reports whether a mail is a mail system's notice that a mail did not arrive.
func (r *reportReader) isBounceText(text, failed string) bool {
	subject := headerText(r.top.header, "Subject")
	kind := r.top.params["report-type"]
	undelivered := undeliveredPhrases.in(subject)
	switch {
	case kind != "" && !strings.EqualFold(kind, "delivery-status"):
		return false // such as a receipt that the mail was read (RFC 8098)
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

// quotesDialogue reports whether a text quotes the command that names a recipient and a refusal,
// as some gateways do in place of a sentence.
func quotesDialogue(text string) bool {
	reply, found := quotedReply(text)
	return found && reply.Code >= 500 && rcptCommand.MatchString(text)
}

// action is what became of a mail by the reply that a report quotes.
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

// systemNames are the local parts that mail systems write from.
var systemNames = regexp.MustCompile(`^(?:mailer-?_?daemon\S*|mail-?_?daemon|post_?master|mdaemon|mail[-.]?delivery\S*|mail-?system|mail[-.]delivery[-.]system|mta|root|bounces?|microsoftexchange[0-9a-f]+|mail_?admin|double-bounce)$`)

// fromSystem reports whether a mail comes from a mail system, by the address alone: a
// person may have a name like one.
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
	// Some systems write from the null address, or give no address at all.
	return r.nullSender() && (from == "" || !strings.Contains(from, "@") || strings.HasPrefix(from, "@"))
}

// nullSender reports whether the mail was sent with the null return path (RFC 5321,
// section 4.5.5), as its receiver noted.
func (r *reportReader) nullSender() bool {
	return r.top.header.Has("Return-Path") && strings.Trim(r.top.header.Get("Return-Path"), " <>") == ""
}

// replyBegins is a reply at the start of a line, or behind the name of its server.
var replyBegins = regexp.MustCompile(`(?:^\W*|[:>]\s*)[45][0-5][0-9](?:[ :-]|$)`)

// quotedReply finds the reply that a report quotes: lines with a reply code whose
// words are known, else known words without one, such as Exim's "Unrouteable
// address", else a code alone.
func quotedReply(text string) (best Reply, found bool) {
	rank := 0
	stage := stageIn(text)
	for _, block := range replyCandidates(text) {
		reply := diagnostic(block)
		known := topicsOf(reply.Text)
		score := 0
		switch {
		case reply.Code != 0 && (known != 0 || reply.Enhanced != ""):
			score = 4
		case reply.Enhanced != "":
			score = 3
		case known.has(topicUnknownUser | topicFull | topicUnknownHost | topicInactive | topicUnavailable | topicRouting | topicSize):
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

// nextRecipient begins the reply about another recipient.
var nextRecipient = regexp.MustCompile(`^\s*<?[^\s@]+@[^\s@]+>?:`)

// replyCandidates are the places of a report where a reply may stand: each line with those
// that it is continued on, up to an empty line.
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

// candidatesMax and candidateMax bound where a reply is looked for, in lines and bytes.
const (
	candidatesMax = 300
	candidateMax  = 1000
)

// fillReplies gives recipients whose report has no reply, or only a code, the words
// that the part for people has, and the stage that it names.
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
		if quoted, found := quotedReply(text); found && topicsOf(quoted.Text) != 0 {
			status := reply.Enhanced
			*reply = quoted
			reply.takeStatus(status)
		}
	}
}
