package mailer

import (
	"context"
	"errors"
	"fmt"
)

// Envelope is who a mail is from and for.
type Envelope struct {
	From string // the return path
	To   string
	Size int // of the mail in octets, 0 if not known yet
}

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

// Conn is one connection, for one goroutine. The way of each mail is Open (or the
// next of an earlier Deliver), Ready, Deliver.
type Conn struct{}

// Open sends an envelope: MAIL, RCPT and DATA in one write when the relay offers
// PIPELINING (RFC 2920). It does not wait; Ready has the answer.
func (c *Conn) Open(ctx context.Context, env Envelope) error { return errors.New("mailer: not open") }

// Ready waits for the answer to the envelope. With a reply that is OK (354) the
// server waits for the body, which Deliver gives; any other reply is a refusal,
// its Stage says of what, and the connection is ready for Open. After an error,
// which is a *BrokenError, it is not.
func (c *Conn) Ready(ctx context.Context) (Reply, error) { return Reply{}, nil }

// Deliver sends the body, the final dot and, when next is not nil, the next
// envelope behind it in the same write, and waits for the reply to the body. A reply that
// is OK says that the server has the mail, any other that it has not. After an
// error, which is a *BrokenError, Classify or the error's stage says whether that is sure. Next
// is answered by the next Ready; once it is underway it can only be delivered
// or, by Close, given up.
func (c *Conn) Deliver(ctx context.Context, body []byte, next *Envelope) (Reply, error) {
	return Reply{}, nil
}

// Pipelining says whether the relay takes several commands at once.
func (c *Conn) Pipelining() bool { return false }

// MaxSize is the largest mail that the relay takes, in octets; 0 if it does not say (RFC 1870).
func (c *Conn) MaxSize() int { return 0 }

// Mails is the number of mails accepted on this connection so far.
func (c *Conn) Mails() int { return 0 }

// Usable says whether another mail can be sent.
func (c *Conn) Usable() bool { return false }

// Quit takes leave and closes. It does not wait for the answer.
func (c *Conn) Quit() error { return nil }

// Close drops the connection. A mail whose body has not been sent is not delivered.
func (c *Conn) Close() error { return nil }
