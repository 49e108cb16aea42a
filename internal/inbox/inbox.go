// Package inbox is a mail server for previews: it accepts every message over SMTP, keeps the newest in
// memory and shows them in a browser. Start with New; Inbox.ServeSMTP receives mail and Inbox.Handler
// shows it.
//
// It is meant for use on one's own machine: it has no authentication and does not relay mail.
package inbox

import (
	"io"
	"log"
	"net"
	"sync"
	"time"

	"github.com/emersion/go-smtp"
)

// Defaults of Options.
const (
	DefaultMessages = 500
	DefaultSize     = 25 << 20
)

// Options configure an Inbox.
type Options struct {
	Messages int              // number of messages to keep; DefaultMessages if 0
	Size     int64            // maximum size of a message in bytes; DefaultSize if 0
	Clock    func() time.Time // time.Now if nil
}

// Message is a received mail.
type Message struct {
	ID       int // 1 for the first
	From     string
	To       []string
	Received time.Time
	Source   []byte // as sent, without the doubled dots of SMTP
	Subject  string
	Name     string // of the sender in the From header, or the sender's address
}

// Inbox keeps the newest messages. It is safe for concurrent use.
type Inbox struct {
	options Options
	server  *smtp.Server

	mu       sync.Mutex
	messages []*Message // oldest first
	count    int        // number of all messages received
}

// New returns an empty Inbox.
func New(options Options) *Inbox {
	if options.Messages <= 0 {
		options.Messages = DefaultMessages
	}
	if options.Size <= 0 {
		options.Size = DefaultSize
	}
	if options.Clock == nil {
		options.Clock = time.Now
	}
	in := &Inbox{options: options}
	in.server = in.newServer()
	return in
}

// ServeSMTP accepts mail on the listener until Close. It returns nil after Close.
func (in *Inbox) ServeSMTP(l net.Listener) error {
	err := in.server.Serve(l)
	if err == smtp.ErrServerClosed {
		return nil
	}
	return err
}

// Close stops accepting mail. The kept messages are still shown.
func (in *Inbox) Close() error { return in.server.Close() }

// Count returns the number of all messages received, including those no longer kept.
func (in *Inbox) Count() int {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.count
}

// Messages returns the kept messages, newest first.
func (in *Inbox) Messages() []*Message {
	in.mu.Lock()
	defer in.mu.Unlock()
	out := make([]*Message, 0, len(in.messages))
	for i := len(in.messages) - 1; i >= 0; i-- {
		out = append(out, in.messages[i])
	}
	return out
}

// Message returns a kept message by its number, or nil.
func (in *Inbox) Message(id int) *Message {
	in.mu.Lock()
	defer in.mu.Unlock()
	// Ids have no gaps, so the index follows from the id.
	if i := id - (in.count - len(in.messages)) - 1; i >= 0 && i < len(in.messages) {
		return in.messages[i]
	}
	return nil
}

func (in *Inbox) add(m *Message) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.count++
	m.ID = in.count
	in.messages = append(in.messages, m)
	if len(in.messages) > in.options.Messages {
		in.messages[0] = nil
		in.messages = in.messages[1:]
	}
}

func (in *Inbox) newServer() *smtp.Server {
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) {
		return &session{inbox: in}, nil
	}))
	server.Domain = "inbox.localhost"
	server.MaxMessageBytes = in.options.Size + 1 // go-smtp refuses a message of exactly this size
	server.MaxRecipients = 100
	server.ReadTimeout = time.Minute
	server.WriteTimeout = time.Minute
	server.EnableSMTPUTF8 = true
	// Do not log clients that disconnect.
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
	source, err := io.ReadAll(r) // bounded by MaxMessageBytes
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
