package testkit

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/textproto"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// POP3 is a small POP3 server (RFC 1939) with one mailbox.
type POP3 struct {
	User, Password string

	listener net.Listener
	tls      *tls.Config // for STLS
	mu       sync.Mutex
	mails    []pop3Mail
	lastID   int
}

type pop3Mail struct {
	uid  string
	data []byte
}

// StartPOP3 starts a server that runs until the test ends. It uses TLS from the first byte
// if implicit is true, and otherwise offers STLS if there is a certificate.
func StartPOP3(t testing.TB, certificate *Certificate, implicit bool) *POP3 {
	t.Helper()
	p := &POP3{User: "press", Password: "secret", listener: listen(t, "tcp", "127.0.0.1:0")}
	if certificate != nil {
		p.tls = certificate.Server
	}
	serving := p.listener
	if implicit {
		serving = tls.NewListener(p.listener, p.tls)
	}
	go func() {
		for {
			conn, err := serving.Accept()
			if err != nil {
				return
			}
			go p.serve(conn)
		}
	}()
	t.Cleanup(func() { _ = p.listener.Close() })
	return p
}

// Port returns the port that the server listens on.
func (p *POP3) Port() int { return port(p.listener.Addr()) }

// Put adds a mail to the mailbox. The server cannot read a mail that is nil.
func (p *POP3) Put(mail []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lastID++
	p.mails = append(p.mails, pop3Mail{fmt.Sprintf("id%d", p.lastID), mail})
}

// Count returns the number of mails in the mailbox.
func (p *POP3) Count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.mails)
}

func (p *POP3) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	text := textproto.NewConn(conn)
	reply := func(format string, args ...any) { _ = text.PrintfLine(format, args...) }
	reply("+OK ready")
	p.mu.Lock()
	listed := append([]pop3Mail(nil), p.mails...)
	p.mu.Unlock()
	deleted, user, authenticated := map[string]bool{}, "", false
	for {
		line, err := text.ReadLine()
		if err != nil {
			return
		}
		verb, arg, _ := strings.Cut(line, " ")
		n, _ := strconv.Atoi(arg)
		switch verb = strings.ToUpper(verb); {
		case verb == "STLS":
			reply("+OK begin")
			text = textproto.NewConn(tls.Server(conn, p.tls))
		case verb == "USER":
			user = arg
			reply("+OK")
		case verb == "PASS":
			authenticated = user == p.User && arg == p.Password
			if !authenticated {
				reply("-ERR wrong name or password")
				continue
			}
			reply("+OK welcome")
		case verb == "QUIT":
			p.remove(deleted)
			reply("+OK bye")
			return
		case !authenticated:
			reply("-ERR sign in first")
		case verb == "UIDL":
			reply("+OK")
			for i, m := range listed {
				reply("%d %s", i+1, m.uid)
			}
			reply(".")
		case n < 1 || n > len(listed):
			reply("-ERR no such mail")
		case listed[n-1].data == nil:
			reply("-ERR the mail cannot be read")
		case verb == "RETR":
			reply("+OK")
			w := text.DotWriter()
			_, _ = w.Write(listed[n-1].data)
			_ = w.Close()
		case verb == "DELE":
			deleted[listed[n-1].uid] = true
			reply("+OK")
		default:
			reply("-ERR unknown command")
		}
	}
}

func (p *POP3) remove(deleted map[string]bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	kept := p.mails[:0]
	for _, m := range p.mails {
		if !deleted[m.uid] {
			kept = append(kept, m)
		}
	}
	p.mails = kept
}
