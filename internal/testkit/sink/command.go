package sink

import (
	"cmp"
	"crypto/tls"
	"fmt"
	"strings"
)

// command answers one line.
func (s *session) command(line string) error {
	verb, rest, _ := strings.Cut(line, " ")
	if s.server.opts.NoPipelining && s.ahead() {
		s.say("503 5.5.1 improper pipelining")
		return errEnd
	}
	switch strings.ToUpper(verb) {
	case "EHLO", "HELO", "LHLO":
		return s.unless(AtHello, line, func() error { return s.hello(strings.ToUpper(verb)) })
	case "STARTTLS":
		return s.unless(AtStartTLS, line, s.startTLS)
	case "AUTH":
		return s.unless(AtAuth, line, func() error { return s.auth(rest) })
	case "MAIL":
		return s.unless(AtMail, line, func() error { return s.mail(rest) })
	case "RCPT":
		return s.unless(AtRcpt, line, func() error { return s.rcpt(rest) })
	case "DATA":
		return s.unless(AtData, line, s.data)
	case "RSET":
		s.clear()
		s.say("250 2.0.0 cleared")
	case "NOOP":
		s.say("250 2.0.0 yes")
	case "QUIT":
		// A client that has its answer may connect anew before we have closed.
		s.leave()
		s.say("221 2.0.0 bye")
		return errEnd
	default:
		s.say("500 5.5.2 unknown command")
	}
	return nil
}

func (s *session) clear() { s.mailing, s.from, s.to = false, "", s.to[:0] }

func (s *session) hello(verb string) error {
	opts := &s.server.opts
	if (verb == "LHLO") != opts.LMTP {
		s.say("500 5.5.1 wrong protocol")
		return nil
	}
	lines := []string{"250 sink"}
	if !opts.NoPipelining {
		lines = append(lines, "250 PIPELINING")
	}
	if opts.TLS != nil && !s.secure {
		lines = append(lines, "250 STARTTLS")
	}
	if len(opts.Users) > 0 {
		lines = append(lines, "250 AUTH "+cmp.Or(opts.Mechanisms, mechanisms))
	}
	if opts.SMTPUTF8 {
		lines = append(lines, "250 SMTPUTF8")
	}
	s.say(append(lines, fmt.Sprintf("250 SIZE %d", opts.Size), "250 8BITMIME", "250 ENHANCEDSTATUSCODES")...)
	return nil
}

func (s *session) startTLS() error {
	if s.server.opts.TLS == nil || s.secure {
		s.say("502 5.5.1 no TLS")
		return nil
	}
	s.say("220 2.0.0 go ahead")
	if err := s.flush(); err != nil {
		return err
	}
	over := tls.Server(s.conn, s.server.opts.TLS)
	if err := over.Handshake(); err != nil {
		return err
	}
	s.conn, s.secure = over, true
	s.start, s.end = 0, 0
	return nil
}

func (s *session) mail(rest string) error {
	switch {
	case len(s.server.opts.Users) > 0 && !s.known:
		s.say("530 5.7.0 authentication required")
	case s.mailing:
		s.say("503 5.5.1 nested MAIL")
	case s.server.opts.PerConnection > 0 && s.mails >= s.server.opts.PerConnection:
		s.say("421 4.7.0 enough for this connection")
		return errEnd
	default:
		s.mailing, s.from = true, path(rest)
		s.say("250 2.1.0 ok")
	}
	return nil
}

func (s *session) rcpt(rest string) error {
	to := path(rest)
	switch {
	case !s.mailing:
		s.say("503 5.5.1 MAIL first")
	case s.server.grey.early(to, s.server.opts.Greylist):
		s.say("451 4.7.1 greylisted, try again later")
	default:
		s.to = append(s.to, to)
		s.say("250 2.1.5 ok")
	}
	return nil
}

// path cuts the address out of "FROM:<a@b> SIZE=1".
func path(rest string) string {
	_, address, _ := strings.Cut(rest, "<")
	address, _, _ = strings.Cut(address, ">")
	return address
}
