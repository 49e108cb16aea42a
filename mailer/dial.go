package mailer

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The kinds of DialError, for errors.Is.
var (
	ErrDial        = errors.New("cannot connect")
	ErrGreeting    = errors.New("the server refused the connection") // banner or EHLO
	ErrTLS         = errors.New("no TLS")
	ErrCertificate = errors.New("certificate refused")
	ErrAuth        = errors.New("authentication refused")
)

// DialError is the error of Dial. errors.Is matches its Kind.
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

// Temporary reports whether dialing again may succeed without a change of settings. It is false for
// a refused certificate or password, a server that does not offer TLS or AUTH, and a TLS handshake
// that fails with an alert.
func (e *DialError) Temporary() bool {
	var network net.Error
	switch {
	case e.Kind == ErrCertificate || isAlert(e.Err):
		return false
	case e.Kind == ErrDial, e.Reply.Temporary():
		return true
	case e.Reply.Code != 0:
		return e.Kind == ErrGreeting // temporarily blocked, or a server that is not set up yet
	}
	return errors.As(e.Err, &network) || isUnexpectedEOF(e.Err)
}

// Dial connects to a relay and returns a connection that is ready for mail: EHLO, TLS and AUTH are
// done as the relay's settings require. Its errors are *DialError.
//
// It does not use go-mail's SMTP client, because that client compares EHLO keywords with case: to a
// server that offers "starttls" it would send mail without TLS. The SASL mechanisms are go-mail's.
func Dial(ctx context.Context, relay Relay) (*Conn, error) {
	return DialRecorded(ctx, relay, nil)
}

// DialRecorded is Dial with a transcript of the dialogue, which goes on until the connection ends. Read
// it when the connection is closed.
func DialRecorded(ctx context.Context, relay Relay, transcript *Transcript) (*Conn, error) {
	d := dialer{relay: relay.withDefaults(), transcript: transcript}
	if transcript != nil {
		transcript.hide(relay.Username, relay.Password)
	}
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
	conn   net.Conn // socket, or TLS over it
	r      *bufio.Reader

	transcript *Transcript       // nil without one
	encrypted  bool              // TLS is active
	offered    map[string]string // the server's extensions: parameters by keyword in upper case
}

// run runs one step, bounded by the connect timeout and the context.
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

// failed returns the DialError of a step that failed without a reply, or nil for a nil error.
func (d *dialer) failed(kind, err error) error {
	if err == nil {
		return nil
	}
	return &DialError{Relay: d.relay.label(), Kind: kind, Err: err}
}

// refused returns the DialError of a step that the server refused.
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

// use makes conn the connection of all further steps.
func (d *dialer) use(conn net.Conn) {
	d.conn, d.r = conn, bufio.NewReader(conn)
	if d.transcript != nil {
		d.r = bufio.NewReader(io.TeeReader(conn, serverSide{d.transcript}))
	}
}

// writer returns where commands are written.
func (d *dialer) writer() io.Writer {
	if d.transcript != nil {
		return io.MultiWriter(clientSide{d.transcript}, d.conn)
	}
	return d.conn
}

// handshake starts TLS on the connection.
func (d *dialer) handshake(ctx context.Context) error {
	over := tls.Client(d.conn, d.relay.TLS)
	if err := over.HandshakeContext(ctx); err != nil {
		return d.failed(tlsKind(err), err)
	}
	d.use(over)
	d.encrypted = true
	return nil
}

// greet reads the banner and sends EHLO, after the TLS handshake if TLS is implicit.
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

// hello sends EHLO, or LHLO in LMTP (RFC 2033, section 4.1), and records the offered extensions. A
// server that refuses EHLO gets HELO and has no extensions (RFC 5321, section 3.2).
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

// offer records one line of the reply to EHLO, except for the first, which is the server's name.
// Keywords may be in any case (RFC 5321, section 2.4), and old servers write "AUTH=PLAIN".
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

// offers reports whether the server offers an extension.
func (d *dialer) offers(keyword string) bool {
	_, offered := d.offered[keyword]
	return offered
}

// command sends one line and reads its reply. If each is not nil, it is called with the text of
// every line of the reply.
func (d *dialer) command(line string, each func(text string)) (Reply, error) {
	if _, err := io.WriteString(d.writer(), line+"\r\n"); err != nil {
		return Reply{}, err
	}
	return readReplyLines(d.r, StageGreeting, each)
}

// secure starts TLS by STARTTLS (RFC 3207) if the settings ask for it.
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
	if d.r.Buffered() > 0 { // data in the clear must not be taken for a reply over TLS
		return d.failed(ErrTLS, errors.New("the server sent data in the clear after its reply to STARTTLS"))
	}
	if err := d.handshake(ctx); err != nil {
		return err
	}
	return d.hello()
}

// finish returns the Conn of the finished dialogue.
func (d *dialer) finish() *Conn {
	c := &Conn{offered: slices.Sorted(maps.Keys(d.offered)), conn: d.socket, r: d.r, w: bufio.NewWriter(d.writer()), timeouts: d.relay.Timeouts, lmtp: d.relay.Protocol == LMTP}
	c.extensions.pipelining = d.offers("PIPELINING") && !d.relay.NoPipelining
	c.extensions.utf8 = d.offers("SMTPUTF8")
	c.extensions.hasSize = d.offers("SIZE")
	if n, err := strconv.Atoi(d.offered["SIZE"]); err == nil && n > 0 {
		c.extensions.maxSize = n
	}
	if secured, encrypted := d.conn.(*tls.Conn); encrypted {
		state := secured.ConnectionState()
		c.tls = &state
	}
	_ = d.socket.SetDeadline(time.Time{})
	return c
}

// tlsKind returns the kind of a failed handshake.
func tlsKind(err error) error {
	var verification *tls.CertificateVerificationError
	var hostname x509.HostnameError
	if errors.As(err, &verification) || errors.As(err, &hostname) {
		return ErrCertificate
	}
	return ErrTLS
}

// isAlert reports whether one side ended a handshake by an alert (RFC 8446, section 6). crypto/tls
// wraps alerts in a net.OpError, which would otherwise count as a failure of the network.
func isAlert(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && (op.Op == "remote error" || op.Op == "local error")
}
