package mailer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"

	"github.com/wneessen/go-mail/smtp"
)

// authenticate says AUTH (RFC 4954) when there is a user name.
func (d *dialling) authenticate(context.Context) error {
	if d.relay.Auth == AuthNone {
		return nil
	}
	_, offered := d.client.Extension("AUTH")
	auth, err := d.mechanism(strings.Fields(strings.ToUpper(offered)))
	if err != nil {
		return d.failed(ErrAuth, err)
	}
	return d.failed(ErrAuth, d.client.Auth(auth))
}

// sasl is one mechanism as servers name it.
type sasl struct {
	name  string
	kind  Mechanism
	bound bool // to the TLS channel
}

// mechanisms, the strongest first.
var mechanisms = []sasl{
	{"SCRAM-SHA-256-PLUS", AuthSCRAM, true},
	{"SCRAM-SHA-256", AuthSCRAM, false},
	{"SCRAM-SHA-1-PLUS", AuthSCRAM, true},
	{"SCRAM-SHA-1", AuthSCRAM, false},
	{"PLAIN", AuthPlain, false},
	{"LOGIN", AuthLogin, false},
	{"XOAUTH2", AuthXOAuth2, false},
}

// mechanism picks the first that is wanted and offered. XOAUTH2 wants a token in
// place of a password, so nobody gets it without asking.
func (d *dialling) mechanism(offered []string) (smtp.Auth, error) {
	_, tlsErr := d.client.GetTLSConnectionState()
	if d.relay.Auth == AuthXOAuth2 && tlsErr != nil && !d.local() {
		return nil, errors.New("XOAUTH2 would show the token on a connection without TLS") // go-mail does not ask
	}
	for _, m := range mechanisms {
		wanted := m.kind == d.relay.Auth || d.relay.Auth == AuthAuto && m.kind != AuthXOAuth2
		if wanted && slices.Contains(offered, m.name) && (!m.bound || tlsErr == nil) {
			return d.auth(m.name), nil
		}
	}
	if len(offered) == 0 {
		return nil, errors.New("the server does not offer AUTH; without a user name none is tried")
	}
	return nil, fmt.Errorf("the server offers AUTH %s, not %s", strings.Join(offered, ", "), d.relay.Auth)
}

// auth has go-mail's PLAIN and LOGIN refuse to show a password on a connection
// without TLS, but to localhost.
func (d *dialling) auth(name string) smtp.Auth {
	user, password := d.relay.Username, d.relay.Password
	state, _ := d.client.GetTLSConnectionState()
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
		return smtp.PlainAuth("", user, password, d.relay.Host, false)
	case "XOAUTH2":
		return smtp.XOAuth2Auth(user, password)
	}
	return smtp.LoginAuth(user, password, d.relay.Host, false)
}

// local says whether the relay is on this machine, where nobody else reads along.
func (d *dialling) local() bool {
	ip := net.ParseIP(d.relay.Host)
	return d.relay.Socket != "" || d.relay.Host == "localhost" || ip != nil && ip.IsLoopback()
}

// isCut says whether a connection ended where more was expected.
func isCut(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}
