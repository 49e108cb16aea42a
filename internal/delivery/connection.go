package delivery

import (
	"context"

	"github.com/tidings-press/tidings/mailer"
)

// open puts a mail's envelope on the wire, over a new connection if need be. When
// that fails the mail goes back into the queue, untried, and false is returned.
func (s *sender) open(ctx context.Context, m *mail) bool {
	for attempt := range 2 {
		if s.conn == nil && (s.relay.held() || !s.dial(ctx)) {
			break
		}
		if err := s.conn.SendEnvelope(ctx, m.envelope); err == nil {
			m.opened = true
			return true
		}
		// An idle connection may have been closed by the server: one new one.
		s.hangUp(false)
		if attempt == 1 {
			break
		}
	}
	s.giveBack(m)
	return false
}

// giveBack leaves a mail that was not tried to whoever is next.
func (s *sender) giveBack(m *mail) {
	s.relay.rates.giveBack()
	s.engine.queue.back(m.job)
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
