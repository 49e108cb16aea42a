package sink

import (
	"bytes"
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
	countOut func() // counts the connection out; calling it again does nothing

	buf        []byte
	start, end int    // of what is in buf and not yet read
	out        []byte // replies not yet sent

	encrypted, authenticated bool // TLS is on; AUTH has succeeded
	from                     string
	mailing                  bool
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

// unlessFault does what is usual at a stage, unless a fault strikes.
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

// wait lets time pass, while the server runs.
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
		return errEnd // what was answered before goes out first
	case Hang:
		_ = s.flush()
		_, _ = io.Copy(io.Discard, s.conn) // until the other side has had enough
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

// flush sends the replies that wait, after the delay.
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

// fill reads more; what waits to be sent goes out first.
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

// hasUnreadInput says whether the client has sent more than it was asked for.
func (s *session) hasUnreadInput() bool { return s.end > s.start }
