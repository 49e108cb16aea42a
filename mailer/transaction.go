package mailer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"
)

// breakConnection marks the connection as of no more use.
func (c *Conn) breakConnection(stage Stage, err error) error {
	c.state = stateClosed
	_ = c.conn.Close()
	return &BrokenError{Stage: stage, Err: err}
}

// outOfOrder refuses a call; the connection is of no more use, because
// its state is not what the caller takes it for.
func (c *Conn) outOfOrder(stage Stage) error {
	if c.state == stateClosed {
		return c.breakConnection(stage, errClosed)
	}
	return c.breakConnection(stage, errOrder)
}

// watchContext interrupts reads and writes when the context ends. The function that it
// returns ends the watchContext.
func (c *Conn) watchContext(ctx context.Context) func() {
	if ctx.Done() == nil {
		return func() {}
	}
	stop := context.AfterFunc(ctx, func() { _ = c.conn.SetDeadline(time.Unix(1, 0)) })
	return func() {
		if !stop() {
			c.state = stateClosed // its deadline may strike at any later step
		}
	}
}

// deadline gives the next step its time. The context is asked afterwards, since
// it may have ended just before.
func (c *Conn) deadline(ctx context.Context, d time.Duration) error {
	if err := c.conn.SetDeadline(time.Now().Add(d)); err != nil {
		return err
	}
	return context.Cause(ctx)
}

// write sends data in one write and says how much of it went out.
func (c *Conn) write(ctx context.Context, data []byte, d time.Duration) (int, error) {
	if len(data) == 0 {
		return 0, nil
	}
	if err := c.deadline(ctx, d); err != nil {
		return 0, err
	}
	n, err := c.w.Write(data) // past the buffer when data is larger
	if err == nil {
		err = c.w.Flush()
	}
	return max(n-c.w.Buffered(), 0), cause(ctx, err)
}

// read takes the next reply that matters, after those that do not.
func (c *Conn) read(ctx context.Context, stage Stage, d time.Duration) (Reply, error) {
	if err := c.deadline(ctx, d); err != nil {
		return Reply{}, err
	}
	for {
		reply, err := readReply(c.r, stage)
		if err != nil {
			return Reply{}, cause(ctx, err)
		}
		if c.ignoredReplies == 0 || reply.Code == 421 {
			return c.closeOn421(reply), nil
		}
		c.ignoredReplies--
	}
}

// closeOn421 knows that a server that says 421 closes the connection (RFC 5321, section
// 3.8).
func (c *Conn) closeOn421(reply Reply) Reply {
	if reply.Code == 421 {
		c.state = stateClosed
		_ = c.conn.Close()
	}
	return reply
}

// cause prefers the reason why the context ended to the timeout that it
// made.
func cause(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// appendEnvelope puts an envelope under way. Without PIPELINING, or when it
// cannot be sent at all, it is only remembered for Ready.
func (c *Conn) appendEnvelope(dst []byte, env Envelope) []byte {
	c.state, c.envelope = stateEnvelopeSent, env.commands(c.extensions)
	if !c.extensions.pipelining || c.envelope.refused.Code != 0 {
		return dst
	}
	if c.needsReset {
		dst = append(dst, "RSET\r\n"...)
		c.needsReset = false
		c.ignoredReplies++
	}
	dst = append(dst, c.envelope.mail...)
	dst = append(dst, c.envelope.rcpt...)
	return append(dst, dataLine...)
}

// readEnvelope reads the three replies to a pipelined envelope. The first refusal
// counts: what follows it is only its consequence (RFC 2920, section 3.1).
func (c *Conn) readEnvelope(ctx context.Context) (Reply, error) {
	var refusal Reply
	for _, stage := range []Stage{StageMail, StageRcpt, StageData} {
		reply, err := c.read(ctx, stage, c.timeouts.Command)
		if err != nil {
			return Reply{}, c.breakConnection(stage, err)
		}
		if c.state == stateClosed {
			return firstReply(refusal, reply), nil
		}
		if refusal.Code == 0 && !isPositive(reply) {
			if reply.OK() {
				return Reply{}, c.wrongAgreement(reply)
			}
			refusal = reply
		}
		if stage == StageData && refusal.Code != 0 {
			return refusal, c.abandonTransaction(ctx, reply)
		}
		if stage == StageData {
			c.state = stateAwaitingBody
			return reply, nil
		}
	}
	return refusal, nil
}

func firstReply(a, b Reply) Reply {
	if a.Code != 0 {
		return a
	}
	return b
}

// isPositive reports whether a reply is the one that its command hopes for.
func isPositive(r Reply) bool {
	if r.Stage == StageData {
		return r.Code == 354
	}
	return r.Code >= 200 && r.Code < 300
}

// wrongAgreement is a server that agrees to something else than it was asked, such as 250
// to DATA: it does not wait for the body, and its state is unknown.
func (c *Conn) wrongAgreement(reply Reply) error {
	return c.breakConnection(reply.Stage, fmt.Errorf("the server answered %s with %q", reply.Stage, reply))
}

// abandonTransaction leaves a refused transaction. A server that waits for a body
// nevertheless gets a lone dot and no recipient to count it for (RFC 2920,
// section 3.1). In LMTP the dot has one reply for each accepted recipient, so here
// there would be none to tell where we are (RFC 2033, section 4.2).
func (c *Conn) abandonTransaction(ctx context.Context, data Reply) error {
	c.state, c.needsReset = stateIdle, true
	if data.Code != 354 {
		return nil
	}
	if c.lmtp {
		return c.Close()
	}
	if _, err := c.write(ctx, []byte(".\r\n"), c.timeouts.Command); err != nil {
		c.state = stateClosed
		_ = c.conn.Close()
		return nil // the refusal is known, which is what was asked
	}
	c.ignoredReplies++
	return nil
}

// exchangeEnvelope sends one command after the other.
func (c *Conn) exchangeEnvelope(ctx context.Context) (Reply, error) {
	if c.needsReset {
		reply, err := c.command(ctx, StageMail, "RSET\r\n")
		if err != nil || c.state == stateClosed {
			return reply, err
		}
		c.needsReset = false
	}
	for _, step := range []struct {
		stage Stage
		line  string
	}{{StageMail, c.envelope.mail}, {StageRcpt, c.envelope.rcpt}, {StageData, dataLine}} {
		reply, err := c.command(ctx, step.stage, step.line)
		if err != nil || c.state == stateClosed {
			return reply, err
		}
		if !isPositive(reply) && reply.OK() {
			return Reply{}, c.wrongAgreement(reply)
		}
		if !isPositive(reply) {
			c.state, c.needsReset = stateIdle, step.stage != StageMail
			return reply, nil
		}
		if step.stage == StageData {
			c.state = stateAwaitingBody
			return reply, nil
		}
	}
	return Reply{}, nil
}

// command sends one line and waits for its reply.
func (c *Conn) command(ctx context.Context, stage Stage, line string) (Reply, error) {
	if _, err := c.write(ctx, []byte(line), c.timeouts.Command); err != nil {
		return Reply{}, c.breakConnection(stage, err)
	}
	reply, err := c.read(ctx, stage, c.timeouts.Command)
	if err != nil {
		return Reply{}, c.breakConnection(stage, err)
	}
	return reply, nil
}

// final reads the reply to the body. Anything but a clear yes or no is
// uncertain.
func (c *Conn) final(ctx context.Context) (Reply, error) {
	reply, err := c.read(ctx, StageFinal, c.timeouts.Final)
	if err == nil && reply.Code >= 300 && reply.Code < 400 {
		err = fmt.Errorf("the server answered the body with %q", reply)
	}
	if err != nil {
		return Reply{}, c.breakConnection(StageFinal, err)
	}
	if reply.OK() {
		c.accepted++
	}
	return reply, nil
}

// bodyWriteFailed is a write of a body that failed. When the dot went out with it, the
// server may have the mail. When not, it cannot, but may have said why it stopped
// listening.
func (c *Conn) bodyWriteFailed(dotSent bool, err error) (Reply, error) {
	stage := StageBody
	if dotSent {
		stage = StageFinal
	}
	if !dotSent && !errors.Is(err, context.Canceled) {
		_ = c.conn.SetReadDeadline(time.Now().Add(time.Second))
		if reply, readErr := readReply(c.r, StageBody); readErr == nil && reply.Code >= 400 {
			c.state = stateClosed
			return reply, c.conn.Close()
		}
	}
	return Reply{}, c.breakConnection(stage, err)
}

// unexpectedReply is a server that speaks although nothing was asked: to take leave,
// or by mistake, and then the next answers would be taken for those of other
// mails.
func (c *Conn) unexpectedReply() (Reply, error) {
	reply, err := readReply(c.r, StageBody)
	if err == nil && reply.Code >= 400 {
		c.state = stateClosed
		return reply, c.conn.Close()
	}
	if err == nil {
		err = fmt.Errorf("the server said %q before the body", reply)
	}
	return Reply{}, c.breakConnection(StageBody, err)
}

// appendBody appends a body and its final dot. Rendered mails have no lines that begin
// with a dot; anything else gets its dots doubled (RFC 5321, section 4.5.2).
func appendBody(dst, body []byte) []byte {
	if bytes.HasPrefix(body, []byte(".")) {
		dst = append(dst, '.')
	}
	for {
		at := bytes.Index(body, []byte("\n."))
		if at < 0 {
			break
		}
		dst = append(append(dst, body[:at+2]...), '.')
		body = body[at+2:]
	}
	dst = append(dst, body...)
	if !bytes.HasSuffix(dst, []byte("\r\n")) {
		dst = append(dst, "\r\n"...)
	}
	return append(dst, ".\r\n"...)
}

// quit says QUIT and waits for the answer and those still unread.
func (c *Conn) quit() {
	if _, err := c.w.WriteString("QUIT\r\n"); err != nil || c.w.Flush() != nil {
		return
	}
	for range c.ignoredReplies + 1 {
		if _, err := readReply(c.r, StageMail); err != nil {
			return
		}
	}
}
