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
	case reply.Temporary():
		return Later
	}
	return refusal(reply)
}

// noSuchAddress are the enhanced codes that say that an address is not there and
// will not be: bad mailbox, bad system, bad syntax, mailbox moved, null MX
// (RFC 3463, section 3.2; RFC 7505).
var noSuchAddress = map[string]bool{"5.1.1": true, "5.1.2": true, "5.1.3": true, "5.1.6": true, "5.1.10": true}

// refusal reads a reply of 5xx.
func refusal(r Reply) Class {
	switch subject := enhancedSubject(r.Enhanced); {
	case r.Stage == StageMail || r.Stage == StageGreeting:
		return OurFault // the recipient has not been named yet
	case noSuchAddress[r.Enhanced]:
		return Suppress
	case r.Enhanced == "5.1.7" || r.Enhanced == "5.1.8":
		return OurFault // our own address is what they do not like
	case r.Enhanced == "5.3.4":
		return OurFault // too large for the server
	case r.Enhanced == "5.6.7":
		return Soft // an address in Unicode, which somebody on the way cannot take
	case subject == "5.7" || subject == "5.5" || subject == "5.6":
		return OurFault // policy, protocol, content
	case r.Enhanced != "":
		return Soft
	}
	return plainRefusal(r)
}

func enhancedSubject(enhanced string) string {
	if i := strings.LastIndexByte(enhanced, '.'); i > 0 {
		return enhanced[:i]
	}
	return ""
}

// plainRefusal reads a reply of 5xx without an enhanced code, which says little:
// at RCPT it is about the recipient, elsewhere about us.
func plainRefusal(r Reply) Class {
	switch {
	case r.Code == 552:
		return Soft // full, RFC 5321, section 4.2.3
	case r.Stage != StageRcpt && r.Stage != StageFinal:
		return OurFault
	case r.Code == 550 && saysUnknown(r.Text):
		return Suppress
	case r.Code == 550 || r.Code == 551 || r.Code == 553:
		return Soft
	case r.Code == 554 && r.Stage == StageFinal:
		return OurFault // the content
	case r.Code == 521 || r.Code == 556:
		return Suppress // the host takes no mail, RFC 7504
	case r.Code >= 500 && r.Code <= 504 || r.Code == 530 || r.Code == 555:
		return OurFault
	}
	return Soft
}

// saysUnknown knows the words of servers that give no enhanced code.
func saysUnknown(text string) bool {
	text = strings.ToLower(text)
	for _, words := range []string{"user unknown", "unknown user", "no such user", "no such recipient", "no mailbox here",
		"recipient unknown", "unknown recipient", "does not exist", "user not found", "mailbox not found", "no such mailbox"} {
		if strings.Contains(text, words) {
			return true
		}
	}
	return false
}
