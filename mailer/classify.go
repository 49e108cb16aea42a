package mailer

import (
	"errors"
	"strings"
)

// Class is the consequence of a reply or a failure for the mail and its recipient.
type Class string

// The classes.
const (
	Accepted  Class = "accepted"  // the server took the mail
	Suppress  Class = "suppress"  // the address does not exist: never mail it again
	Soft      Class = "soft"      // refused for a reason that may pass: count it, suppress after several
	OurFault  Class = "our fault" // refused because of the sender or the content: do not suppress, raise an alert
	Later     Class = "later"     // deferred by the server: back off and retry
	Retry     Class = "retry"     // the connection failed before the mail was accepted: retry on a new connection
	Uncertain Class = "uncertain" // the server may or may not have accepted the mail
	// Unsendable means that the envelope cannot be sent through this relay, such as an address with a
	// local part in Unicode if the relay lacks SMTPUTF8. No server has refused the address.
	Unsendable Class = "unsendable"
)

// Classify returns the class of the reply and error that AwaitReady or Deliver returned. After
// AwaitReady, Accepted means that the server waits for the body.
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

// noSuchAddress are the enhanced codes for an address that does not exist: bad mailbox, bad
// system, bad syntax, mailbox moved, null MX (RFC 3463, section 3.2; RFC 7505).
var noSuchAddress = map[string]bool{"5.1.1": true, "5.1.2": true, "5.1.3": true, "5.1.6": true, "5.1.10": true}

// classifyRefusal classifies a permanent refusal. Words outweigh codes, because servers use general
// codes for everything: Outlook.com answers 550 5.5.0 for a deleted mailbox. Words about the sender
// outweigh words about the recipient, so that an ambiguous refusal suppresses no address.
func classifyRefusal(r Reply) Class {
	w := causesOf(r.Text)
	noAddress := noSuchAddress[r.Enhanced] && !r.fromStatusField
	switch {
	case r.Stage == StageMail || r.Stage == StageGreeting:
		return OurFault // the recipient has not been named yet
	case isSenderCode(r.Enhanced) || w.has(causeSender|causeRelaying|causeBlock):
		return OurFault
	case w.has(causeFull):
		return Soft
	case r.Enhanced == "5.2.3" || r.Enhanced == "5.3.4" || w.has(causeSize):
		return OurFault // too large for the server or the mailbox
	case w.has(causeUnknownUser):
		return softIf(!noAddress && w.has(causeTemporary|causeInactive|causeRouting), Suppress)
	case w.has(causeUnknownHost):
		return softIf(w.has(causeTemporary) || !noAddress && (w.has(causeRouting) || codeSubject(r.Enhanced) == "5.4"), Suppress)
	case w.has(causeInactive):
		return softIf(!noAddress, Suppress)
	case w.has(causePolicy) && r.Enhanced != "5.6.7":
		return classifyPolicy(r, w)
	case w.has(causeUnavailable):
		return classifyUnavailable(r, w)
	}
	return classifyByCode(r, w)
}

// isSenderCode reports whether an enhanced code is about the sender or its permissions: 5.1.7
// and 5.1.8 (RFC 3463, section 3.2), and the codes of 5.7 that give a reason, such as
// 5.7.26 for authentication. 5.7.0 and 5.7.1 do not count: servers use them for any reason.
func isSenderCode(enhanced string) bool {
	return enhanced == "5.1.7" || enhanced == "5.1.8" || codeSubject(enhanced) == "5.7" && enhanced != "5.7.0" && enhanced != "5.7.1"
}

// softIf returns Soft if there is doubt, else the class.
func softIf(doubt bool, class Class) Class {
	if doubt {
		return Soft
	}
	return class
}

// classifyPolicy classifies "denied", "policy" and the like. They are about the sender unless
// the server's own code reports that the address does not exist.
func classifyPolicy(r Reply, w causes) Class {
	if noSuchAddress[r.Enhanced] && !r.fromStatusField && w.has(causeUnavailable) {
		return Suppress
	}
	return OurFault
}

// classifyUnavailable classifies "mailbox unavailable" and "recipient address rejected". In a
// reply to RCPT without another reason, Outlook.com, GMX and others mean a mailbox that does not exist.
func classifyUnavailable(r Reply, w causes) Class {
	atRecipient := r.Stage == StageRcpt || r.Stage == ""
	switch {
	case codeSubject(r.Enhanced) == "5.7":
		return OurFault
	case codeSubject(r.Enhanced) == "5.2" || w.has(causeTemporary|causeRouting) || !atRecipient || r.Code == 0:
		return Soft
	}
	return Suppress
}

// classifyByCode classifies a refusal that has no known words.
func classifyByCode(r Reply, w causes) Class {
	s := codeSubject(r.Enhanced)
	switch {
	case noSuchAddress[r.Enhanced]:
		// Some programs derive the Status field from the reply code alone: Sendmail writes 5.1.1
		// for every 550. Such a field does not come from the server that refused the mail.
		return softIf(r.fromStatusField && strings.TrimSpace(r.Text) != "" || w.has(causeTemporary), Suppress)
	case r.Enhanced == "5.6.7":
		return Soft // an address in Unicode, which a server on the way does not support
	case s == "5.7" || s == "5.6":
		return OurFault // policy, content
	case s == "5.5":
		return softIf(aboutRecipient(r), OurFault)
	case s != "" && s != "5.0":
		return Soft
	}
	return classifyWithoutEnhanced(r)
}

// aboutRecipient reports whether a refusal with a protocol code, 5.5.x, is about the mailbox: its
// reply code is one for mailboxes, and it answers RCPT or an unknown command.
func aboutRecipient(r Reply) bool {
	return (r.Stage == StageRcpt || r.Stage == "") && (r.Code >= 550 && r.Code <= 553 || r.Code == 554 && r.Enhanced == "5.5.0")
}

// codeSubject returns the class and subject of an enhanced code, such as "5.7".
func codeSubject(enhanced string) string {
	if i := strings.LastIndexByte(enhanced, '.'); i > 0 {
		return enhanced[:i]
	}
	return ""
}

// classifyWithoutEnhanced classifies a 5xx reply without known words and with no useful enhanced
// code. It is about the recipient at RCPT, and mostly about the sender elsewhere.
func classifyWithoutEnhanced(r Reply) Class {
	switch {
	case r.Code == 552:
		return Soft // full, RFC 5321, section 4.2.3
	case r.Stage == StageData || r.Stage == StageBody:
		return OurFault
	case r.Code == 554 && r.Stage != StageRcpt:
		return OurFault // content or connection refused
	case r.Code == 556:
		return Suppress // the domain accepts no mail, RFC 7504, section 4
	case r.Code >= 500 && r.Code <= 504 || r.Code == 530 || r.Code == 555:
		return OurFault
	}
	return Soft
}
