package bounce

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"
)

// Mailbox is a mailbox to poll for reports.
type Mailbox struct {
	Protocol string // imap or pop3
	Host     string
	Port     int    // 0 for the protocol's default
	TLS      string // implicit, the default; starttls; none
	Username string
	Password string
	Folder   string        // of IMAP; INBOX when empty
	Every    time.Duration // between polls; 5 minutes when 0
	Config   *tls.Config   // roots and the like; nil for the system's
}

const (
	pollTime  = 5 * time.Minute // timeout of one poll
	pollMails = 500             // mails per poll
	pollSize  = 64 << 20        // octets per poll, after which the rest waits for the next one
	readMax   = 4 * pollSize    // octets per connection, a bound on what a server can send
)

// Poll reads a mailbox at its interval until the context ends. Errors are logged, and the next poll
// tries again.
//
// A mail that is a report on one of our deliveries or unsubscribes is deleted. All others are kept.
func (p *Processor) Poll(ctx context.Context, box Mailbox) error {
	box = box.withDefaults()
	run, err := box.poller()
	if err != nil {
		return err
	}
	ticker := time.NewTicker(box.Every)
	defer ticker.Stop()
	for {
		if err := p.pollOnce(ctx, box, run); err != nil && ctx.Err() == nil {
			p.log.Error("mailbox of bounces", "host", box.Host, "protocol", box.Protocol, "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// pollFunc reads a mailbox once by one protocol.
type pollFunc func(v poll) error

// poll is one pass over a mailbox, on one connection.
type poll struct {
	conn net.Conn
	// process handles a mail and reports whether to delete it.
	process func(mail io.Reader) (bool, error)
	// full reports whether the remaining mails should wait for the next poll.
	full func() bool
}

func (box Mailbox) poller() (pollFunc, error) {
	switch box.Protocol {
	case "imap":
		return pollIMAP(box), nil
	case "pop3":
		return pollPOP3(box), nil
	}
	return nil, fmt.Errorf("bounce: unknown mailbox protocol %q; use imap or pop3", box.Protocol)
}

func (box Mailbox) withDefaults() Mailbox {
	ports := map[string]int{"imap": 993, "pop3": 995}
	if box.TLS == "starttls" || box.TLS == "none" {
		ports = map[string]int{"imap": 143, "pop3": 110}
	}
	box.TLS = cmp.Or(box.TLS, "implicit")
	box.Port = cmp.Or(box.Port, ports[box.Protocol])
	box.Folder = cmp.Or(box.Folder, "INBOX")
	box.Every = cmp.Or(box.Every, 5*time.Minute)
	config := &tls.Config{}
	if box.Config != nil {
		config = box.Config.Clone()
	}
	config.ServerName = cmp.Or(config.ServerName, box.Host)
	config.MinVersion = max(config.MinVersion, tls.VersionTLS12)
	box.Config = config
	return box
}

// pollOnce reads a mailbox once, for at most pollTime.
func (p *Processor) pollOnce(ctx context.Context, box Mailbox, run pollFunc) error {
	return box.dial(ctx, func(ctx context.Context, conn net.Conn, limited *limitedConn) error {
		processed := 0
		return run(poll{
			conn: conn,
			process: func(mail io.Reader) (bool, error) {
				processed++
				result, err := p.Receive(ctx, box.Protocol, nil, mail)
				return result != NotOurs, err
			},
			full: func() bool { return processed >= pollMails || limited.left < readMax-pollSize },
		})
	})
}

// dial connects to the server of a mailbox and runs a function with the connection, for at most pollTime.
func (box Mailbox) dial(ctx context.Context, run func(ctx context.Context, conn net.Conn, limited *limitedConn) error) error {
	ctx, cancel := context.WithTimeout(ctx, pollTime)
	defer cancel()
	dialed, err := (&net.Dialer{}).DialContext(ctx, "tcp", net.JoinHostPort(box.Host, strconv.Itoa(box.Port)))
	if err != nil {
		return err
	}
	defer func() { _ = dialed.Close() }()
	if peer, ok := dialed.RemoteAddr().(*net.TCPAddr); box.TLS == "none" && (!ok || !peer.IP.IsLoopback()) {
		return errors.New("without TLS the password is sent to this machine only; use `tls: implicit` or `starttls`")
	}
	defer context.AfterFunc(ctx, func() { _ = dialed.Close() })()
	limited := &limitedConn{Conn: dialed, left: readMax}
	conn := net.Conn(limited)
	if box.TLS == "implicit" {
		over := tls.Client(conn, box.Config)
		if err := over.HandshakeContext(ctx); err != nil {
			return err
		}
		conn = over
	}
	return errors.Join(run(ctx, conn, limited), context.Cause(ctx))
}

// limitedConn is a connection from which at most left octets can be read.
type limitedConn struct {
	net.Conn
	left int64
}

// Read returns an error when the limit is reached.
func (l *limitedConn) Read(p []byte) (int, error) {
	if l.left <= 0 {
		return 0, errors.New("bounce: the server sent more than a poll may read")
	}
	n, err := l.Conn.Read(p[:min(int64(len(p)), l.left)])
	l.left -= int64(n)
	return n, err
}
