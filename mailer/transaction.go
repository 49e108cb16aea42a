package mailer

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"
)

// breakConnection closes the connection and returns a BrokenError.
func (c *Conn) breakConnection(stage Stage, err error) error {
	c.state = stateClosed
	_ = c.conn.Close()
	return &BrokenError{Stage: stage, Err: err}
}

// outOfOrder refuses a call in the wrong order. It closes the connection, because its state is not
// the one that the caller expects.
func (c *Conn) outOfOrder(stage Stage) error {
	if c.state == stateClosed {
		return c.breakConnection(stage, errClosed)
	}
	return c.breakConnection(stage, errOrder)
}

// watchContext interrupts reads and writes when the context ends. Call the returned function to stop
// watching.
func (c *Conn) watchContext(ctx context.Context) func() {
	if ctx.Done() == nil {
		return func() {}
	}
	stop := context.AfterFunc(ctx, func() { _ = c.conn.SetDeadline(time.Unix(1, 0)) })
	return func() {
		if !stop() {
			c.state = stateClosed // the deadline was set or is about to be, and would interrupt a later step
		}
	}
}

// deadline sets the deadline of the next step. It checks the context afterwards, because the new
// deadline may have replaced the one that the end of the context had set.
func (c *Conn) deadline(ctx context.Context, d time.Duration) error {
	if err := c.conn.SetDeadline(time.Now().Add(d)); err != nil {
		return err
	}
	return context.Cause(ctx)
}

// write sends data in one write and returns how many octets of it were sent.
func (c *Conn) write(ctx context.Context, data []byte, d time.Duration) (int, error) {
	if len(data) == 0 {
		return 0, nil
	}
	if err := c.deadline(ctx, d); err != nil {
		return 0, err
	}
	n, err := c.w.Write(data) // bypasses the buffer if data is larger
	if err == nil {
		err = c.w.Flush()
	}
	return max(n-c.w.Buffered(), 0), contextError(ctx, err)
}

// read returns the next reply, after skipping the ignored ones.
func (c *Conn) read(ctx context.Context, stage Stage, d time.Duration) (Reply, error) {
	if err := c.deadline(ctx, d); err != nil {
		return Reply{}, err
	}
	for {
		reply, err := readReply(c.r, stage)
		if err != nil {
			return Reply{}, contextError(ctx, err)
		}
		if c.ignoredReplies == 0 || reply.Code == 421 {
			return c.closeOn421(reply), nil
		}
		c.ignoredReplies--
	}
}

// closeOn421 closes the connection if the reply is 421, with which the server announces that it
// closes it (RFC 5321, section 3.8).
func (c *Conn) closeOn421(reply Reply) Reply {
	if reply.Code == 421 {
		c.state = stateClosed
		_ = c.conn.Close()
	}
	return reply
}

// contextError returns the cause of the context's end in place of the timeout error that followed from it.
func contextError(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// appendEnvelope makes env the next envelope and appends its commands. Without PIPELINING, or if the
// envelope cannot be sent, it appends nothing, and AwaitReady handles the envelope.
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

// readEnvelope reads the three replies to a pipelined envelope. It returns the first refusal, because
// the refusals after it are only its consequence (RFC 2920, section 3.1).
func (c *Conn) readEnvelope(ctx context.Context) (Reply, error) {
	var refusal Reply
	for _, stage := range []Stage{StageMail, StageRcpt, StageData} {
		reply, err := c.read(ctx, stage, c.timeouts.Command)
		if err != nil {
			return Reply{}, c.breakConnection(stage, err)
		}
		if c.state == stateClosed {
			return cmp.Or(refusal, reply), nil
		}
		if refusal.Code == 0 && !isPositive(reply) {
			if reply.OK() {
				return Reply{}, c.unexpectedAcceptance(reply)
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

// isPositive reports whether a reply lets the transaction go on: 354 to DATA, 2xx to other commands.
func isPositive(r Reply) bool {
	if r.Stage == StageData {
		return r.Code == 354
	}
	return r.Code >= 200 && r.Code < 300
}

// unexpectedAcceptance handles a positive reply that does not fit the command, such as 250 to DATA.
// It closes the connection, because the state of the server is unknown.
func (c *Conn) unexpectedAcceptance(reply Reply) error {
	return c.breakConnection(reply.Stage, fmt.Errorf("the server answered %s with %q", reply.Stage, reply))
}

// abandonTransaction ends a refused transaction; data is the reply to DATA. If the server waits for a
// body although it refused the recipient, it gets an empty body, which has no recipient (RFC 2920,
// section 3.1). Over LMTP the connection is closed instead: there the server sends one reply for each
// accepted recipient after the dot, which here is none (RFC 2033, section 4.2).
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
		return nil // the refusal is already known, so there is no error to report
	}
	c.ignoredReplies++
	return nil
}

// exchangeEnvelope sends the commands of the envelope one by one, each after the reply to the last.
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
			return Reply{}, c.unexpectedAcceptance(reply)
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

// final reads the reply to the body. A reply that is neither an acceptance nor a refusal is an error
// at StageFinal, so the outcome is uncertain.
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

// bodyWriteFailed handles a failed write of a body. If the final dot was sent, the server may have
// accepted the mail. If not, it cannot have, but it may have sent a refusal before it stopped reading.
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

// unexpectedReply handles a reply that arrives before the body was sent. A refusal, such as 421 before
// the server closes, is returned. Any other reply is an error, because later replies would be
// attributed to the wrong mails.
func (c *Conn) unexpectedReply(ctx context.Context) (reply Reply, err error) {
	if err = c.deadline(ctx, c.timeouts.Command); err == nil { // it may be a part of a line
		reply, err = readReply(c.r, StageBody)
	}
	if err == nil && reply.Code >= 400 {
		c.state = stateClosed
		return reply, c.conn.Close()
	}
	if err == nil {
		err = fmt.Errorf("the server said %q before the body", reply)
	}
	return Reply{}, c.breakConnection(StageBody, contextError(ctx, err))
}

// appendBody appends a body and its final dot. It doubles dots at the start of lines (RFC 5321,
// section 4.5.2).
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

// quit sends QUIT and reads its reply and those that are still unread.
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
