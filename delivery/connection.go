package delivery

import (
	"context"
	"errors"
	"time"

	"github.com/tidings-press/tidings/mailer"
)

// open puts a mail's envelope on the wire, over a new connection if need be. When
// that fails the mail goes back into the queue, untried, and false is returned.
func (s *sender) open(ctx context.Context, m *mail) bool {
	for attempt := range 2 {
		if s.conn == nil && !s.dial(ctx) {
			break
		}
		if err := s.conn.Open(ctx, m.envelope); err == nil {
			m.opened = true
			return true
		}
		// An idle connection may have been closed by the server: one new one.
		s.hangUp(false)
		if attempt == 1 {
			break
		}
	}
	s.engine.queue.back(m.job)
	return false
}

// dial connects to the relay.
func (s *sender) dial(ctx context.Context) bool {
	conn, err := mailer.Dial(ctx, s.relay.Relay.Relay)
	if err != nil {
		s.relay.unreachable(ctx, err)
		return false
	}
	s.relay.reached(ctx)
	s.conn = conn
	return true
}

// unreachable holds a relay back after a dial that failed: shortly when that may
// pass, for long when only a change of settings helps, so that a wrong password is
// not tried for every mail.
func (r *relay) unreachable(ctx context.Context, err error) {
	if ctx.Err() != nil {
		return
	}
	var failed *mailer.DialError
	if errors.As(err, &failed) && !failed.Temporary() {
		r.engine.Log.Error("relay stopped", "relay", r.Name, "reason", err)
		r.rest(ctx, settingsWait, err.Error())
		return
	}
	if errors.As(err, &failed) && failed.Reply.Code == 421 {
		r.shrink()
	}
	n := r.failures.Add(1)
	d := backoff(250*time.Millisecond, 30*time.Second, int(n))
	if n == 1 || n%10 == 0 {
		r.engine.Log.Warn("relay cannot be reached", "relay", r.Name, "times", n, "error", err)
	}
	r.rest(ctx, d, err.Error())
}

// settingsWait is how long a relay rests that only a change of settings can help.
const settingsWait = 5 * time.Minute

// hangUp ends the connection; polite waits for the server's word.
func (s *sender) hangUp(polite bool) {
	if s.conn == nil {
		return
	}
	if polite {
		_ = s.conn.Quit() // the mails are settled; how it parts is no matter
	} else {
		_ = s.conn.Close()
	}
	s.conn = nil
}

// close ends the sender: the last outcome is stored, the connection closed.
func (s *sender) close() {
	s.flush()
	s.hangUp(true)
}
