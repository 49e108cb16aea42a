package mailer

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"
)

// Stage is a step of the SMTP dialogue.
type Stage string

// The stages, in the order of the dialogue.
const (
	StageGreeting Stage = "greeting"
	StageMail     Stage = "MAIL"
	StageRcpt     Stage = "RCPT"
	StageData     Stage = "DATA"
	StageBody     Stage = "body"  // before the final dot was sent: nothing was accepted
	StageFinal    Stage = "final" // after the final dot
)

// BrokenError is returned when a connection was lost or its context was cancelled. The connection
// takes no more mail. If the stage is StageFinal, it is uncertain whether the server accepted the
// current mail. At any other stage the server did not accept it.
type BrokenError struct {
	Stage Stage
	Err   error
}

// Error names the stage and the cause.
func (e *BrokenError) Error() string { return fmt.Sprintf("connection lost at %s: %v", e.Stage, e.Err) }

// Unwrap returns the cause.
func (e *BrokenError) Unwrap() error { return e.Err }

// The errors for calls in the wrong order.
var (
	errOrder  = errors.New("wrong order of calls: use SendEnvelope, AwaitReady, Deliver")
	errClosed = errors.New("the connection is closed")
)

// connState decides which call a connection accepts next.
type connState int

const (
	stateIdle connState = iota
	stateEnvelopeSent
	stateAwaitingBody
	stateClosed // broken or closed
)

// Conn is a connection to a relay. It must not be used by several goroutines at once. For each mail
// call SendEnvelope (or pass the envelope to the Deliver of the mail before), AwaitReady and Deliver.
type Conn struct {
	conn       net.Conn
	r          *bufio.Reader
	w          *bufio.Writer
	timeouts   Timeouts
	extensions extensions
	lmtp       bool
	offered    []string             // keywords of all extensions
	tls        *tls.ConnectionState // nil without TLS

	state          connState
	envelope       envelopeCommands // of the next mail: already sent if pipelining, else sent by AwaitReady
	out            []byte           // buffer of the current write
	needsReset     bool             // the server has an open transaction, which RSET must clear
	ignoredReplies int              // number of replies to skip: those to RSET and to the dot of a refused transaction
	accepted       int
}

// SendEnvelope sends an envelope: MAIL, RCPT and DATA in one write when the relay offers
// PIPELINING (RFC 2920). It does not wait for the replies; AwaitReady returns them.
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

// AwaitReady waits for the reply to the envelope. If the reply is OK (354), the server waits for
// the body; call Deliver. Any other reply is a refusal of the command that its Stage names, and the
// next call is SendEnvelope if the connection is still Usable. Errors are *BrokenError; after one the
// connection is not usable.
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

// Deliver sends the body and the final dot, and waits for the reply to them. If next is not nil,
// the next envelope is sent in the same write; the next AwaitReady returns its reply, and after that
// the mail must be delivered or the connection closed. If the reply is OK, the server has accepted the
// mail, otherwise it has refused it. Errors are *BrokenError; the stage shows whether the mail may
// have been accepted.
//
// The body must have CRLF line ends, as Render and Sign write them. If the envelope is marked
// Rendered, Deliver uses the capacity of body behind its length as a write buffer.
func (c *Conn) Deliver(ctx context.Context, body []byte, next *Envelope) (Reply, error) {
	if c.state != stateAwaitingBody {
		return Reply{}, c.outOfOrder(StageBody)
	}
	defer c.watchContext(ctx)()
	if c.r.Buffered() > 0 {
		return c.unexpectedReply(ctx)
	}
	var out []byte
	if c.envelope.rendered {
		out = append(body, ".\r\n"...)
	} else {
		c.out = appendBody(c.out[:0], body)
		out = c.out
	}
	bodyEnd := len(out)
	if next != nil {
		out = c.appendEnvelope(out, *next)
	} else {
		c.state = stateIdle
	}
	if n, err := c.write(ctx, out, c.timeouts.Body); err != nil {
		return c.bodyWriteFailed(n >= bodyEnd, err)
	}
	return c.final(ctx)
}

// Accepted returns the number of mails that were accepted on this connection.
func (c *Conn) Accepted() int { return c.accepted }

// Usable reports whether another mail can be sent.
func (c *Conn) Usable() bool { return c.state != stateClosed }

// Quit sends QUIT and closes the connection (RFC 5321, section 4.1.1.10). It waits at most a second
// for the reply. In the middle of a mail it only closes.
func (c *Conn) Quit() error {
	if c.state == stateIdle {
		_ = c.conn.SetDeadline(time.Now().Add(time.Second))
		c.quit()
	}
	return c.Close()
}

// Close closes the connection without QUIT. A mail whose body has not been sent is not delivered.
func (c *Conn) Close() error {
	c.state = stateClosed
	return c.conn.Close()
}

// Offer is what a relay offers on a connection.
type Offer struct {
	Extensions []string             // keywords of EHLO, sorted
	MaxSize    int                  // the largest mail that it takes (RFC 1870); 0 if it names none
	TLS        *tls.ConnectionState // nil without TLS
}

// Offer returns what the relay offered when the connection was made.
func (c *Conn) Offer() Offer {
	return Offer{Extensions: c.offered, MaxSize: c.extensions.maxSize, TLS: c.tls}
}

// Envelope is the sender and the recipient of a mail. Domains may be in Unicode.
type Envelope struct {
	From string // the return path; empty for the null one
	To   string
	Size int // of the mail in octets, 0 if not known yet
	// Rendered means that the body comes from Render: no line starts with a dot, so Deliver
	// need not search for one.
	Rendered bool
	// NeedsUTF8 means that the mail's header contains an address with a local part in Unicode, so that
	// only a server with SMTPUTF8 may get it (RFC 6531, section 3.2). Compiled.NeedsUTF8 returns it.
	NeedsUTF8 bool
}

// addressMax is the maximum length of an address, RFC 5321, section 4.5.3.1.3.
const addressMax = 254

// envelopeCommands are the commands of an envelope, or the reason why it cannot be sent.
type envelopeCommands struct {
	mail, rcpt string
	refused    Reply // made locally if the envelope cannot be sent
	rendered   bool
}

const dataLine = "DATA\r\n"

// commands returns the commands of an envelope for a server with the given extensions.
func (e Envelope) commands(offers extensions) envelopeCommands {
	if offers.maxSize > 0 && e.Size > offers.maxSize {
		return envelopeCommands{refused: Reply{Local: true, Stage: StageMail, Code: 552, Enhanced: "5.3.4", Text: fmt.Sprintf("the mail of %d octets is over the relay's limit of %d", e.Size, offers.maxSize)}}
	}
	from, fromErr := wireAddress(e.From, true)
	to, toErr := wireAddress(e.To, false)
	switch {
	case fromErr != "":
		return envelopeCommands{refused: Reply{Local: true, Stage: StageMail, Code: 553, Enhanced: "5.1.7", Text: fmt.Sprintf("sender %q: %s", e.From, fromErr)}}
	case toErr != "":
		return envelopeCommands{refused: Reply{Local: true, Stage: StageRcpt, Code: 553, Enhanced: "5.1.3", Text: fmt.Sprintf("recipient %q: %s", e.To, toErr)}}
	}
	bySender := e.NeedsUTF8 || !isASCII(from)
	needsUTF8 := bySender || !isASCII(to)
	switch {
	case bySender && !offers.utf8:
		return envelopeCommands{refused: Reply{Local: true, Stage: StageMail, Code: 553, Enhanced: "5.6.7", Text: "the relay does not offer SMTPUTF8 (RFC 6531), which the sender's address needs; use a sender with ASCII letters before the @"}}
	case needsUTF8 && !offers.utf8:
		return envelopeCommands{refused: Reply{Local: true, Stage: StageRcpt, Code: 553, Enhanced: "5.6.7", Text: fmt.Sprintf("the relay does not offer SMTPUTF8 (RFC 6531), which %q needs", e.To)}}
	}
	return envelopeCommands{rendered: e.Rendered, mail: "MAIL FROM:<" + from + ">" + e.parameters(offers, needsUTF8) + "\r\n", rcpt: "RCPT TO:<" + to + ">\r\n"}
}

// parameters returns the parameters of MAIL. BODY is not needed, as all mails are 7-bit.
func (e Envelope) parameters(offers extensions, needsUTF8 bool) string {
	var p string
	if offers.hasSize && e.Size > 0 {
		p = " SIZE=" + strconv.Itoa(e.Size) // RFC 1870
	}
	if needsUTF8 {
		p += " SMTPUTF8"
	}
	return p
}

// wireAddress returns an address as it is written in commands, or what is wrong with it.
func wireAddress(address string, mayBeEmpty bool) (wire, problem string) {
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

// extensions are the extensions in a server's reply to EHLO that Conn uses.
type extensions struct {
	pipelining bool
	utf8       bool
	hasSize    bool
	maxSize    int // 0 for no limit
}
