package mailer

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"
)

// What went wrong before the first mail. Use errors.Is.
var (
	ErrDial        = errors.New("cannot connect")
	ErrGreeting    = errors.New("the server refused the connection") // banner or EHLO
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

// Unwrap returns the kind and the cause.
func (e *DialError) Unwrap() []error { return []error{e.Kind, e.Err} }

// Temporary reports whether the same dial may succeed later without a change of
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

// Dial connects to a relay and returns a connection that is ready for mail: greeted, with TLS
// and AUTH done as the relay's settings ask. Its errors are *DialError.
//
// The dialogue is our own; go-mail's client compares the keywords of EHLO in one case only, so
// that a server that says "starttls" would get mail in the clear. SASL is go-mail's.
func Dial(ctx context.Context, relay Relay) (*Conn, error) {
	d := dialer{relay: relay.withDefaults()}
	for _, step := range []func(context.Context) error{d.connect, d.greet, d.secure, d.authenticate} {
		if err := d.run(ctx, step); err != nil {
			return nil, err
		}
	}
	return d.finish(), nil
}

// dialer sets up one connection.
type dialer struct {
	relay  Relay
	socket net.Conn // the lowest layer: its deadlines hold for TLS above it too
	conn   net.Conn // what is spoken on: socket, or TLS over it
	r      *bufio.Reader

	encrypted bool              // by TLS, from the first byte or since STARTTLS
	offered   map[string]string // the server's extensions: parameters by keyword in upper case
}

// run makes one step within its time and the context's.
func (d *dialer) run(ctx context.Context, step func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, d.relay.Timeouts.Connect)
	defer cancel()
	if d.socket != nil {
		_ = d.socket.SetDeadline(time.Time{})
		socket := d.socket
		defer context.AfterFunc(ctx, func() { _ = socket.SetDeadline(time.Unix(1, 0)) })()
	}
	err := step(ctx)
	if err == nil {
		err = d.failed(ErrDial, context.Cause(ctx))
	}
	if err != nil && d.socket != nil {
		_ = d.socket.Close()
	}
	return err
}

// failed makes the error of a step that got no reply; nil stays nil.
func (d *dialer) failed(kind, err error) error {
	if err == nil {
		return nil
	}
	return &DialError{Relay: d.relay.label(), Kind: kind, Err: err}
}

// refused makes the error of a step that the server answered with a refusal.
func (d *dialer) refused(kind error, reply Reply) error {
	return &DialError{Relay: d.relay.label(), Kind: kind, Reply: reply, Err: errors.New(reply.String())}
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
	d.socket = conn
	d.use(conn)
	return nil
}

// use speaks on a connection from now on.
func (d *dialer) use(conn net.Conn) { d.conn, d.r = conn, bufio.NewReader(conn) }

// handshake puts TLS over the connection.
func (d *dialer) handshake(ctx context.Context) error {
	over := tls.Client(d.conn, d.relay.TLS)
	if err := over.HandshakeContext(ctx); err != nil {
		return d.failed(tlsKind(err), err)
	}
	d.use(over)
	d.encrypted = true
	return nil
}

// greet reads the banner and says EHLO, behind TLS when that is implicit.
func (d *dialer) greet(ctx context.Context) error {
	if d.relay.Security == ImplicitTLS {
		if err := d.handshake(ctx); err != nil {
			return err
		}
	}
	banner, err := readReply(d.r, StageGreeting)
	if err != nil {
		return d.failed(ErrGreeting, err)
	}
	if banner.Code != 220 {
		return d.refused(ErrGreeting, banner)
	}
	return d.hello()
}

// hello says EHLO, or LHLO in LMTP (RFC 2033, section 4.1), and notes the extensions. A
// server that does not know EHLO is greeted with HELO and has none (RFC 5321, section 3.2).
func (d *dialer) hello() error {
	verb := "EHLO"
	if d.relay.Protocol == LMTP {
		verb = "LHLO"
	}
	if strings.ContainsFunc(d.relay.Helo, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return d.failed(ErrGreeting, fmt.Errorf("helo name %q has a space or control character in it", d.relay.Helo))
	}
	d.offered = nil
	reply, err := d.command(verb+" "+d.relay.Helo, d.offer)
	if err == nil && reply.Code >= 500 && verb == "EHLO" {
		d.offered = nil
		reply, err = d.command("HELO "+d.relay.Helo, nil)
	}
	if err != nil {
		return d.failed(ErrGreeting, err)
	}
	if reply.Code != 250 {
		return d.refused(ErrGreeting, reply)
	}
	return nil
}

// offer notes one line of the reply to EHLO; the first is the server's name. Keywords may be in
// any case (RFC 5321, section 2.4), and old servers write "AUTH=PLAIN".
func (d *dialer) offer(line string) {
	if d.offered == nil {
		d.offered = map[string]string{}
		return
	}
	keyword, parameters, _ := strings.Cut(strings.TrimSpace(line), " ")
	keyword = strings.ToUpper(keyword)
	if mechanism, found := strings.CutPrefix(keyword, "AUTH="); found {
		keyword, parameters = "AUTH", mechanism+" "+parameters
	}
	if known := d.offered[keyword]; known != "" {
		parameters = known + " " + parameters
	}
	d.offered[keyword] = strings.TrimSpace(parameters)
}

func (d *dialer) offers(keyword string) bool {
	_, offered := d.offered[keyword]
	return offered
}

// command sends one line and reads its reply. Each gets the text of every line of it, if not
// nil.
func (d *dialer) command(line string, each func(text string)) (Reply, error) {
	if _, err := io.WriteString(d.conn, line+"\r\n"); err != nil {
		return Reply{}, err
	}
	return readReplyLines(d.r, StageGreeting, each)
}

// secure turns to TLS by STARTTLS (RFC 3207) when the settings ask for it.
func (d *dialer) secure(ctx context.Context) error {
	switch {
	case d.relay.Security == NoTLS || d.relay.Security == ImplicitTLS:
		return nil
	case !d.offers("STARTTLS") && d.relay.Security == Opportunistic:
		return nil
	case !d.offers("STARTTLS"):
		return d.failed(ErrTLS, errors.New("the server does not offer STARTTLS; with `tls: none` or `opportunistic` mail is sent in the clear"))
	case d.relay.Protocol == LMTP:
		return d.failed(ErrTLS, errors.New("STARTTLS is not supported over LMTP; use `tls: implicit` or `none`"))
	}
	reply, err := d.command("STARTTLS", nil)
	if err != nil {
		return d.failed(ErrTLS, err)
	}
	if reply.Code != 220 {
		return d.refused(ErrTLS, reply)
	}
	if d.r.Buffered() > 0 { // it would be taken for a reply that came through TLS
		return d.failed(ErrTLS, errors.New("the server sent data in the clear after its reply to STARTTLS"))
	}
	if err := d.handshake(ctx); err != nil {
		return err
	}
	return d.hello()
}

// finish hands the connection over to a Conn.
func (d *dialer) finish() *Conn {
	c := &Conn{conn: d.socket, r: d.r, w: bufio.NewWriter(d.conn), timeouts: d.relay.Timeouts, lmtp: d.relay.Protocol == LMTP}
	c.extensions.pipelining = d.offers("PIPELINING") && !d.relay.NoPipelining
	c.extensions.utf8 = d.offers("SMTPUTF8")
	c.extensions.sizes = d.offers("SIZE")
	if n, err := strconv.Atoi(d.offered["SIZE"]); err == nil && n > 0 {
		c.extensions.size = n
	}
	_ = d.socket.SetDeadline(time.Time{})
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

// isAlert reports whether one side ended a handshake by an alert (RFC 8446, section 6):
// crypto/tls makes a net.OpError of it, which looks as if the network had failed.
func isAlert(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && (op.Op == "remote error" || op.Op == "local error")
}
