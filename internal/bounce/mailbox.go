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

// Mailbox is a mailbox of our own that reports come to.
type Mailbox struct {
	Protocol string // imap or pop3
	Host     string
	Port     int    // the protocol's own when 0
	TLS      string // implicit, the default; starttls; none
	Username string
	Password string
	Folder   string        // of IMAP; INBOX when empty
	Every    time.Duration // between polls; 5 minutes when 0
	Config   *tls.Config   // roots and the like; nil for the system's
}

const (
	pollTime  = 5 * time.Minute // for one visit
	visitMax  = 500             // mails a visit
	visitSize = 64 << 20        // octets a visit, after which the rest waits for the next one
	readMax   = 4 * visitSize   // octets a connection: bounds what a server can make us read
)

// Poll visits a mailbox at its interval until the context ends. Failures are
// logged and tried again at the next visit.
//
// Mails that were acted on, or that report on one of our mails, are deleted; all
// others stay.
func (d *Processor) Poll(ctx context.Context, box Mailbox) error {
	box = box.withDefaults()
	visitor, err := box.visitor()
	if err != nil {
		return err
	}
	ticker := time.NewTicker(box.Every)
	defer ticker.Stop()
	for {
		if err := d.visit(ctx, box, visitor); err != nil && ctx.Err() == nil {
			d.log.Error("mailbox of bounces", "host", box.Host, "protocol", box.Protocol, "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// visitFunc goes once through a mailbox by one protocol.
type visitFunc func(v visit) error

// visit is one connection to a mailbox.
type visit struct {
	conn net.Conn
	// process is given each mail, and reports whether to delete it.
	process func(mail io.Reader) (bool, error)
	// full reports whether the rest should wait for the next visit.
	full func() bool
}

func (box Mailbox) visitor() (visitFunc, error) {
	switch box.Protocol {
	case "imap":
		return imapVisitor(box), nil
	case "pop3":
		return pop3Visitor(box), nil
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

// visit goes once through a mailbox, within its time.
func (d *Processor) visit(ctx context.Context, box Mailbox, visitor visitFunc) error {
	ctx, cancel := context.WithTimeout(ctx, pollTime)
	defer cancel()
	dialled, err := (&net.Dialer{}).DialContext(ctx, "tcp", net.JoinHostPort(box.Host, strconv.Itoa(box.Port)))
	if err != nil {
		return err
	}
	defer func() { _ = dialled.Close() }()
	if peer, ok := dialled.RemoteAddr().(*net.TCPAddr); box.TLS == "none" && (!ok || !peer.IP.IsLoopback()) {
		return errors.New("without TLS the password is sent to this machine only; use `tls: implicit` or `starttls`")
	}
	defer context.AfterFunc(ctx, func() { _ = dialled.Close() })()
	count := &limitedConn{Conn: dialled, left: readMax}
	conn := net.Conn(count)
	if box.TLS == "implicit" {
		over := tls.Client(conn, box.Config)
		if err := over.HandshakeContext(ctx); err != nil {
			return err
		}
		conn = over
	}
	judged := 0
	err = visitor(visit{
		conn: conn,
		process: func(mail io.Reader) (bool, error) {
			judged++
			verdict, err := d.Receive(ctx, box.Protocol, nil, mail)
			return verdict != NotOurs, err
		},
		full: func() bool { return judged >= visitMax || count.left < readMax-visitSize },
	})
	return errors.Join(err, context.Cause(ctx))
}

// limitedConn reads a limited number of octets.
type limitedConn struct {
	net.Conn
	left int64
}

// Read ends with an error when the bound is reached.
func (b *limitedConn) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errors.New("bounce: the server sends more than a visit may take")
	}
	n, err := b.Conn.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}
