package mailer

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
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

// BrokenError says that a connection broke or was cancelled and takes no more
// mail. The stage tells what became of the mail in hand: at StageFinal it is
// uncertain, at any other the server cannot have accepted it.
type BrokenError struct {
	Stage Stage
	Err   error
}

// Error says where it broke.
func (e *BrokenError) Error() string { return fmt.Sprintf("connection lost at %s: %v", e.Stage, e.Err) }

// Unwrap gives the cause.
func (e *BrokenError) Unwrap() error { return e.Err }

// What callers get that do not keep to the order of calls.
var (
	errTurn   = errors.New("not in turn: the order is Open, Ready, Deliver")
	errClosed = errors.New("the connection is closed")
)

// turn is the call that a connection waits for.
type turn int

const (
	turnOpen turn = iota
	turnReady
	turnDeliver
	turnNone // broken or closed
)

// Conn is one connection, for one goroutine. The way of each mail is Open (or the
// next of an earlier Deliver), Ready, Deliver.
type Conn struct {
	conn     net.Conn
	r        *bufio.Reader
	w        *bufio.Writer
	timeouts Timeouts
	offers   offers
	lmtp     bool

	turn   turn
	env    lines  // under way: sent when pipelining, else remembered
	out    []byte // what the next write takes along, and its buffer
	reset  bool   // a transaction stands open on the server and must be cleared
	unread int    // replies to commands sent along whose answer does not matter
	mails  int
}

// Open sends an envelope: MAIL, RCPT and DATA in one write when the relay offers
// PIPELINING (RFC 2920). It does not wait; Ready has the answer.
func (c *Conn) Open(ctx context.Context, env Envelope) error {
	if c.turn != turnOpen {
		return c.outOfTurn(StageMail)
	}
	defer c.watch(ctx)()
	c.out = c.appendEnvelope(c.out[:0], env)
	if _, err := c.write(ctx, c.out, c.timeouts.Command); err != nil {
		return c.broken(StageMail, err)
	}
	return nil
}

// Ready waits for the answer to the envelope. With a reply that is OK (354) the
// server waits for the body, which Deliver gives; any other reply is a refusal,
// its Stage says of what, and the connection takes the next Open if it is still
// Usable. After an error, which is a *BrokenError, it is not.
func (c *Conn) Ready(ctx context.Context) (Reply, error) {
	if c.turn != turnReady {
		return Reply{}, c.outOfTurn(StageMail)
	}
	if c.env.refused.Code != 0 {
		c.turn = turnOpen
		return c.env.refused, nil
	}
	defer c.watch(ctx)()
	if c.offers.pipelining {
		return c.readEnvelope(ctx)
	}
	return c.talkEnvelope(ctx)
}

// Deliver sends the body, the final dot and, when next is not nil, the next
// envelope behind it in the same write, and waits for the reply to the body. A
// reply that is OK says that the server has the mail, any other that it has not.
// After an error, which is a *BrokenError, its stage says whether that is sure.
// Next is answered by the next Ready; once it is under way it can only be
// delivered or, by Close, given up.
//
// The body has CRLF line ends, as Pour and Sign give it. With an envelope that says
// Poured, what follows it on the wire is written behind it, into its slice's
// capacity.
func (c *Conn) Deliver(ctx context.Context, body []byte, next *Envelope) (Reply, error) {
	if c.turn != turnDeliver {
		return Reply{}, c.outOfTurn(StageBody)
	}
	if c.r.Buffered() > 0 {
		return c.interjected()
	}
	defer c.watch(ctx)()
	var out []byte
	if c.env.poured {
		out = append(body, ".\r\n"...)
	} else {
		c.out = appendBody(c.out[:0], body)
		out = c.out
	}
	end := len(out)
	if next != nil {
		out = c.appendEnvelope(out, *next)
	} else {
		c.turn = turnOpen
	}
	if n, err := c.write(ctx, out, c.timeouts.Body); err != nil {
		return c.interrupted(n >= end, err)
	}
	return c.final(ctx)
}

// Pipelining says whether several commands are sent at once.
func (c *Conn) Pipelining() bool { return c.offers.pipelining }

// MaxSize is the largest mail that the relay takes, in octets; 0 if it does not
// say (RFC 1870).
func (c *Conn) MaxSize() int { return c.offers.size }

// Mails is the number of mails accepted on this connection so far.
func (c *Conn) Mails() int { return c.mails }

// Usable says whether another mail can be sent.
func (c *Conn) Usable() bool { return c.turn != turnNone }

// Quit takes leave and closes (RFC 5321, section 4.1.1.10). It waits for the
// answer for a second at most. In the middle of a mail it only closes.
func (c *Conn) Quit() error {
	if c.turn == turnOpen {
		_ = c.conn.SetDeadline(time.Now().Add(time.Second))
		c.leave()
	}
	return c.Close()
}

// Close drops the connection. A mail whose body has not been sent is not
// delivered.
func (c *Conn) Close() error {
	c.turn = turnNone
	return c.conn.Close()
}
