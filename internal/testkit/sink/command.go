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
	if s.server.opts.NoPipelining && s.hasUnreadInput() {
		s.reply("503 5.5.1 improper pipelining")
		return errEnd
	}
	switch strings.ToUpper(verb) {
	case "EHLO", "HELO", "LHLO":
		return s.unlessFault(AtHello, line, func() error { return s.hello(strings.ToUpper(verb)) })
	case "STARTTLS":
		return s.unlessFault(AtStartTLS, line, s.startTLS)
	case "AUTH":
		return s.unlessFault(AtAuth, line, func() error { return s.auth(rest) })
	case "MAIL":
		return s.unlessFault(AtMail, line, func() error { return s.mail(rest) })
	case "RCPT":
		return s.unlessFault(AtRcpt, line, func() error { return s.rcpt(rest) })
	case "DATA":
		return s.unlessFault(AtData, line, s.data)
	case "RSET":
		s.clear()
		s.reply("250 2.0.0 cleared")
	case "NOOP":
		s.reply("250 2.0.0 yes")
	case "QUIT":
		// A client that has its answer may connect anew before we have closed.
		s.countOut()
		s.reply("221 2.0.0 bye")
		return errEnd
	default:
		s.reply("500 5.5.2 unknown command")
	}
	return nil
}

func (s *session) clear() { s.mailing, s.from, s.to = false, "", s.to[:0] }

func (s *session) hello(verb string) error {
	opts := &s.server.opts
	if (verb == "LHLO") != opts.LMTP {
		s.reply("500 5.5.1 wrong protocol")
		return nil
	}
	lines := []string{"250 sink"}
	if !opts.NoPipelining {
		lines = append(lines, "250 PIPELINING")
	}
	if opts.TLS != nil && !s.encrypted {
		lines = append(lines, "250 STARTTLS")
	}
	if len(opts.Users) > 0 {
		lines = append(lines, "250 AUTH "+cmp.Or(opts.Mechanisms, mechanisms))
	}
	if opts.SMTPUTF8 {
		lines = append(lines, "250 SMTPUTF8")
	}
	s.reply(append(lines, fmt.Sprintf("250 SIZE %d", opts.Size), "250 8BITMIME", "250 ENHANCEDSTATUSCODES")...)
	return nil
}

func (s *session) startTLS() error {
	if s.server.opts.TLS == nil || s.encrypted {
		s.reply("502 5.5.1 no TLS")
		return nil
	}
	s.reply("220 2.0.0 go ahead")
	if err := s.flush(); err != nil {
		return err
	}
	over := tls.Server(s.conn, s.server.opts.TLS)
	if err := over.Handshake(); err != nil {
		return err
	}
	s.conn, s.encrypted = over, true
	s.start, s.end = 0, 0
	return nil
}

func (s *session) mail(rest string) error {
	switch {
	case len(s.server.opts.Users) > 0 && !s.authenticated:
		s.reply("530 5.7.0 authentication required")
	case s.mailing:
		s.reply("503 5.5.1 nested MAIL")
	case s.server.opts.PerConnection > 0 && s.mails >= s.server.opts.PerConnection:
		s.reply("421 4.7.0 enough for this connection")
		return errEnd
	default:
		s.mailing, s.from = true, path(rest)
		s.reply("250 2.1.0 ok")
	}
	return nil
}

func (s *session) rcpt(rest string) error {
	to := path(rest)
	switch {
	case !s.mailing:
		s.reply("503 5.5.1 MAIL first")
	case s.server.greylist.refuses(to, s.server.opts.Greylist):
		s.reply("451 4.7.1 greylisted, try again later")
	default:
		s.to = append(s.to, to)
		s.reply("250 2.1.5 ok")
	}
	return nil
}

// path cuts the address out of "FROM:<a@b> SIZE=1".
func path(rest string) string {
	_, address, _ := strings.Cut(rest, "<")
	address, _, _ = strings.Cut(address, ">")
	return address
}
