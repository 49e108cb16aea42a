package bounce

import "github.com/tidings-press/tidings/mailer"

// kindOfReply reads a reply as services quote it. Gone is the service's own word
// that the address is dead, which it knows from more than this one reply; but
// what a server refused for what we are or send is never held against a reader.
func kindOfReply(text, status string, gone bool) (Kind, int) {
	recipient := mailer.Recipient{Action: "failed", Reply: mailer.ParseReply(text, status)}
	class := recipient.Class()
	switch {
	case gone && !mailer.BlamesSender(text):
		return Bounced, recipient.Reply.Code
	case class == mailer.OurFault:
		return "", recipient.Reply.Code
	case class == mailer.Suppress:
		return Bounced, recipient.Reply.Code
	}
	return Soft, recipient.Reply.Code
}
