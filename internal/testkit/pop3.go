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
	config   *tls.Config // for STLS
	mu       sync.Mutex
	mails    []pop3Mail
	next     int
}

type pop3Mail struct {
	unique string
	data   []byte
}

// StartPOP3 starts a server until the test ends: with TLS from the first byte if implicit,
// otherwise with STLS if there is a certificate.
func StartPOP3(t testing.TB, certificate *Certificate, implicit bool) *POP3 {
	t.Helper()
	p := &POP3{User: "press", Password: "secret", listener: listen(t, "tcp", "127.0.0.1:0")}
	if certificate != nil {
		p.config = certificate.Server
	}
	serving := p.listener
	if implicit {
		serving = tls.NewListener(p.listener, p.config)
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

// Put adds a mail to the mailbox.
func (p *POP3) Put(mail []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.next++
	p.mails = append(p.mails, pop3Mail{fmt.Sprintf("id%d", p.next), mail})
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
	say := func(format string, args ...any) { _ = text.PrintfLine(format, args...) }
	say("+OK ready")
	p.mu.Lock()
	here := append([]pop3Mail(nil), p.mails...)
	p.mu.Unlock()
	gone, user, known := map[string]bool{}, "", false
	for {
		line, err := text.ReadLine()
		if err != nil {
			return
		}
		verb, arg, _ := strings.Cut(line, " ")
		n, _ := strconv.Atoi(arg)
		switch verb = strings.ToUpper(verb); {
		case verb == "STLS":
			say("+OK begin")
			text = textproto.NewConn(tls.Server(conn, p.config))
		case verb == "USER":
			user = arg
			say("+OK")
		case verb == "PASS":
			known = user == p.User && arg == p.Password
			if !known {
				say("-ERR wrong name or password")
				continue
			}
			say("+OK welcome")
		case verb == "QUIT":
			p.remove(gone)
			say("+OK bye")
			return
		case !known:
			say("-ERR sign in first")
		case verb == "UIDL":
			say("+OK")
			for i, m := range here {
				say("%d %s", i+1, m.unique)
			}
			say(".")
		case n < 1 || n > len(here):
			say("-ERR no such mail")
		case verb == "RETR":
			say("+OK")
			w := text.DotWriter()
			_, _ = w.Write(here[n-1].data)
			_ = w.Close()
		case verb == "DELE":
			gone[here[n-1].unique] = true
			say("+OK")
		default:
			say("-ERR unknown command")
		}
	}
}

func (p *POP3) remove(gone map[string]bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	kept := p.mails[:0]
	for _, m := range p.mails {
		if !gone[m.unique] {
			kept = append(kept, m)
		}
	}
	p.mails = kept
}
