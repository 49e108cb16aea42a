package mailer

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"
)

// Stage is a step of the conversation.
type Stage string

// The stages, in their order.
const (
	StageGreeting Stage = "greeting"
	StageMail     Stage = "MAIL"
	StageRcpt     Stage = "RCPT"
	StageData     Stage = "DATA"
	StageBody     Stage = "body"  // before the final dot went out: nothing was accepted
	StageFinal    Stage = "final" // after the final dot
)

// BrokenError tells that a connection broke or was cancelled and takes no more
// mail. The stage tells what became of the mail in hand: at StageFinal it is
// uncertain, at any other the server cannot have accepted it.
type BrokenError struct {
	Stage Stage
	Err   error
}

// Error says where it broke.
func (e *BrokenError) Error() string { return fmt.Sprintf("connection lost at %s: %v", e.Stage, e.Err) }

// Unwrap returns the cause.
func (e *BrokenError) Unwrap() error { return e.Err }

// What callers get that do not keep to the order of calls.
var (
	errOrder  = errors.New("not in turn: the order is Open, Ready, Deliver")
	errClosed = errors.New("the connection is closed")
)

// connState is the call that a connection waits for.
type connState int

const (
	stateIdle connState = iota
	stateEnvelopeSent
	stateAwaitingBody
	stateClosed // broken or closed
)

// Conn is one connection, for one goroutine. The way of each mail is Open (or the
// next of an earlier Deliver), Ready, Deliver.
type Conn struct {
	conn       net.Conn
	r          *bufio.Reader
	w          *bufio.Writer
	timeouts   Timeouts
	extensions extensions
	lmtp       bool

	state          connState
	envelope       envelopeCommands // under way: sent when pipelining, else remembered
	out            []byte           // what the next write takes along, and its buffer
	needsReset     bool             // a transaction stands open on the server and must be cleared
	ignoredReplies int              // replies to commands sent along whose answer does not matter
	accepted       int
}

// SendEnvelope sends an envelope: MAIL, RCPT and DATA in one write when the relay offers
// PIPELINING (RFC 2920). It does not wait; Ready has the answer.
func (c *Conn) SendEnvelope(ctx context.Context, env Envelope) error {
	if c.state != stateIdle {
		return c.outOfOrder(StageMail)
	}
	defer c.watchContext(ctx)()
	c.out = c.appendEnvelope(c.out[:0], env)
	if _, err := c.write(ctx, c.out, c.timeouts.Command); err != nil {
		return c.breakConnection(StageMail, err)
	}
	return nil
}

// AwaitReady waits for the answer to the envelope. With a reply that is OK (354) the
// server waits for the body, which Deliver gives; any other reply is a refusal,
// its Stage says of what, and the connection takes the next Open if it is still
// Usable. After an error, which is a *BrokenError, it is not.
func (c *Conn) AwaitReady(ctx context.Context) (Reply, error) {
	if c.state != stateEnvelopeSent {
		return Reply{}, c.outOfOrder(StageMail)
	}
	if c.envelope.refused.Code != 0 {
		c.state = stateIdle
		return c.envelope.refused, nil
	}
	defer c.watchContext(ctx)()
	if c.extensions.pipelining {
		return c.readEnvelope(ctx)
	}
	return c.exchangeEnvelope(ctx)
}

// Deliver sends the body, the final dot and, when next is not nil, the next
// envelope behind it in the same write, and waits for the reply to the body. A
// reply that is OK says that the server has the mail, any other that it has not.
// After an error, which is a *BrokenError, its stage tells whether that is certain.
// Next is answered by the next Ready; once it is under way it can only be
// delivered or, by Close, given up.
//
// The body has CRLF line ends, as Render and Sign make it. If the envelope is marked
// Rendered, what follows it on the wire is written behind it, into its slice's
// capacity.
func (c *Conn) Deliver(ctx context.Context, body []byte, next *Envelope) (Reply, error) {
	if c.state != stateAwaitingBody {
		return Reply{}, c.outOfOrder(StageBody)
	}
	if c.r.Buffered() > 0 {
		return c.unexpectedReply()
	}
	defer c.watchContext(ctx)()
	var out []byte
	if c.envelope.rendered {
		out = append(body, ".\r\n"...)
	} else {
		c.out = appendBody(c.out[:0], body)
		out = c.out
	}
	end := len(out)
	if next != nil {
		out = c.appendEnvelope(out, *next)
	} else {
		c.state = stateIdle
	}
	if n, err := c.write(ctx, out, c.timeouts.Body); err != nil {
		return c.bodyWriteFailed(n >= end, err)
	}
	return c.final(ctx)
}

// Pipelining reports whether several commands are sent at once.
func (c *Conn) Pipelining() bool { return c.extensions.pipelining }

// MaxSize is the largest mail that the relay takes, in octets; 0 if it does not
// say (RFC 1870).
func (c *Conn) MaxSize() int { return c.extensions.size }

// Accepted is the number of mails accepted on this connection so far.
func (c *Conn) Accepted() int { return c.accepted }

// Usable reports whether another mail can be sent.
func (c *Conn) Usable() bool { return c.state != stateClosed }

// Quit says QUIT and closes (RFC 5321, section 4.1.1.10). It waits for the
// answer for a second at most. In the middle of a mail it only closes.
func (c *Conn) Quit() error {
	if c.state == stateIdle {
		_ = c.conn.SetDeadline(time.Now().Add(time.Second))
		c.quit()
	}
	return c.Close()
}

// Close drops the connection. A mail whose body has not been sent is not
// delivered.
func (c *Conn) Close() error {
	c.state = stateClosed
	return c.conn.Close()
}

// Envelope is who a mail is from and for. Domains may be in Unicode.
type Envelope struct {
	From string // the return path; empty for the null one
	To   string
	Size int // of the mail in octets, 0 if not known yet
	// Rendered tells that the body comes from Render: it has no line that begins with a
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
