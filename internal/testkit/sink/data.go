package sink

import (
	"bytes"
	"cmp"
	"strings"
)

var (
	dot      = []byte("\r\n.\r\n")
	firstDot = []byte(".\r\n")
)

// data takes a body, answers it and counts it.
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
			s.take(body, size)
		}
		return s.applyFault(f)
	}
	s.take(body, size)
	s.accept()
	if f := s.server.faultAt(AfterReply, to); f != nil {
		if err := s.flush(); err != nil {
			return err
		}
		return s.applyFault(f)
	}
	return nil
}

// accept answers: in LMTP once for each recipient.
func (s *session) accept() {
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

func (s *session) take(body []byte, size int) {
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

// body reads up to the final dot. What is not to be kept is thrown away as it
// comes, but for the last octets, which may be the start of the dot.
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
