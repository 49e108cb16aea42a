package testkit

import (
	"crypto/tls"
	"io"
	"net"
	"sync/atomic"
	"testing"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// InboxOptions configure an Inbox.
type InboxOptions struct {
	Certificate *Certificate      // if set, the server offers STARTTLS
	Implicit    bool              // TLS from the first byte
	Users       map[string]string // passwords by user; if set, AUTH PLAIN is required
	LMTP        bool
	Listener    net.Listener // a free port of the loopback when nil
}

// Inbox is a server of emersion/go-smtp that stores the mails it accepts.
type Inbox struct {
	Host string
	log  mailLog

	server   *smtp.Server
	listener net.Listener
	users    map[string]string
	serial   atomic.Int64
}

// StartInbox starts a server that runs until the test ends.
func StartInbox(t testing.TB, opts InboxOptions) *Inbox {
	t.Helper()
	in := &Inbox{Host: "127.0.0.1", listener: opts.Listener, users: opts.Users}
	if in.listener == nil {
		in.listener = listen(t, "tcp", "127.0.0.1:0")
	}
	in.server = smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) {
		return &inboxSession{inbox: in, id: in.serial.Add(1)}, nil
	}))
	in.server.Domain = "localhost"
	in.server.LMTP = opts.LMTP
	in.server.EnableSMTPUTF8 = true
	in.server.MaxMessageBytes = 64 << 20
	in.server.AllowInsecureAuth = true
	if opts.Certificate != nil {
		in.server.TLSConfig = opts.Certificate.Server
	}
	go in.serve(opts.Implicit)
	t.Cleanup(func() { _ = in.server.Close() })
	return in
}

func (in *Inbox) serve(implicit bool) {
	if implicit {
		_ = in.server.Serve(tls.NewListener(in.listener, in.server.TLSConfig))
		return
	}
	_ = in.server.Serve(in.listener)
}

// Port returns the port that the server listens on.
func (in *Inbox) Port() int { return port(in.listener.Addr()) }

// Mails returns the mails accepted so far, in order.
func (in *Inbox) Mails() []Mail { return in.log.all() }

// Received returns how many mails each recipient got.
func (in *Inbox) Received() map[string]int { return in.log.received() }

// inboxSession is one connection.
type inboxSession struct {
	inbox         *Inbox
	id            int64
	authenticated bool
	mail          Mail
}

// AuthMechanisms implements smtp.AuthSession: it offers PLAIN when there are users.
func (s *inboxSession) AuthMechanisms() []string {
	if len(s.inbox.users) == 0 {
		return nil
	}
	return []string{sasl.Plain}
}

// Auth implements smtp.AuthSession: it checks the password.
func (s *inboxSession) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if want, ok := s.inbox.users[user]; !ok || want != password {
			return smtp.ErrAuthFailed
		}
		s.authenticated = true
		return nil
	}), nil
}

// Mail implements smtp.Session.
func (s *inboxSession) Mail(from string, _ *smtp.MailOptions) error {
	if len(s.inbox.users) > 0 && !s.authenticated {
		return smtp.ErrAuthRequired
	}
	s.mail = Mail{From: from, Conn: s.id}
	return nil
}

// Rcpt implements smtp.Session.
func (s *inboxSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.mail.To = append(s.mail.To, to)
	return nil
}

// Data implements smtp.Session: it stores the mail.
func (s *inboxSession) Data(r io.Reader) error {
	data, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s.mail.Data = data
	s.inbox.log.add(s.mail)
	return nil
}

// Reset implements smtp.Session.
func (s *inboxSession) Reset() { s.mail = Mail{} }

// Logout implements smtp.Session.
func (s *inboxSession) Logout() error { return nil }
