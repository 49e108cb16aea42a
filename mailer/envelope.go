package mailer

import (
	"fmt"
	"strconv"
	"strings"
)

// Envelope is who a mail is from and for. Domains may be in Unicode.
type Envelope struct {
	From string // the return path; empty for the null one
	To   string
	Size int // of the mail in octets, 0 if not known yet
	// Rendered says that the body comes from Pour: it has no line that begins with a
	// dot, and need not be searched for one.
	Rendered bool
}

// addressMax is the longest address, RFC 5321, section 4.5.3.1.3.
const addressMax = 254

// envelopeCommands are the commands of an envelope, or why there are none.
type envelopeCommands struct {
	mail, rcpt string
	refused    Reply // ours, when the envelope cannot be sent at all
	rendered   bool
}

const dataLine = "DATA\r\n"

// commands writes an envelope for a server with what it offers.
func (e Envelope) commands(offers extensions) envelopeCommands {
	if offers.size > 0 && e.Size > offers.size {
		return envelopeCommands{refused: Reply{Local: true, Stage: StageMail, Code: 552, Enhanced: "5.3.4", Text: fmt.Sprintf("the mail of %d octets is over the relay's limit of %d", e.Size, offers.size)}}
	}
	from, fromErr := wireAddress(e.From, true)
	to, toErr := wireAddress(e.To, false)
	switch {
	case fromErr != "":
		return envelopeCommands{refused: Reply{Local: true, Stage: StageMail, Code: 553, Enhanced: "5.1.7", Text: fmt.Sprintf("sender %q: %s", e.From, fromErr)}}
	case toErr != "":
		return envelopeCommands{refused: Reply{Local: true, Stage: StageRcpt, Code: 553, Enhanced: "5.1.3", Text: fmt.Sprintf("recipient %q: %s", e.To, toErr)}}
	}
	wide := !isASCII(from) || !isASCII(to)
	if wide && !offers.utf8 {
		return envelopeCommands{refused: Reply{Local: true, Stage: StageRcpt, Code: 553, Enhanced: "5.6.7", Text: fmt.Sprintf("the relay does not offer SMTPUTF8 (RFC 6531), which %q needs", e.To)}}
	}
	return envelopeCommands{rendered: e.Rendered, mail: "MAIL FROM:<" + from + ">" + e.parameters(offers, wide) + "\r\n", rcpt: "RCPT TO:<" + to + ">\r\n"}
}

// parameters are those of MAIL. There is no BODY: our mails are 7-bit.
func (e Envelope) parameters(offers extensions, wide bool) string {
	var p string
	if offers.sizes && e.Size > 0 {
		p = " SIZE=" + strconv.Itoa(e.Size) // RFC 1870
	}
	if wide {
		p += " SMTPUTF8"
	}
	return p
}

// wireAddress is an address as commands have it, or what is wrong with it.
func wireAddress(address string, mayBeEmpty bool) (wire, wrong string) {
	if address == "" && mayBeEmpty {
		return "", ""
	}
	if brokenAddress(address) {
		return "", "it has a space, a control character or an angle bracket in it"
	}
	wire, err := asciiDomain(address)
	if err != nil {
		return "", err.Error()
	}
	if at := strings.LastIndexByte(wire, '@'); at < 1 || at == len(wire)-1 || len(wire) > addressMax {
		return "", "it is not of the form name@example.org"
	}
	return wire, ""
}

// extensions is what a server said to EHLO.
type extensions struct {
	pipelining bool
	utf8       bool
	sizes      bool
	size       int // 0 for no limit
}
