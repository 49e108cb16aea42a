package bounce

import (
	"bufio"
	"strings"

	"github.com/tidings-press/tidings/mailer"
)

// kindOfReply reads a reply as services quote it. Gone is the service's own word
// that the address is dead, which it knows from more than this one reply; but
// what a server refused for what we are or send is never held against a reader.
func kindOfReply(text, status string, gone bool) (Kind, int) {
	recipient := mailer.Recipient{Action: "failed", Reply: replyOf(text, status)}
	class := recipient.Class()
	switch {
	case class == mailer.OurFault && recipient.Reply.Enhanced != "":
		return "", recipient.Reply.Code
	case class == mailer.Suppress || gone:
		return Bounced, recipient.Reply.Code
	}
	return Soft, recipient.Reply.Code
}

// replyOf has the mailer read the words the way it reads them in a delivery
// report.
func replyOf(text, status string) mailer.Reply {
	report := "Content-Type: message/delivery-status\r\n\r\nFinal-Recipient: rfc822; x\r\nAction: failed\r\nStatus: " +
		firstLine(status) + "\r\nDiagnostic-Code: smtp; " + firstLine(text) + "\r\n"
	parsed, err := mailer.ParseReport(bufio.NewReader(strings.NewReader(report)))
	if err != nil || len(parsed.Recipients) == 0 {
		return mailer.Reply{}
	}
	return parsed.Recipients[0].Reply
}

func firstLine(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	return s[:min(len(s), 900)]
}
