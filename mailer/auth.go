package mailer

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/wneessen/go-mail/smtp"
)

// authenticate runs AUTH (RFC 4954) if the relay has a user name.
func (d *dialer) authenticate(context.Context) error {
	if d.relay.Auth == AuthNone {
		return nil
	}
	if d.exposesPassword() {
		return d.failed(ErrAuth, errors.New("the connection has no TLS, so the password is not sent; use `tls: starttls` or `implicit`"))
	}
	offered := strings.Fields(strings.ToUpper(d.offered["AUTH"]))
	auth, err := d.mechanism(offered)
	if err != nil {
		return d.failed(ErrAuth, err)
	}
	mechanism, initial, err := auth.Start(&smtp.ServerInfo{Name: d.relay.Host, TLS: d.encrypted, Auth: offered})
	if err != nil {
		return d.failed(ErrAuth, err)
	}
	line := strings.TrimSpace("AUTH " + mechanism + " " + base64.StdEncoding.EncodeToString(initial))
	return d.exchange(auth, line, strings.HasPrefix(mechanism, "SCRAM-"))
}

// exchange sends the first line of AUTH and answers challenges until the server accepts or refuses. With
// mutual set, the server must prove that it knows the password too (RFC 5802, section 3).
func (d *dialer) exchange(auth smtp.Auth, line string, mutual bool) error {
	proven, last := false, []byte(nil) // the challenge before
	for range authSteps {
		challenge := ""
		reply, err := d.command(line, func(text string) { challenge += text })
		switch {
		case err != nil:
			return d.failed(ErrAuth, err)
		case reply.Code == 235 && mutual && !proven:
			return d.failed(ErrAuth, proofInAcceptance(auth, last, challenge))
		case reply.Code == 235:
			_, err := auth.Next([]byte(challenge), false)
			return d.failed(ErrAuth, err)
		case reply.Code != 334:
			return d.refused(ErrAuth, reply)
		}
		question, err := base64.StdEncoding.DecodeString(strings.TrimSpace(challenge))
		if err != nil {
			return d.failed(ErrAuth, fmt.Errorf("the server's challenge %.80q is not in base64", challenge))
		}
		if mutual {
			if err := checkSCRAM(last, question); err != nil {
				return d.failed(ErrAuth, err)
			}
		}
		answer, err := auth.Next(question, true)
		if err != nil {
			return d.failed(ErrAuth, err)
		}
		proven, last = proven || isProof(question), question
		line = base64.StdEncoding.EncodeToString(answer)
	}
	return d.failed(ErrAuth, fmt.Errorf("the server sent more than %d challenges", authSteps))
}

// isProof reports whether a message of SCRAM has the server's signature, which Next verifies.
func isProof(message []byte) bool { return bytes.HasPrefix(message, []byte("v=")) }

// proofInAcceptance verifies the signature that a server sends in its acceptance and not in a challenge.
func proofInAcceptance(auth smtp.Auth, last []byte, text string) error {
	_, text = cutEnhanced(text)
	message, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
	if err != nil || !isProof(message) || checkSCRAM(last, message) != nil {
		return errors.New("the server accepted the sign-in without a proof that it knows the password")
	}
	_, err = auth.Next(message, true)
	return err
}

// iterationsMax bounds the time that a server's challenge takes, to about a second. Servers ask for 4,096
// to a few hundred thousand iterations.
const iterationsMax = 1_000_000

// checkSCRAM refuses a challenge of SCRAM that asks for too many iterations of its hash, and a proof that
// does not follow the challenge with the nonce: without one, the proof does not depend on the password.
func checkSCRAM(last, challenge []byte) error {
	if isProof(challenge) && !bytes.HasPrefix(last, []byte("r=")) {
		return errors.New("the server sent its proof before its challenge")
	}
	for field := range strings.SplitSeq(string(challenge), ",") {
		digits, found := strings.CutPrefix(field, "i=")
		if n, err := strconv.Atoi(digits); found && (err != nil || n > iterationsMax) {
			return fmt.Errorf("the server asks for %.20q iterations; at most %d are made", digits, iterationsMax)
		}
	}
	return nil
}

// authSteps bounds the number of lines sent for AUTH. SCRAM, the longest mechanism, needs three.
const authSteps = 10

// saslMechanism is a SASL mechanism by the name that servers offer.
type saslMechanism struct {
	name           string
	kind           Mechanism
	channelBinding bool // needs TLS: the exchange is bound to the TLS channel
}

// mechanisms are the supported mechanisms, strongest first.
var mechanisms = []saslMechanism{
	{"SCRAM-SHA-256-PLUS", AuthSCRAM, true},
	{"SCRAM-SHA-256", AuthSCRAM, false},
	{"SCRAM-SHA-1-PLUS", AuthSCRAM, true},
	{"SCRAM-SHA-1", AuthSCRAM, false},
	{"PLAIN", AuthPlain, false},
	{"LOGIN", AuthLogin, false},
	{"XOAUTH2", AuthXOAuth2, false},
}

// mechanism picks the strongest mechanism that the settings allow and the server offers. XOAUTH2 takes
// a token in place of a password, so it is used only when the settings name it.
func (d *dialer) mechanism(offered []string) (smtp.Auth, error) {
	state := d.tlsState()
	for _, m := range mechanisms {
		wanted := m.kind == d.relay.Auth || d.relay.Auth == AuthAuto && m.kind != AuthXOAuth2
		if wanted && slices.Contains(offered, m.name) && (!m.channelBinding || state != nil) {
			return d.auth(m.name), nil
		}
	}
	if len(offered) == 0 {
		return nil, errors.New("the server does not offer AUTH; remove the user name to send without it")
	}
	return nil, fmt.Errorf("the server offers AUTH %s, not %s", strings.Join(offered, ", "), d.relay.Auth)
}

// auth returns the client side of a mechanism. authenticate has checked before that the connection
// may carry a password, so PLAIN and LOGIN do not check it again.
func (d *dialer) auth(name string) smtp.Auth {
	user, password := d.relay.Username, d.relay.Password
	state := d.tlsState()
	switch name {
	case "SCRAM-SHA-256-PLUS":
		return smtp.ScramSHA256PlusAuth(user, password, state)
	case "SCRAM-SHA-256":
		return smtp.ScramSHA256Auth(user, password)
	case "SCRAM-SHA-1-PLUS":
		return smtp.ScramSHA1PlusAuth(user, password, state)
	case "SCRAM-SHA-1":
		return smtp.ScramSHA1Auth(user, password)
	case "PLAIN":
		return smtp.PlainAuth("", user, password, d.relay.Host, true)
	case "XOAUTH2":
		return smtp.XOAuth2Auth(user, password)
	}
	return smtp.LoginAuth(user, password, d.relay.Host, true)
}

// tlsState returns the state of the connection's TLS, or nil without TLS.
func (d *dialer) tlsState() *tls.ConnectionState {
	over, ok := d.conn.(*tls.Conn)
	if !ok {
		return nil
	}
	state := over.ConnectionState()
	return &state
}

// exposesPassword reports whether others could read a password on this connection: it has no TLS
// and it leaves this machine. So a server or an attacker in between that removes STARTTLS from the
// EHLO reply gets no password. SCRAM is not run either, because its exchange allows guessing offline.
func (d *dialer) exposesPassword() bool {
	return !d.encrypted && d.relay.Socket == "" && !(isLoopbackName(d.relay.Host) && isLoopbackPeer(d.socket))
}

// isLoopbackName reports whether a host name means this machine without a DNS lookup.
func isLoopbackName(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

func isLoopbackPeer(conn net.Conn) bool {
	peer, ok := conn.RemoteAddr().(*net.TCPAddr)
	return ok && peer.IP.IsLoopback()
}

// isUnexpectedEOF reports whether the peer closed the connection before it had answered.
func isUnexpectedEOF(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}
