package testkit

import (
	"bytes"
	"crypto/tls"
	"io"
	"log"
	"net"
	"slices"
	"sync"
	"testing"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"
)

// IMAP is a server of emersion/go-imap with one mailbox in memory.
type IMAP struct {
	User, Password string

	listener net.Listener
	user     *imapmemserver.User
	t        testing.TB

	mu         sync.Mutex
	unreadable imap.UIDSet // mails that it cannot read
}

// session refuses to read some mails.
type session struct {
	imapserver.Session
	server *IMAP
}

// Fetch implements imapserver.Session.
func (s *session) Fetch(w *imapserver.FetchWriter, numbers imap.NumSet, options *imap.FetchOptions) error {
	if uids, ok := numbers.(imap.UIDSet); ok && s.server.cannotRead(uids) {
		return &imap.Error{Type: imap.StatusResponseTypeNo, Text: "the mail cannot be read"}
	}
	return s.Session.Fetch(w, numbers, options)
}

func (s *IMAP) cannotRead(asked imap.UIDSet) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	uids, _ := asked.Nums()
	return slices.ContainsFunc(uids, s.unreadable.Contains)
}

// StartIMAP starts a server that runs until the test ends. It uses TLS from the first byte
// if implicit is true, and otherwise offers STARTTLS if there is a certificate.
func StartIMAP(t testing.TB, certificate *Certificate, implicit bool) *IMAP {
	t.Helper()
	s := &IMAP{User: "press", Password: "secret", listener: listen(t, "tcp", "127.0.0.1:0"), t: t}
	s.user = imapmemserver.NewUser(s.User, s.Password)
	if err := s.user.Create("INBOX", nil); err != nil {
		t.Fatal(err)
	}
	memory := imapmemserver.New()
	memory.AddUser(s.user)
	options := &imapserver.Options{
		NewSession: func(*imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
			return &session{memory.NewSession(), s}, nil, nil
		},
		Caps: imap.CapSet{imap.CapIMAP4rev1: {}}, InsecureAuth: true, Logger: log.New(io.Discard, "", 0),
	}
	serving := s.listener
	if implicit {
		serving = tls.NewListener(s.listener, certificate.Server)
	} else if certificate != nil {
		options.TLSConfig = certificate.Server
	}
	server := imapserver.New(options)
	go func() { _ = server.Serve(serving) }()
	t.Cleanup(func() { _ = server.Close() })
	return s
}

// Port returns the port that the server listens on.
func (s *IMAP) Port() int { return port(s.listener.Addr()) }

// Put adds a mail to the mailbox. The server cannot read a mail that is nil.
func (s *IMAP) Put(mail []byte) {
	s.t.Helper()
	added, err := s.user.Append("INBOX", literal{bytes.NewReader(mail)}, &imap.AppendOptions{})
	if err != nil {
		s.t.Error(err)
		return
	}
	if mail == nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.unreadable.AddNum(added.UID)
	}
}

// Count returns the number of mails in the mailbox.
func (s *IMAP) Count() int {
	s.t.Helper()
	status, err := s.user.Status("INBOX", &imap.StatusOptions{NumMessages: true})
	if err != nil {
		s.t.Error(err)
		return -1
	}
	return int(*status.NumMessages)
}

// literal implements imap.LiteralReader.
type literal struct{ *bytes.Reader }

// Size implements imap.LiteralReader.
func (l literal) Size() int64 { return l.Reader.Size() }
