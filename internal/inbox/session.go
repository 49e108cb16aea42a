package inbox

import (
	"io"
	"log"
	"time"

	"github.com/emersion/go-smtp"
)

func (in *Inbox) newServer() *smtp.Server {
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) {
		return &session{inbox: in}, nil
	}))
	server.Domain = "inbox.localhost"
	server.MaxMessageBytes = in.options.Size
	server.MaxRecipients = 100
	server.ReadTimeout = time.Minute
	server.WriteTimeout = time.Minute
	server.EnableSMTPUTF8 = true
	// A client that hangs up is no news here.
	server.ErrorLog = log.New(io.Discard, "", 0)
	return server
}

// session is one SMTP connection.
type session struct {
	inbox *Inbox
	from  string
	to    []string
}

func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	s.from = from
	return nil
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.to = append(s.to, to)
	return nil
}

func (s *session) Data(r io.Reader) error {
	source, err := io.ReadAll(r) // the server bounds it
	if err != nil {
		return err
	}
	m := &Message{From: s.from, To: s.to, Received: s.inbox.options.Clock(), Source: source}
	m.Subject, m.Name = subjectAndSender(source)
	if m.Name == "" {
		m.Name = m.From
	}
	s.inbox.add(m)
	return nil
}

func (s *session) Reset() { s.from, s.to = "", nil }

func (s *session) Logout() error { return nil }
