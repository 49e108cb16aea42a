package mailer

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/wneessen/go-mail/smtp"
)

// What went wrong before the first mail. Use errors.Is.
var (
	ErrDial        = errors.New("cannot connect")
	ErrGreeting    = errors.New("the server turned us away") // banner or EHLO
	ErrTLS         = errors.New("no TLS")
	ErrCertificate = errors.New("certificate refused")
	ErrAuth        = errors.New("authentication refused")
)

// DialError is what Dial returns. Errors.Is finds its Kind, and Reply has the
// server's words if it said any.
type DialError struct {
	Relay string
	Kind  error // ErrDial, ErrGreeting, ErrTLS, ErrCertificate or ErrAuth
	Reply Reply // zero when the server did not answer
	Err   error
}

// Error names the relay, the step and the cause.
func (e *DialError) Error() string {
	if e.Reply.Code != 0 {
		return fmt.Sprintf("relay %s: %v: %s", e.Relay, e.Kind, e.Reply)
	}
	return fmt.Sprintf("relay %s: %v: %v", e.Relay, e.Kind, e.Err)
}

// Unwrap gives the kind and the cause.
func (e *DialError) Unwrap() []error { return []error{e.Kind, e.Err} }

// Temporary says whether the same dial may succeed later without a change of
// settings: not with a certificate or password that was refused, nor where TLS or
// AUTH is not offered, nor where the two sides agree on no TLS.
func (e *DialError) Temporary() bool {
	var network net.Error
	switch {
	case e.Kind == ErrCertificate || isAlert(e.Err):
		return false
	case e.Kind == ErrDial, e.Reply.Temporary():
		return true
	case e.Reply.Code != 0:
		return e.Kind == ErrGreeting // blocked for now, or a server that is not set up yet
	}
	return errors.As(e.Err, &network) || isUnexpectedEOF(e.Err)
}

// Dial connects to a relay, up to and including AUTH. Its errors are *DialError.
//
// It goes step by step through go-mail's smtp.Client. go-mail's own
// DialToSMTPClientWithContext does not say at which step it failed, leaves the
// connection open then, and cannot speak LMTP.
func Dial(ctx context.Context, relay Relay) (*Conn, error) {
	d := dialer{relay: relay.withDefaults()}
	for _, step := range []func(context.Context) error{d.connect, d.greet, d.secure, d.authenticate} {
		if err := d.run(ctx, step); err != nil {
			return nil, err
		}
	}
	return d.finish(), nil
}

// dialer is a connection on its way up.
type dialer struct {
	relay  Relay
	conn   net.Conn // the lowest: deadlines of it hold for TLS above it too
	client *smtp.Client

	encrypted bool // by TLS, from the first byte or since STARTTLS
}

// run makes one step within its time and the context's.
func (d *dialer) run(ctx context.Context, step func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, d.relay.Timeouts.Connect)
	defer cancel()
	if d.conn != nil {
		_ = d.conn.SetDeadline(time.Time{})
		conn := d.conn
		defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })()
	}
	err := step(ctx)
	if err == nil {
		err = d.failed(ErrDial, context.Cause(ctx))
	}
	if err != nil && d.conn != nil {
		_ = d.conn.Close()
	}
	return err
}

// failed makes the error of a step; nil stays nil.
func (d *dialer) failed(kind, err error) error {
	if err == nil {
		return nil
	}
	return &DialError{Relay: d.relay.label(), Kind: kind, Reply: replyOf(err, StageGreeting), Err: err}
}

func (d *dialer) connect(ctx context.Context) error {
	network, address := "tcp", net.JoinHostPort(d.relay.Host, strconv.Itoa(d.relay.Port))
	if d.relay.Socket != "" {
		network, address = "unix", d.relay.Socket
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if err != nil {
		return d.failed(ErrDial, err)
	}
	d.conn = conn
	return nil
}

// greet reads the banner and says EHLO, behind TLS when that is implicit.
func (d *dialer) greet(ctx context.Context) error {
	conn := d.conn
	if d.relay.Security == ImplicitTLS {
		over := tls.Client(conn, d.relay.TLS)
		if err := over.HandshakeContext(ctx); err != nil {
			return d.failed(tlsKind(err), err)
		}
		conn, d.encrypted = over, true
	}
	if d.relay.Protocol == LMTP {
		conn = lmtpGreeter{conn}
	}
	client, err := smtp.NewClient(conn, d.relay.Host)
	if err != nil {
		return d.failed(ErrGreeting, err)
	}
	d.client = client
	return d.failed(ErrGreeting, client.Hello(d.relay.Helo))
}

// secure turns to TLS by STARTTLS (RFC 3207).
func (d *dialer) secure(context.Context) error {
	offered, _ := d.client.Extension("STARTTLS")
	switch {
	case d.relay.Security == NoTLS || d.relay.Security == ImplicitTLS:
		return nil
	case !offered && d.relay.Security == Opportunistic:
		return nil
	case !offered:
		return d.failed(ErrTLS, errors.New("the server does not offer STARTTLS; `tls: none` or `opportunistic` would send in the clear"))
	case d.relay.Protocol == LMTP:
		return d.failed(ErrTLS, errors.New("STARTTLS is not spoken over LMTP; `tls: implicit` or `none` is"))
	}
	if err := d.client.StartTLS(d.relay.TLS); err != nil {
		return d.failed(tlsKind(err), err)
	}
	d.encrypted = true
	return nil
}

// finish takes the wire over from go-mail.
func (d *dialer) finish() *Conn {
	c := &Conn{conn: d.conn, r: d.client.Text.R, w: d.client.Text.W, timeouts: d.relay.Timeouts, lmtp: d.relay.Protocol == LMTP}
	c.extensions.pipelining, _ = d.client.Extension("PIPELINING")
	c.extensions.pipelining = c.extensions.pipelining && !d.relay.NoPipelining
	c.extensions.utf8, _ = d.client.Extension("SMTPUTF8")
	sizes, limit := d.client.Extension("SIZE")
	c.extensions.sizes = sizes
	if n, err := strconv.Atoi(strings.TrimSpace(limit)); err == nil && n > 0 {
		c.extensions.size = n
	}
	_ = d.conn.SetDeadline(time.Time{})
	return c
}

func tlsKind(err error) error {
	var verification *tls.CertificateVerificationError
	var hostname x509.HostnameError
	if errors.As(err, &verification) || errors.As(err, &hostname) {
		return ErrCertificate
	}
	return ErrTLS
}

// isAlert says whether one side ended a handshake by an alert (RFC 8446, section 6):
// crypto/tls makes a net.OpError of it, which looks as if the network had failed.
func isAlert(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && (op.Op == "remote error" || op.Op == "local error")
}

// lmtpGreeter makes go-mail's EHLO an LHLO, which is all that LMTP wants changed before
// the first mail (RFC 2033, section 4.1).
type lmtpGreeter struct{ net.Conn }

// Write changes the greeting.
func (l lmtpGreeter) Write(p []byte) (int, error) {
	if len(p) > 5 && string(p[:5]) == "EHLO " {
		changed := append([]byte("LHLO "), p[5:]...)
		return l.Conn.Write(changed)
	}
	return l.Conn.Write(p)
}
