package mailer

import (
	"errors"
	"strings"
)

// Class says what to do about a mail.
type Class string

// The classes.
const (
	Accepted  Class = "accepted"  // the server has it
	Suppress  Class = "suppress"  // there is no such address: never mail it again
	Soft      Class = "soft"      // refused for a reason that may pass: count, suppress after several
	OurFault  Class = "our fault" // refused for what we are or send: never suppress, stop and tell
	Later     Class = "later"     // not now: back off and try again
	Retry     Class = "retry"     // nothing was accepted: try again on a new connection
	Uncertain Class = "uncertain" // the server may or may not have it
	// Unsendable is a recipient that this relay cannot be told of, such as a local part
	// in Unicode where it lacks SMTPUTF8. No server has said anything about it.
	Unsendable Class = "unsendable"
)

// Classify says what the outcome of Ready or Deliver means: err is the error they
// returned, or nil. For Ready, Accepted means that the server waits for the
// body.
func Classify(reply Reply, err error) Class {
	var broken *BrokenError
	switch {
	case errors.As(err, &broken) && broken.Stage == StageFinal:
		return Uncertain
	case err != nil:
		return Retry
	case reply.OK():
		return Accepted
	case reply.Local && reply.Stage == StageRcpt:
		return Unsendable
	case reply.Temporary():
		return Later
	}
	return classifyRefusal(reply)
}

// noSuchAddress are the enhanced codes that say that an address is not there and
// will not be: bad mailbox, bad system, bad syntax, mailbox moved, null MX
// (RFC 3463, section 3.2; RFC 7505).
var noSuchAddress = map[string]bool{"5.1.1": true, "5.1.2": true, "5.1.3": true, "5.1.6": true, "5.1.10": true}

// classifyRefusal reads a refusal for good. The words outweigh the codes, because servers
// use codes of a coarse class for everything: Outlook.com says 550 5.5.0 for a dead
// mailbox. Of the words, those that speak of us outweigh those that speak of the
// recipient, so that a doubtful refusal suppresses no one.
func classifyRefusal(r Reply) Class {
	w := topicsOf(r.Text)
	gone := noSuchAddress[r.Enhanced] && !r.coarse
	switch {
	case r.Stage == StageMail || r.Stage == StageGreeting:
		return OurFault // the recipient has not been named yet
	case refusesUs(r.Enhanced) || w.has(topicSender|topicRelaying|topicBlock):
		return OurFault
	case w.has(topicFull):
		return Soft
	case r.Enhanced == "5.2.3" || r.Enhanced == "5.3.4" || w.has(topicSize):
		return OurFault // too large for the server or the mailbox
	case w.has(topicUnknownUser):
		return softIf(!gone && w.has(topicTemporary|topicInactive|topicRouting), Suppress)
	case w.has(topicUnknownHost):
		return softIf(w.has(topicTemporary) || !gone && (w.has(topicRouting) || codeSubject(r.Enhanced) == "5.4"), Suppress)
	case w.has(topicInactive):
		return softIf(!gone, Suppress)
	case w.has(topicPolicy) && r.Enhanced != "5.6.7":
		return classifyPolicy(r, w)
	case w.has(topicUnavailable):
		return classifyUnavailable(r, w)
	}
	return classifyByCode(r, w)
}

// refusesUs reports whether an enhanced code is about the sender or its rights: 5.1.7
// and 5.1.8 (RFC 3463, section 3.2), and those of 5.7 that name a reason, such as
// 5.7.26 for authentication. 5.7.0 and 5.7.1 stand before anything.
func refusesUs(enhanced string) bool {
	return enhanced == "5.1.7" || enhanced == "5.1.8" || codeSubject(enhanced) == "5.7" && enhanced != "5.7.0" && enhanced != "5.7.1"
}

// softIf weakens a verdict to a soft bounce if there is a reason for doubt.
func softIf(doubt bool, class Class) Class {
	if doubt {
		return Soft
	}
	return class
}

// classifyPolicy reads "denied", "policy" and the like, which are about us unless the
// server's own code says that there is no such address.
func classifyPolicy(r Reply, w topics) Class {
	if noSuchAddress[r.Enhanced] && !r.coarse && w.has(topicUnavailable) {
		return Suppress
	}
	return OurFault
}

// classifyUnavailable reads "mailbox unavailable" and "recipient address rejected". As an
// answer to RCPT, with no other reason, they are the usual words for a dead mailbox
// of Outlook.com, GMX and others.
func classifyUnavailable(r Reply, w topics) Class {
	atRecipient := r.Stage == StageRcpt || r.Stage == ""
	switch {
	case codeSubject(r.Enhanced) == "5.7":
		return OurFault
	case codeSubject(r.Enhanced) == "5.2" || w.has(topicTemporary|topicRouting) || !atRecipient || r.Code == 0:
		return Soft
	}
	return Suppress
}

// classifyByCode reads a refusal whose words say nothing that is known.
func classifyByCode(r Reply, w topics) Class {
	s := codeSubject(r.Enhanced)
	switch {
	case noSuchAddress[r.Enhanced]:
		// A Status that only repeats the class of the code, as Sendmail makes 5.1.1 of
		// every 550, is not the server's word.
		return softIf(r.coarse && strings.TrimSpace(r.Text) != "" || w.has(topicTemporary), Suppress)
	case r.Enhanced == "5.6.7":
		return Soft // an address in Unicode, which some server on the way cannot take
	case s == "5.7" || s == "5.6":
		return OurFault // policy, content
	case s == "5.5":
		return softIf(aboutRecipient(r), OurFault)
	case s != "" && s != "5.0":
		return Soft
	}
	return classifyWithoutEnhanced(r)
}

// aboutRecipient reports whether a code of the protocol class, 5.5.x, stands beside a
// reply code that is about mailboxes, and not at the end of the mail.
func aboutRecipient(r Reply) bool {
	return (r.Stage == StageRcpt || r.Stage == "") && (r.Code >= 550 && r.Code <= 553 || r.Code == 554 && r.Enhanced == "5.5.0")
}

// codeSubject is the class and the subject of an enhanced code, such as "5.7".
func codeSubject(enhanced string) string {
	if i := strings.LastIndexByte(enhanced, '.'); i > 0 {
		return enhanced[:i]
	}
	return ""
}

// classifyWithoutEnhanced reads a reply of 5xx without an enhanced code or known words, which
// says little: at RCPT it is about the recipient, elsewhere about us.
func classifyWithoutEnhanced(r Reply) Class {
	switch {
	case r.Code == 552:
		return Soft // full, RFC 5321, section 4.2.3
	case r.Stage == StageData || r.Stage == StageBody:
		return OurFault
	case r.Code == 554 && r.Stage != StageRcpt:
		return OurFault // the content, or a connection that is not wanted
	case r.Code == 556:
		return Suppress // the domain takes no mail, RFC 7504, section 4
	case r.Code >= 500 && r.Code <= 504 || r.Code == 530 || r.Code == 555:
		return OurFault
	}
	return Soft
}
