package sink

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"net"
	"strings"
	"time"
)

const bufferSize = 128 << 10

// errEnd ends a session.
var errEnd = errors.New("session ends")

// session is one connection.
type session struct {
	server   *Server
	conn     net.Conn
	raw      net.Conn
	id       int64
	countOut func() // removes the connection from Server.open, once

	buf        []byte
	start, end int    // range of buf that was received and not yet parsed
	out        []byte // replies not yet sent

	encrypted, authenticated bool // TLS is on; AUTH has succeeded
	from                     string
	inTransaction            bool
	to                       []string
	mails                    int
}

func (s *session) run(full bool) {
	s.buf = make([]byte, bufferSize)
	s.encrypted = s.server.opts.Implicit
	if full {
		s.server.refused.Add(1)
		s.reply("421 4.3.2 too many connections")
		_ = s.flush()
		return
	}
	err := s.unlessFault(AtBanner, "", func() error { s.reply("220 sink ESMTP"); return nil })
	for err == nil {
		var line string
		if line, err = s.line(); err == nil {
			err = s.command(line)
		}
	}
	_ = s.flush()
}

// unlessFault calls usual, unless a fault applies at this stage.
func (s *session) unlessFault(at Stage, line string, usual func() error) error {
	f := s.server.faultAt(at, line)
	if f == nil {
		return usual()
	}
	if f.Do == Slow {
		if err := s.wait(f.Wait); err != nil {
			return err
		}
		return usual()
	}
	return s.applyFault(f)
}

// wait sleeps, and returns errEnd when the server is closed meanwhile.
func (s *session) wait(d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-s.server.done:
		return errEnd
	}
}

func (s *session) applyFault(f *Fault) error {
	switch f.Do {
	case Cut:
		return errEnd // run sends the pending replies first
	case Hang:
		_ = s.flush()
		_, _ = io.Copy(io.Discard, s.conn) // until the client closes the connection
		return errEnd
	}
	s.reply(f.Reply)
	if strings.HasPrefix(f.Reply, "421") {
		return errEnd
	}
	return nil
}

func (s *session) reply(lines ...string) {
	for i, line := range lines {
		if i < len(lines)-1 {
			line = line[:3] + "-" + line[4:]
		}
		s.out = append(append(s.out, line...), '\r', '\n')
	}
}

// flush waits for Options.Delay and sends the pending replies.
func (s *session) flush() error {
	if len(s.out) == 0 {
		return nil
	}
	if d := s.server.opts.Delay; d > 0 {
		if err := s.wait(d); err != nil {
			return err
		}
	}
	_, err := s.conn.Write(s.out)
	s.out = s.out[:0]
	return err
}

// fill sends the pending replies and reads more input.
func (s *session) fill() error {
	if err := s.flush(); err != nil {
		return err
	}
	if s.start > 0 {
		copy(s.buf, s.buf[s.start:s.end])
		s.start, s.end = 0, s.end-s.start
	}
	if s.end == len(s.buf) {
		s.buf = append(s.buf, make([]byte, len(s.buf))...)
	}
	n, err := s.conn.Read(s.buf[s.end:])
	s.end += n
	if n > 0 {
		return nil
	}
	return err
}

// line reads a command.
func (s *session) line() (string, error) {
	for {
		if i := bytes.IndexByte(s.buf[s.start:s.end], '\n'); i >= 0 {
			line := strings.TrimRight(string(s.buf[s.start:s.start+i]), "\r")
			s.start += i + 1
			return line, nil
		}
		if s.end-s.start > bufferSize {
			return "", errEnd
		}
		if err := s.fill(); err != nil {
			return "", err
		}
	}
}

// hasUnreadInput reports whether the client has sent more without waiting for a reply.
func (s *session) hasUnreadInput() bool { return s.end > s.start }

var (
	dot      = []byte("\r\n.\r\n")
	firstDot = []byte(".\r\n")
)

// data receives a body, replies to it and counts it.
func (s *session) data() error {
	switch {
	case len(s.to) == 0 && !s.server.opts.Lenient:
		s.reply("554 5.5.1 no valid recipients")
		return nil
	default:
		s.reply("354 go on")
	}
	body, size, err := s.body()
	if err != nil {
		return err
	}
	defer s.clear()
	if limit := s.server.opts.Size; limit > 0 && size > limit {
		s.reply("552 5.3.4 too large")
		return nil
	}
	to := strings.Join(s.to, " ")
	if f := s.server.faultAt(AfterDot, to); f != nil && f.Do == Slow {
		if err := s.wait(f.Wait); err != nil {
			return err
		}
	} else if f != nil {
		if f.Accept {
			s.record(body, size)
		}
		return s.applyFault(f)
	}
	s.record(body, size)
	s.replyAccepted()
	if f := s.server.faultAt(AfterReply, to); f != nil {
		if err := s.flush(); err != nil {
			return err
		}
		return s.applyFault(f)
	}
	return nil
}

// replyAccepted sends the reply to a body, in LMTP one for each recipient.
func (s *session) replyAccepted() {
	switch {
	case s.server.opts.LMTP:
		for range s.to {
			s.reply("250 2.0.0 taken")
		}
	case len(s.to) == 0:
		s.reply("554 5.5.1 no valid recipients")
	default:
		s.reply("250 2.0.0 taken")
	}
}

func (s *session) record(body []byte, size int) {
	if len(s.to) == 0 {
		return
	}
	s.mails++
	t := &s.server.Tally
	t.mails.Add(1)
	t.bytes.Add(int64(size))
	if size == 0 {
		t.empty.Add(1)
	}
	for _, to := range s.to {
		t.add(to)
	}
	if keep := s.server.opts.Keep; keep != nil {
		keep(Mail{From: s.from, To: append([]string(nil), s.to...), Data: bytes.ReplaceAll(body, []byte("\r\n.."), []byte("\r\n.")), Conn: s.id})
	}
}

// body reads up to the final dot. Without Options.Keep it discards the body while reading,
// except for the last bytes, which may be the start of the final dot.
func (s *session) body() (kept []byte, size int, err error) {
	for s.end-s.start < len(firstDot) {
		if err := s.fill(); err != nil {
			return nil, 0, err
		}
	}
	if f := s.server.faultAt(InBody, strings.Join(s.to, " ")); f != nil {
		return nil, 0, cmp.Or(s.applyFault(f), errEnd)
	}
	if bytes.HasPrefix(s.buf[s.start:s.end], firstDot) {
		s.start += len(firstDot)
		return nil, 0, nil
	}
	for searched := 0; ; {
		have := s.buf[s.start:s.end]
		if i := bytes.Index(have[searched:], dot); i >= 0 {
			n := searched + i + 2
			if s.server.opts.Keep != nil {
				kept = bytes.Clone(have[:n])
			}
			s.start += n + len(dot) - 2
			return kept, size + n, nil
		}
		searched = max(len(have)-len(dot)+1, 0)
		if s.server.opts.Keep == nil && searched > bufferSize/2 {
			s.start += searched
			size += searched
			searched = 0
		}
		if err := s.fill(); err != nil {
			return nil, 0, err
		}
	}
}
