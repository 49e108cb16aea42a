package sink

import (
	"cmp"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"hash"
	"strings"
)

// command handles one command line.
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
		// A client that has the reply may connect again before this connection is closed,
		// so the connection is no longer counted from here on.
		s.countOut()
		s.reply("221 2.0.0 bye")
		return errEnd
	default:
		s.reply("500 5.5.2 unknown command")
	}
	return nil
}

func (s *session) clear() { s.inTransaction, s.from, s.to = false, "", s.to[:0] }

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
	secure := tls.Server(s.conn, s.server.opts.TLS)
	if err := secure.Handshake(); err != nil {
		return err
	}
	s.conn, s.encrypted = secure, true
	s.start, s.end = 0, 0
	return nil
}

func (s *session) mail(rest string) error {
	switch {
	case len(s.server.opts.Users) > 0 && !s.authenticated:
		s.reply("530 5.7.0 authentication required")
	case s.inTransaction:
		s.reply("503 5.5.1 nested MAIL")
	case s.server.opts.PerConnection > 0 && s.mails >= s.server.opts.PerConnection:
		s.reply("421 4.7.0 too many mails on this connection")
		return errEnd
	default:
		s.inTransaction, s.from = true, path(rest)
		s.reply("250 2.1.0 ok")
	}
	return nil
}

func (s *session) rcpt(rest string) error {
	to := path(rest)
	switch {
	case !s.inTransaction:
		s.reply("503 5.5.1 MAIL first")
	case s.server.greylist.refuses(to, s.server.opts.Greylist):
		s.reply("451 4.7.1 greylisted, try again later")
	default:
		s.to = append(s.to, to)
		s.reply("250 2.1.5 ok")
	}
	return nil
}

// path returns the address in an argument such as "FROM:<a@b> SIZE=1".
func path(rest string) string {
	_, address, _ := strings.Cut(rest, "<")
	address, _, _ = strings.Cut(address, ">")
	return address
}

// mechanisms are offered when Options.Mechanisms is empty.
const mechanisms = "PLAIN LOGIN XOAUTH2 SCRAM-SHA-256"

// auth supports PLAIN and XOAUTH2 with an initial response, LOGIN, and SCRAM.
func (s *session) auth(rest string) error {
	mechanism, initial, _ := strings.Cut(rest, " ")
	var ok bool
	switch strings.ToUpper(mechanism) {
	case "PLAIN":
		parts := strings.Split(decode(initial), "\x00")
		ok = len(parts) == 3 && s.checkPassword(parts[1], parts[2])
	case "LOGIN":
		user := s.ask("Username:")
		ok = s.checkPassword(user, s.ask("Password:"))
	case "XOAUTH2":
		user, token, _ := strings.Cut(strings.TrimPrefix(decode(initial), "user="), "\x01auth=Bearer ")
		if ok = s.checkPassword(user, strings.TrimRight(token, "\x01")); !ok {
			s.ask(`{"status":"401"}`)
		}
	case "SCRAM-SHA-256":
		ok = s.scram(sha256.New, false)
	case "SCRAM-SHA-256-PLUS":
		ok = s.scram(sha256.New, true)
	case "SCRAM-SHA-1":
		ok = s.scram(sha1.New, false)
	case "SCRAM-SHA-1-PLUS":
		ok = s.scram(sha1.New, true)
	}
	if !ok {
		s.reply("535 5.7.8 authentication failed")
		return nil
	}
	s.authenticated = true
	s.reply("235 2.7.0 welcome")
	return nil
}

func (s *session) checkPassword(user, password string) bool {
	want, known := s.server.opts.Users[user]
	return known && want == password
}

func (s *session) ask(challenge string) string {
	s.reply("334 " + base64.StdEncoding.EncodeToString([]byte(challenge)))
	line, _ := s.line()
	return decode(line)
}

func decode(s string) string {
	data, _ := base64.StdEncoding.DecodeString(s)
	return string(data)
}

// scram authenticates a client by RFC 5802 (SHA-256: RFC 7677). With channelBinding, the
// client must prove that it is at the other end of this TLS connection.
func (s *session) scram(h func() hash.Hash, channelBinding bool) bool {
	const salt, iterations = "salt of the sink", 4096
	header, binding := "n,,", ""
	if channelBinding {
		kind, data, ok := s.binding()
		if !ok {
			return false
		}
		header, binding = "p="+kind+",,", data
	}
	first, found := strings.CutPrefix(s.ask(""), header)
	user, nonce, _ := strings.Cut(strings.TrimPrefix(first, "n="), ",r=")
	password, known := s.server.opts.Users[user]
	if !found || !known {
		return false
	}
	nonce += "sink"
	challenge := fmt.Sprintf("r=%s,s=%s,i=%d", nonce, base64.StdEncoding.EncodeToString([]byte(salt)), iterations)
	final, proof, _ := strings.Cut(s.ask(challenge), ",p=")
	salted, err := pbkdf2.Key(h, password, []byte(salt), iterations, h().Size())
	if err != nil || final != "c="+base64.StdEncoding.EncodeToString([]byte(header+binding))+",r="+nonce {
		return false
	}
	authMessage := first + "," + challenge + "," + final
	clientKey := sign(h, salted, "Client Key")
	stored := h()
	stored.Write(clientKey)
	signature := sign(h, stored.Sum(nil), authMessage)
	for i := range clientKey {
		clientKey[i] ^= signature[i]
	}
	if decode(proof) != string(clientKey) {
		return false
	}
	s.ask("v=" + base64.StdEncoding.EncodeToString(sign(h, sign(h, salted, "Server Key"), authMessage)))
	return true
}

// binding returns the channel binding data, which only the two ends of a TLS connection
// know: the exporter of TLS 1.3 (RFC 9266), or tls-unique of earlier versions (RFC 5929,
// section 3).
func (s *session) binding() (kind, data string, ok bool) {
	conn, ok := s.conn.(*tls.Conn)
	if !ok {
		return "", "", false
	}
	state := conn.ConnectionState()
	if state.Version < tls.VersionTLS13 && state.TLSUnique != nil {
		return "tls-unique", string(state.TLSUnique), true
	}
	key, err := state.ExportKeyingMaterial("EXPORTER-Channel-Binding", nil, 32)
	return "tls-exporter", string(key), err == nil
}

func sign(h func() hash.Hash, key []byte, text string) []byte {
	mac := hmac.New(h, key)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}
